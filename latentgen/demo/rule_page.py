"""What the demonstration's pages of music and of text show of a take, each in its own way."""

from collections.abc import Sequence
from html import escape
from typing import Any, Protocol

from latentgen.demo.page import comparison_table, label
from latentgen.demo.rule_story import STRENGTHS, Take

STYLE = """
h2.part { font-size:44px; margin-top:110px }
h3 { font-size:25px; font-weight:400; margin:64px 0 6px }
.take { display:grid; grid-template-columns:132px 1fr; align-items:center; padding:14px 0;
  border-top:1px solid var(--line) }
@media (max-width:760px) { .take { grid-template-columns:1fr } }
"""


class Row(Protocol):
    """Pieces in a row, as HTML: below their captions, red, or as what became of originals."""

    def __call__(
        self,
        name: str,
        pieces: Sequence[Any],
        captions: Sequence[str] = (),
        red: bool = False,
        originals: Sequence[Any] = (),
    ) -> str: ...


def take_part(take: Take, row: Row, title: str, source: str) -> str:
    """A part of a page: all that was told of a take.

    Args:
        row: how pieces are shown.
        title: of the part.
        source: what the model learnt from.
    """
    return (
        f'<h2 class="part">{escape(title)}</h2>'
        f"<p>Learnt from {escape(source)}; the constraints in {take.seconds:.0f} seconds.</p>"
        + row(label("unasked"), take.unasked, red=True)
        + row(label("realism alone"), take.realistic)
        + _wishes(take, row)
        + _sweep(take, row)
        + _path(take, row)
        + _changes(take, row)
        + _tables(take)
    )


def _wishes(take: Take, row: Row) -> str:
    rows = []
    for names, asked in take.asked.items():
        before, after = take.shares[names]
        note = f"{100 * before:.0f}% → {100 * after:.0f}%"
        rows.append(row(label(take.title(names), note), asked))
    return (
        "<h3>Asked for</h3><p>The three points of the first row again, each moved to what was "
        f"asked for. The figures: how many {take.pieces} obey the rule, unasked and asked.</p>"
        + "".join(rows)
    )


def _sweep(take: Take, row: Row) -> str:
    title = take.title([take.wishes[1].name])
    captions = [f"strength {strength:g}" for strength in STRENGTHS]
    return (
        f"<h3>How strongly</h3><p>One point, moved further and further towards: "
        f"{escape(title)}. 0 is untouched, 1 as learnt, beyond is extrapolation.</p>"
        + row(label(title), take.sweep, captions)
    )


def _path(take: Take, row: Row) -> str:
    ends = take.title(take.pairs[0]), take.title([take.wishes[-1].name]).partition(" (")[0]
    captions = [f"{index} of {len(take.path)}" for index in range(1, len(take.path) + 1)]
    return (
        "<h3>From one to the other</h3><p>Points on the arc between two constrained ones.</p>"
        + row(label(f"{ends[0]} → {ends[1]}"), take.path, captions)
    )


def _changes(take: Take, row: Row) -> str:
    rows = [row(label("before"), take.originals)]
    rows += [
        row(label(take.title([name])), pieces, originals=take.originals)
        for name, pieces in take.changed.items()
    ]
    return (
        f"<h3>The same, but…</h3><p>Identity-preserving change: what people {take.made}, moved "
        "towards what has the wish, so that something of it stays.</p>" + "".join(rows)
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
        f"<h3>Ways to get there, compared</h3><p>{take.comparison.samples} {take.pieces} of each "
        "method and wish. Satisfied: how many obey the rule. Realism: the critic's own opinion. "
        f"Diversity: mean distance between two {take.pieces}, that of those that obey by "
        "themselves being 1. Distance: how far z moved. The last columns: each wish's share.</p>"
        + comparison_table(take.comparison, ours=take.how["method"])
        + f"<h3>In figures</h3><p>Means of measured attributes. What people {take.made} came "
        "through the model too.</p>"
        f"<table><tr><th></th>{heads}</tr>{rows}</table>"
    )
