"""Recurrent encoders: a sequence of any length → one embedding."""

import keras
from keras import ops

from latentgen.layers.cell_stacks import CellStack, ResidualCell, cell_stack, with_dropout_masks


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


class RecurrentEncoder(keras.layers.Layer):
    """What the encoders share: arguments, and how a stack of cells runs over a sequence.

    Args:
        units: hidden size of each layer, the same in both directions; an integer for one layer.
        input_size: size D of one step.
        cell: 'lstm', 'layer_norm' or 'hyper'.
        recurrent_dropout: share of the candidate dropped in training.
        input_dropout: share of each layer's inputs dropped in training.
        residual: whether each layer's input is added to its output (see ResidualCell).
    """

    def __init__(
        self,
        units: int | list[int],
        input_size: int,
        cell: str = "lstm",
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        input_dropout: float = 0.0,
        residual: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = [units] if isinstance(units, int) else list(units)
        self.input_size = input_size
        self.cell = cell
        self.recurrent_dropout = recurrent_dropout
        self.input_dropout = input_dropout
        self.residual = residual
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.output_size = self.units[-1]

    def _stack(self, units: list[int], input_size: int, name: str) -> CellStack:
        return cell_stack(
            self.cell,
            units,
            input_size,
            recurrent_dropout=self.recurrent_dropout,
            input_dropout=self.input_dropout,
            residual=self.residual,
            name=name,
        )

    def _run(self, rnn, sequence, training):
        if training:
            sequence = with_dropout_masks(rnn.cell, sequence, self.seed_generator)
        return rnn(sequence)

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "input_size": self.input_size,
            "cell": self.cell,
            "recurrent_dropout": self.recurrent_dropout,
            "input_dropout": self.input_dropout,
            "residual": self.residual,
            "seed": self.seed,
        }


@keras.saving.register_keras_serializable("latentgen")
class ForwardEncoder(RecurrentEncoder):
    """Stacked encoder in reading order; the embedding is the output at the last valid step."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        stack = self._stack(self.units, self.input_size, "cells")
        self.rnn = keras.layers.RNN(stack, return_sequences=True, name="rnn")

    def build(self, input_shape=None):
        self.rnn.build((None, None, self.input_size))
        self.built = True

    def call(self, sequence, length, training=False):
        """Embeds sequence (B, T, D) with length (B,) valid steps each → (B, units[-1])."""
        return last_valid(self._run(self.rnn, sequence, training), length)


@keras.saving.register_keras_serializable("latentgen")
class BidirectionalEncoder(RecurrentEncoder):
    """Stacked bidirectional recurrent encoder.

    Layer k reads the concatenated outputs of layer k - 1 in both directions; the embedding is the
    last layer's forward state after the last valid step beside its backward state after the first
    (Ha & Eck 2017, §3.2; Roberts et al. 2018, §3.1). Padding never reaches it.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.output_size = 2 * self.units[-1]
        sizes = [self.input_size, *(2 * u for u in self.units[:-1])]
        self.forward, self.backward = (
            [
                keras.layers.RNN(
                    self._stack([u], size, f"{name}_{k}"),
                    return_sequences=True,
                    name=f"{name}_rnn_{k}",
                )
                for k, (u, size) in enumerate(zip(self.units, sizes, strict=True))
            ]
            for name in ("forward", "backward")
        )
        if self.residual:
            # The embedding is made of the last layer's states, to which nothing is added.
            for rnn in (self.forward[-1], self.backward[-1]):
                top = rnn.cell.cells[-1]
                assert isinstance(top, ResidualCell)
                top.skip = False

    def build(self, input_shape=None):
        for rnn in [*self.forward, *self.backward]:
            rnn.build((None, None, rnn.cell.input_size))
        self.built = True

    def call(self, sequence, length, training=False):
        """Embeds sequence (B, T, D) with length (B,) valid steps each → (B, 2·units[-1])."""
        return self.read(sequence, length, training)[0]

    def outputs(self, sequence, length, training=False):
        """The last layer's outputs at every step, both directions' → (B, T, 2·units[-1])."""
        return self.read(sequence, length, training)[1]

    def read(self, sequence, length, training=False):
        """The embedding and the outputs, of one run over the sequence."""
        ahead, back = self._directions(sequence, length, training)
        embedding = [last_valid(ahead, length), last_valid(back, length)]
        outputs = [ahead, reverse_valid(back, length)]
        return ops.concatenate(embedding, axis=-1), ops.concatenate(outputs, axis=-1)

    def _directions(self, sequence, length, training):
        """Outputs of the last layer, the backward direction's in its own order of steps."""
        for forward, backward in zip(self.forward, self.backward, strict=True):
            ahead = self._run(forward, sequence, training)
            back = self._run(backward, reverse_valid(sequence, length), training)
            if forward is not self.forward[-1]:
                sequence = ops.concatenate([ahead, reverse_valid(back, length)], axis=-1)
        return ahead, back
