"""The demonstration's page of drawings: one HTML file, its drawings inside as SVG.

What the pages of music and text share with it is public: the style, the head and the table.
"""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentgen import page
from latentgen.sketch.render import to_svg

if TYPE_CHECKING:
    from latentgen.constraints import Comparison
    from latentgen.demo.story import Story

DRAWINGS, MUSIC, TEXT = "index.html", "music.html", "text.html"

STYLE = """
:root { --paper:#fbfaf7; --ink:#1d1d1f; --muted:#8a877f; --line:#e6e2d8; --accent:#c2452d; }
* { box-sizing:border-box }
body { margin:0; background:var(--paper); color:var(--ink);
  font:17px/1.55 Georgia, 'Iowan Old Style', 'Times New Roman', serif }
main { max-width:1120px; margin:0 auto; padding:72px 32px 96px }
h1 { font-size:64px; line-height:1.02; font-weight:400; letter-spacing:-.02em; margin:0 0 18px }
h2 { font-size:30px; font-weight:400; letter-spacing:-.01em; margin:88px 0 6px }
p { max-width:680px; margin:0 0 20px } .lead { font-size:21px; color:#4b4a46 }
nav { margin:-40px 0 40px } nav a { color:var(--accent) } nav b { font-weight:600 }
small, .note, nav, th, td.name, .label {
  font:13px/1.4 system-ui, 'Segoe UI', Helvetica, sans-serif }
small, .note { color:var(--muted) }
.wall { display:grid; grid-template-columns:repeat(10,1fr); margin:10px 0 4px }
.wall svg, .row svg { width:100%; display:block; aspect-ratio:1 }
.unasked { color:var(--accent) } .empty { color:var(--line) }
.row { display:grid; grid-template-columns:132px repeat(var(--n),1fr); align-items:center;
  border-top:1px solid var(--line) }
.label b { display:block; font-weight:600; font-size:14px } .label { padding-right:12px }
.label span { color:var(--muted) } .head { border:0; color:var(--muted); text-align:center }
table { border-collapse:collapse; width:100%; margin-top:18px }
th { text-align:right; font-weight:500; color:var(--muted); padding:8px 10px;
  border-bottom:1px solid var(--ink); vertical-align:bottom }
td { text-align:right; padding:9px 10px; border-bottom:1px solid var(--line);
  font-variant-numeric:tabular-nums; font-family:system-ui, sans-serif; font-size:14px }
th:first-child, td.name { text-align:left } tr.ours td { font-weight:650 }
td .bar { display:inline-block; height:8px; background:var(--ink); margin-right:8px;
  vertical-align:1px } tr.prior .bar { background:var(--accent) }
"""


def write_page(path: Path, story: "Story", there: Sequence[str]) -> None:
    """Writes the page of a story; `there` are all pages, to link to."""
    chapters = (_opening, _lesson, _wishes, _sweep, _path, _changes, _table, _colophon)
    body = "\n".join(chapter(story) for chapter in chapters)
    text = head("latentgen: ask for it") + f"<main>{pages(DRAWINGS, there)}{body}</main></html>\n"
    path.write_text(text, encoding="utf-8")


def head(title: str, style: str = "") -> str:
    """The beginning of a page, up to its body."""
    return page.head(title, STYLE + style)


def pages(here: str, there: Sequence[str]) -> str:
    """Links between the pages that are there, of which `here` is one."""
    if len(there) < 2:
        return ""
    names = {DRAWINGS: "Drawings", MUSIC: "Music", TEXT: "Text"}
    links = (
        f"<b>{names[file]}</b>" if file == here else f'<a href="{file}">{names[file]}</a>'
        for file in there
    )
    return f"<nav>{' · '.join(links)}</nav>"


def _opening(story: "Story") -> str:
    from latentgen.demo.wishes import KINDS

    return (
        "<h1>Ask for it.</h1>"
        '<p class="lead">A small network learnt to draw eight kinds of thing from people who had '
        "twenty seconds each. Left alone it draws what comes first, in red. Constraints on its "
        f"latent space, learnt in {story.seconds['learning']:.0f} seconds from "
        f"{story.labels} labels a wish, make it draw what was asked for. "
        "The network itself is never changed.</p>"
        f'<div class="wall unasked">{_cells(story.unasked)}</div>'
        "<small>unasked: ten points of the latent space, as the prior gives them; a dash is where "
        "nothing was drawn</small>"
        f'<div class="wall">{_cells(story.realistic)}</div>'
        "<small>the same ten points, moved by the realism constraint alone</small>"
        f'<div class="wall">{_cells(story.kinds)}</div>'
        f"<small>the same ten points, asked for {escape(', '.join(KINDS))} in turn</small>"
    )


def _lesson(story: "Story") -> str:
    rows = []
    for wish in story.wishes:
        positive, negative = (part[:5] for part in story.examples[wish.name])
        note = f"held-out AUC {story.scores.get(wish.name, float('nan')):.2f}"
        rows.append(_row(label(wish.title, note), [*positive, *negative], faded=range(5, 10)))
    return (
        f"<h2>What {story.labels} labels look like</h2>"
        "<p>For each wish: five of the drawings that have it, in black, and five that have not, "
        "in red. The critics are cross-validated on labels they have not seen.</p>" + "".join(rows)
    )


