"""Batches of sentences: of similar length, and a pure function of the training step."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from latentgen.errors import InputError
from latentgen.text.corpus import Corpus


class TextBatches:
    """Batches of sentences for training.

    Batch k is a pure function of the corpus, the seed and k, so that a run resumed at step k sees
    what an uninterrupted one would have. Within a pass each sentence comes once; batches hold
    sentences of similar length, and the first of a pass is filled up with others, at random, so
    that all have one size.

    Args:
        corpus: of `read_corpus`, or a part of it.
        batch_size: sentences a batch.
        seed: of the order.

    Raises:
        InputError: no sentences, or a batch size below 1.
    """

    def __init__(self, corpus: Corpus, batch_size: int = 64, seed: int = 0):
        if not len(corpus):
            raise InputError("corpus: expected at least one sentence, received none")
        if batch_size < 1:
            raise InputError(f"batch_size: expected 1 or more sentences, received {batch_size}")
        self.corpus = corpus
        self.batch_size = batch_size
        self.seed = seed
        self._lengths = corpus.lengths
        self._pass: tuple[int, np.ndarray] | None = None

    @property
    def batches_per_pass(self) -> int:
        return -(-len(self.corpus) // self.batch_size)

    def order(self, index: int) -> np.ndarray:
        """Rows (batches, batch_size) of a pass."""
        if self._pass is None or self._pass[0] != index:
            generator = np.random.default_rng([self.seed, index])
            rows = generator.permutation(len(self.corpus))
            rows = rows[np.argsort(_steps(self._lengths[rows]), kind="stable")]
            fill = generator.choice(len(rows), -len(rows) % self.batch_size)
            batches = np.concatenate([fill, rows]).reshape(-1, self.batch_size)
            self._pass = index, generator.permutation(batches)
        return self._pass[1]

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """Batch of a training step: `sequence` float32 (B, T, 1), `length` int32 (B,).

        The sequence holds ids, then at least one 0 for the end; T is a multiple of 8.
        """
        index, position = divmod(step, self.batches_per_pass)
        return self._rows(self.order(index)[position])

    def from_step(self, step: int) -> Iterator[tuple[dict[str, np.ndarray]]]:
        """Endless batches, from that of the given step on: for `fit_resumably`."""
        while True:
            yield (self.batch(step),)
            step += 1

    def once(self) -> Iterator[tuple[dict[str, np.ndarray]]]:
        """Every sentence once, in order of length; the last batch may be smaller: to evaluate."""
        rows = np.argsort(self._lengths, kind="stable")
        for start in range(0, len(rows), self.batch_size):
            yield (self._rows(rows[start : start + self.batch_size]),)

    def _rows(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        sequence, length = _padded(self.corpus, rows)
        return {"sequence": sequence, "length": length}


class ParallelBatches(TextBatches):
    """Batches of pairs of sentences, see `TextBatches`.

    Batches also have `source` float32 (B, S, 1) and `source_length` int32 (B,).

    Args:
        source, target: corpora whose sentences belong together, of `read_parallel_corpus`.
        batch_size: pairs a batch.
        seed: of the order.

    Raises:
        InputError: no sentences, or not as many in both.
    """

    def __init__(self, source: Corpus, target: Corpus, batch_size: int = 64, seed: int = 0):
        if len(source) != len(target):
            raise InputError(
                f"source, target: expected as many sentences in both, "
                f"received {len(source):,} and {len(target):,}"
            )
        super().__init__(target, batch_size, seed)
        self.source = source
        self._lengths = np.maximum(source.lengths, target.lengths)

    def _rows(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        source, length = _padded(self.source, rows)
        return {"source": source, "source_length": length, **super()._rows(rows)}


def pad_ids(sentences: Iterable[Iterable[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Ids of sentences → `sequence` float32 (n, T, 1) closed by 0, and `length` int32 (n,).

    T is the longest sentence and one step for its end, rounded up to a multiple of 8.
    """
    found = [np.asarray(list(ids)) for ids in sentences]
    lengths = np.array([len(ids) for ids in found], dtype="int32")
    sequences = np.zeros((len(found), _steps(lengths.max(initial=0)), 1), dtype="float32")
    for row, ids in zip(sequences, found, strict=True):
        row[: len(ids), 0] = ids
    return sequences, lengths


def _padded(corpus: Corpus, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return pad_ids(corpus[row] for row in rows)


def _steps(lengths: Any) -> Any:
    """Steps of a batch whose longest sentence is so long: with an end, a multiple of 8."""
    return (lengths // 8 + 1) * 8
