"""Corpora: the sentences of files as token ids, in memory or mapped from disk."""

import hashlib
import itertools
import json
import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from latentgen.errors import FileError, InputError
from latentgen.splits import split_of
from latentgen.text.cache import is_cached, read_cache, write_cache
from latentgen.text.reading import files_of, read_lines, read_parallel
from latentgen.text.tokenizers import UNKNOWN, Tokenizer

SPLITS = ("train", "valid", "test")
_FLUSH = 1 << 20  # token ids that are held before they are written to disk


@dataclass
class Report:
    """What became of the lines of a corpus; `str()` is a table.

    Attributes:
        lines: read.
        taken: sentences of the corpus; the sum with the three that follow is `lines`.
        empty: lines with nothing on them.
        too_long: sentences of more tokens than wanted.
        left_out: sentences that repeat one that is taken, where each is wanted once.
        duplicates: sentences that repeat another one, taken or not.
        tokens, unknown: of the sentences that are not too long.
    """

    lines: int = 0
    taken: int = 0
    empty: int = 0
    too_long: int = 0
    left_out: int = 0
    duplicates: int = 0
    tokens: int = 0
    unknown: int = 0

    @property
    def unknown_share(self) -> float:
        """The share of tokens that are unknown."""
        return self.unknown / max(1, self.tokens)

    def __str__(self) -> str:
        return (
            f"lines    {self.lines:>11,} read, {self.empty:,} empty, {self.too_long:,} too long\n"
            f"taken    {self.taken:>11,} sentences, {self.duplicates:,} repeat another one"
            f"{f', {self.left_out:,} of them left out' if self.left_out else ''}\n"
            f"tokens   {self.tokens:>11,}, {self.unknown_share:.2%} unknown"
        )


@dataclass(frozen=True)
class Corpus:
    """n sentences as token ids, without start and end, in the order of their lines.

    `corpus[k]` are the ids of a sentence, int32.

    Attributes:
        ids: int32 (tokens,), of all sentences one after the other; may be mapped from disk.
        starts: int64 (n,), where each begins.
        lengths: int32 (n,), tokens of each.
        splits: uint8 (n,), the place in `SPLITS`; equal sentences are in one split.
        tokenizer: what made them.
        report: what was taken of the lines.
    """

    ids: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    splits: np.ndarray
    tokenizer: Tokenizer
    report: Report

    @classmethod
    def of(
        cls,
        sentences: Iterable[str],
        tokenizer: Tokenizer,
        max_length: int = 64,
        unique: bool = False,
    ) -> "Corpus":
        """A corpus in memory of sentences as `read_corpus` makes one of files.

        Raises:
            InputError: no sentence of at most `max_length` tokens.
        """
        report = Report()
        parts = list(_encoded(sentences, tokenizer, max_length, report))
        arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return _assembled(arrays, tokenizer, report, unique)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> np.ndarray:
        start = self.starts[index]
        return self.ids[start : start + self.lengths[index]]

    def part(self, split: str) -> "Corpus":
        """The sentences of one split; `split_of` says which, by what they say.

        Raises:
            InputError: no such split.
        """
        if split not in SPLITS:
            raise InputError(f"split: expected one of {SPLITS}, received {split!r}")
        return self.take(np.flatnonzero(self.splits == SPLITS.index(split)))

    def take(self, rows: np.ndarray) -> "Corpus":
        """Some of the sentences, by number; the report stays that of the whole."""
        columns = self.starts[rows], self.lengths[rows], self.splits[rows]
        return Corpus(self.ids, *columns, self.tokenizer, self.report)


def read_corpus(
    paths: str | os.PathLike | Iterable[str | os.PathLike],
    tokenizer: Tokenizer,
    max_length: int = 64,
    column: str | None = None,
    unique: bool = False,
    cache: str | os.PathLike | None = None,
) -> Corpus:
    """Reads files of sentences into token ids.

    Args:
        paths: a file, a folder or several of them, see `read_lines`.
        tokenizer: what makes ids of a line, taken as it stands.
        max_length: tokens; longer sentences are left out.
        column: of a table, the sentences.
        unique: whether a sentence that repeats another one is left out.
        cache: a folder that the ids are written to once and mapped into memory from then on, for
            files larger than memory. It is made anew when the files, the tokenizer or `max_length`
            are others than before.

    Raises:
        FileError: see `read_lines`; or a damaged cache.
        InputError: no sentence of at most `max_length` tokens.
    """
    sources = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not sources:
        raise InputError("paths: expected at least one file, received none")
    lines = itertools.chain.from_iterable(
        read_lines(path, column, keep_empty=True) for path in sources
    )
    if cache is None:
        return Corpus.of(lines, tokenizer, max_length, unique)
    key = _key(sources, tokenizer, max_length, column)
    if not is_cached(cache, key):
        made = Report()
        parts = _encoded(lines, tokenizer, max_length, made)
        write_cache(cache, key, parts, lambda: asdict(made))
    arrays, facts = read_cache(cache)
    try:
        if len(arrays["ids"]) != arrays["lengths"].sum(dtype="int64"):
            raise ValueError("its arrays do not fit together")
        return _assembled(arrays, tokenizer, Report(**facts), unique)
    except (ValueError, TypeError, KeyError) as error:
        raise FileError(
            f"{cache}: expected a cache, this one is damaged, remove it: {error}"
        ) from None


