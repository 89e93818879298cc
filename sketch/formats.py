"""Drawings from and to any file that is known here, by the file's ending."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from latentgen.errors import FileError
from latentgen.sketch import npz, quickdraw, render, svg


def read_drawings(path: str | os.PathLike) -> list[np.ndarray]:
    """All drawings of a file, or of the files of a folder in the order of their names.

    Known endings: .ndjson (QuickDraw), .npz (sketch-rnn; train, valid and test joined), .svg (one
    drawing), .npy (stroke-3 or stroke-5). Other files of a folder are not looked at.

    Returns:
        drawings, each float32 (points, 3).

    Raises:
        FileError: no such file, an unknown ending, a folder without drawings, a damaged file.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(f for f in path.iterdir() if f.suffix.lower() in _READERS and f.is_file())
        if not files:
            raise FileError(
                f"{path}: expected a folder of {_endings(_READERS)} files, received one without any"
            )
        return [drawing for file in files for drawing in read_drawings(file)]
    reader = _READERS.get(path.suffix.lower())
    if not path.exists():
        raise FileError(f"{path}: expected a file or folder of drawings, received no such path")
    if reader is None:
        raise FileError(
            f"{path}: expected one of {_endings(_READERS)}, received {path.suffix or 'no ending'!r}"
        )
    return reader(path)


def write_drawings(path: str | os.PathLike, drawings: Any) -> None:
    """Writes one or several drawings in the format that the ending names.

    .svg, .png and .gif hold a picture: a sheet where there are several drawings. .ndjson and .npz
    hold data sets. What stood at `path` is replaced only by a finished file.

    Args:
        path: the file; missing folders are made.
        drawings: one stroke-3 drawing, or a sequence of them.

    Raises:
        FileError: an unknown ending, or a place that cannot be written.
        InputError: no drawing, or something that is none.
    """
    path = Path(path)
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise FileError(
            f"{path}: expected one of {_endings(_WRITERS)}, received {path.suffix or 'no ending'!r}"
        )
    try:
        writer(path, render.as_list(drawings))
    except OSError as error:
        raise FileError(f"{path}: expected a place to write to, {error.strerror}") from error


def _endings(formats: dict[str, Any]) -> str:
    return ", ".join(sorted(formats))


_READERS: dict[str, Callable[[Path], list[np.ndarray]]] = {
    ".ndjson": lambda path: [sketch.drawing for sketch in quickdraw.read_ndjson(path)],
    ".npz": lambda path: [d for drawings in npz.read_npz(path).values() for d in drawings],
    ".npy": npz.read_npy,
    ".svg": lambda path: [svg.read_svg(path)],
}
_WRITERS: dict[str, Callable[[Path, list], None]] = {
    ".ndjson": quickdraw.write_ndjson,
    ".npz": lambda path, drawings: npz.write_npz(path, {"train": drawings}),
    ".svg": svg.write_svg,
    ".png": render.write_png,
    ".gif": render.write_gif,
}

READABLE = tuple(_READERS)
"""The endings that `read_drawings` knows."""
