"""MaliGAN: draws weighed as if they came from the data, by importance."""

from typing import Any

import keras
from keras import ops

from latentgen.objectives.discriminators import Discriminator
from latentgen.objectives.policy_gradient import PolicyGradient
from latentgen.sequence_model import SequenceModel


@keras.saving.register_keras_serializable("latentgen")
class MaliGAN(PolicyGradient):
    """Maximum-likelihood augmented discrete GAN (Che et al. 2017, arXiv 1702.07983, the basic one).

    An optimal D has p/G = D/(1 − D): likelihood of the data is likelihood of draws x_i with these
    weights, normalised over the batch of m draws,

        Σ_i (r_i / Σ_j r_j − b / m) Σ_t log π(x_it | x_i<t),  r = D/(1 − D)

    The model is to be pre-trained by likelihood.

    Args:
        model, discriminator, likelihood_weight, seed: see PolicyGradient.
        baseline: b; 1 lets what is better than the batch's mean be drawn more often, and what is
            worse less often; 0 is likelihood of weighted draws.
    """

    def __init__(
        self,
        model: SequenceModel,
        discriminator: Discriminator | None = None,
        baseline: float = 1.0,
        likelihood_weight: float | None = None,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(model, discriminator, likelihood_weight, seed, **kwargs)
        self.baseline = baseline

    def returns(self, inputs, counted):
        logits = self.judged(inputs["own"], inputs.get("own_z"))  # log D/(1 − D)
        weights = ops.softmax(logits) * ops.cast(ops.shape(logits)[0], logits.dtype)  # mean 1
        return ops.broadcast_to(weights[:, None], ops.shape(counted))

    def advantage(self, returns, counted):
        return returns - self.baseline

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"baseline": self.baseline}
