"""Labelled drawings: a folder with labels.csv, a folder or file a class, as people keep them."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from latentgen.labels import read_labelled, typed
from latentgen.sketch.formats import READABLE, read_drawings


def read_labelled_drawings(
    folder: str | os.PathLike, table: str | os.PathLike | None = None
) -> tuple[list[np.ndarray], dict[str, list[Any]]]:
    """Drawings and, for each attribute, their labels (None where unknown).

    Args:
        folder: see latentgen.labels.read_labelled.
        table: CSV or JSON with the labels, if it is not `labels.csv` in the folder.

    Raises:
        FileError, InputError: something is missing, damaged or does not fit together.
    """
    found = read_labelled(Path(folder), Path(table) if table else None, read_drawings, READABLE)
    return found.examples, {name: typed(texts) for name, texts in found.labels.items()}
