"""Piano rolls: notes over time, drums as named lanes, as SVG and PNG, one or a sheet of many.

All rolls of a sheet share their scales, so that they can be compared: the time axis is in quarters
and ends with the longest's last bar, the pitch axis holds every note of the sheet. Loudness is
opacity. The first part is drawn in ink, the others in colours of their own. Notes of a quantised
window are drawn where they were played, as `latentgen.music.timing` says.
"""

import math
import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from note_seq import NoteSequence

from latentgen.errors import InputError
from latentgen.files import atomic_file
from latentgen.music.kit import KIT, drums
from latentgen.music.meter import Bar, bars, end_of
from latentgen.music.rendering.frame import LANE, Frame, frame
from latentgen.music.rendering.shapes import Box, Line, Shape, Text, image, svg_shapes
from latentgen.music.timing import in_quarters
from latentgen.paper import ACCENT, INK, MUTED, PAPER, cut, font

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 10**8


class Colours(NamedTuple):
    """The colours of a roll; `currentColor` and `var(--name)` follow a page, but make no PNG."""

    ink: str = INK
    muted: str = MUTED
    paper: str = PAPER
    others: tuple[str, ...] = (ACCENT, "#2f6d8c", "#8a6a1c", "#5a7a3a", "#7d4f86")


def to_svg(
    notes: NoteSequence,
    *,
    frame: Frame | None = None,
    colours: Colours = Colours(),  # noqa: B008 (immutable)
    label: str = "",
) -> str:
    """The roll as SVG text, to be put into a page as it is; it fills what it is put into.

    Args:
        notes: the passage.
        frame: scales to share with other rolls; without it the passage's own.
        colours: those of the page, for instance `Colours("currentColor", …)`; no background.
        label: what the picture shows, for those who do not see it.
    """
    frame = frame or _frame([notes])
    named = f"<title>{escape(label)}</title>" if label else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {frame.width:g} {frame.height:g}" '
        f'role="img" {FONT}>{named}{svg_shapes(roll(notes, frame, colours))}</svg>'
    )


FONT = "font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\""
_frame = frame  # where an argument has the name


def write_roll(
    path: str | os.PathLike,
    passages: Sequence[NoteSequence],
    *,
    captions: Sequence[str] | None = None,
    columns: int | None = None,
    width: float | None = None,
    height: float | None = None,
) -> None:
    """Writes a sheet of piano rolls as .svg or as .png (with two pixels to a CSS pixel).

    Args:
        path: the file, written whole or not at all.
        passages: at least one, in reading order.
        captions: one below each roll, "" for none; cut where too wide.
        columns: rolls in a row; without it one if they are wide, else up to three, as fills the
            rows best.
        width, height: of one roll in CSS pixels; see `latentgen.music.rendering.frame.frame`.

    Raises:
        InputError: another kind of file; no passage; lengths that do not match; a sheet of more
            than a hundred million pixels.
    """
    kind = Path(path).suffix.lower()
    if kind not in (".svg", ".png"):
        raise InputError(f"path: expected a .png or .svg file, received {os.fspath(path)!r}")
    shapes, size = sheet(passages, captions, columns, width, height)
    with atomic_file(path) as temporary:
        if kind == ".png":
            image(shapes, *size, paper=PAPER).save(temporary, format="PNG", optimize=True)
            return
        temporary.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]:g} {size[1]:g}" '
            f'width="{size[0]:g}" height="{size[1]:g}" style="background:{PAPER}" {FONT}>'
            f"{svg_shapes(shapes)}</svg>\n",
            encoding="utf-8",
        )


def picture(
    passages: Sequence[NoteSequence],
    *,
    captions: Sequence[str] | None = None,
    columns: int | None = None,
    width: float | None = None,
    height: float | None = None,
) -> "Image.Image":
    """What `write_roll` writes to a .png, as an RGB `PIL.Image.Image`."""
    shapes, size = sheet(passages, captions, columns, width, height)
    return image(shapes, *size, paper=PAPER)


def sheet(
    passages: Sequence[NoteSequence],
    captions: Sequence[str] | None = None,
    columns: int | None = None,
    width: float | None = None,
    height: float | None = None,
) -> tuple[list[Shape], tuple[float, float]]:
    """The shapes of a sheet, as `write_roll` describes it, and its width and height."""
    passages = list(passages)
    if not passages:
        raise InputError("passages: expected at least one NoteSequence, received none")
    if captions is not None and len(captions) != len(passages):
        raise InputError(f"captions: expected {len(passages)}, received {len(captions)}")
    if columns is not None and columns < 1:
        raise InputError(f"columns: expected at least 1, received {columns}")
    scales = frame(passages, width, height)
    width, height = scales.width, scales.height
    columns = min(columns or (_columns(len(passages)) if width < 640 else 1), len(passages))
    rows = math.ceil(len(passages) / columns)
    gap, border = 28.0, 28.0
    below = 22.0 if captions else 0.0
    size = (
        2 * border + columns * width + (columns - 1) * gap,
        2 * border + rows * (height + below) + (rows - 1) * gap,
    )
    if size[0] * size[1] * 4 > MAX_PIXELS:
        raise InputError(
            f"passages: expected a sheet of at most {MAX_PIXELS} pixels, received "
            f"{len(passages)} rolls that make {2 * size[0]:g} x {2 * size[1]:g}; give fewer"
        )
    shapes: list[Shape] = []
    for index, notes in enumerate(passages):
        x = border + index % columns * (width + gap)
        y = border + index // columns * (height + below + gap)
        shapes += [_moved(shape, x, y) for shape in roll(notes, scales, Colours())]
        if captions:
            caption = cut(captions[index], font(11.5, captions[index]), width - scales.left)
            shapes.append(Text(x + scales.left, y + height + 13, caption, MUTED, 11.5))
    return shapes, size


