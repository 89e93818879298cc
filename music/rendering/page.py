"""Pages in which music is seen and played: one HTML file that needs nothing else, no network.

`figure` makes a playable roll for any page that has `STYLE` and `SCRIPT` in it once; `write_page`
a page of its own, light or dark as its reader's system is.
"""

import json
import os
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from note_seq import NoteSequence

from latentgen import page
from latentgen.errors import InputError
from latentgen.music.kit import drums
from latentgen.music.meter import bars, end_of
from latentgen.music.rendering.frame import Frame, frame
from latentgen.music.rendering.player import SCRIPT, STYLE
from latentgen.music.rendering.roll import Colours, to_svg
from latentgen.music.timing import in_seconds, tempo_map, to_seconds

__all__ = ["SCRIPT", "STYLE", "Section", "figure", "figures", "write_page"]

# The page's own, so that a page decides what light and dark are.
PAGE_COLOURS = Colours(
    "currentColor",
    "var(--muted,#77757a)",
    "none",
    tuple(
        f"var(--part-{index},{colour})" for index, colour in enumerate(Colours().others, start=1)
    ),
)

_DARK = """
@media (prefers-color-scheme: dark) { :root { --part-1:#ff7d5f; --part-2:#6fb3d6; --part-3:#d3ad55;
  --part-4:#9cc478; --part-5:#c596cf } }
"""


class Section(NamedTuple):
    """A part of a page: what stands above its rolls, and the rolls."""

    title: str
    passages: Sequence[NoteSequence]
    captions: Sequence[str] = ()
    text: str = ""


def figure(notes: NoteSequence, caption: str, frame: Frame | None = None) -> str:
    """A roll that plays when it is clicked, as an HTML element.

    The page must have `STYLE` in a style element and, once, `SCRIPT` in a script element.

    Args:
        notes: in seconds or quantised.
        caption: plain text below the roll.
        frame: scales to share with other rolls (`latentgen.music.rendering.roll.frame`).
    """
    frame = frame or _frame([notes])
    song = escape(json.dumps(_song(notes, frame), separators=(",", ":")))
    return (
        f'<figure class="roll" data-song="{song}" tabindex="0" role="button" aria-pressed="false" '
        f'aria-label="Play {escape(caption)}"><div class="stage">'
        f'{to_svg(notes, frame=frame, colours=PAGE_COLOURS)}<i class="playhead"></i></div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


_frame = frame  # where an argument has the name


def figures(passages: Sequence[NoteSequence], captions: Sequence[str] = ()) -> str:
    """Several such rolls on shared scales, as an HTML element that arranges them in a grid.

    Raises:
        InputError: captions that are not as many as the passages.
    """
    captions = captions or [""] * len(passages)
    if len(captions) != len(passages):
        raise InputError(f"captions: expected {len(passages)}, received {len(captions)}")
    scales = frame(passages)
    rolls = (figure(*pair, scales) for pair in zip(passages, captions, strict=True))
    kind = "rolls" if scales.width < 640 else "rolls wide"
    return f'<div class="{kind}">{"".join(rolls)}</div>'


def write_page(
    path: str | os.PathLike, title: str, sections: Iterable[Section], lead: str = ""
) -> None:
    """Writes a page of sections, whole or not at all. All texts are plain, not HTML."""
    body = "".join(
        page.section(part.title, part.text, figures(part.passages, part.captions))
        for part in sections
    )
    page.write_page(path, title, body, lead, _DARK + STYLE, SCRIPT)


def _song(notes: NoteSequence, frame: Frame) -> dict[str, object]:
    """What the script needs to play a roll; drums that are not drawn are not played."""
    starts, ends = in_seconds(notes)
    struck = np.array(drums(np.array([note.pitch for note in notes.notes], int)))
    events = [
        [
            round(max(0.0, float(starts[index])), 4),
            round(max(0.0, float(ends[index] - starts[index])), 4),
            note.pitch,
            note.velocity or 80,
            int(struck[index]) if note.is_drum else -1,
        ]
        for index, note in enumerate(notes.notes)
        if not note.is_drum or struck[index] >= 0
    ]
    length = end_of(bars(notes)) or frame.quarters
    # The playhead moves evenly between changes of tempo.
    _, changes, _ = tempo_map(notes)
    quarters = np.unique([0.0, *changes[changes < length], length])
    seconds = to_seconds(notes, quarters)
    clock = [
        [round(float(second), 4), round(frame.x(float(quarter)) / frame.width, 5)]
        for second, quarter in zip(seconds, quarters, strict=True)
    ]
    return {"notes": events, "seconds": clock[-1][0], "clock": clock}
