"""Hierarchical decoder: a conductor gives each segment of a sequence an embedding of its own."""

from typing import Any

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.layers.cell_stacks import cell_stack, split_states, with_dropout_masks
from latentgen.layers.decoder import AutoregressiveDecoder, Decoder


@keras.saving.register_keras_serializable("latentgen")
class HierarchicalDecoder(AutoregressiveDecoder):
    """A conductor over segments, and a flat decoder that starts each of them from its embedding.

    (Roberts et al. 2018, §3.3.) The conductor starts from tanh(W z + b). Unless it is
    autoregressive it reads nothing, so that what is in a segment depends on earlier ones through z
    alone, but for the one element before it; all segments are then trained at once, side by side.

    Where the head has an end, each segment has one: the next segment begins again.

    Args:
        core: decodes a segment; its latent_size is the conductor's output.
        conductor_units: hidden size of each of the conductor's layers.
        latent_size: size of z.
        segment_length: steps of a segment; sequences are whole numbers of segments.
        autoregressive: whether the conductor reads z and the core's states after the last segment.
        cell, input_dropout, residual: of the conductor; see Decoder.
    """

    def __init__(
        self,
        core: Decoder,
        conductor_units: list[int],
        latent_size: int,
        segment_length: int,
        autoregressive: bool = False,
        cell: str = "lstm",
        input_dropout: float = 0.0,
        residual: bool = False,
        seed: int | None = None,
        **kwargs,
    ):
        if core.latent_size != conductor_units[-1]:
            raise InputError(
                f"core: expected latent_size {conductor_units[-1]}, the conductor's output, "
                f"received {core.latent_size}"
            )
        super().__init__(core.head, latent_size, core.control_size, seed, **kwargs)
        self.core = core
        self.conductor_units = list(conductor_units)
        self.segment_length = segment_length
        self.autoregressive = autoregressive
        self.cell_name = cell
        self.input_dropout = input_dropout
        self.residual = residual
        # One column of zeros where it reads nothing, as Magenta's.
        reads = sum(core.cell.state_size) + latent_size if autoregressive else 1
        self.conductor = cell_stack(
            cell,
            self.conductor_units,
            reads,
            input_dropout=input_dropout,
            residual=residual,
            name="conductor",
        )
        self.conductor_rnn = keras.layers.RNN(
            self.conductor, return_sequences=True, name="conductor_rnn"
        )
        self.initial_state_layer = keras.layers.Dense(
            sum(self.conductor.state_size),
            activation="tanh",
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
            name="initial_state",
        )

    def build(self, input_shape=None):
        if not self.core.built:  # one that was deserialised is
            self.core.build()
        self.conductor.build()
        self.conductor_rnn.build((None, None, self.conductor.input_size))
        self.initial_state_layer.build((None, self.latent_size))
        self.built = True

    def initial_states(self, z, batch, training=False):
        """z, the conductor's states, and the core's: zeros until the first segment begins."""
        embedding = ops.zeros((batch, self.core.latent_size))
        core = [ops.zeros_like(state) for state in self.core.initial_states(embedding, batch)]
        return [z, *self._conductor_states(z), *core]

    def advance(self, t, inputs, states):
        conducting = 1 + len(self.conductor.state_size)
        z, conductor, core = states[0], states[1:conducting], states[conducting:]

        def begin():
            own = core[: len(self.core.cell.state_size)]
            embedding, new = self.conductor(self._conductor_inputs(z, own), list(conductor))
            return tuple(new), tuple(self.core.initial_states(embedding, ops.shape(z)[0]))

        conductor, core = ops.cond(
            t % self.segment_length == 0, begin, lambda: (tuple(conductor), tuple(core))
        )
        features, core = self.core.advance(t, inputs, list(core))
        return features, [z, *conductor, *core]

    def closed(self, t, ended):
        return ops.logical_and(ended, t % self.segment_length != 0)

    def all_closed(self, t, ended):
        return False

    def unroll(self, z, inputs, training=False):
        batch, length = ops.shape(inputs)[0], self.segment_length
        if inputs.shape[1] is None or inputs.shape[1] % length:
            raise InputError(
                f"sequence: expected a whole number of segments of {length} steps, "
                f"received {inputs.shape[1]} steps"
            )
        count = inputs.shape[1] // length
        if self.autoregressive:
            return self._unroll_in_turn(z, inputs, count, training)
        silence = ops.zeros((batch, count, 1))
        if training:
            silence = with_dropout_masks(self.conductor, silence, self.seed_generator)
        embeddings = self.conductor_rnn(silence, initial_state=self._conductor_states(z))
        features = self.core.unroll(
            ops.reshape(embeddings, (-1, self.core.latent_size)),
            ops.reshape(inputs, (-1, length, inputs.shape[2])),
            training,
        )
        return ops.reshape(features, (-1, count * length, features.shape[-1]))

    def _unroll_in_turn(self, z, inputs, count: int, training: bool):
        conductor = self._conductor_states(z)
        core = [ops.zeros((ops.shape(z)[0], size)) for size in self.core.cell.state_size]
        features = []
        for k in range(count):
            reads = self._conductor_inputs(z, core)
            if training:
                masked = with_dropout_masks(self.conductor, reads[:, None], self.seed_generator)
                reads = masked[:, 0]
            embedding, conductor = self.conductor(reads, conductor)
            segment = inputs[:, k * self.segment_length : (k + 1) * self.segment_length]
            drawn, core = self.core.unroll_with_states(embedding, segment, training)
            features.append(drawn)
        return ops.concatenate(features, axis=1)

    def _conductor_states(self, z) -> list:
        return split_states(self.initial_state_layer(z), self.conductor.state_size)

    def _conductor_inputs(self, z, core_states: list) -> Any:
        if self.autoregressive:
            return ops.concatenate([*core_states, z], axis=-1)
        return ops.zeros((ops.shape(z)[0], 1))

    def get_config(self):
        config = super().get_config()
        for name in ("head", "control_size"):  # the core's own
            del config[name]
        return config | {
            "core": keras.saving.serialize_keras_object(self.core),
            "conductor_units": self.conductor_units,
            "segment_length": self.segment_length,
            "autoregressive": self.autoregressive,
            "cell": self.cell_name,
            "input_dropout": self.input_dropout,
            "residual": self.residual,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config | {"core": keras.saving.deserialize_keras_object(config["core"])})