def roll(notes: NoteSequence, frame: Frame, colours: Colours) -> list[Shape]:
    """The shapes of one roll: rows and lanes, beats and bars, labels, notes."""
    measures = bars(notes)
    return [
        *_rows(frame, colours),
        *_beats(measures, frame, colours),
        *_notes(notes, frame, colours),
    ]


def _rows(frame: Frame, colours: Colours) -> list[Shape]:
    shapes: list[Shape] = []
    if frame.pitches:
        for pitch in range(frame.pitches[0], frame.pitches[1] + 1):
            if pitch % 12 == 0:
                y = frame.pitch_y(pitch) + frame.row
                shapes.append(Line(frame.left, y, frame.width, y, colours.ink, 0.18, 0.75))
                middle = y - frame.row / 2
                label = f"C{pitch // 12 - 1}"
                shapes.append(Text(frame.left - 6, middle, label, colours.muted, 9, "end"))
            elif pitch % 12 in (1, 3, 6, 8, 10):
                y = frame.pitch_y(pitch)
                width = frame.width - frame.left
                shapes.append(Box(frame.left, y, width, frame.row, colours.ink, 0.025))
    for drum in frame.lanes:
        y = frame.lane_y(drum) + frame.row * LANE / 2
        shapes.append(Line(frame.left, y, frame.width, y, colours.ink, 0.1, 0.75))
        size = min(9.0, 0.9 * LANE * frame.row)
        shapes.append(Text(frame.left - 6, y, KIT[drum], colours.muted, size, "end"))
    return shapes


def _beats(measures: list[Bar], frame: Frame, colours: Colours) -> list[Shape]:
    """Lines at bars and beats, where they do not run into one another."""
    starts = [*(bar.start for bar in measures), end_of(measures)]
    beats = [beat for bar in measures for beat in bar.beats[1:]]
    shapes: list[Shape] = []
    for times, opacity, width in ((beats, 0.10, 0.75), (starts, 0.32, 1.0)):
        if (frame.x(frame.quarters) - frame.left) / max(1, len(times)) < 5:
            continue
        for time in times:
            x = min(frame.x(time), frame.width - width / 2)
            shapes.append(Line(x, 0, x, frame.height, colours.ink, opacity, width))
    return shapes


def _notes(notes: NoteSequence, frame: Frame, colours: Colours) -> list[Shape]:
    parts = sorted({(n.instrument, n.program) for n in notes.notes if not n.is_drum})
    starts, ends = in_quarters(notes)
    struck = drums(np.array([note.pitch for note in notes.notes], int))
    shapes: list[Shape] = []
    for index, note in enumerate(notes.notes):
        x = max(frame.left, frame.x(starts[index]))
        opacity = 0.25 + 0.75 * min(note.velocity or 127, 110) / 110
        if note.is_drum:
            if struck[index] < 0:
                continue
            height = LANE * frame.row * 0.62
            y = frame.lane_y(struck[index]) + (LANE * frame.row - height) / 2
            width = max(2.0, min(height * 0.7, (frame.x(0.25) - frame.left) * 0.6))
            colour = colours.ink if not parts else colours.others[0]
        else:
            part = parts.index((note.instrument, note.program))
            colour = (colours.ink, *colours.others[1:])[part % len(colours.others)]
            y, height = frame.pitch_y(note.pitch) + frame.row * 0.04, frame.row * 0.92
            # A gap, so that repeated notes are seen to be two.
            width = max(1.5, frame.x(ends[index]) - x - 1.2)
        width = max(1.0, min(width, frame.width - x))
        radius = min(2.0, height / 3, width / 3)
        shapes.append(Box(x, y, width, height, colour, opacity, radius))
    return shapes


def _columns(count: int) -> int:
    """Of one to three columns the one that leaves least of the last row empty, the most of them."""
    return min((3, 2, 1), key=lambda columns: (-count % columns, -columns)) if count > 1 else 1


def _moved(shape: Shape, x: float, y: float) -> Shape:
    if isinstance(shape, Line):
        return shape._replace(x1=shape.x1 + x, y1=shape.y1 + y, x2=shape.x2 + x, y2=shape.y2 + y)
    return shape._replace(x=shape.x + x, y=shape.y + y)
