"""The demonstration's page of music: rolls that play when they are clicked, without any network."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from note_seq import NoteSequence

from latentgen.demo.music_story import STRENGTHS, Take
from latentgen.demo.page import MUSIC, comparison_table, head, label, pages
from latentgen.music.rendering.frame import Frame, frame
from latentgen.music.rendering.page import SCRIPT, figure
from latentgen.music.rendering.page import STYLE as ROLLS

STYLE = """
h2.part { font-size:44px; margin-top:110px }
h3 { font-size:25px; font-weight:400; margin:64px 0 6px }
.take { display:grid; grid-template-columns:132px 1fr; align-items:center; padding:14px 0;
  border-top:1px solid var(--line) }
.take .rolls { display:grid; grid-template-columns:repeat(3,1fr); gap:14px 22px; margin:0 }
.roll.red { color:var(--accent) } .roll figcaption { margin-top:4px }
.roll figcaption:empty::after { content:'play' }
@media (max-width:760px) { .take { grid-template-columns:1fr } }
"""
NAMES = {"melody_2bar": "Melodies", "drums_2bar": "Drums"}
SOURCES = {
    "melody_2bar": "the melodies of POP909 (Wang et al. 2020, MIT licence)",
    "drums_2bar": "drummers of the Groove MIDI dataset (Gillick et al. 2019, CC BY 4.0)",
}


def write_music_page(path: Path, takes: Sequence[Take], seed: int) -> None:
    """Writes the page of what was played."""
    parts = "\n".join(map(_part, takes))
    text = (
        head("latentgen: ask for it, to the ear", ROLLS + STYLE)
        + f"<main>{pages(MUSIC)}{_opening(takes[0])}{parts}{_colophon(takes, seed)}</main>"
        + f"<script>{SCRIPT}</script></html>\n"
    )
    path.write_text(text, encoding="utf-8")


def _opening(take: Take) -> str:
    return (
        "<h1>Ask for it, to the ear.</h1>"
        '<p class="lead">Small networks learnt to play two bars: melodies, and drums. Left alone '
        "they play what comes, in red. Constraints on their latent space make them play what was "
        "asked for. Nobody labelled anything: a line of Python says what is wanted, is asked about "
        f"{take.questions:,} passages, and its answers teach the constraints. The networks that "
        "play are never changed. Click a roll to hear it.</p>"
    )


def _part(take: Take) -> str:
    groups = (take.realistic, *take.asked.values(), take.sweep, take.path)
    scales = frame(
        [p for group in (*groups, take.originals, *take.changed.values()) for p in group]
    )
    # The prior may play at both ends of the piano: it has scales of its own.
    unasked = frame(take.unasked, height=scales.height)
    name = NAMES.get(take.preset, take.preset)
    return (
        f'<h2 class="part">{escape(name)}</h2>'
        f"<p>Learnt from {escape(SOURCES.get(take.preset, 'music'))}; the constraints in "
        f"{take.seconds:.0f} seconds.</p>"
        + _row(label("unasked"), take.unasked, unasked, red=True)
        + _row(label("realism alone"), take.realistic, scales)
        + _wishes(take, scales)
        + _sweep(take, scales)
        + _path(take, scales)
        + _changes(take, scales)
        + _tables(take)
    )


def _wishes(take: Take, scales: Frame) -> str:
    rows = []
    for names, passages in take.asked.items():
        before, after = take.shares[names]
        note = f"{100 * before:.0f}% → {100 * after:.0f}%"
        rows.append(_row(label(take.title(names), note), passages, scales))
    return (
        "<h3>Asked for</h3><p>The three points of the first row again, each moved to what was "
        "asked for. The figures: how many passages obey the rule, unasked and asked.</p>"
        + "".join(rows)
    )


def _sweep(take: Take, scales: Frame) -> str:
    title = take.title([take.wishes[1].name])
    captions = [f"strength {strength:g}" for strength in STRENGTHS]
    return (
        f"<h3>How strongly</h3><p>One point, moved further and further towards: "
        f"{escape(title)}. 0 is untouched, 1 as learnt, beyond is extrapolation.</p>"
        + _row(label(title), take.sweep, scales, captions)
    )


def _path(take: Take, scales: Frame) -> str:
    ends = take.title(take.pairs[0]), take.title([take.wishes[-1].name]).partition(" (")[0]
    captions = [f"{index} of {len(take.path)}" for index in range(1, len(take.path) + 1)]
    return (
        "<h3>From one to the other</h3><p>Points on the arc between two constrained ones.</p>"
        + _row(label(f"{ends[0]} → {ends[1]}"), take.path, scales, captions)
    )


def _changes(take: Take, scales: Frame) -> str:
    rows = [_row(label("before"), take.originals, scales)]
    rows += [
        _row(label(take.title([name])), passages, scales) for name, passages in take.changed.items()
    ]
    return (
        "<h3>The same, but…</h3><p>Identity-preserving change: what people played, moved most of "
        "the way to what has the wish, so that something of it stays.</p>" + "".join(rows)
    )


def _tables(take: Take) -> str:
    if take.comparison is None:
        return ""
    columns = next(iter(take.statistics.values()))
    heads = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in columns)
    rows = "".join(
        f'<tr><td class="name">{escape(name)}</td>'
        + "".join(f"<td>{value:.2f}</td>" for value in values.values())
        + "</tr>"
        for name, values in take.statistics.items()
    )
    return (
        f"<h3>Ways to get there, compared</h3><p>{take.comparison.samples} passages of each method "
        "and wish. Satisfied: how many obey the rule. Realism: the critic's own opinion. "
        "Diversity: mean distance between two passages, that of those that obey by themselves "
        "being 1. Distance: how far z moved. The last columns: each wish's share.</p>"
        + comparison_table(take.comparison, ours="density")
        + "<h3>What it sounds like, in figures</h3><p>Means of measured attributes. What people "
        "played is heard through the model too.</p>"
        f"<table><tr><th></th>{heads}</tr>{rows}</table>"
    )


def _colophon(takes: Sequence[Take], seed: int) -> str:
    sources = "; ".join(SOURCES.get(take.preset, take.preset) for take in takes)
    return (
        f'<p class="note" style="margin-top:72px">Seed {seed}. The models learnt from '
        f"{escape(sources)}; everything on this page was played by them. Latent constraints: "
        "Engel, Hoffman, Roberts 2017 (arXiv 1711.05772); MusicVAE: Roberts et al. 2018 (arXiv "
        f"1803.05428). Again: <code>latentgen demo --seed {seed}</code>.</p>"
    )


def _row(
    name: str,
    passages: Sequence[NoteSequence],
    scales: Frame,
    captions: Sequence[str] = (),
    red: bool = False,
) -> str:
    rolls = "".join(
        figure(passage, caption, scales)
        for passage, caption in zip(passages, captions or [""] * len(passages), strict=True)
    )
    if red:
        rolls = rolls.replace('class="roll"', 'class="roll red"')
    return f'<div class="take">{name}<div class="rolls">{rolls}</div></div>'
