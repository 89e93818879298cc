"""Sentences out of files, one after the other, so that files larger than memory are no matter."""

import contextlib
import csv
import gzip
import itertools
import os
import re
import zipfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO

from latentgen.errors import FileError, InputError

LONGEST_LINE = 1 << 20  # bytes; no sentence is a mebibyte long, so such a file is no text
ENDINGS = (".txt", ".csv", ".tsv")
"""What a folder's files of text end in, `.gz` apart."""

COLUMNS = ("text", "sentence")  # what a table's column of sentences is called where nobody says
_DAMAGE = (EOFError, OSError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)


def read_lines(
    path: str | os.PathLike, column: str | None = None, keep_empty: bool = False
) -> Iterator[str]:
    """The sentences of a file, or of the files of a folder with its subfolders by name.

    Args:
        path: one sentence a line in UTF-8 (the Penn Treebank's form too), or a table that ends in
            .csv or .tsv; either with .gz behind. `corpus.zip:train.txt` is a file in an archive.
            A folder's files count if they end as `ENDINGS` say.
        column: of a table, the sentences; without it 'text', 'sentence' or the only one.
        keep_empty: yield '' for lines with nothing on them, which are passed over otherwise.

    Yields:
        sentences without the space around them.

    Raises:
        FileError: no such file, a damaged one, one in another encoding, one with a line longer
            than `LONGEST_LINE`, a table without the column; or nothing but empty lines.
        InputError: a column of what is no table.
    """
    empty = True
    for file in files_of(path) if Path(path).is_dir() else [Path(path)]:
        with contextlib.closing(_sentences(file, column)) as sentences:
            for sentence in sentences:
                empty = empty and not sentence
                if sentence or keep_empty:
                    yield sentence
    if empty:
        raise FileError(f"{path}: expected a sentence on a line, received only empty lines")


def files_of(path: str | os.PathLike) -> list[Path]:
    """The files that `read_lines` reads; of a file in an archive, the archive.

    Raises:
        FileError: there is none.
    """
    path = Path(path)
    if not path.is_dir():
        archive, _ = _archive_and_member(path)
        if not (archive or path).is_file():
            raise FileError(f"{path}: expected a file or folder with text, there is none")
        return [archive or path]
    visible = (
        p for p in path.rglob("*") if not any(s.startswith(".") for s in p.relative_to(path).parts)
    )
    files = sorted(p for p in visible if _ending(p) in ENDINGS and p.is_file())
    if not files:
        raise FileError(
            f"{path}: expected a folder with text, received one without any file ending in "
            f"{', '.join(ENDINGS)} or those with .gz"
        )
    return files


def read_labelled_lines(path: str | os.PathLike) -> tuple[list[str], list[str]]:
    """The sentences and labels of a file with 'label sentence' on each line, as SST has them.

    What is not UTF-8 is taken for Latin-1, in which the older of these collections are.

    Raises:
        FileError: as `read_lines`, or a line without a label before a sentence.
    """
    sentences, labels = [], []
    for number, line in enumerate(_decoded(Path(path), latin_1=True), start=1):
        label, _, sentence = line.strip().partition(" ")
        if label and not sentence:
            raise FileError(
                f"{path}: line {number}: expected a label, a space and a sentence, "
                f"received {label[:40]!r}"
            )
        if label:
            sentences.append(sentence.strip())
            labels.append(label)
    if not sentences:
        raise FileError(f"{path}: expected a label and a sentence on a line, received none")
    return sentences, labels


def read_parallel(
    source: str | os.PathLike, target: str | os.PathLike
) -> Iterator[tuple[str, str]]:
    """Pairs of sentences, line by line of two files; '' for an empty line.

    Raises:
        FileError: as `read_lines`, or the files have different numbers of lines.
    """
    ends = [0, 0]
    sides = (read_lines(source, keep_empty=True), read_lines(target, keep_empty=True))
    for pair in itertools.zip_longest(*sides):
        for side, sentence in enumerate(pair):
            ends[side] += sentence is not None
        if None not in pair:
            yield pair
    if ends[0] != ends[1]:
        raise FileError(
            f"{source}, {target}: expected as many lines in both, "
            f"received {ends[0]:,} and {ends[1]:,}"
        )