def read_parallel_corpus(
    source: str | os.PathLike,
    target: str | os.PathLike,
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    max_length: int = 64,
) -> tuple[Corpus, Corpus]:
    """Two files whose lines belong together, as two corpora of equally many sentences.

    Pairs of which one side is empty or longer than `max_length` tokens are left out.

    Raises:
        FileError: see `read_parallel`.
        InputError: no pair is left.
    """
    tokenizers = source_tokenizer, target_tokenizer
    sides: tuple[list[str], list[str]] = [], []
    for pair in read_parallel(source, target):
        ids = [t.encode(s, verbatim=True) for t, s in zip(tokenizers, pair, strict=True)]
        if all(0 < len(side) <= max_length for side in ids):
            for side, sentence in zip(sides, pair, strict=True):
                side.append(sentence)
    return (
        Corpus.of(sides[0], source_tokenizer, max_length),
        Corpus.of(sides[1], target_tokenizer, max_length),
    )


def split_of_sentence(sentence: str) -> str:
    """The split of a sentence for ever, however many spaces are between its words."""
    return split_of(" ".join(sentence.split()))


def _encoded(
    lines: Iterable[str], tokenizer: Tokenizer, max_length: int, report: Report
) -> Iterator[dict[str, np.ndarray]]:
    """The arrays of a corpus, a part after the other; the report is complete after the last."""
    if max_length < 1:
        raise InputError(f"max_length: expected 1 or more tokens, received {max_length}")
    ids, lengths, splits, digests = array("i"), array("i"), array("B"), array("Q")
    for line in itertools.chain(lines, [None]):
        if line is None or len(ids) >= _FLUSH:
            names = {"ids": ids, "lengths": lengths, "splits": splits, "digests": digests}
            yield {name: np.array(content) for name, content in names.items()}
            for content in names.values():
                del content[:]
        if line is None:
            break
        report.lines += 1
        found = tokenizer.encode(line, verbatim=True)
        report.empty += not found
        report.too_long += len(found) > max_length
        if 0 < len(found) <= max_length:
            text = " ".join(line.split())
            digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
            ids.extend(found)
            lengths.append(len(found))
            splits.append(SPLITS.index(split_of_sentence(line)))
            digests.append(int.from_bytes(digest, "little"))
            report.taken += 1
            report.tokens += len(found)
            report.unknown += found.count(UNKNOWN)
    if not report.taken:
        raise InputError(
            f"corpus: expected a sentence of at most {max_length} tokens, received "
            f"{report.too_long:,} longer ones and {report.empty:,} empty ones; raise max_length"
        )


def _assembled(
    arrays: dict[str, np.ndarray], tokenizer: Tokenizer, report: Report, unique: bool
) -> Corpus:
    lengths = arrays["lengths"]
    starts = np.cumsum(lengths, dtype="int64") - lengths
    corpus = Corpus(arrays["ids"], starts, lengths, arrays["splits"], tokenizer, report)
    _, first = np.unique(arrays["digests"], return_index=True)
    report.duplicates = len(lengths) - len(first)
    if unique:
        report.left_out, report.taken = report.duplicates, len(first)
        corpus = corpus.take(np.sort(first))
    return corpus


def _key(
    sources: Sequence[str | os.PathLike], tokenizer: Tokenizer, max_length: int, column: str | None
) -> str:
    """What a cache is made of: the files by name, size and time of change, and how."""
    files: list[list[Any]] = []
    for source in sources:
        for file in files_of(source):
            status = file.stat()
            files.append([str(source), str(file), status.st_size, status.st_mtime_ns])
    content = [files, tokenizer.arguments(), max_length, column]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
