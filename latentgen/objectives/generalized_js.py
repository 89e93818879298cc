"""Adversarial training with the generalized Jensen-Shannon divergence: likelihood to mode seeking.

With P the data, Q the model, M = π P + (1 − π) Q and D(x) the probability that x, drawn of M, is
the data's, so that at its best D = π P / M and 1 − D = (1 − π) Q / M, the gradient by Q is

    ∇ JS_π = ∇ [π Σ P log(P / M) + (1 − π) Σ Q log(Q / M)]
           = Σ ∇Q · (1 − π) [−D + log(Q / M) + 1 − (1 − D)]
           = (1 − π) E_Q[∇ log Q · log(1 − D)],

as constants have no part in it (E_Q[∇ log Q] = 0). So −log(1 − D) is the reward of what the model
draws. Divided by π (1 − π), JS_π becomes KL(P ‖ Q), likelihood, as π nears 0: there the reward
−log(1 − D) / π is P / Q, and E_Q[P / Q · ∇ log Q] = E_P[∇ log Q]. As π nears 1 it becomes
KL(Q ‖ P), which seeks modes: there the reward is log(P / Q) and a constant.
"""

import math
from typing import Any

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.objectives.adversarial import AdversarialObjective, inputs_of, mean_of_others
from latentgen.objectives.discriminators import discriminator_of
from latentgen.sequence_model import SequenceModel


@keras.saving.register_keras_serializable("latentgen")
class GeneralizedJS(AdversarialObjective):
    """Descends JS_π(data ‖ model) / (π (1 − π)) along draws of the model (Huszár 2015).

    (arXiv 1511.05101; the derivation is in the module's docstring.) The discriminator learns
    log P / Q, to which the prior's log π / (1 − π) is added. The model learns by the score function
    from its own sequences alone, on any head; the mean reward of a batch's other sequences is the
    baseline, which leaves the gradient unbiased. Sequences of some length are learned so only by a
    model that likelihood has trained before.

    Args:
        model: what is trained.
        prior: π, above 0 and below 1: the share of the data in what the discriminator sees. Near 0
            all of the data is covered, near 1 the likeliest of it is drawn.
        discriminator: called as discriminator(elements, mask, z, training=…) → logits (B,); a
            ConvolutionalDiscriminator by default.
        likelihood_weight, seed: see AdversarialObjective.
    """

    def __init__(
        self,
        model: SequenceModel,
        prior: float = 0.5,
        discriminator: keras.layers.Layer | None = None,
        likelihood_weight: float | None = None,
        seed: int = 0,
        **kwargs: Any,
    ):
        if not 0 < prior < 1:
            raise InputError(f"prior: expected a share above 0 and below 1, received {prior}")
        discriminator = discriminator or discriminator_of(model, seed)
        super().__init__(model, discriminator, likelihood_weight, seed, **kwargs)
        self.prior = prior
        self.log_odds = math.log(prior) - math.log1p(-prior)
        self.reward_tracker = keras.metrics.Mean(name="reward")
        self.built = True

    def prepare(self, batch):
        return self.with_own(inputs_of(batch))

    def logits(self, inputs: dict[str, Any], whose: str, training: bool) -> Any:
        """log P / Q of each of a batch's sequences (B,), by the discriminator."""
        elements = inputs[whose]
        return self.critic(elements, self.drawn(elements), inputs.get("own_z"), training=training)

    def critic_loss(self, batch):
        inputs = inputs_of(batch)
        true, own = (
            self.log_odds + self.logits(inputs, whose, training=True)
            for whose in ("sequence", "own")
        )
        return ops.mean(self.prior * ops.softplus(-true) + (1.0 - self.prior) * ops.softplus(own))

    def objective(self, inputs, outputs):
        """A surrogate, whose gradient is that of the divergence."""
        reward = ops.softplus(self.log_odds + self.logits(inputs, "own", training=False))
        self.reward_tracker.update_state(reward)
        reward = ops.stop_gradient(reward) / self.prior
        own = inputs["own"]
        log_prob = self.actor.head.log_prob(self.own_parameters(inputs), own)
        return -self.per_example(
            (reward - mean_of_others(reward))[:, None] * log_prob, self.drawn(own)
        )

    def get_config(self):
        discriminator = keras.saving.serialize_keras_object(self.critic)
        return super().get_config() | {"prior": self.prior, "discriminator": discriminator}
