"""Batches of drawings: augmented, grouped by length, and a pure function of the training step."""

from collections.abc import Iterator, Sequence

import numpy as np

from latentgen.errors import InputError
from latentgen.sketch.strokes import augment, normalise, to_stroke5


def pad_drawings(
    drawings: Sequence[np.ndarray], length: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Stroke-3 drawings → stroke-5 (n, T, 5) closed by the end element, and lengths (n,).

    T is the longest drawing and one step for its end, or `length` if that is given.
    """
    lengths = np.array([len(d) for d in drawings], dtype="int32")
    steps = length or int(lengths.max()) + 1
    sequences = np.zeros((len(drawings), steps, 5), dtype="float32")
    sequences[:, :, 4] = 1.0
    for row, drawing in zip(sequences, drawings, strict=True):
        row[: len(drawing)] = to_stroke5(drawing)[: len(drawing)]
    return sequences, lengths


class SketchBatches:
    """Batches of normalised drawings for training.

    Batch k is a pure function of the drawings, the seed and k, so that a run resumed at step k
    sees what an uninterrupted one would have. Within a pass each drawing comes once; batches hold
    drawings of similar length and are cut to a bucket's length, so that little padding is
    computed.

    Args:
        drawings: stroke-3 arrays in their own units.
        scale: what offsets are divided by.
        batch_size: drawings a batch.
        max_length: longest drawing; longer ones are refused.
        buckets: how many different lengths batches may have; 1 pads everything to max_length.
        scale_amount, drop_probability: augmentation as in Sketch-RNN; 0 for none.
        mirror: whether every other drawing, at random, is flipped left to right.
        seed: of the order and the augmentation.
    """

    def __init__(
        self,
        drawings: Sequence[np.ndarray],
        scale: float,
        batch_size: int = 100,
        max_length: int = 250,
        buckets: int = 6,
        scale_amount: float = 0.15,
        drop_probability: float = 0.10,
        mirror: bool = False,
        seed: int = 0,
    ):
        lengths = np.array([len(d) for d in drawings])
        if not len(lengths):
            raise InputError("drawings: expected at least one, received none")
        if lengths.min() < 1:
            raise InputError("drawings: expected at least one point each; leave empty ones out")
        if batch_size < 1:
            raise InputError(f"batch_size: expected 1 or more drawings, received {batch_size}")
        if lengths.max() > max_length:
            raise InputError(
                f"drawings: expected at most {max_length} points each, received one of "
                f"{lengths.max()}: simplify it or raise max_length"
            )
        self.drawings = [normalise(d, scale) for d in drawings]
        self.batch_size = batch_size
        self.max_length = max_length
        self.augmentation = {"scale": scale_amount, "drop": drop_probability}
        self.mirror = mirror
        self.seed = seed
        self.lengths = lengths
        self.bounds = bucket_bounds(lengths, buckets, max_length)
        self._pass: tuple[int, list[np.ndarray]] | None = None

    @property
    def batches_per_pass(self) -> int:
        return -(-len(self.drawings) // self.batch_size)

    def order(self, index: int) -> list[np.ndarray]:
        """Rows of each batch in a pass; the last of a bucket fill up from the next bucket."""
        if self._pass is None or self._pass[0] != index:
            generator = np.random.default_rng([self.seed, index])
            rows = generator.permutation(len(self.drawings))
            bucket = np.searchsorted(self.bounds, self.lengths[rows] + 1)
            rows = rows[np.argsort(bucket, kind="stable")]
            fill = -len(rows) % self.batch_size
            rows = np.concatenate([generator.choice(len(self.drawings), fill), rows])
            batches = np.split(rows, len(rows) // self.batch_size)
            self._pass = index, [batches[k] for k in generator.permutation(len(batches))]
        return self._pass[1]

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """Batch of a training step: `sequence` (B, T, 5), `length` (B,)."""
        index, position = divmod(step, self.batches_per_pass)
        rows = self.order(index)[position]
        generator = np.random.default_rng([self.seed, step, 1])
        drawings = [augment(self.drawings[row], generator, **self.augmentation) for row in rows]
        if self.mirror:
            flips = np.where(generator.random(len(rows)) < 0.5, -1.0, 1.0).astype("float32")
            drawings = [
                d * np.array([f, 1, 1], "float32") for d, f in zip(drawings, flips, strict=True)
            ]
        longest = max(len(d) for d in drawings) + 1
        steps = int(self.bounds[np.searchsorted(self.bounds, longest)])
        sequences, lengths = pad_drawings(drawings, steps)
        return {"sequence": sequences, "length": lengths}

    def from_step(self, step: int) -> Iterator[tuple[dict[str, np.ndarray]]]:
        """Endless batches, from that of the given step on: for `fit_resumably`."""
        while True:
            yield (self.batch(step),)
            step += 1

    def once(self) -> Iterator[tuple[dict[str, np.ndarray]]]:
        """Every drawing once, as it is, in order of length: for evaluation."""
        rows = np.argsort(self.lengths, kind="stable")
        for start in range(0, len(rows), self.batch_size):
            drawings = [self.drawings[row] for row in rows[start : start + self.batch_size]]
            sequences, lengths = pad_drawings(drawings)
            yield ({"sequence": sequences, "length": lengths},)


def bucket_bounds(lengths: np.ndarray, buckets: int, max_length: int) -> np.ndarray:
    """Sequence lengths (with the end element) that batches are cut to, ascending.

    Quantiles of the drawings' lengths, rounded up to multiples of 8; the last is max_length + 1.
    """
    shares = np.arange(1, buckets) / buckets
    inner = np.ceil((np.quantile(lengths, shares) + 1) / 8) * 8
    longest = min(int(lengths.max()) + 1, max_length + 1) if buckets > 1 else max_length + 1
    return np.unique(np.minimum([*inner, longest], longest)).astype("int64")
