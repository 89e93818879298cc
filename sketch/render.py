"""Pictures of drawings: PNG, animated GIF in drawing order, SVG text, sheets of many drawings.

Every drawing is fitted into its cell with its aspect kept; ink is as wide, relative to the cell,
in a small picture as in a large one. An empty drawing is an empty cell, a single point a dot.
"""

import math
import os
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from latentgen.errors import InputError
from latentgen.files import atomic_file
from latentgen.paper import ACCENT, INK, MUTED, PAPER, cut, font, printable
from latentgen.sketch.strokes import bounds, to_lines

if TYPE_CHECKING:
    from PIL import Image

MARGIN = 0.13  # of the cell, on each side
INK_WIDTH = 0.014  # of the cell
MAX_PIXELS = 10**8


def picture(
    drawings: Any,
    *,
    columns: int | None = None,
    cell: int = 240,
    captions: Sequence[str] | None = None,
    column_titles: Sequence[str] | None = None,
    row_titles: Sequence[str] | None = None,
    colours: str | Sequence[str] = INK,
    paper: str = PAPER,
    progress: float = 1.0,
) -> "Image.Image":
    """A picture of one drawing, or a sheet of several in reading order.

    Args:
        drawings: one stroke-3 drawing, or a sequence of them.
        columns: drawings in a row; without it as many as make the sheet about square, or as there
            are column titles.
        cell: width and height of a drawing's place, in pixels.
        captions: one below each drawing, "" for none; cut where too wide.
        column_titles: one above each column.
        row_titles: one to the left of each row.
        colours: of the ink, for all or for each drawing: anything Pillow knows, such as `ACCENT`.
        paper: the colour of the background.
        progress: the share of the ink that has been drawn so far, in drawing order.

    Returns:
        An RGB `PIL.Image.Image`.

    Raises:
        InputError: no drawing, or something that is none; lengths that do not match; an unknown
            colour; a sheet of more than a hundred million pixels.
    """
    from PIL import Image, ImageDraw

    items = as_list(drawings)
    if columns is None:
        columns = len(column_titles) if column_titles else math.ceil(math.sqrt(len(items)))
    if columns < 1 or not 16 <= cell <= 4096:
        raise InputError(
            f"columns, cell: expected at least 1 column and a cell of 16 to 4096 pixels, "
            f"received {columns} and {cell}"
        )
    columns = columns if column_titles else min(columns, len(items))
    rows = math.ceil(len(items) / columns)
    inks = [colours] * len(items) if isinstance(colours, str) else list(colours)
    _check_length("colours", inks, len(items))
    _check_length("captions", captions, len(items))
    _check_length("column_titles", column_titles, columns)
    _check_length("row_titles", row_titles, rows)

    texts = "".join(map(str, [*(captions or ()), *(column_titles or ()), *(row_titles or ())]))
    small, large = font(cell * 0.062, texts), font(cell * 0.078, texts)
    caption_height = round(cell * 0.10) if captions else 0
    top = round(cell * 0.26) if column_titles else 0
    left = 0
    if row_titles:
        widest = max(large.getlength(printable(title)) for title in row_titles)
        left = min(round(widest + cell * 0.24), 2 * cell)
    border = round(cell * 0.10) if len(items) > 1 or captions or row_titles or top else 0
    row_height = cell + caption_height
    width = left + columns * cell + 2 * border
    height = top + rows * row_height + 2 * border
    if width * height > MAX_PIXELS:
        raise InputError(
            f"drawings: expected a sheet of at most {MAX_PIXELS} pixels, received {len(items)} "
            f"drawings that make {width} x {height}; give fewer or a smaller cell"
        )

    sheet = Image.new("RGB", (width, height), _rgb(paper))
    text = ImageDraw.Draw(sheet)
    for i, (drawing, ink) in enumerate(zip(items, inks, strict=True)):
        x = border + left + i % columns * cell
        y = border + top + i // columns * row_height
        mask = _ink(drawing, cell, progress)
        sheet.paste(_rgb(ink), (x, y), mask)
        if captions:
            caption = cut(captions[i], small, cell * 0.92)
            text.text((x + cell / 2, y + cell), caption, _rgb(MUTED), small, anchor="mm")
    for i, title in enumerate(column_titles or ()):
        x = border + left + i * cell + cell // 2
        title = cut(title, large, cell * 0.92)
        text.text((x, border + top * 0.45), title, _rgb(INK), large, anchor="mm")
    for i, title in enumerate(row_titles or ()):
        y = border + top + i * row_height + cell // 2
        title = cut(title, large, left - cell * 0.2)
        text.text((border + cell * 0.10, y), title, _rgb(INK), large, anchor="lm")
    return sheet


def write_png(path: str | os.PathLike, drawings: Any, **options: Any) -> None:
    """Writes `picture(drawings, **options)` whole, or leaves what stood at `path`."""
    image = picture(drawings, **options)
    with atomic_file(path) as temporary:
        image.save(temporary, format="PNG", optimize=True)


def write_gif(
    path: str | os.PathLike, drawings: Any, *, seconds: float = 3.0, **options: Any
) -> None:
    """Writes a looping animation in which all drawings are drawn at once, stroke after stroke.

    Args:
        path: the file; what stood there is replaced only when it is done.
        drawings: as for `picture`.
        seconds: from the first point to the last, at 20 pictures a second; then the finished
            picture stands for two seconds.
        options: `picture`'s others.
    """
    from PIL import Image

    if not 0 < seconds <= 60:
        raise InputError(f"seconds: expected more than 0 and at most 60, received {seconds}")
    count = max(2, round(20 * seconds))
    last = picture(drawings, **options)
    palette = last.quantize(64)  # one palette for all: colours of the paper do not flicker
    frames = [
        picture(drawings, **options, progress=(i + 1) / count).quantize(
            palette=palette, dither=Image.Dither.NONE
        )
        for i in range(count)
    ]
    with atomic_file(path) as temporary:
        frames[0].save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=frames[1:],
            duration=[50] * (count - 1) + [2000],
            loop=0,
        )


