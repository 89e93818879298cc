"""SequenceModel: an autoregressive decoder as a Keras model, trained by likelihood."""

import contextlib
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.generation import GenerativeModel
from latentgen.layers.decoder import AutoregressiveDecoder, Unrolled
from latentgen.layers.encoder import BidirectionalEncoder
from latentgen.training.schedules import at_step

SCORED_STEPS = ("until_end", "all", "before_end")


@keras.saving.register_keras_serializable("latentgen")
class SequenceModel(GenerativeModel):
    """A decoder trained by the likelihood of whole sequences, without a latent vector.

    Batches are dictionaries: `sequence` (B, T, D), of which `length` (B,) steps are content, the
    rest padding with the head's end element; or (B, S), the content of each of S segments. T may
    differ from batch to batch. A decoder with a control has `control` (B, T, control_size) too.

    Args:
        decoder: the recurrent core with its head.
        max_length: the longest sequence, N_max. The reconstruction loss of an example is summed
            over its steps and divided by this (so that a batch cut to a shorter T has the same
            loss, and drawings of all lengths the same weight a step); see `mean_over_steps`.
        scored_steps: which steps count: 'until_end', the content and the first end element;
            'all', padding too, as Sketch-RNN trains; 'before_end', content alone, as it evaluates.
        mean_over_steps: whether to divide by max_length (sketches) or not (music, text).
        sampling: share of the steps that read the model's own samples in training, a number or a
            schedule over steps (scheduled sampling, Bengio et al. 2015).
        control_encoder: reads the whole control before the decoder does, which then is told of what
            comes as well (MusicVAE's BidirectionalLstmControlPreprocessingDecoder); or None.
        objective: optional second objective: a callable (model, inputs, outputs) → scalar loss,
            added to the likelihood in training.
    """

    def __init__(
        self,
        decoder: AutoregressiveDecoder,
        max_length: int,
        scored_steps: str = "until_end",
        mean_over_steps: bool = True,
        sampling=0.0,
        control_encoder: BidirectionalEncoder | None = None,
        objective: Callable | None = None,
        **kwargs,
    ):
        super().__init__(decoder, max_length, control_encoder, **kwargs)
        if scored_steps not in SCORED_STEPS:
            raise InputError(
                f"scored_steps: expected one of {SCORED_STEPS}, received {scored_steps!r}"
            )
        self.scored_steps = scored_steps
        self.mean_over_steps = mean_over_steps
        self.sampling = sampling
        self.objective = objective
        self.step = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="step"
        )
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")
        self.nll_tracker = keras.metrics.Mean(name="nll")
        self.built = True

    def build(self, input_shape=None):
        """Nothing is left to do: the constructor builds every part from its sizes, so that loading
        finds every weight."""

    def make_train_function(self, force=False):
        """Builds the optimizer first: variables made in a trace have TensorFlow trace twice."""
        if not self.optimizer.built:
            strategy = getattr(self, "distribute_strategy", None)  # of TensorFlow
            with strategy.scope() if strategy else contextlib.nullcontext():
                self.optimizer.build(self.trainable_variables)
        return super().make_train_function(force)

    def condition(self, inputs, training=False) -> dict[str, Any]:
        """What the decoder is conditioned on, as `z`, and what it was made of; empty without."""
        return {}

    def call(self, inputs, training=False):
        """A batch unrolled over its own sequences: parameters, features and its condition."""
        condition = self.condition(inputs, training)
        unrolled = self.unroll(condition.get("z"), inputs, training)
        return condition | {"parameters": unrolled.parameters, "features": unrolled.features}

    def unroll(self, z, inputs, training=False) -> Unrolled:
        """The decoder over a batch's sequence; in training with its own samples, if `sampling`."""
        sequence = inputs["sequence"]
        control = self.read_control(inputs.get("control"), training, inputs.get("length"))
        if training and (callable(self.sampling) or self.sampling > 0):
            share = at_step(self.sampling, self.step)
            return self.decoder.scheduled(z, sequence, share, training, control)
        return self.decoder.teacher_forced(z, sequence, training, control)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        nats = self.sequence_loss(self.head.loss, x, y_pred["parameters"])  # (B,)
        if self.mean_over_steps:
            nats = nats / self.max_length
        reconstruction = ops.mean(nats)
        # Metrics are given one value an example: batches then weigh by their size, and on
        # TensorFlow a count that depends on no data would also count the end of the data.
        self.reconstruction_tracker.update_state(nats)
        self.nll_tracker.update_state(
            self.sequence_loss(
                lambda parameters, elements: -self.head.log_prob(parameters, elements),
                x,
                y_pred["parameters"],
            )
        )
        loss = reconstruction + sum(self.losses)
        if self.objective is not None and training:
            loss = loss + self.objective(self, x, y_pred)
        if training:
            self.step.assign_add(1)
        return loss

    def sequence_loss(self, step_loss: Callable, inputs, parameters):
        """Sum of a head's per-step loss over the steps that count, nats per example (B,)."""
        sequence = inputs["sequence"]
        steps = step_loss(parameters, sequence)  # (B, T)
        return ops.sum(steps * ops.cast(self.counted(inputs), steps.dtype), axis=1)

    def counted(self, inputs):
        """Which steps of a batch count, bool (B, T)."""
        steps = ops.shape(inputs["sequence"])[1]
        length = ops.cast(inputs["length"], "int32")
        if self.scored_steps == "all":
            return ops.ones((ops.shape(length)[0], steps), dtype="bool")
        if self.scored_steps == "until_end":
            length = length + 1
        segments = 1 if len(length.shape) == 1 else length.shape[1]
        length = ops.reshape(length, (-1, segments, 1))
        return ops.reshape(ops.arange(steps // segments) < length, (-1, steps))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "max_length": self.max_length,
            "scored_steps": self.scored_steps,
            "mean_over_steps": self.mean_over_steps,
            "sampling": keras.saving.serialize_keras_object(self.sampling)
            if callable(self.sampling)
            else self.sampling,
            "control_encoder": keras.saving.serialize_keras_object(self.control_encoder)
            if self.control_encoder is not None
            else None,
            "objective": keras.saving.serialize_keras_object(self.objective)
            if self.objective is not None
            else None,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{k: restored(v) for k, v in config.items()})


def restored(value):
    """A configuration value, with whatever Keras serialised turned back into its object."""
    if isinstance(value, dict) and "class_name" in value:
        return keras.saving.deserialize_keras_object(value)
    return value