def _wishes(story: "Story") -> str:
    rows = []
    comparison = {row.method: row for row in story.comparison.rows} if story.comparison else {}
    for wish in story.wishes:
        note = " → ".join(
            f"{100 * comparison[method].by_attribute[wish.name]:.0f}%"
            for method in ("prior", "actor")
            if method in comparison
        )
        rows.append(_row(label(wish.title, note), story.asked[wish.name]))
    return (
        "<h2>Asked for</h2><p>The first ten points of the wall again, each moved by one forward "
        "pass of the actor. The figures: how many drawings satisfy a judge that has seen other "
        "drawings only, unasked and asked.</p>" + "".join(rows)
    )


def _sweep(story: "Story") -> str:
    from latentgen.demo.story import STRENGTHS

    cells = "".join(f"<div>{strength:g}</div>" for strength in STRENGTHS)
    head = (
        f'<div class="row head note" style="--n:{len(STRENGTHS)}">'
        f'<div class="label">strength</div>{cells}</div>'
    )
    rows = [_row(label(wish.title), story.sweep[wish.name]) for wish in story.wishes]
    return (
        "<h2>How strongly</h2><p>One point a row, moved further and further towards the wish: "
        "0 is untouched, 1 as learnt, beyond is extrapolation.</p>" + head + "".join(rows)
    )


def _path(story: "Story") -> str:
    first, second = story.path_ends
    return (
        f"<h2>From {escape(first)} to {escape(second)}</h2><p>Ten points on the arc between two "
        f'constrained ones.</p><div class="wall">{_cells(story.path)}</div>'
    )


def _changes(story: "Story") -> str:
    titles = {wish.name: wish.title for wish in story.wishes}
    rows = [_row(label("before"), story.originals)]
    rows += [_row(label(titles[name]), drawings) for name, drawings in story.changed.items()]
    return (
        "<h2>The same, but…</h2><p>Identity-preserving change: gradient ascent moves each drawing "
        "just far enough for one wish, and stops.</p>" + "".join(rows)
    )


def _table(story: "Story") -> str:
    if story.comparison is None:
        return ""
    return (
        f"<h2>Six ways, compared</h2><p>{story.comparison.samples} drawings of each method and "
        "wish. Satisfied: the judge's share. Realism: how sure the judge is of what it sees. "
        "Diversity: mean distance between two pictures, that of true members being 1. Distance: "
        "how far z moved. The last columns: each wish's share.</p>"
        + comparison_table(story.comparison, ours="actor")
    )


def comparison_table(comparison: "Comparison", ours: str) -> str:
    """What `evaluate` returned as a table, the method `ours` in bold."""
    names = ("satisfied", "realism", "diversity", "distance", "ms a sample")
    wishes = comparison.rows[0].by_attribute
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in (*names, *wishes))
    rows = []
    for row in comparison.rows:
        kind = {ours: "ours", "prior": "prior"}.get(row.method, "")
        bar = f'<span class="bar" style="width:{70 * row.satisfaction:.0f}px"></span>'
        figures = (row.realism, row.diversity, row.distance, row.milliseconds)
        cells = [f"<td>{bar}{row.satisfaction:.2f}</td>", *(f"<td>{f:.2f}</td>" for f in figures)]
        cells += [f"<td>{row.by_attribute[name]:.2f}</td>" for name in wishes]
        rows.append(f'<tr class="{kind}"><td class="name">{row.method}</td>{"".join(cells)}</tr>')
    return f"<table><tr><th>method</th>{head}</tr>{''.join(rows)}</table>"


def _colophon(story: "Story") -> str:
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in story.seconds.items())
    return (
        f'<p class="note" style="margin-top:72px">Seed {story.seed}; {seconds}. The model saw '
        "drawings of Google’s Quick, Draw! dataset (CC BY 4.0); everything on this page was drawn "
        "by it. Latent constraints: Engel, Hoffman, Roberts 2017 (arXiv 1711.05772); sketch VAE: "
        "Ha, Eck 2017 (arXiv 1704.03477). Again: <code>latentgen demo --seed "
        f"{story.seed}</code>.</p>"
    )


def label(title: str, note: str = "") -> str:
    name, _, detail = title.partition(" (")
    detail = detail.rstrip(")")
    lines = "<br>".join(escape(text) for text in (detail, note) if text)
    return f'<div class="label"><b>{escape(name)}</b><span>{lines}</span></div>'


def _row(name: str, drawings: Sequence[np.ndarray], faded: Iterable[int] = ()) -> str:
    return (
        f'<div class="row" style="--n:{len(drawings)}">{name}{_cells(drawings, set(faded))}</div>'
    )


def _cells(drawings: Sequence[np.ndarray], red: set[int] | None = None) -> str:
    return "".join(
        f"<div{' class=unasked' if red and index in red else ''}>"
        f"{to_svg(drawing, colour='currentColor') if len(drawing) else _nothing()}</div>"
        for index, drawing in enumerate(drawings)
    )


def _nothing() -> str:
    """What stands where the model stopped before it had begun."""
    return (
        '<svg viewBox="0 0 10 10" class="empty"><path d="M4.4 5H5.6" stroke="currentColor" '
        'stroke-width=".14"/></svg>'
    )
