"""RankGAN: a draw is worth how well it would rank among data, beside references."""

from typing import Any

import keras
from keras import ops

from latentgen.objectives.adversarial import inputs_of
from latentgen.objectives.discriminators import ConvolutionalDiscriminator
from latentgen.objectives.seqgan import SeqGAN
from latentgen.sequence_model import SequenceModel


@keras.saving.register_keras_serializable("latentgen")
class RankGAN(SeqGAN):
    """SeqGAN whose discriminator ranks (Lin et al. 2017, arXiv 1705.11001).

    Sequences are compared by the cosine α(s, u) of their features with those of references u. A
    sequence's rank among others C is its mean over references of

        P(s | u, C) = exp(γ α(s, u)) / Σ_{c ∈ C ∪ {s}} exp(γ α(c, u))

    The ranker learns to put data before draws and draws behind data; the reward is a draw's
    log-rank among data. References are one half of a batch, what is compared the other half. The
    model is to be pre-trained by likelihood.

    Args:
        sharpness: γ.
        discriminator: of whose features the cosine is taken.
        model, rollouts, every, lag, likelihood_weight, seed: see SeqGAN.
    """

    def __init__(
        self,
        model: SequenceModel,
        discriminator: ConvolutionalDiscriminator | None = None,
        sharpness: float = 1.0,
        rollouts: int = 16,
        every: int = 1,
        lag: float = 0.8,
        likelihood_weight: float | None = None,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(
            model, discriminator, rollouts, every, lag, likelihood_weight, seed, **kwargs
        )
        self.sharpness = sharpness
        self.critic.projection.trainable = False  # its logit is of no use here

    def directions(self, sequence: Any, z: Any, training: bool = False) -> Any:
        """Features of sequences (N, T, D), of length 1, (N, F)."""
        z = z if self.critic.latent_size else None
        features = self.critic.features(sequence, self.drawn(sequence), z, training=training)
        return ops.normalize(features, axis=-1)

    def scorer(self, inputs):
        real = self.directions(inputs["sequence"], inputs.get("own_z"))
        references, others = _halves(real)
        return lambda sequence, z: log_rank(
            self.directions(sequence, z), references, others, self.sharpness
        )

    def critic_loss(self, batch: Any) -> Any:
        inputs = inputs_of(batch)
        z = inputs.get("own_z")
        references, real = _halves(self.directions(inputs["sequence"], z, training=True))
        drawn = self.directions(inputs["own"], z, training=True)
        data_first = ops.mean(log_rank(real, references, drawn, self.sharpness))
        draws_first = ops.mean(log_rank(drawn, references, real, self.sharpness))
        return draws_first - data_first

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"sharpness": self.sharpness}


def log_rank(features: Any, references: Any, others: Any, sharpness: float) -> Any:
    """log of how often each of N sequences would be taken for the likest, (N,).

    Args:
        features: of these, (N, F), each of length 1.
        references: what they are likened to, (R, F).
        others: what each competes with, (C, F).
        sharpness: γ of the softmax over cosines.
    """
    own = sharpness * ops.matmul(features, ops.transpose(references))  # (N, R)
    competing = sharpness * ops.matmul(others, ops.transpose(references))  # (C, R)
    total = ops.logaddexp(own, ops.logsumexp(competing, axis=0))
    return ops.log(ops.mean(ops.exp(own - total), axis=1))


def _halves(x: Any) -> tuple[Any, Any]:
    half = ops.shape(x)[0] // 2
    return x[:half], x[half:]
