"""Policy gradients: a model whose draws are rewarded by what a discriminator makes of them."""

from typing import Any

import keras
from keras import ops

from latentgen.objectives.adversarial import AdversarialObjective, inputs_of, mean_of_others
from latentgen.objectives.discriminators import Discriminator
from latentgen.objectives.generalized_js import discriminator_of
from latentgen.sequence_model import SequenceModel


class PolicyGradient(AdversarialObjective):
    """What SeqGAN, RankGAN, MaliGAN and ScratchGAN share.

    The actor's loss is −Σ_t (return_t − baseline_t) · log π(x_t | x_<t) over its own draws x, the
    mean of the examples (Williams 1992). A subclass states `returns(inputs, counted)`.

    The methods differ from likelihood in their losses alone: begin with a model that was trained by
    likelihood, where a method needs one, or give `likelihood_weight`.

    Args:
        model: what is trained; batches of two examples or more.
        discriminator: what tells its draws from data; a convolutional one by default.
        likelihood_weight, seed: see AdversarialObjective.
    """

    def __init__(
        self,
        model: SequenceModel,
        discriminator: Discriminator | None = None,
        likelihood_weight: float | None = None,
        seed: int = 0,
        **kwargs: Any,
    ):
        if discriminator is None:
            discriminator = discriminator_of(model, seed)
        super().__init__(model, discriminator, likelihood_weight, seed, **kwargs)

    def prepare(self, batch: Any) -> dict[str, Any]:
        return self.with_own(inputs_of(batch))

    def returns(self, inputs: dict[str, Any], counted: Any) -> Any:
        """What follows from each drawn element, (B, T); no gradient goes through it.

        Args:
            inputs: the batch, with the model's draws as `own` (B, T, D); see `with_own`.
            counted: which steps were drawn, bool (B, T).
        """
        raise NotImplementedError

    def advantage(self, returns: Any, counted: Any) -> Any:
        """Returns (B, T) above a baseline: at each step, the other examples' mean."""
        return returns - mean_of_others(returns, ops.cast(counted, returns.dtype))

    def objective(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:
        counted = self.drawn(inputs["own"])
        returns = ops.stop_gradient(self.returns(inputs, counted))
        advantage = ops.stop_gradient(self.advantage(returns, counted))
        log_prob = self.actor.head.log_prob(self.own_parameters(inputs), inputs["own"])
        return -self.per_example(advantage * log_prob, counted)

    def critic_loss(self, batch: Any) -> Any:
        inputs = inputs_of(batch)
        both = [inputs["sequence"], inputs["own"]]
        logits = [self.judged(part, inputs.get("own_z"), training=True) for part in both]
        return discrimination(*logits, *(self.drawn(part) for part in both))

    def judged(self, sequence: Any, z: Any, training: bool = False) -> Any:
        """The discriminator's logits of sequences (N, T, D) under z."""
        z = z if self.critic.latent_size else None
        return self.critic(sequence, self.drawn(sequence), z, training=training)

    def get_config(self) -> dict[str, Any]:
        discriminator = keras.saving.serialize_keras_object(self.critic)
        return super().get_config() | {"discriminator": discriminator}


def discrimination(real: Any, drawn: Any, counted_real: Any, counted_drawn: Any) -> Any:
    """−log D(real) − log(1 − D(drawn)), a scalar, D the sigmoid of logits (B,) or (B, T)."""
    total = 0.0
    for losses, counted in (
        (ops.softplus(-real), counted_real),
        (ops.softplus(drawn), counted_drawn),
    ):
        if len(losses.shape) == 1:
            total = total + ops.mean(losses)
        else:
            counts = ops.cast(counted, losses.dtype)
            total = total + ops.sum(losses * counts) / ops.sum(counts)
    return total


def discounted_returns(rewards: Any, discount: float) -> Any:
    """Σ_{u ≥ t} discount^(u − t) · reward_u at each step t, (B, T) → (B, T).

    discounted_returns([[0., 0., 1.]], 0.5)  # → [[0.25, 0.5, 1.0]]
    """
    rewards = ops.convert_to_tensor(rewards)
    steps = ops.arange(ops.shape(rewards)[1])
    ahead = steps[:, None] - steps[None]  # of step u (rows) from step t (columns)
    weights = ops.power(
        ops.cast(discount, rewards.dtype), ops.cast(ops.maximum(ahead, 0), rewards.dtype)
    )
    return ops.matmul(rewards, ops.where(ahead >= 0, weights, 0.0))
