"""Labelled sentences as people keep them: one table, or a folder or file a class."""

import os
from pathlib import Path
from typing import Any

from latentgen.errors import FileError
from latentgen.labels import read_labelled, typed
from latentgen.text.reading import COLUMNS, is_table, read_lines, table_rows


def read_labelled_sentences(
    source: str | os.PathLike, table: str | os.PathLike | None = None
) -> tuple[list[str], dict[str, list[Any]]]:
    """Sentences and, for each attribute, their labels (None where unknown).

    Args:
        source: a .csv or .tsv with a column 'text' or 'sentence' and others for attributes; or see
            `latentgen.labels.read_labelled`, with one sentence a line in files ending in .txt.
        table: CSV or JSON with the labels, where the sentences are in files of their own.

    Raises:
        FileError, InputError: something is missing, damaged or does not fit together.
    """
    path = Path(source)
    if table is not None or not is_table(path):
        found = read_labelled(path, Path(table) if table else None, _lines, (".txt",))
        return found.examples, {name: typed(texts) for name, texts in found.labels.items()}
    rows = table_rows(path)
    header = next(rows)
    place = next((header.index(name) for name in COLUMNS if name in header), None)
    if place is None or len(header) < 2:
        raise FileError(
            f"{path}: expected a column {' or '.join(COLUMNS)} and one for each attribute, "
            f"received {header}"
        )
    cells = [[cell.strip() for cell in row] for row in rows if row[place].strip()]
    if not cells:
        raise FileError(f"{path}: expected a sentence in a row, received none")
    others = [k for k in range(len(header)) if k != place]
    labels = {header[k]: typed([row[k] or None for row in cells]) for k in others}
    return [row[place] for row in cells], labels


def _lines(path: Path) -> list[str]:
    return list(read_lines(path))
