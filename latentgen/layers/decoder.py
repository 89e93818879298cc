"""Autoregressive decoders: a recurrent core with an output head, conditioned on z."""

from typing import Any, NamedTuple

import keras
from keras import ops

from latentgen import random
from latentgen.layers.cell_stacks import (
    ParallelCells,
    cell_stack,
    split_states,
    with_dropout_masks,
)
from latentgen.layers.heads import OutputHead
from latentgen.layers.joint_head import JointHead


class Unrolled(NamedTuple):
    """What an unroll over T steps returns."""

    samples: Any
    """Elements (B, T, D): drawn in a free run, each step's mode where the truth was fed."""
    parameters: Any
    """Unconstrained parameters of each step's distribution (B, T, P); see the head's `split`."""
    features: Any
    """Hidden features the head read (B, T, F)."""


class AutoregressiveDecoder(keras.layers.Layer):
    """What flat and hierarchical decoders share: each step reads the element before it.

    A subclass says what its states are (`initial_states`), how one step goes (`advance`) and how
    all steps over known inputs go (`unroll`), fast. What it is conditioned on, z, is a latent
    vector or whatever tensors (B, …) a subclass understands, such as a source to attend to.

    Args:
        head: what turns features into a distribution over the next element.
        latent_size: size of z, or 0.
        control_size: columns of what else each step is told (chords, drum hits); 0 for none.
        seed: of what is random in training.
    """

    def __init__(
        self,
        head: OutputHead,
        latent_size: int,
        control_size: int = 0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.head = head
        self.latent_size = latent_size
        self.control_size = control_size
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def initial_states(self, z, batch: int, training: bool = False) -> list:
        """States before the first step."""
        raise NotImplementedError

    def advance(self, t, inputs, states) -> tuple[Any, list]:
        """Step t: inputs as in `unroll` (B, …), states → features (B, F), new states."""
        raise NotImplementedError

    def unroll(self, z, inputs, training: bool = False):
        """Features (B, T, F) of all steps over inputs (B, T, head.input_size + control_size)."""
        raise NotImplementedError

    def closed(self, t, ended):
        """Which sequences of those that have `ended` (B,) draw nothing at step t either, (B,)."""
        return ended

    def all_closed(self, t, ended):
        """Whether nothing is to be drawn at step t and later."""
        return ops.all(ended)

    def teacher_forced(self, z, targets, training: bool = False, control=None) -> Unrolled:
        """Unrolls over the true sequence: step t reads target t − 1, or the start element.

        Args:
            z: latent vectors (B, latent_size), or what else the decoder is conditioned on.
            targets: the sequence (B, T, D).
            control: (B, T, control_size) where there is one.
        """
        start = ops.expand_dims(self.head.start(ops.shape(targets)[0]), 1)
        inputs = ops.concatenate([ops.cast(start, targets.dtype), targets[:, :-1]], axis=1)
        inputs = self.head.embed(inputs)
        if self.control_size:
            inputs = ops.concatenate([inputs, control], axis=-1)
        features = self.unroll(z, inputs, training)
        parameters = self.head(features)
        return Unrolled(self.head.mode(parameters), parameters, features)

    def generate(
        self,
        z,
        noise,
        temperature=1.0,
        greedy=False,
        given=None,
        is_given=None,
        control=None,
        top_k: int | None = None,
        top_p=None,
    ):
        """Draws sequences in one loop that ends when every sequence of the batch has ended.

        Args:
            z: latent vectors (B, latent_size), or what else the decoder is conditioned on.
            noise: uniforms (B, T, head.noise_size), of which T bounds the length.
            temperature: > 0, a scalar or one a sequence (B, 1); lower is more careful.
            greedy: take the mode at each step instead of a sample: True, False, or which sequences
                do, bool (B,).
            given, is_given: elements (B, T, D), and where (B, T) they stand in a sample's place.
            control: (B, T, control_size) where there is one.
            top_k, top_p: draw likely symbols alone; see the head's `truncate`.

        Returns:
            Elements (B, T, D); after a sequence's end, the head's end element.
        """
        batch, steps = ops.shape(noise)[0], ops.shape(noise)[1]
        noise, given, is_given, control = (
            None if part is None else ops.swapaxes(part, 0, 1)
            for part in (noise, given, is_given, control)
        )
        end = self.head.end(batch)

        def going_on(t, element, ended, samples, states):
            return ops.logical_and(t < steps, ops.logical_not(self.all_closed(t, ended)))

        def draw(t, features):
            parameters = self.head(features)
            if top_k is not None or top_p is not None:
                parameters = self.head.truncate(parameters, temperature, top_k, top_p)
            element = self.head.sample(parameters, noise[t], temperature)
            if greedy is True:
                element = self.head.mode(parameters)
            elif greedy is not False:
                element = ops.where(greedy[:, None], self.head.mode(parameters), element)
            return element

        def body(t, element, ended, samples, states):
            inputs = self.head.embed(element)
            if self.control_size:
                inputs = ops.concatenate([inputs, control[t]], axis=-1)
            features, states = self.advance(t, inputs, list(states))
            if given is None:
                element = draw(t, features)
            else:  # where nothing is to be drawn, the head's work is saved
                element = ops.cond(
                    ops.all(is_given[t]),
                    lambda: given[t],
                    lambda: ops.where(is_given[t][:, None], given[t], draw(t, features)),
                )
            closed = self.closed(t, ended)
            element = ops.where(closed[:, None], end, element)
            samples = ops.slice_update(samples, (t, 0, 0), element[None])
            ended = ops.logical_or(closed, self.head.ended(element))
            return t + 1, element, ended, samples, tuple(states)

        loop = (
            ops.convert_to_tensor(0, dtype="int32"),
            self.head.start(batch),
            ops.zeros((batch,), dtype="bool"),
            ops.repeat(end[None], steps, axis=0),
            tuple(self.initial_states(z, batch)),
        )
        samples = ops.while_loop(going_on, body, loop)[3]
        return ops.swapaxes(samples, 0, 1)

    def free_running(
        self, z, noise, temperature=1.0, greedy: bool = False, training: bool = False, control=None
    ):
        """Unrolls over the decoder's own samples; parameters and features are differentiable.

        The samples come from `generate`; feeding them back as the truth gives the same states as
        drawing them did, with gradients into the weights but not through the draws, as professor
        forcing and the policy gradients want it (Lamb et al. 2016).
        """
        samples = self.generate(z, noise, temperature, greedy, control=control)
        samples = ops.stop_gradient(samples)
        return self.teacher_forced(z, samples, training, control)._replace(samples=samples)

    def scheduled(self, z, targets, share, training: bool = True, control=None) -> Unrolled:
        """Unrolls over the true sequence, a `share` of it replaced by the decoder's own samples.

        Scheduled sampling (Bengio et al. 2015): each step reads the truth, or with probability
        `share` what the decoder drew at the step before. As no gradient goes through the draws,
        they are drawn first, and then unrolled over like the truth.
        """
        batch, steps = ops.shape(targets)[0], ops.shape(targets)[1]
        noise, coins = (
            random.uniform((batch, steps, size), seed=self.seed_generator)
            for size in (self.head.noise_size, 1)
        )
        mixed = ops.stop_gradient(
            self.generate(z, noise, 1.0, False, targets, coins[..., 0] >= share, control)
        )
        return self.teacher_forced(z, mixed, training, control)

    def get_config(self):
        return super().get_config() | {
            "head": keras.saving.serialize_keras_object(self.head),
            "latent_size": self.latent_size,
            "control_size": self.control_size,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        config["head"] = keras.saving.deserialize_keras_object(config["head"])
        return cls(**config)


@keras.saving.register_keras_serializable("latentgen")
class Decoder(AutoregressiveDecoder):
    """Recurrent decoder whose initial state is tanh(W z + b) and whose every input is beside z.

    (Ha & Eck 2017, §3.2; Roberts et al. 2018, §3.2.) With `latent_size` 0 it is unconditional and
    starts from zeros, or from tanh(b). With a joint head whose parts share no features, each part
    has cells of its own that read that part alone (MusicVAE's SplitMultiOutLstmDecoder).

    Args:
        units: hidden size of each layer; an integer for one layer.
        cell: 'lstm', 'layer_norm' or 'hyper'.
        recurrent_dropout: share of the candidate dropped in training.
        input_dropout: share of each layer's inputs dropped in training.
        residual: whether each layer's input is added to its output.
        learned_start: whether an unconditional decoder starts from tanh(b), as MusicVAE's does.
        head, latent_size, control_size, seed: see AutoregressiveDecoder.
    """

    def __init__(
        self,
        head: OutputHead,
        units: int | list[int],
        latent_size: int,
        cell: str = "lstm",
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        control_size: int = 0,
        input_dropout: float = 0.0,
        residual: bool = False,
        learned_start: bool = False,
        **kwargs,
    ):
        super().__init__(head, latent_size, control_size, seed, **kwargs)
        self.learned_start = learned_start
        self.units = [units] if isinstance(units, int) else list(units)
        self.cell_name = cell
        self.recurrent_dropout = recurrent_dropout
        self.input_dropout = input_dropout
        self.residual = residual

        def stack(input_size, name):
            return cell_stack(
                cell,
                self.units,
                input_size + control_size,
                latent_size,
                recurrent_dropout,
                input_dropout,
                residual,
                name=name,
            )

        if isinstance(head, JointHead) and not head.shared:
            stacks = [stack(size, f"cells_{k}") for k, size in enumerate(head.element_sizes)]
            self.cell = ParallelCells(stacks, head.element_sizes, control_size, name="cells")
        else:
            self.cell = stack(head.input_size, "cells")
        self.rnn = keras.layers.RNN(self.cell, return_sequences=True, return_state=True, name="rnn")
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
        elif self.learned_start:
            self.start_bias = self.add_weight(
                shape=(sum(self.cell.state_size),), initializer="zeros", name="start_bias"
            )
        self.built = True

    def initial_states(self, z, batch, training=False):
        """The cell's states, followed by z's part of the gates (see `cells`)."""
        if not self.latent_size and not self.learned_start:
            return [ops.zeros((batch, size)) for size in self.cell.state_size]
        if self.latent_size:
            state = self.initial_state_layer(z)  # (B, Σ sizes)
        else:
            state = ops.repeat(ops.tanh(self.start_bias)[None], batch, axis=0)
        seed = self.seed_generator if training else None
        context = self.cell.project_context(z, seed) if self.latent_size else []
        return split_states(state, self.cell.state_size) + context

    def advance(self, t, inputs, states):
        return self.cell(inputs, states)

    def unroll(self, z, inputs, training=False):
        return self.unroll_with_states(z, inputs, training)[0]

    def unroll_with_states(self, z, inputs, training: bool = False) -> tuple[Any, list]:
        """Features of all steps (B, T, F), and the cell's states after the last one."""
        states = self.initial_states(z, ops.shape(inputs)[0], training)
        if training:
            inputs = with_dropout_masks(self.cell, inputs, self.seed_generator)
        features, *states = self.rnn(inputs, initial_state=states)
        return features, states[: len(self.cell.state_size)]

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "cell": self.cell_name,
            "recurrent_dropout": self.recurrent_dropout,
            "input_dropout": self.input_dropout,
            "residual": self.residual,
            "learned_start": self.learned_start,
        }
