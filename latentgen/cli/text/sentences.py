"""What a person may type or name as sentences on the command line, and what is made of them."""

import itertools
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from latentgen.cli.output import check_file, wrote
from latentgen.errors import InputError
from latentgen.files import atomic_file

if TYPE_CHECKING:
    from latentgen.text.model import TextModel

ENDINGS = (".txt", ".json", ".html")


def check_out(out: Path | None, overwrite: bool) -> None:
    """Refuses an ending nobody can write, and a name that is taken."""
    if out is not None:
        check_file(out, ENDINGS, overwrite)


def check_given(*texts: str) -> None:
    """Refuses names of files that are not there, before a model is opened."""
    from latentgen.text.reading import files_of

    for text in texts:
        name, _ = _numbered(text)
        if not _is_sentence(name):
            files_of(name)


def read_given(text: str, model: "TextModel", count: int) -> list[str]:
    """A sentence as it was typed, or the first few of a file or folder that a model can read.

    Raises:
        FileError: a file that cannot be read.
        InputError: none that the model can read.
    """
    from latentgen.text.reading import read_lines

    lines = [text] if _is_sentence(text) else read_lines(text)
    found = list(itertools.islice(filter(_reader(model), lines), count))
    if not found:
        raise InputError(f"{_shown(text)}: expected {_readable(model)}, received none")
    return found


def read_one(text: str, model: "TextModel") -> str:
    """A sentence as it was typed, the first of `FILE`, or that of `FILE:NUMBER` from 0."""
    name, number = _numbered(text)
    found = read_given(name, model, number + 1)
    if number >= len(found):
        raise InputError(f"{text}: expected a number from 0 to {len(found) - 1}")
    return found[number]


def read_labelled(
    source: Path, table: Path | None, with_labels: bool
) -> tuple[list[str], dict[str, list[Any]]]:
    """Sentences and their labels; the sentences alone where nothing is asked of the labels."""
    from latentgen.text.labelled import read_labelled_sentences
    from latentgen.text.reading import read_lines

    if not with_labels and table is None and source.is_file():
        return list(read_lines(source)), {}
    sentences, columns = read_labelled_sentences(source, table)
    return sentences, columns if with_labels else {}


def choose(
    sentences: Sequence[str],
    columns: dict[str, list[Any]],
    model: "TextModel",
    limit: int | None,
    seed: int,
) -> tuple[list[str], dict[str, list[Any]]]:
    """Those that a model can read, at most `limit` of them, drawn at random."""
    import numpy as np

    reads = _reader(model)
    order = np.random.default_rng(seed).permutation(len(sentences)).tolist()
    rows = sorted(itertools.islice((k for k in order if reads(sentences[k])), limit))
    if not rows:
        raise InputError(f"expected {_readable(model)} among those labelled, received none")
    chosen = {name: [column[k] for k in rows] for name, column in columns.items()}
    return [sentences[k] for k in rows], chosen


def write(
    out: Path | None,
    sentences: Sequence[str],
    title: str,
    what: str,
    originals: Sequence[str] = (),
) -> None:
    """Writes sentences as the ending of `out` says, or tells them.

    In pages and on the terminal each stands below its original, where there are some.
    """
    if out is None:
        _tell(sentences, originals)
        return
    kind = out.suffix.lower()
    if kind == ".html":
        from latentgen.text.page import Section, write_page

        write_page(out, title, [Section(f"{len(sentences)} sentences", sentences, originals)])
    else:
        with atomic_file(out) as temporary:
            temporary.write_text(
                _json(sentences, originals) if kind == ".json" else _lines(sentences),
                encoding="utf-8",
            )
    wrote(out, what)


def _tell(sentences: Sequence[str], originals: Sequence[str]) -> None:
    for index, sentence in enumerate(sentences):
        if originals:
            typer.secho(originals[index], dim=True)
        typer.echo(f"→ {sentence}" if originals else sentence)


def _lines(sentences: Sequence[str]) -> str:
    return "".join(f"{sentence}\n" for sentence in sentences)


def _json(sentences: Sequence[str], originals: Sequence[str]) -> str:
    records = [{"text": sentence} for sentence in sentences]
    for record, original in zip(records, originals, strict=False):
        record["original"] = original
    return json.dumps(records, ensure_ascii=False, indent=1) + "\n"


def _is_sentence(text: str) -> bool:
    """Whether a text is meant as a sentence: no file's name, and more than a word."""
    return not os.path.exists(text) and len(text.split()) > 1


def _numbered(text: str) -> tuple[str, int]:
    """`captions.txt:3` → `captions.txt` and 3; a sentence, or a name alone → itself and 0."""
    name, _, number = text.rpartition(":")
    return (name, int(number)) if number.isdecimal() and os.path.exists(name) else (text, 0)


def _reader(model: "TextModel"):
    """Whether a model can read a sentence: neither too long, nor of unknown tokens alone."""
    from latentgen.text.tokenizers import UNKNOWN

    def reads(sentence: str) -> bool:
        ids = model.tokenizer.encode(sentence)
        return len(ids) <= model.max_length and any(token != UNKNOWN for token in ids)

    return reads


def _readable(model: "TextModel") -> str:
    return f"a sentence of at most {model.max_length} tokens, known ones among them"


def _shown(text: str) -> str:
    return repr(text if len(text) < 80 else f"{text[:77]}…") if _is_sentence(text) else text
