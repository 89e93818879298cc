"""Flat autoregressive decoder: a recurrent core with an output head, conditioned on z."""

from typing import Any, NamedTuple

import keras
from keras import ops

from latentgen.layers.cell_stacks import CellStack
from latentgen.layers.cells import cell_class, with_dropout_mask
from latentgen.layers.heads import OutputHead


class Unrolled(NamedTuple):
    """What an unroll over T steps returns."""

    samples: Any
    """Elements (B, T, D): drawn in a free run, each step's mode where the truth was fed."""
    parameters: Any
    """Unconstrained parameters of each step's distribution (B, T, P); see the head's `split`."""
    features: Any
    """Hidden features the head read (B, T, F)."""


@keras.saving.register_keras_serializable("latentgen")
class Decoder(keras.layers.Layer):
    """Recurrent decoder whose initial state is tanh(W z + b) and whose every input is beside z.

    (Ha & Eck 2017, §3.2; Roberts et al. 2018, §3.2.) With `latent_size` 0 it is unconditional and
    starts from zeros.

    Args:
        head: what turns features into a distribution over the next element.
        units: hidden size of each layer; an integer for one layer.
        latent_size: size of z, or 0.
        cell: 'lstm', 'layer_norm' or 'hyper'.
        recurrent_dropout: share of the candidate dropped in training.
    """

    def __init__(
        self,
        head: OutputHead,
        units: int | list[int],
        latent_size: int,
        cell: str = "lstm",
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.head = head
        self.units = [units] if isinstance(units, int) else list(units)
        self.latent_size = latent_size
        self.cell_name = cell
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        sizes = [head.element_size, *self.units[:-1]]
        cells = [
            cell_class(cell)(
                u,
                size,
                context_size=latent_size if k == 0 else 0,
                recurrent_dropout=recurrent_dropout,
                name=f"cell_{k}",
            )
            for k, (u, size) in enumerate(zip(self.units, sizes, strict=True))
        ]
        self.cell = CellStack(cells, name="cells")
        self.rnn = keras.layers.RNN(self.cell, return_sequences=True, name="rnn")
        if latent_size:
            self.initial_state_layer = keras.layers.Dense(
                sum(self.cell.state_size),
                activation="tanh",
                kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
                name="initial_state",
            )

    def build(self, input_shape=None):
        self.cell.build()
        self.rnn.build((None, None, self.cell.input_size))
        if not self.head.built:  # one that was deserialised is
            self.head.build()
        if self.latent_size:
            self.initial_state_layer.build((None, self.latent_size))
        self.built = True

    def initial_states(self, z, batch: int) -> list:
        """States before the first step, followed by z's part of the gates (see `cells`)."""
        if not self.latent_size:
            return [ops.zeros((batch, size)) for size in self.cell.state_size]
        state = self.initial_state_layer(z)  # (B, Σ sizes)
        bounds = [sum(self.cell.state_size[:k]) for k in range(1, len(self.cell.state_size))]
        return list(ops.split(state, bounds, axis=-1)) + self.cell.project_context(z)

    def teacher_forced(self, z, targets, training: bool = False) -> Unrolled:
        """Unrolls over the true sequence: step t reads target t − 1, or the start element.

        Args:
            z: latent vectors (B, latent_size); ignored where latent_size is 0.
            targets: the sequence (B, T, D).
        """
        batch = ops.shape(targets)[0]
        start = ops.expand_dims(self.head.start(batch), 1)
        inputs = ops.concatenate([ops.cast(start, targets.dtype), targets[:, :-1]], axis=1)
        if training:
            inputs = with_dropout_mask(self.cell, inputs, self.seed_generator)
        features = self.rnn(inputs, initial_state=self.initial_states(z, batch))
        parameters = self.head(features)
        return Unrolled(self.head.mode(parameters), parameters, features)

    def generate(self, z, noise, temperature=1.0, greedy: bool = False, prefix=None, lengths=None):
        """Draws sequences in one loop that ends when every sequence of the batch has ended.

        Args:
            z: latent vectors (B, latent_size); ignored where latent_size is 0.
            noise: uniforms (B, T, head.noise_size), of which T bounds the length.
            temperature: scalar > 0; lower is more careful.
            greedy: take the mode at each step instead of a sample.
            prefix: (B, P, D) elements to start with, `lengths` (B,) of them in each sequence.

        Returns:
            Elements (B, T, D); after a sequence's end, the head's end element.
        """
        batch, steps = noise.shape[0], noise.shape[1]
        noise = ops.transpose(noise, (1, 0, 2))
        end = self.head.end(batch)
        if prefix is not None:
            prefix = ops.transpose(prefix, (1, 0, 2))

        def going_on(t, element, ended, samples, states):
            return ops.logical_and(t < steps, ops.logical_not(ops.all(ended)))

        def body(t, element, ended, samples, states):
            features, new_states = self.cell(element, list(states))
            parameters = self.head(features)
            element = self.head.sample(parameters, noise[t], temperature)
            if greedy:
                element = self.head.mode(parameters)
            if prefix is not None:
                given = prefix[ops.minimum(t, prefix.shape[0] - 1)]
                element = ops.where((t < lengths)[:, None], given, element)
            element = ops.where(ended[:, None], end, element)
            samples = ops.slice_update(samples, (t, 0, 0), element[None])
            ended = ops.logical_or(ended, self.head.ended(element))
            return t + 1, element, ended, samples, tuple(new_states)

        loop = (
            ops.convert_to_tensor(0, dtype="int32"),
            self.head.start(batch),
            ops.zeros((batch,), dtype="bool"),
            ops.repeat(end[None], steps, axis=0),
            tuple(self.initial_states(z, batch)),
        )
        samples = ops.while_loop(going_on, body, loop)[3]
        return ops.transpose(samples, (1, 0, 2))

    def free_running(self, z, noise, temperature=1.0, greedy: bool = False, training: bool = False):
        """Unrolls over the decoder's own samples; parameters and features are differentiable.

        The samples come from `generate`; feeding them back as the truth gives the same states as
        drawing them did, with gradients into the weights but not through the draws, as professor
        forcing and the policy gradients want it (Lamb et al. 2016).
        """
        samples = ops.stop_gradient(self.generate(z, noise, temperature, greedy))
        return self.teacher_forced(z, samples, training)._replace(samples=samples)

    def get_config(self):
        return super().get_config() | {
            "head": keras.saving.serialize_keras_object(self.head),
            "units": self.units,
            "latent_size": self.latent_size,
            "cell": self.cell_name,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        config["head"] = keras.saving.deserialize_keras_object(config["head"])
        return cls(**config)
