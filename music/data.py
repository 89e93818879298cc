"""Batches of music: transposed on demand, and a pure function of the training step."""

from collections.abc import Iterator

import numpy as np

from latentgen.errors import InputError
from latentgen.music.augment import pitch_columns, transposable, transpose_examples
from latentgen.music.converters import GrooveConverter, drop_hits
from latentgen.music.reading.collection import Collection


class MusicBatches:
    """Batches of encoded music for training.

    Batch k is a pure function of the examples, the seed and k, so that a run resumed at step k
    sees what an uninterrupted one would have. Within a pass each example comes once; the last
    batch of a pass is filled up with others, at random, so that all have one size: of fewer
    examples than a batch some come several times in it.

    Args:
        collection: of `read_collection`, or a part of it.
        batch_size: examples a batch.
        transpose: each example is moved by up to so many semitones up or down, at random, drums
            excepted; an example near the end of the range is moved less far. For melodies and
            trios.
        seed: of the order, the transposition and the dropped hits.
        drop_hits: for grooves, the highest share of an example's hits that the encoder does not get
            to see (see `converters.drop_hits`); GrooVAE's note dropout has 0.8.

    Raises:
        InputError: no examples, an argument below what it can be, or transposition of something
            that has no pitches.
    """

    def __init__(
        self,
        collection: Collection,
        batch_size: int = 512,
        transpose: int = 0,
        seed: int = 0,
        drop_hits: float = 0.0,
    ):
        if not len(collection):
            raise InputError("collection: expected at least one example, received none")
        if batch_size < 1:
            raise InputError(f"batch_size: expected 1 or more examples, received {batch_size}")
        if transpose < 0:
            raise InputError(f"transpose: expected 0 or more semitones, received {transpose}")
        self.collection = collection
        self.batch_size = batch_size
        if drop_hits and not isinstance(collection.converter, GrooveConverter):
            raise InputError(f"drop_hits: expected 0 but for grooves, received {drop_hits}")
        self.transpose = transpose
        self.drop_hits = drop_hits
        self.seed = seed
        if transpose:
            self.columns = pitch_columns(collection.converter)
            down, up = transposable(collection.outputs, self.columns)
            self.down, self.up = np.maximum(down, -transpose), np.minimum(up, transpose)
        self._pass: tuple[int, np.ndarray] | None = None

    @property
    def batches_per_pass(self) -> int:
        return -(-len(self.collection) // self.batch_size)

    def order(self, index: int) -> np.ndarray:
        """Rows (batches, batch_size) of a pass: every example, and what fills the last batch."""
        if self._pass is None or self._pass[0] != index:
            generator = np.random.default_rng([self.seed, index])
            rows = generator.permutation(len(self.collection))
            fill = generator.choice(len(rows), -len(rows) % self.batch_size)
            self._pass = index, np.concatenate([rows, fill]).reshape(-1, self.batch_size)
        return self._pass[1]

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """Batch of a training step, float32: `sequence` (B, T, output_depth), `length` int32 (B,).

        Also `input` (B, T, input_depth) where what is encoded differs from what is decoded, and
        `control` (B, T, control_depth) where there are controls.
        """
        index, position = divmod(step, self.batches_per_pass)
        rows = self.order(index)[position]
        generator = np.random.default_rng([self.seed, step, 1])
        if self.transpose:
            return self._rows(rows, generator.integers(self.down[rows], self.up[rows] + 1))
        batch = self._rows(rows)
        if self.drop_hits:
            read = batch.get("input", batch["sequence"])
            batch["input"] = drop_hits(read, self.drop_hits, generator).astype("float32")
        return batch

    def from_step(self, step: int) -> Iterator[tuple[dict[str, np.ndarray]]]:
        """Endless batches, from that of the given step on: for `fit_resumably`."""
        while True:
            yield (self.batch(step),)
            step += 1

    def once(self) -> Iterator[tuple[dict[str, np.ndarray]]]:
        """Every example once, as it is, in order; the last batch may be smaller: for evaluation."""
        for start in range(0, len(self.collection), self.batch_size):
            end = min(start + self.batch_size, len(self.collection))
            yield (self._rows(np.arange(start, end)),)

    def _rows(self, rows: np.ndarray, semitones: np.ndarray | None = None) -> dict[str, np.ndarray]:
        arrays = {
            "sequence": self.collection.outputs,
            "input": self.collection.inputs,
            "control": self.collection.controls,
        }
        batch = {}
        for name, array in arrays.items():
            if array is None:
                continue
            part = array[rows]
            if semitones is not None:
                pitches, circles = self.columns
                moves = {"circles": circles} if name == "control" else {"pitches": pitches}
                part = transpose_examples(part, semitones, **moves)
            batch[name] = part.astype("float32")
        return batch | {"length": self.collection.lengths[rows]}
