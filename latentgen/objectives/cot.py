"""Cooperative training: a second model learns what data and draws have in common, and guides."""

from fractions import Fraction
from typing import Any

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.layers.decoder import AutoregressiveDecoder
from latentgen.layers.heads import SymbolHead
from latentgen.objectives.adversarial import AdversarialObjective, inputs_of, mean_of_others
from latentgen.objectives.rollouts import another
from latentgen.sequence_model import SequenceModel


@keras.saving.register_keras_serializable("latentgen")
class CoT(AdversarialObjective):
    """Minimises the Jensen-Shannon divergence of data p and model G, by likelihood on both sides.

    (Lu et al. 2019, arXiv 1804.03782.) The mediator, the critic, learns M = ½(p + G) as any model
    learns: by likelihood, of batches of which G drew one half. The model minimises the
    divergence of G from M over its own prefixes s_t, with g and m the two's probabilities of the
    next element:

        −Σ_t L(s_t),  L(s_t) = g(s_t)ᵀ (log m(s_t) − log g(s_t))

    exactly for symbols; of other elements it is estimated by the one that was drawn, and its
    gradient by the score function. No reward, no roll-out, no pre-training.

    `discount` γ counts that a drawn element decides which prefixes come: its log-probability is
    weighed by γ · the sum of L at the steps behind it. 0, as in the paper's biased version, leaves
    that out; 1 is the gradient of −KL(G‖M).

    Another prior π than ½ makes it the generalized divergence (see GeneralizedJS), of M = π p +
    (1 − π) G. At ½ what only G would write costs log 2 at most, and its gradient fades early.

    Args:
        model: what is trained; batches of two examples or more.
        mediator: a decoder like the model's, untrained; one of the same configuration by default.
            The published one has twice the model's units, and dropout.
        discount: γ, from 0 to 1.
        prior: π, above 0 and below 1: the share of the data in what the mediator learns, in
            whole examples of each batch. Near 1 the model seeks modes.
        likelihood_weight, seed: see AdversarialObjective.
    """

    def __init__(
        self,
        model: SequenceModel,
        mediator: AutoregressiveDecoder | None = None,
        discount: float = 0.0,
        prior: float = 0.5,
        likelihood_weight: float | None = None,
        seed: int = 0,
        **kwargs: Any,
    ):
        if not 0 <= discount <= 1:
            raise InputError(f"discount: expected 0 to 1, received {discount}")
        if not 0 < prior < 1:
            raise InputError(f"prior: expected a share above 0 and below 1, received {prior}")
        if mediator is None:
            mediator = another(model.decoder)
        if not mediator.built:
            mediator.build()
        super().__init__(model, mediator, likelihood_weight, seed, **kwargs)
        self.discount, self.prior = discount, prior

    def prepare(self, batch: Any) -> dict[str, Any]:
        return self.with_own(inputs_of(batch))

    def critic_loss(self, batch: Any) -> Any:
        inputs = inputs_of(batch)
        # One draw at least, and one of the data; in integers, as JAX slices by known ones alone.
        share = Fraction(1.0 - self.prior).limit_denominator(1000)
        others = ops.shape(inputs["sequence"])[0] - 2
        count = 1 + others * share.numerator // share.denominator
        sequence = ops.concatenate([inputs["own"][:count], inputs["sequence"][count:]])
        parameters = self.mediated(sequence, inputs, training=True)
        return self.per_example(self.critic.head.loss(parameters, sequence), self.drawn(sequence))

    def objective(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:
        drawn, head = inputs["own"], self.actor.head
        counted = self.drawn(drawn)
        parameters = self.own_parameters(inputs)
        mediated = ops.stop_gradient(self.mediated(drawn, inputs))
        log_prob = head.log_prob(parameters, drawn)
        if isinstance(head, SymbolHead):
            agreement = _exact(parameters, mediated)
        else:
            agreement = _estimated(log_prob, head.log_prob(mediated, drawn))
        if self.discount:
            value = ops.where(counted, ops.stop_gradient(agreement), 0.0)
            behind = ops.flip(ops.cumsum(ops.flip(value, axis=1), axis=1), axis=1) - value
            agreement = agreement + self.discount * behind * _score(log_prob)
        return -self.per_example(agreement, counted)

    def mediated(self, sequence: Any, inputs: dict[str, Any], training: bool = False) -> Any:
        """The mediator's parameters (B, T, P) over sequences, under the condition of the draws."""
        control = self.actor.read_control(inputs.get("control"), length=inputs.get("length"))
        z = inputs.get("own_z")
        return self.critic.teacher_forced(z, sequence, training, control).parameters

    def get_config(self) -> dict[str, Any]:
        mediator = keras.saving.serialize_keras_object(self.critic)
        return super().get_config() | {
            "mediator": mediator,
            "discount": self.discount,
            "prior": self.prior,
        }


def _score(log_prob: Any) -> Any:
    """Nothing, with the gradient of log-probabilities."""
    return log_prob - ops.stop_gradient(log_prob)


@ops.custom_gradient
def _exact(own: Any, mediated: Any) -> Any:
    """L at each step, π_gᵀ (log π_m − log π_g), of both players' logits (B, T, V); (B, T).

    Its gradient by the model's logits, π_g ∘ (log π_m − log π_g − L), is stated: worked out by
    itself it passes over the symbols several times more.
    """
    top = ops.max(own, axis=-1, keepdims=True)
    weights = ops.exp(own - top)
    total = ops.sum(weights, axis=-1)
    mean_apart = ops.sum(weights * (mediated - own), axis=-1) / total
    top_mediated = ops.max(mediated, axis=-1, keepdims=True)
    total_mediated = ops.sum(ops.exp(mediated - top_mediated), axis=-1)
    agreement = mean_apart + ops.log(total / total_mediated) + (top - top_mediated)[..., 0]

    def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, Any]:
        rising = arguments[0] if upstream is None else upstream
        share = (rising / total)[..., None] * ops.exp(own - top)
        return share * (mediated - own - mean_apart[..., None]), ops.zeros_like(mediated)

    return agreement, gradient


def _estimated(own: Any, mediated: Any) -> Any:
    """L at each step by the one element that was drawn there, with the score function's gradient.

    Args:
        own, mediated: the element's log-probability under the model and the mediator (B, T).
    """
    value = ops.stop_gradient(mediated - own)
    return value + (value - mean_of_others(value)) * _score(own)
