"""What every objective with a second network shares: a sequence model, and its free runs."""

from typing import Any

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.layers.decoder import Unrolled
from latentgen.sequence_model import SequenceModel
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
        likelihood_weight: of the model's own loss; a VAE needs some, for its posterior.
        seed: of the free runs.
    """

    def __init__(
        self,
        model: SequenceModel,
        critic: keras.layers.Layer,
        likelihood_weight: float = 1.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
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
        """Those of the two players, and the model's own."""
        return super().metrics + [m for m in self.actor.metrics if m.name != "loss"]

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

    def free_run(self, inputs: dict[str, Any], z: Any = None, training: bool = False) -> Unrolled:
        """The model's own sequences of a batch's lengths under z; no gradient goes through draws.

        Args:
            inputs: a batch, of which the number, the longest length T and the control are taken.
            z: what the model is conditioned on, `outputs["z"]`, where it has such.
        """
        batch, steps = ops.shape(inputs["sequence"])[:2]
        noise = keras.random.uniform((batch, steps, self.actor.head.noise_size), seed=self.draws)
        control = self.actor.read_control(inputs.get("control"), training, inputs.get("length"))
        return self.actor.decoder.free_running(z, noise, training=training, control=control)

    def drawn(self, samples: Any) -> Any:
        """Which steps of free runs (B, T, D) were drawn: up to the end of each, or of
        each of its segments; bool (B, T)."""
        ended = ops.cast(self.actor.head.ended(samples), "int32")
        batch, steps = ops.shape(ended)
        ended = ops.reshape(ended, (-1, getattr(self.actor.decoder, "segment_length", steps)))
        return ops.reshape(ops.cumsum(ended, axis=1) - ended == 0, (batch, steps))

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "model": keras.saving.serialize_keras_object(self.actor),
            "likelihood_weight": self.likelihood_weight,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AdversarialObjective":
        model = keras.saving.deserialize_keras_object(config.pop("model"))
        return cls(model, **config)


def inputs_of(batch: Any) -> dict[str, Any]:
    """The inputs of what `fit` hands on: them alone, or in a tuple."""
    return keras.utils.unpack_x_y_sample_weight(batch)[0]