def to_svg(
    drawing: Any,
    size: int | None = None,
    colour: str = INK,
    paper: str | None = None,
    label: str = "",
) -> str:
    """The drawing as SVG text, for a file or to be put into a page as it is.

    The coordinates are the drawing's own, so that reading it gives the drawing back.

    Args:
        drawing: stroke-3.
        size: width and height in CSS pixels; without it the SVG fills what it is put into.
        colour: of the ink; `currentColor` follows the page.
        paper: the background's; transparent without it.
        label: what the picture shows, for those who do not see it.
    """
    left, top, side = frame(drawing)
    box = f"{left:.7g} {top:.7g} {side:.7g} {side:.7g}"
    dimensions = f' width="{size}" height="{size}"' if size else ""
    named = f"<title>{escape(label)}</title>" if label else ""
    # A style, not a rectangle, which would be part of the drawing to whoever reads the file.
    style = f' style="background:{escape(paper)}"' if paper else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"{dimensions}{style} role="img">'
        f"{named}{svg_path(drawing, side * INK_WIDTH, colour)}</svg>"
    )


def svg_path(drawing: Any, width: float, colour: str = INK) -> str:
    """An SVG path element with one subpath a stroke, in the drawing's own coordinates."""
    commands = []
    for line in to_lines(drawing):
        # A line of no length with round caps is how SVG draws a dot.
        points = line if len(line) > 1 else np.repeat(line, 2, axis=0)
        commands.append("M" + "L".join(f"{x:.7g} {y:.7g}" for x, y in points))
    return (
        f'<path d="{"".join(commands)}" fill="none" stroke="{escape(colour)}" '
        f'stroke-width="{width:.4g}" stroke-linecap="round" stroke-linejoin="round"/>'
    )


def frame(drawing: Any) -> tuple[float, float, float]:
    """(left, top, side) of the square, margins included, in which a drawing is centred."""
    left, top, right, bottom = bounds(drawing)
    extent = max(right - left, bottom - top) or 1.0
    side = extent / (1 - 2 * MARGIN)
    return (left + right - side) / 2, (top + bottom - side) / 2, side


def _ink(drawing: Any, cell: int, progress: float) -> "Image.Image":
    """How much of each pixel of a cell is covered by ink, as an 8-bit mask."""
    # Agg knows round caps and joints and covers pixels exactly; Pillow's lines do neither.
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.path import Path
    from matplotlib.transforms import IdentityTransform
    from PIL import Image

    renderer = RendererAgg(cell, cell, dpi=72)  # where a point is a pixel
    pen = renderer.new_gc()
    pen.set_linewidth(max(INK_WIDTH * cell, 1.2))
    pen.set_capstyle("round")
    pen.set_joinstyle("round")
    pen.set_snap(False)
    left, top, side = frame(drawing)
    for line in _drawn_so_far(to_lines(drawing), progress):
        points = (line - (left, top)) * (cell / side)
        points[:, 1] = cell - points[:, 1]  # Agg's y grows upwards
        if (points == points[0]).all():
            points = points[:1] + np.array([[0, 0], [0.01, 0]])  # Agg skips what has no length
        # Agg gives up on a path with too many points.
        for start in range(0, len(points) - 1, 1000):
            renderer.draw_path(pen, Path(points[start : start + 1001]), IdentityTransform())
    return Image.fromarray(np.asarray(renderer.buffer_rgba())[:, :, 3])


def _drawn_so_far(lines: list[np.ndarray], progress: float) -> list[np.ndarray]:
    """The polylines up to `progress` of their joint length; the last one may be cut in between."""
    lengths = [np.linalg.norm(np.diff(line, axis=0), axis=1) for line in lines]
    left = progress * sum(float(length.sum()) for length in lengths)
    drawn = []
    for line, length in zip(lines, lengths, strict=True):
        ends = np.concatenate([[0.0], np.cumsum(length)])
        if progress >= 1 or ends[-1] <= left:
            drawn.append(line)
            left -= ends[-1]
            continue
        whole = line[ends <= left]
        tip = [np.interp(left, ends, line[:, axis]) for axis in (0, 1)]
        return [*drawn, np.vstack([whole, tip])]
    return drawn


def as_list(drawings: Any) -> list[Any]:
    """One drawing or a sequence of them → a list of at least one."""
    single = isinstance(drawings, np.ndarray) and drawings.ndim == 2
    items = [drawings] if single else list(drawings)
    if not items:
        raise InputError("drawings: expected at least one, received none")
    return items


def _check_length(name: str, values: Sequence[Any] | None, expected: int) -> None:
    if values is not None and len(values) != expected:
        raise InputError(f"{name}: expected {expected}, one for each, received {len(values)}")


def _rgb(colour: str) -> tuple[int, ...]:
    from PIL import ImageColor

    try:
        return ImageColor.getrgb(colour)[:3]
    except (ValueError, AttributeError) as error:
        raise InputError(
            f"colours: expected a name or a value such as {ACCENT!r}, received {colour!r}"
        ) from error
