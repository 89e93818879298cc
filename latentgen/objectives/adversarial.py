"""What every objective with a second network shares: a sequence model, and its free runs."""

from typing import Any

import keras
from keras import ops

from latentgen import random
from latentgen.errors import InputError
from latentgen.sequence_model import SequenceModel, restored
from latentgen.training.two_player import TwoPlayerModel


class AdversarialObjective(TwoPlayerModel):
    """A sequence model, the actor, trained with a second network, the critic.

        trainer = ProfessorForcing(model)
        trainer.compile(keras.optimizers.Adam(1e-3))
        trainer.fit(batches)

    `model` is trained in place, on the batches that it is trained on by likelihood. A conditional
    one, such as a VAE, keeps its condition: z of a batch's own examples is what free runs decode
    and what the critic is told, so that it is p(x | z) that is compared.

    The actor's loss is likelihood_weight · (the model's own loss) + objective. A subclass states
    `objective(inputs, outputs)` and `critic_loss(batch)`.

    Args:
        model: what is trained.
        critic: the second network, built.
        likelihood_weight: of the model's own loss; a VAE needs some, for its posterior. None is 1
            for a VAE and 0 for others.
        seed: of the free runs.
    """

    def __init__(
        self,
        model: SequenceModel,
        critic: keras.layers.Layer,
        likelihood_weight: float | None = 1.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not critic.built:
            raise InputError(
                f"critic: expected a built layer, received {type(critic).__name__} without its "
                "weights; call its build(), or make them in its constructor and set `built`"
            )
        if likelihood_weight is None:
            likelihood_weight = float(hasattr(model, "posterior"))
        if likelihood_weight < 0:
            raise InputError(f"likelihood_weight: expected 0 or more, received {likelihood_weight}")
        if not likelihood_weight and hasattr(model, "posterior"):
            raise InputError(
                "likelihood_weight: expected more than 0 for a VAE, whose posterior learns by its "
                f"own loss, received {likelihood_weight}"
            )
        self.actor, self.critic = model, critic
        self.likelihood_weight, self.seed = likelihood_weight, seed
        self.draws = keras.random.SeedGenerator(seed)

    @property
    def metrics(self) -> list[keras.Metric]:
        """Those of the two players, and the model's own where its loss is worked out."""
        own = self.actor.metrics if self.likelihood_weight else []
        return super().metrics + [metric for metric in own if metric.name != "loss"]

    def objective(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """The actor's loss beside the likelihood, a scalar, of a batch and the model's outputs."""
        raise NotImplementedError

    def actor_loss(self, batch: Any) -> Any:
        inputs = inputs_of(batch)
        outputs = self.actor(inputs, training=True)
        loss = self.objective(inputs, outputs)
        if self.likelihood_weight:
            return loss + self.likelihood_weight * self.actor.compute_loss(inputs, None, outputs)
        self.actor.step.assign_add(1)  # which schedules go by; else the model's own loss counts it
        return loss

    def draw(self, inputs: dict[str, Any], z: Any = None) -> Any:
        """The model's own sequences under z, (B, T, D), of a batch's number, longest length T and
        control; no gradient goes through the draws."""
        batch, steps = ops.shape(inputs["sequence"])[:2]
        noise = random.uniform((batch, steps, self.actor.head.noise_size), seed=self.draws)
        control = self.actor.read_control(inputs.get("control"), False, inputs.get("length"))
        return ops.stop_gradient(self.actor.decoder.generate(z, noise, control=control))

    def with_own(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """A batch with the model's own sequences as `own`, drawn under `own_z` if it has a z.

        What `prepare` makes of a batch for objectives that need one free run a turn.
        """
        z = self.actor.condition(inputs, training=True).get("z")
        own = {"own": self.draw(inputs, z)}
        return inputs | (own if z is None else own | {"own_z": ops.stop_gradient(z)})

    def own_parameters(self, inputs: dict[str, Any]) -> Any:
        """Of each step of what `with_own` drew, nothing dropped, as in drawing; (B, T, P)."""
        control = self.actor.read_control(inputs.get("control"), False, inputs.get("length"))
        z, own = inputs.get("own_z"), inputs["own"]
        return self.actor.decoder.teacher_forced(z, own, False, control).parameters

    def drawn(self, samples: Any) -> Any:
        """Which steps of free runs (B, T, D) were drawn: up to the end of each, or of
        each of its segments; bool (B, T)."""
        ended = ops.cast(self.actor.head.ended(samples), "int32")
        batch, steps = ops.shape(ended)
        ended = ops.reshape(ended, (-1, getattr(self.actor.decoder, "segment_length", steps)))
        return ops.reshape(ops.cumsum(ended, axis=1) - ended == 0, (batch, steps))

    def per_example(self, steps: Any, counted: Any) -> Any:
        """The mean example's sum of values (B, T) over the steps that are counted, bool (B, T).

        Divided by the longest sequence's steps where the model's own loss is.
        """
        total = ops.mean(ops.sum(ops.where(counted, steps, 0.0), axis=1))
        return total / self.actor.max_length if self.actor.mean_over_steps else total

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "model": keras.saving.serialize_keras_object(self.actor),
            "likelihood_weight": self.likelihood_weight,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AdversarialObjective":
        return cls(**{name: restored(value) for name, value in config.items()})


def mean_of_others(values: Any, counts: Any = None) -> Any:
    """For each of B examples the mean of the others' values, (B, …): a baseline free of its own.

    Args:
        values: (B, …).
        counts: of the same shape, 1 where a value counts and 0 where not; None: all do.
    """
    counts = ops.ones_like(values) if counts is None else counts
    others = ops.sum(counts, axis=0) - counts
    total = ops.sum(values * counts, axis=0) - values * counts
    return total / ops.maximum(others, 1.0)


def inputs_of(batch: Any) -> dict[str, Any]:
    """The inputs of what `fit` hands on: them alone, or in a tuple."""
    return keras.utils.unpack_x_y_sample_weight(batch)[0]
