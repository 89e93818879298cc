"""Attention: a decoder that looks back at a source at every step (Luong et al. 2015)."""

from typing import Any, NamedTuple

import keras
from keras import ops

from latentgen import random
from latentgen.layers.cell_stacks import CellStack, cell_stack, split_states, with_dropout_masks
from latentgen.layers.decoder import AutoregressiveDecoder
from latentgen.layers.heads import NEVER, OutputHead


class Source(NamedTuple):
    """What an AttentionDecoder is conditioned on, its z; a BidirectionalEncoder's `read`."""

    embedding: Any
    """Of the whole source (B, C)."""
    encodings: Any
    """Of each of its steps (B, S, C)."""
    length: Any
    """How many of them are source; the rest is padding (B,)."""


class AttentionCell(keras.layers.Layer):
    """A stack of cells that reads what it attended to, as one cell (arXiv 1508.04025, §3.1, 3.3).

        h = stack([x, a], …), weights = softmax_s(h · W encoding_s), c = Σ_s weights_s encoding_s,
        a' = tanh(W_a [c, h])

    x is the input and a the output of the step before, which is fed back ("input feeding").
    States: the stack's own, a (B, n), then what stays the same over a sequence: the keys W encoding
    (B, S, n), the encodings (B, S, C) and the mask (B, S), 0 on the source and `NEVER` on padding.

    Args:
        stack: the cells; it reads the input and a.
        encoding_size: C.
    """

    def __init__(self, stack: CellStack, encoding_size: int, **kwargs):
        super().__init__(**kwargs)
        self.stack = stack
        self.encoding_size = encoding_size
        self.output_size = stack.output_size
        self.input_size = stack.input_size - self.output_size
        self.state_size = [*stack.state_size, self.output_size]
        self.dropout_shares = stack.dropout_shares
        self.key_layer, self.output_layer = (
            keras.layers.Dense(
                self.output_size, activation=activation, use_bias=False, name=f"attention_{name}"
            )
            for name, activation in (("keys", None), ("output", "tanh"))
        )

    def build(self, input_shape=None):
        self.stack.build()
        self.key_layer.build((None, None, self.encoding_size))
        self.output_layer.build((None, self.encoding_size + self.output_size))
        self.built = True

    def project_source(self, encodings, length) -> list:
        """The states that stay the same: keys, encodings and mask, once a sequence."""
        steps = ops.arange(ops.shape(encodings)[1])
        valid = steps < ops.cast(length, "int32")[:, None]
        mask = (1.0 - ops.cast(valid, encodings.dtype)) * NEVER
        return [self.key_layer(encodings), encodings, mask]

    def attend(self, h, keys, encodings, mask):
        """What a hidden state (B, n) finds: the mean encoding (B, C) and its weights (B, S)."""
        scores = ops.squeeze(ops.matmul(keys, h[:, :, None]), axis=-1)
        weights = ops.softmax(scores + mask, axis=-1)
        return ops.squeeze(ops.matmul(weights[:, None], encodings), axis=1), weights

    def call(self, inputs, states, training=False):
        """One step: inputs (B, D) or (B, D + dropout_size) → a' (B, n), new states."""
        *own, before, keys, encodings, mask = states
        x, masks = inputs[:, : self.input_size], inputs[:, self.input_size :]
        h, own = self.stack(ops.concatenate([x, before, masks], axis=-1), own)
        found, _ = self.attend(h, keys, encodings, mask)
        output = self.output_layer(ops.concatenate([found, h], axis=-1))
        return output, [*own, output, keys, encodings, mask]


@keras.saving.register_keras_serializable("latentgen")
class AttentionDecoder(AutoregressiveDecoder):
    """Recurrent decoder that attends to a `Source`, which is its z (Luong et al. 2015).

    The initial state is tanh(W embedding + b).

    Args:
        units: hidden size of each layer; an integer for one layer.
        encoding_size: size C of the source's encodings and of its embedding.
        cell: 'lstm', 'layer_norm' or 'hyper'.
        dropout: share of each layer's inputs, and of the features, dropped in training.
        head, control_size, seed: see AutoregressiveDecoder.
    """

    def __init__(
        self,
        head: OutputHead,
        units: int | list[int],
        encoding_size: int,
        cell: str = "lstm",
        dropout: float = 0.0,
        seed: int | None = None,
        control_size: int = 0,
        **kwargs,
    ):
        super().__init__(head, 0, control_size, seed, **kwargs)
        self.units = [units] if isinstance(units, int) else list(units)
        self.encoding_size = encoding_size
        self.cell_name = cell
        self.dropout = dropout
        stack = cell_stack(
            cell,
            self.units,
            head.input_size + control_size + self.units[-1],
            input_dropout=dropout,
            name="cells",
        )
        self.cell = AttentionCell(stack, encoding_size, name="attention")
        self.rnn = keras.layers.RNN(self.cell, return_sequences=True, name="rnn")
        self.initial_state_layer = keras.layers.Dense(
            sum(stack.state_size), activation="tanh", name="initial_state"
        )

    def build(self, input_shape=None):
        self.cell.build()
        self.rnn.build((None, None, self.cell.input_size))
        if not self.head.built:  # one that was deserialised is
            self.head.build()
        self.initial_state_layer.build((None, self.encoding_size))
        self.built = True

    def initial_states(self, z, batch, training=False):
        embedding, encodings, length = z
        own = split_states(self.initial_state_layer(embedding), self.cell.stack.state_size)
        nothing = ops.zeros((batch, self.units[-1]))
        return [*own, nothing, *self.cell.project_source(encodings, length)]

    def advance(self, t, inputs, states):
        return self.cell(inputs, states)

    def unroll(self, z, inputs, training=False):
        states = self.initial_states(z, ops.shape(inputs)[0], training)
        if training:
            inputs = with_dropout_masks(self.cell, inputs, self.seed_generator)
        features = self.rnn(inputs, initial_state=states)
        if training and self.dropout:
            features = random.dropout(features, self.dropout, seed=self.seed_generator)
        return features

    def get_config(self):
        config = super().get_config()
        del config["latent_size"]
        return config | {
            "units": self.units,
            "encoding_size": self.encoding_size,
            "cell": self.cell_name,
            "dropout": self.dropout,
        }
