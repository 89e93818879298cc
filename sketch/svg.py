"""SVG files as drawings, and drawings as SVG files.

Read are paths, lines, polylines, polygons, rectangles, circles and ellipses, with all transforms
and `<use>` (by svgelements); curves are flattened to a tolerance. Outlines become strokes in the
order of the document, whatever their paint; text, images, masks and clips are not looked at.
"""

import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

from latentgen.errors import FileError, InputError
from latentgen.files import atomic_file
from latentgen.sketch.render import INK, PAPER, as_list, to_svg
from latentgen.sketch.strokes import from_lines

MAX_BYTES = 2**25
MAX_ELEMENTS = 100_000  # after `<use>` has been followed
MAX_DEPTH = 100  # whoever walks a deeper tree runs out of stack
MAX_PIECES = 1024  # of one curve
SVG = "{http://www.w3.org/2000/svg}"
NEVER_DRAWN = ("clipPath", "marker", "mask", "pattern")


def read_svg(path: str | os.PathLike, tolerance: float = 0.005) -> np.ndarray:
    """Reads a file as one drawing, in the user units of its document.

    Args:
        path: the .svg file.
        tolerance: how far flattened curves may lie from the true ones, as a share of the drawing's
            larger side. Straight lines keep all their points.

    Returns:
        stroke-3, float32 (points, 3): one stroke for each subpath, closed ones ending where they
        began; a subpath without extent is a dot.

    Raises:
        FileError: the file is missing, no sound XML, no SVG, defines entities, refers to itself,
            is absurdly large, or draws nothing.
    """
    path = Path(path)
    if not 0 < tolerance < 1:
        raise InputError(f"tolerance: expected a share between 0 and 1, received {tolerance}")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _Refused(f"more than {MAX_BYTES} bytes")
        lines = _lines(_parse(path.read_bytes()), tolerance)
        if not lines:
            raise _Refused("a document without any path, line or shape")
        return from_lines(lines)
    except OSError as error:
        raise FileError(f"{path}: expected a readable .svg file, {error.strerror}") from error
    except (_Refused, InputError) as error:
        raise FileError(f"{path}: expected an SVG drawing, received {error}") from error


