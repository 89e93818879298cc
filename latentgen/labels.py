"""Labelled examples as people keep them: a table beside the files, or a folder (or file) a class.

Nothing here knows what an example is: a domain passes the function that reads its files.
"""

import csv
import io
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from latentgen.errors import FileError, InputError

TABLE = "labels.csv"
CLASS = "class"
_WHICH = ("file", "index")  # the columns of a table that say which example a row is about
YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class Labelled(NamedTuple):
    """Examples and what is known of them: a column for each attribute, None where unknown."""

    examples: list[Any]
    labels: dict[str, list[str | None]]


def read_labelled(
    source: Path,
    table: Path | None,
    read: Callable[[Path], Sequence[Any]],
    suffixes: Collection[str],
) -> Labelled:
    """Reads labelled examples.

    Args:
        source: a folder with labels.csv in it; a folder with a folder a class; a folder with a
            file a class; or, with `table`, one file of examples or a folder of them.
        table: CSV with a header, or JSON (a list of records, or a list for each column). A column
            for each attribute; `file` and `index` (from 0) say which example, and without them the
            rows follow the examples of the one file in order. An empty cell is an unknown label.
        read: from a file to its examples.
        suffixes: what the files that `read` can read end in, such as '.txt' and '.txt.gz'.

    Raises:
        FileError: something is missing, empty or damaged.
        InputError: table and examples do not fit together.
    """
    if not source.exists():
        raise FileError(f"{source}: expected labelled examples, there is no such file or folder")
    if table is None and source.is_dir() and (source / TABLE).is_file():
        table = source / TABLE
    if table is not None:
        return _from_table(source, _records(table), table, read)
    if source.is_dir():
        return _from_names(source, read, suffixes)
    raise InputError(
        f"{source}: expected labels for its examples; give a CSV with a column for each "
        "attribute, or give a folder with one folder for each class"
    )


def typed(texts: Sequence[str | None]) -> list[Any]:
    """A column as what it means: True and False for yes and no, else numbers, else words."""
    known = [text.lower() for text in texts if text is not None]
    if all(text in YES_OR_NO for text in known):
        return [None if text is None else YES_OR_NO[text.lower()] for text in texts]
    try:
        return [None if text is None else float(text) for text in texts]
    except ValueError:
        return list(texts)


def _from_names(
    source: Path, read: Callable[[Path], Sequence[Any]], suffixes: Collection[str]
) -> Labelled:
    def read_by_name(folder: Path) -> dict[Path, str]:
        """The files of a folder that can be read, and their names without the ending."""
        found = {}
        for path in sorted(folder.iterdir()):
            endings = [suffix for suffix in suffixes if path.name.endswith(suffix)]
            if endings and not path.name.startswith("."):
                found[path] = path.name.removesuffix(max(endings, key=len))
        return found

    folders = sorted(p for p in source.iterdir() if p.is_dir() and not p.name.startswith("."))
    if folders:
        files = [(folder.name, path) for folder in folders for path in read_by_name(folder)]
    else:
        files = [(name, path) for path, name in read_by_name(source).items()]
    examples: list[Any] = []
    classes: list[str | None] = []
    for name, path in files:
        found = read(path)
        examples += found
        classes += [name] * len(found)
    if not examples:
        raise FileError(
            f"{source}: expected {TABLE}, a folder for each class or a file for each class, "
            f"received a folder without any file ending in {', '.join(sorted(suffixes))}"
        )
    return Labelled(examples, {CLASS: classes})


def _from_table(
    source: Path,
    records: list[dict[str, str | None]],
    table: Path,
    read: Callable[[Path], Sequence[Any]],
) -> Labelled:
    attributes = [name for name in records[0] if name not in _WHICH]
    if not attributes:
        raise InputError(f"{table}: expected a column for each attribute, received only {_WHICH}")
    if source.is_dir() and "file" not in records[0]:
        raise InputError(f"{table}: expected a column 'file' that names the files in {source}")
    read_files: dict[Path, Sequence[Any]] = {}
    examples = []
    for number, record in enumerate(records):
        name = record.get("file")
        if source.is_dir() and not name:
            raise InputError(f"{table}: row {number + 1}: expected a file's name, received none")
        path = source / name if source.is_dir() and name else source
        if path not in read_files:
            read_files[path] = read(path)
        rows = read_files[path]
        index = record.get("index") or ("0" if source.is_dir() else str(number))
        if not index.isdecimal() or int(index) >= len(rows):
            raise InputError(
                f"{table}: row {number + 1}: expected an index from 0 to {len(rows) - 1} "
                f"into {path.name}, received {index}"
            )
        examples.append(rows[int(index)])
    if not source.is_dir() and "index" not in records[0] and len(records) != len(rows):
        raise InputError(
            f"{table}: expected a row for each of the {len(rows)} examples in {source.name}, "
            f"received {len(records)}; add a column 'index' to label some of them"
        )
    return Labelled(examples, {name: [r[name] for r in records] for name in attributes})


def _records(table: Path) -> list[dict[str, str | None]]:
    """The rows of a CSV or JSON table, every cell a string or None."""
    try:
        text = table.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{table}: expected text in UTF-8, received something else") from error
    rows = _json_rows(text, table) if table.suffix == ".json" else _csv_rows(text, table)
    if not rows or not rows[0]:
        raise FileError(f"{table}: expected a row for each example, received an empty table")
    for number, row in enumerate(rows):
        if row.keys() != rows[0].keys():
            raise FileError(f"{table}: row {number + 1}: expected columns {list(rows[0])}")
    return [{name: _cell(value) for name, value in row.items()} for row in rows]


def _csv_rows(text: str, table: Path) -> list[dict[str, Any]]:
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline="")) if any(line)]
    except csv.Error as error:
        raise FileError(f"{table}: expected comma-separated values, {error}") from error
    if not lines:
        return []
    header = [name.strip() for name in lines[0]]
    if "" in header or len(set(header)) != len(header):
        raise FileError(f"{table}: expected different names in the first line, received {header}")
    for number, line in enumerate(lines[1:], start=1):
        if len(line) != len(header):
            raise FileError(
                f"{table}: row {number}: expected {len(header)} cells, received {len(line)}"
            )
    return [dict(zip(header, line, strict=True)) for line in lines[1:]]


def _json_rows(text: str, table: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise FileError(f"{table}: expected JSON, line {error.lineno}: {error.msg}") from error
    if isinstance(content, Mapping) and all(isinstance(v, list) for v in content.values()):
        if len({len(column) for column in content.values()}) > 1:
            raise FileError(f"{table}: expected columns of one length, received several lengths")
        names = list(content)
        content = [
            dict(zip(names, row, strict=True)) for row in zip(*content.values(), strict=True)
        ]
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise FileError(f"{table}: expected a list of records, or a list for each column")
    return content


def _cell(value: Any) -> str | None:
    """A cell as text; empty and null are unknown, and JSON's true is 'true'."""
    text = "" if value is None else str(value).strip()
    return text or None
