"""ScratchGAN: a reward at each step, and training without likelihood from the first step on."""

from typing import Any

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.objectives.discriminators import (
    Discriminator,
    ElementEmbedding,
    RecurrentDiscriminator,
)
from latentgen.objectives.policy_gradient import PolicyGradient, discounted_returns
from latentgen.sequence_model import SequenceModel


@keras.saving.register_keras_serializable("latentgen")
class ScratchGAN(PolicyGradient):
    """Dense rewards of a recurrent discriminator (d'Autume et al. 2019, arXiv 1905.09922).

    The discriminator tells at each step whether the sequence up to there is drawn; the reward is
    r_t = 2D_t − 1, the return the discounted sum of what comes, the baseline its moving average.
    No pre-training; use large batches.

    Args:
        model, likelihood_weight, seed: see PolicyGradient.
        discriminator: one with a logit a step; recurrent and causal by default.
        discount: of rewards, from 0 to 1.
        decay: of the baseline's moving average.
    """

    def __init__(
        self,
        model: SequenceModel,
        discriminator: Discriminator | None = None,
        discount: float = 0.95,
        decay: float = 0.9,
        likelihood_weight: float | None = None,
        seed: int = 0,
        **kwargs: Any,
    ):
        if discriminator is None:
            discriminator = RecurrentDiscriminator(
                ElementEmbedding.of(model.head, 64),
                bidirectional=False,
                per_step=True,
                latent_size=model.decoder.latent_size,
                seed=seed,
                name="critic",
            )
        super().__init__(model, discriminator, likelihood_weight, seed, **kwargs)
        if not getattr(self.critic, "per_step", False):
            raise InputError(
                "discriminator: expected one with a logit a step, such as RecurrentDiscriminator("
                "…, bidirectional=False, per_step=True), received one with a logit a sequence"
            )
        if not 0 <= discount <= 1 or not 0 <= decay < 1:
            raise InputError(
                "discount, decay: expected 0 to 1, and 0 to below 1, "
                f"received {discount} and {decay}"
            )
        self.discount, self.decay = discount, decay
        self.baseline = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="baseline"
        )

    def returns(self, inputs, counted):
        logits = self.judged(inputs["own"], inputs.get("own_z"))
        rewards = 2.0 * ops.sigmoid(logits) - 1.0
        return discounted_returns(ops.where(counted, rewards, 0.0), self.discount)

    def advantage(self, returns, counted):
        counts = ops.cast(counted, returns.dtype)
        mean = ops.sum(returns * counts) / ops.sum(counts)
        advantage = returns - self.baseline
        moved = self.decay * self.baseline + (1.0 - self.decay) * mean
        self.baseline.assign(ops.stop_gradient(moved))
        return advantage

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"discount": self.discount, "decay": self.decay}