def write_svg(
    path: str | os.PathLike,
    drawings: Any,
    columns: int | None = None,
    colours: str | Sequence[str] = INK,
) -> None:
    """Writes one drawing in its own coordinates, or a sheet of several.

    Args:
        path: the file; what stood there is replaced only when it is done.
        drawings: one drawing, or a sequence of them.
        columns: drawings in a row of the sheet; without it the sheet is about square.
        colours: of the ink, for all or for each drawing.

    Raises:
        InputError: no drawing, or something that is none; colours for another number of drawings.
    """
    items = as_list(drawings)
    inks = [colours] * len(items) if isinstance(colours, str) else list(colours)
    if len(inks) != len(items) or (columns is not None and columns < 1):
        raise InputError(
            f"colours, columns: expected {len(items)} colours and at least 1 column, "
            f"received {len(inks)} and {columns}"
        )
    columns = min(columns or math.ceil(math.sqrt(len(items))), len(items))
    if len(items) == 1:
        text = to_svg(items[0], colour=inks[0], paper=PAPER)
    else:
        cells = [
            to_svg(item, 100, ink).replace("<svg", f'<svg x="{x * 100}" y="{y * 100}"', 1)
            for (y, x), item, ink in zip(
                (divmod(i, columns) for i in range(len(items))), items, inks, strict=True
            )
        ]
        size = f"{columns * 100} {math.ceil(len(items) / columns) * 100}"
        text = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
            f'style="background:{PAPER}">' + "\n".join(cells) + "</svg>"
        )
    with atomic_file(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


class _Refused(Exception):
    """What a file holds that it should not."""


def _parse(data: bytes) -> ElementTree.Element:
    """The document's root, made ready for svgelements; _Refused for what is unsound or hostile."""
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    builder = ElementTree.TreeBuilder()
    opened = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal opened
        opened += 1
        if opened > MAX_DEPTH:
            raise _Refused(f"elements nested more than {MAX_DEPTH} deep")
        builder.start(_qualified(name), {_qualified(k): v for k, v in attributes.items()})

    def end(name: str) -> None:
        nonlocal opened
        opened -= 1
        builder.end(_qualified(name))

    def entity(name: str, *_: Any) -> None:
        raise _Refused(f"a document that defines the entity {name!r}; write out its text")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.EntityDeclHandler = entity
    parser.CharacterDataHandler = builder.data  # style sheets are text
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise _Refused(f"no sound XML ({error})") from error
    root = builder.close()
    if root.tag != SVG + "svg":
        raise _Refused(f"a document whose root is <{root.tag.removeprefix(SVG)}>, not SVG's <svg>")
    for parent in root.iter():
        for child in list(parent):
            if child.tag in [SVG + tag for tag in NEVER_DRAWN]:
                parent.remove(child)
            elif child.tag == SVG + "symbol":  # svgelements would draw it in its own place too
                child.tag = SVG + "defs"
                group = ElementTree.Element(SVG + "g", child.attrib)
                group.extend(list(child))
                child[:] = [group]
                child.attrib = {}
    _count(root)
    # The place and size that a page gives the document are not the drawing's.
    for name in ("width", "height", "viewBox"):
        root.attrib.pop(name, None)
    return root


def _qualified(name: str) -> str:
    return "{" + name if "}" in name else name


def _count(root: ElementTree.Element) -> None:
    """_Refused where `<use>` refers to itself or multiplies the document beyond MAX_ELEMENTS."""
    named = {element.get("id"): element for element in root.iter() if element.get("id")}
    sizes: dict[ElementTree.Element, int] = {}
    above: set[ElementTree.Element] = set()

    def size(element: ElementTree.Element) -> int:
        if element in above or len(above) > 2 * MAX_DEPTH:
            raise _Refused("a <use> that refers to itself, or on and on")
        if element not in sizes:
            above.add(element)
            total = 1 + sum(size(child) for child in element)
            href = element.get("href") or element.get("{http://www.w3.org/1999/xlink}href") or ""
            if element.tag == SVG + "use" and href[1:] in named:
                total += size(named[href[1:]])
            above.remove(element)
            sizes[element] = total
        return sizes[element]

    if size(root) > MAX_ELEMENTS:
        raise _Refused(f"more than {MAX_ELEMENTS} elements")


def _lines(root: ElementTree.Element, tolerance: float) -> list[np.ndarray]:
    """The outlines as polylines in user units."""
    import svgelements

    try:
        document = svgelements.SVG.parse(io.BytesIO(ElementTree.tostring(root)))
        outlines = [
            list(subpath)
            for shape in document.elements()
            if isinstance(shape, svgelements.Shape)
            for subpath in abs(svgelements.Path(shape)).as_subpaths()
        ]
        ends = [[s.end.x, s.end.y] for outline in outlines for s in outline if s.end is not None]
        extent = float(np.ptp(ends, axis=0).max()) if ends else 0.0
        lines = [_flatten(outline, tolerance * extent) for outline in outlines]
    # svgelements raises whatever comes when attributes hold nonsense; the file is at fault.
    except Exception as error:
        raise _Refused(f"values that cannot be read ({type(error).__name__})") from error
    return [line for line in lines if len(line)]


def _flatten(outline: list[Any], tolerance: float) -> np.ndarray:
    """One subpath's segments → its points (n, 2); none for a move that draws nothing."""
    import svgelements

    points: list[np.ndarray] = []
    for segment in outline:
        if isinstance(segment, svgelements.Move) or segment.end is None:
            continue
        if not points:
            points.append(np.array([[segment.start.x, segment.start.y]], float))
        flat = isinstance(segment, svgelements.Arc) and not (segment.rx and segment.ry)
        if flat or isinstance(segment, svgelements.Line | svgelements.Close):
            points.append(np.array([[segment.end.x, segment.end.y]], float))
        else:
            points.append(_curve(segment, tolerance)[1:])
    if not points:
        return np.zeros((0, 2))
    line = np.concatenate(points)
    return line[:1] if (line == line[0]).all() else line


def _curve(segment: Any, tolerance: float) -> np.ndarray:
    """Points (n, 2) evenly spaced in the parameter, twice as many until halving moves no middle."""
    pieces = 4
    while True:
        points = np.asarray(segment.npoint(np.linspace(0, 1, 2 * pieces + 1)), float)
        middles = (points[:-2:2] + points[2::2]) / 2
        moved = np.linalg.norm(points[1::2] - middles, axis=1).max()
        if not moved > tolerance or pieces >= MAX_PIECES:
            return points[::2]
        pieces *= 2
