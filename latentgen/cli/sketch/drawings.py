"""What a person may name as drawings on the command line, read into arrays."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from latentgen.errors import FileError, InputError

READABLE = (".ndjson", ".npz", ".npy", ".svg")
PICTURES = (".png", ".svg", ".gif")
GRID = 255
ENDINGS = (*PICTURES, ".ndjson", ".npz")


def read_file(path: Path) -> list[np.ndarray]:
    """The drawings of a file, or of a folder's files in order of their names.

    An SVG is drawn in any unit its author liked; it is brought to QuickDraw's grid.
    """
    from latentgen.sketch.formats import read_drawings

    if path.is_dir():
        return [drawing for file in _files(path) for drawing in read_file(file)]
    drawings = read_drawings(path)
    return [to_grid(d) for d in drawings] if path.suffix.lower() == ".svg" else drawings


def to_grid(drawing: np.ndarray) -> np.ndarray:
    """As QuickDraw's simplified drawings: the larger side is 255, and few points a stroke."""
    from latentgen.sketch.strokes import bounds, simplify

    left, top, right, bottom = bounds(drawing)
    factor = GRID / (max(right - left, bottom - top) or GRID)
    return simplify(drawing * np.array([factor, factor, 1], "float32"))


def shorten(drawing: np.ndarray, max_length: int) -> np.ndarray:
    """The drawing with as few points as a model takes: simplified as much as that needs."""
    from latentgen.sketch.strokes import bounds, simplify

    left, top, right, bottom = bounds(drawing)
    size = max(right - left, bottom - top)
    tolerance, short = size / 256, drawing
    while len(short) > max_length and tolerance < size:
        short = simplify(drawing, tolerance)
        tolerance *= 1.4
    return short


def read_one(name: str) -> np.ndarray:
    """The first drawing of `FILE`, or that of `FILE:NUMBER`, counted from 0."""
    path, _, number = name.rpartition(":")
    if not number.isdecimal():
        path, number = name, "0"
    drawings = read_file(Path(path))
    if int(number) >= len(drawings):
        raise InputError(f"{name}: expected a number from 0 to {len(drawings) - 1}")
    return drawings[int(number)]


def read_splits(
    path: Path, categories: Sequence[str] = (), limit: int | None = None
) -> dict[str, list[np.ndarray]]:
    """Drawings to train on and held-out ones: {'train': …, 'valid': …, 'test': …}.

    sketch-rnn files come with their splits. Everything else is split by the drawing's own key (or
    the file's name and number), so that a drawing is in the same part whenever it is read.

    Args:
        path: .npz or .ndjson file, or a folder of them, or of .svg files.
        categories: names of files to take from the folder; all without it.
        limit: at most so many drawings of each file.
    """
    files = _files(path, categories) if path.is_dir() else [path]
    splits: dict[str, list[np.ndarray]] = {"train": [], "valid": [], "test": []}
    for file in files:
        for split, drawings in _splits_of(file, limit).items():
            splits[split] += drawings
    if not splits["train"]:
        raise FileError(f"{path}: expected drawings to train on, received none")
    return splits


def _splits_of(file: Path, limit: int | None) -> dict[str, list[np.ndarray]]:
    from latentgen.sketch.npz import read_npz
    from latentgen.sketch.quickdraw import read_ndjson
    from latentgen.splits import split_of

    if not file.exists():
        raise FileError(f"{file}: expected drawings, there is no such file or folder")
    if file.suffix == ".npz":
        return {split: drawings[:limit] for split, drawings in read_npz(file).items()}
    if file.suffix == ".ndjson":
        sketches = list(read_ndjson(file, limit))
        named = [(s.key_id, s.drawing) for s in sketches if s.recognized]
    else:
        named = [(f"{file.name}:{k}", drawing) for k, drawing in enumerate(read_file(file))]
    splits: dict[str, list[np.ndarray]] = {"train": [], "valid": [], "test": []}
    for key, drawing in named[:limit]:
        splits[split_of(key)].append(drawing)
    return splits


def _files(folder: Path, categories: Sequence[str] = ()) -> list[Path]:
    found = [path for path in sorted(folder.iterdir()) if path.suffix in READABLE]
    if not found:
        raise FileError(f"{folder}: expected files ending in {', '.join(READABLE)}, found none")
    if not categories:
        return found
    by_name = {path.stem.replace("_", " "): path for path in found}
    missing = [name for name in categories if name.replace("_", " ") not in by_name]
    if missing:
        raise InputError(
            f"--categories: expected names of files in {folder}, received {missing[0]!r}; "
            f"there are {len(by_name)}, such as {', '.join(list(by_name)[:5])}"
        )
    return [by_name[name.replace("_", " ")] for name in categories]


def write(
    out: Path,
    drawings: Sequence[np.ndarray],
    *,
    originals: Sequence[np.ndarray] = (),
    columns: int | None = None,
) -> None:
    """Writes drawings as the ending of `out` says: a picture of all, or a file of them.

    In a picture each stands to the right of its original, where there are some, and in colour.
    """
    from latentgen.sketch import formats, render, svg

    if out.suffix.lower() not in PICTURES:
        # A barely trained model may end a drawing at once; a data set has no place for those.
        drawn = [drawing for drawing in drawings if len(drawing)]
        if not drawn:
            raise InputError("drawings: all came out empty; train longer or raise --temperature")
        formats.write_drawings(out, drawn)
        return
    items, inks = list(drawings), [render.INK] * len(drawings)
    if len(originals):
        items = [item for pair in zip(originals, drawings, strict=True) for item in pair]
        inks = [render.INK, render.ACCENT] * len(drawings)
        columns = columns or 2 * math.ceil(math.sqrt(len(drawings) / 2))
    writers: dict[str, Callable] = {
        ".png": render.write_png,
        ".svg": svg.write_svg,
        ".gif": render.write_gif,
    }
    writers[out.suffix.lower()](out, items, columns=columns, colours=inks)