def table_rows(path: Path) -> Iterator[list[str]]:
    """The header of a .csv or .tsv, then its rows, all of one length.

    Raises:
        FileError: as `read_lines`, or a row with more or fewer cells than the header.
    """
    rows = csv.reader(_decoded(path), delimiter="," if is_table(path, ".csv") else "\t")
    try:
        header = [name.strip() for name in next(rows, [])]
        yield header
        for row in rows:
            if row and len(row) != len(header):
                raise FileError(
                    f"{path}: line {rows.line_num}: expected {len(header)} cells, "
                    f"received {len(row)}"
                )
            yield row or [""] * len(header)
    except csv.Error as error:
        raise FileError(f"{path}: line {rows.line_num}: expected a table, {error}") from None


def is_table(path: Path, *endings: str) -> bool:
    """Whether a file is a .csv or .tsv, gzipped or not."""
    return _ending(path) in (endings or (".csv", ".tsv"))


def _ending(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def _sentences(path: Path, column: str | None) -> Generator[str]:
    """The sentence of each line or row, '' where it is empty."""
    if not is_table(path):
        if column is not None:
            raise InputError(f"column: expected none for {path}, which is no .csv or .tsv")
        yield from (line.strip() for line in _decoded(path))
        return
    rows = table_rows(path)
    header = next(rows)
    names = [column] if column is not None else [*COLUMNS, *header[: len(header) == 1]]
    place = next((header.index(name) for name in names if name in header), None)
    if place is None:
        raise FileError(f"{path}: expected a column {' or '.join(names)}, received {header}")
    yield from (row[place].strip() for row in rows)


def _decoded(path: Path, latin_1: bool = False) -> Iterator[str]:
    """The lines of a file as text, each with its newline."""
    for number, line in enumerate(_raw_lines(path), start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            if not latin_1:
                raise FileError(
                    f"{path}: line {number}, byte {error.start + 1}: expected text in UTF-8, "
                    f"received 0x{line[error.start]:02x}; convert it: iconv -f latin1 -t utf-8"
                ) from None
            text = line.decode("latin-1")
        if "\0" in text:
            raise FileError(
                f"{path}: line {number}, byte {line.index(0) + 1}: expected text, received a zero"
            )
        yield text


def _raw_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file; no more than one of bounded length is ever held."""
    number = 0
    with _opened(path) as file:
        while True:
            number += 1
            try:
                line = file.readline(LONGEST_LINE + 1)
            except _DAMAGE as error:
                raise FileError(
                    f"{path}: expected a whole file, it is damaged at line {number:,}: {error}"
                ) from None
            if len(line) > LONGEST_LINE:
                raise FileError(
                    f"{path}: line {number:,}: expected at most {LONGEST_LINE:,} bytes on a line, "
                    "received more; put one sentence on a line"
                )
            if not line:
                return
            yield line


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    archive, member = _archive_and_member(path)
    with contextlib.ExitStack() as stack:
        files_of(path)
        file: IO[bytes] | gzip.GzipFile
        try:
            if archive:
                file = stack.enter_context(_member(stack, archive, member))
            elif path.suffix.lower() == ".gz":
                file = stack.enter_context(gzip.open(path, "rb"))
            else:
                file = stack.enter_context(path.open("rb"))
        except _DAMAGE as error:
            raise FileError(f"{path}: expected a file with text, {error}") from None
        yield file


def _archive_and_member(path: Path) -> tuple[Path | None, str | None]:
    """`corpus.zip:train.txt` → `corpus.zip` and `train.txt`; None for what is no archive."""
    match = re.fullmatch(r"(.*?\.zip)(?::(.+))?", str(path), re.IGNORECASE)
    return (Path(match[1]), match[2]) if match else (None, None)


def _member(stack: contextlib.ExitStack, path: Path, name: str | None) -> IO[bytes]:
    """A file of an archive, opened; the only one with text where no name is given."""
    archive = stack.enter_context(zipfile.ZipFile(path))
    names = [n for n in archive.namelist() if not n.endswith("/") and not n.startswith("__MACOSX")]
    if name is None and len(names) == 1:
        name = names[0]
    if name not in names:
        raise FileError(
            f"{path}: expected {path.name}:FILE with the name of one of its files "
            f"({', '.join(names[:20]) or 'it has none'}), received {name or 'no name'}"
        )
    return archive.open(name)
