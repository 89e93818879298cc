"""QuickDraw's .ndjson files: one JSON object a line, one drawing each (CC BY 4.0, Google).

Both published kinds are read: *simplified* (strokes [xs, ys] on a 0 to 255 grid) and *raw* (strokes
[xs, ys, times] in pixels; the times are dropped).
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from latentgen.errors import FileError, InputError
from latentgen.files import atomic_file
from latentgen.sketch.strokes import check_drawing, from_lines, to_lines


class Sketch(NamedTuple):
    """One line of a QuickDraw file.

    Attributes:
        drawing: stroke-3, float32 (points, 3), in the file's own positions.
        category: the word that the person was asked to draw, such as 'ice cream'.
        key_id: QuickDraw's name of the drawing.
        recognized: whether the game recognised it.
    """

    drawing: np.ndarray
    category: str
    key_id: str
    recognized: bool = True


def read_ndjson(path: str | os.PathLike, limit: int | None = None) -> Iterator[Sketch]:
    """Yields the drawings of a simplified or raw .ndjson file, in its order.

    Args:
        path: the file.
        limit: stop after so many.

    Raises:
        FileError: the file is missing, empty, not UTF-8, or a line is damaged; the message names
            file and line. It is raised when that line is reached.
    """
    path = Path(path)
    number = 0
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if limit is not None and number > limit:
                    return
                yield _parse(line)
    except OSError as error:
        raise FileError(f"{path}: expected a readable .ndjson file, {error.strerror}") from error
    except _Damage as error:
        raise FileError(f"{path}: line {number}: {error}; fetch the file again") from error
    if number == 0:
        raise FileError(f"{path}: expected one drawing a line, received an empty file")


def write_ndjson(path: str | os.PathLike, sketches: Iterable[Any], category: str = "") -> None:
    """Writes drawings as a simplified QuickDraw file.

    Args:
        path: the file; what stood there is replaced only by a finished file.
        sketches: `Sketch` records, or drawings (points, 3), which get `category` as their word and
            their number as their key.
        category: see above.

    Raises:
        InputError: a drawing is none, or has no point.
    """
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for index, item in enumerate(sketches):
            sketch = item if isinstance(item, Sketch) else Sketch(item, category, str(index))
            drawing = check_drawing(sketch.drawing, f"drawing {index}", allow_empty=False)
            strokes = [_shortest(line.T).tolist() for line in to_lines(drawing)]
            record = {
                "word": sketch.category,
                "key_id": sketch.key_id,
                "recognized": sketch.recognized,
                "drawing": strokes,
            }
            file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")


def load_quickdraw_folder(
    folder: str | os.PathLike,
    categories: Sequence[str] | None = None,
    recognized_only: bool = True,
    limit: int | None = None,
) -> list[Sketch]:
    """All drawings of a folder of `<category>.ndjson` files, by category and in file order.

    Args:
        folder: the folder; `ice_cream.ndjson` and `ice cream.ndjson` both hold 'ice cream'.
        categories: which ones, in this order; all of them, sorted, without it.
        recognized_only: leave out what the game did not recognise.
        limit: read at most so many lines of a file.

    Raises:
        FileError: the folder is missing or holds no .ndjson file, or a file is damaged.
        InputError: no file for a category.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileError(f"{folder}: expected a folder of .ndjson files, received no folder")
    paths = {path.stem.replace("_", " "): path for path in sorted(folder.glob("*.ndjson"))}
    if not paths:
        raise FileError(f"{folder}: expected .ndjson files, received a folder without any")
    names = [name.replace("_", " ") for name in categories] if categories is not None else paths
    missing = [name for name in names if name not in paths]
    if missing:
        raise InputError(
            f"categories: expected names of files in {folder}, received {missing[0]!r}; "
            f"there are {len(paths)}, such as {', '.join(list(paths)[:5])}"
        )
    return [
        sketch
        for name in names
        for sketch in read_ndjson(paths[name], limit)
        if sketch.recognized or not recognized_only
    ]


class _Damage(Exception):
    """What is wrong with a line, before file and line are known."""


def _parse(line: bytes) -> Sketch:
    """One line → Sketch, or _Damage."""
    try:
        record = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _Damage(f"expected UTF-8 text, received byte {line[error.start]:#04x}") from error
    except (ValueError, RecursionError) as error:
        raise _Damage(f"expected a JSON object, received {_short(line.decode())}") from error
    if not isinstance(record, dict):
        raise _Damage(f"expected a JSON object, received a {type(record).__name__}")
    for field, kind in (("word", str), ("key_id", str), ("recognized", bool), ("drawing", list)):
        if field not in record:
            raise _Damage(f"expected the field {field!r}, received {_short(list(record))}")
        if not isinstance(record[field], kind):
            raise _Damage(
                f"field {field!r}: expected a {kind.__name__}, received {_short(record[field])}"
            )
    return Sketch(
        _drawing(record["drawing"]), record["word"], record["key_id"], record["recognized"]
    )


def _drawing(strokes: list) -> np.ndarray:
    """[[xs, ys], …] or [[xs, ys, times], …] → stroke-3, or _Damage."""
    lines = []
    for i, stroke in enumerate(strokes):
        if not (
            isinstance(stroke, list)
            and len(stroke) in (2, 3)
            and all(isinstance(axis, list) for axis in stroke)
            and len(stroke[0]) == len(stroke[1]) > 0
        ):
            raise _Damage(
                f"stroke {i}: expected [xs, ys] of equal length and at least one point, "
                f"received {_short(stroke)}"
            )
        lines.append(list(zip(stroke[0], stroke[1], strict=True)))
    if not lines:
        raise _Damage("field 'drawing': expected at least one stroke, received none")
    try:
        return from_lines(lines)
    except InputError as error:
        raise _Damage(f"field 'drawing': {error}") from error


def _shortest(values: np.ndarray) -> np.ndarray:
    """Whole numbers as integers, as QuickDraw writes them; others to float32's precision."""
    if (values == np.rint(values)).all():
        return values.astype(np.int64)
    return values.round(6)


def _short(value: Any) -> str:
    """At most sixty characters of a value for a message of one line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
