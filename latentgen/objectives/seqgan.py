"""SeqGAN: a draw is worth what the discriminator makes of the sequences that it leads to."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.objectives.discriminators import Discriminator
from latentgen.objectives.policy_gradient import PolicyGradient
from latentgen.objectives.rollouts import LaggedCopy, rollout_values
from latentgen.sequence_model import SequenceModel


@keras.saving.register_keras_serializable("latentgen")
class SeqGAN(PolicyGradient):
    """Policy gradient with Monte-Carlo roll-outs (Yu et al. 2017, arXiv 1609.05473).

    The value of a drawn element is the mean of the discriminator's D over `rollouts` completions,
    by a policy that lags behind the model. The model is to be pre-trained by likelihood. Unlike the
    published one it subtracts a baseline, the other examples' mean value at each step, which
    changes the gradient's variance and not its expectation.

    Args:
        model, discriminator, likelihood_weight, seed: see PolicyGradient.
        rollouts: completions of each beginning; 16 as published.
        every: steps between two beginnings that are completed; 1 as published. See
            `rollout_values`.
        lag: share of its weights that the roll-outs' policy keeps at each of the model's steps.
    """

    def __init__(
        self,
        model: SequenceModel,
        discriminator: Discriminator | None = None,
        rollouts: int = 16,
        every: int = 1,
        lag: float = 0.8,
        likelihood_weight: float | None = None,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(model, discriminator, likelihood_weight, seed, **kwargs)
        if rollouts < 1 or every < 1:
            raise InputError(
                f"rollouts, every: expected 1 or more, received {rollouts} and {every}"
            )
        if not 0 <= lag < 1:
            raise InputError(f"lag: expected a share from 0 to below 1, received {lag}")
        self.rollouts, self.every, self.lag = rollouts, every, lag
        self.policy = LaggedCopy(model.decoder, lag, name="policy")

    def scorer(self, inputs: dict[str, Any]) -> Callable[[Any, Any], Any]:
        """A function that says what whole sequences (N, T, D), drawn under some z in the turn of a
        batch, are worth, (N,): the discriminator's D."""
        return lambda sequence, z: ops.sigmoid(self.judged(sequence, z))

    def returns(self, inputs, counted):
        self.policy.follow(self.actor.decoder)
        return rollout_values(
            self.policy.decoder,
            self.scorer(inputs),
            inputs["own"],
            self.rollouts,
            self.draws,
            inputs.get("own_z"),
            self.actor.read_control(inputs.get("control"), length=inputs.get("length")),
            self.every,
        )

    def get_config(self) -> dict[str, Any]:
        own = {"rollouts": self.rollouts, "every": self.every, "lag": self.lag}
        return super().get_config() | own
