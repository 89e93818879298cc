"""Labelled sentences as people keep them: one table, or a folder or file a class."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from latentgen.errors import FileError
from latentgen.labels import CLASS, read_labelled, typed
from latentgen.text.reading import COLUMNS, is_table, read_lines, table_rows


def read_labelled_sentences(
    source: str | os.PathLike, table: str | os.PathLike | None = None
) -> tuple[list[str], dict[str, list[Any]]]:
    """Sentences and, for each attribute, their labels (None where unknown).

    Args:
        source: a .csv or .tsv with a column 'text' or 'sentence' and others for attributes; `NAME`
            for the files `NAME.0` and `NAME.1`, or a folder of files that end so, one sentence a
            line; or see `latentgen.labels.read_labelled`, with files ending in .txt. All of them
            may have .gz behind.
        table: CSV or JSON with the labels, where the sentences are in files of their own.

    Raises:
        FileError, InputError: something is missing, damaged or does not fit together.
    """
    path = Path(source)
    numbered = {} if table else _by_number(path)
    if numbered:
        pairs = [(line, label) for file, label in numbered.items() for line in read_lines(file)]
        return [line for line, _ in pairs], {CLASS: typed([label for _, label in pairs])}
    if table is not None or not is_table(path):
        found = read_labelled(path, Path(table) if table else None, _lines, (".txt", ".txt.gz"))
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


def _by_number(source: Path) -> dict[Path, str]:
    """The files `NAME.0`, `NAME.1`, …, or those of a folder that end so, with their numbers."""
    folder, name = (source, r".+") if source.is_dir() else (source.parent, re.escape(source.name))
    pattern = re.compile(rf"{name}\.(\d+)(?:\.gz)?")
    paths: Iterable[Path] = sorted(folder.iterdir()) if folder.is_dir() else ()
    return {path: match[1] for path in paths if (match := pattern.fullmatch(path.name))}


def _lines(path: Path) -> list[str]:
    return list(read_lines(path))
