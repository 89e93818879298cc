"""Bidirectional recurrent encoder: a sequence of any length → one embedding."""

import functools

import keras
from keras import ops

from latentgen.layers.cells import cell_class, with_dropout_mask


def reverse_valid(sequence, length):
    """Reverses the first `length` steps of each sequence (B, T, D) and leaves the padding."""
    steps = ops.arange(ops.shape(sequence)[1])[None, :]  # (1, T)
    length = ops.cast(length, "int32")[:, None]  # (B, 1)
    index = ops.where(steps < length, length - 1 - steps, steps)  # (B, T)
    return ops.take_along_axis(sequence, index[:, :, None], axis=1)


def last_valid(sequence, length):
    """Step `length - 1` of each sequence: (B, T, D), (B,) → (B, D)."""
    index = ops.maximum(ops.cast(length, "int32") - 1, 0)[:, None, None]
    return ops.squeeze(ops.take_along_axis(sequence, index, axis=1), axis=1)


@keras.saving.register_keras_serializable("latentgen")
class BidirectionalEncoder(keras.layers.Layer):
    """Stacked bidirectional recurrent encoder.

    Layer k reads the concatenated outputs of layer k - 1 in both directions; the embedding is the
    last layer's forward state after the last valid step beside its backward state after the first
    (Ha & Eck 2017, §3.2; Roberts et al. 2018, §3.1). Padding never reaches it.

    Args:
        units: hidden size of each layer, the same in both directions; an integer for one layer.
        input_size: size D of one step.
        cell: 'lstm', 'layer_norm' or 'hyper'.
        recurrent_dropout: share of the candidate dropped in training.
    """

    def __init__(
        self,
        units: int | list[int],
        input_size: int,
        cell: str = "lstm",
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = [units] if isinstance(units, int) else list(units)
        self.input_size = input_size
        self.cell = cell
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.output_size = 2 * self.units[-1]
        sizes = [input_size, *(2 * u for u in self.units[:-1])]
        make_cell = functools.partial(cell_class(cell), recurrent_dropout=recurrent_dropout)
        self.forward, self.backward = (
            [
                keras.layers.RNN(
                    make_cell(u, size, name=f"{name}_{k}"),
                    return_sequences=True,
                    name=f"{name}_rnn_{k}",
                )
                for k, (u, size) in enumerate(zip(self.units, sizes, strict=True))
            ]
            for name in ("forward", "backward")
        )

    def build(self, input_shape=None):
        for rnn in [*self.forward, *self.backward]:
            rnn.build((None, None, rnn.cell.input_size))
        self.built = True

    def call(self, sequence, length, training=False):
        """Embeds sequence (B, T, D) with length (B,) valid steps each → (B, 2·units[-1])."""
        for forward, backward in zip(self.forward, self.backward, strict=True):
            reverse = reverse_valid(sequence, length)
            ahead = self._run(forward, sequence, training)
            back = self._run(backward, reverse, training)
            ends = [last_valid(ahead, length), last_valid(back, length)]
            if forward is not self.forward[-1]:
                sequence = ops.concatenate([ahead, reverse_valid(back, length)], axis=-1)
        return ops.concatenate(ends, axis=-1)

    def _run(self, rnn, sequence, training):
        if training:
            sequence = with_dropout_mask(rnn.cell, sequence, self.seed_generator)
        return rnn(sequence)

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "input_size": self.input_size,
            "cell": self.cell,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }
