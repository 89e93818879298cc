"""Professor forcing: free running is trained to look like reading the truth, from the inside."""

from typing import Any

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.objectives.adversarial import AdversarialObjective, inputs_of
from latentgen.objectives.discriminators import ElementEmbedding, RecurrentDiscriminator
from latentgen.sequence_model import SequenceModel

MEMORY = 0.9  # of the discriminator's accuracy, a turn; one batch's is coarse


@keras.saving.register_keras_serializable("latentgen")
class Behaviour(keras.layers.Layer):
    """What professor forcing's discriminator reads: hidden features and elements, side by side.

    Args:
        elements: reads the elements; built.
        feature_size: F, of the decoder's hidden features.
    """

    def __init__(self, elements: keras.layers.Layer, feature_size: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.elements, self.feature_size = elements, feature_size
        self.output_size = feature_size + elements.output_size
        self.built = True

    def call(self, behaviour):
        """(features (B, T, F), elements (B, T, D)) → (B, T, output_size)."""
        features, elements = behaviour
        return ops.concatenate([features, self.elements(elements)], axis=-1)

    def get_config(self):
        elements = keras.saving.serialize_keras_object(self.elements)
        return super().get_config() | {"elements": elements, "feature_size": self.feature_size}

    @classmethod
    def from_config(cls, config):
        elements = keras.saving.deserialize_keras_object(config["elements"])
        return cls(**config | {"elements": elements})


@keras.saving.register_keras_serializable("latentgen")
class ProfessorForcing(AdversarialObjective):
    """Likelihood, and a discriminator that cannot tell free running from reading the truth.

    (Lamb et al. 2016, arXiv 1610.09038.) With b the behaviour, hidden features and elements, of
    one model that reads the truth or what it draws itself, under the same z:

        discriminator  −log D(b true) − log(1 − D(b own))
        model          −log p(truth) + weight · (−log D(b own)  [− log(1 − D(b true))])

    Gradients go through the hidden features, not through the draws. The gates go by the share of
    sequences that the discriminator tells right, over the last turns. What is beside the
    likelihood counts only while it is right often enough to teach something; the discriminator
    stands still while it is right nearly always.

    Where the paper's behaviour has the softmax, this one has the elements themselves: they are as
    small for a vocabulary of thousands, and exist for every head.

    Args:
        model: what is trained.
        weight: of the discriminator's part of the model's loss.
        teaches_above: accuracy above which that part counts.
        learns_below: accuracy below which the discriminator is trained.
        both_ways: whether what reads the truth is also drawn towards free running, the optional
            second term.
        units: of the discriminator: of its GRU in each direction, its network's layers, and of
            what it reads of an element.
        likelihood_weight, seed: see AdversarialObjective.
    """

    def __init__(
        self,
        model: SequenceModel,
        weight: float = 1.0,
        teaches_above: float = 0.75,
        learns_below: float = 0.99,
        both_ways: bool = False,
        units: int = 64,
        likelihood_weight: float = 1.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        for name, gate in (("teaches_above", teaches_above), ("learns_below", learns_below)):
            if not 0 <= gate <= 1:
                raise InputError(f"{name}: expected a share from 0 to 1, received {gate}")
        head = model.head
        behaviour = Behaviour(ElementEmbedding.of(head, units), head.feature_size)
        critic = RecurrentDiscriminator(
            behaviour, units, units, latent_size=model.decoder.latent_size, name="critic"
        )
        super().__init__(model, critic, likelihood_weight, seed, **kwargs)
        self.weight, self.both_ways, self.units = weight, both_ways, units
        self.teaches_above, self.learns_below = teaches_above, learns_below
        self.accuracy = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(0.5), trainable=False, name="accuracy"
        )
        self.accuracy_tracker = keras.metrics.Mean(name="accuracy")
        self.built = True

    def prepare(self, batch):
        """A free run, and the hidden features of both: the discriminator's steps need no more."""
        inputs = self.with_own(inputs_of(batch))
        both = {name: self.both(inputs, name, name) for name in ("length", "control", "own_z")}
        both["sequence"] = self.both(inputs, "sequence", "own")
        true, own = ops.split(ops.stop_gradient(self.features(both, "sequence")), 2)
        return inputs | {"true_features": true, "own_features": own}

    def both(self, inputs: dict[str, Any], true: str, own: str) -> Any:
        """A batch's parts for the truth and for the free run, (2B, …): one loop serves both."""
        return ops.concatenate([inputs[true], inputs[own]]) if true in inputs else None

    def features(self, inputs: dict[str, Any], whose: str) -> Any:
        """Hidden features (B, T, F) of reading the truth, 'sequence', or the free run, 'own'."""
        read = inputs | {"sequence": inputs[whose]}
        return self.actor.unroll(inputs.get("own_z"), read, training=True).features

    def logits(self, features: Any, elements: Any, z: Any) -> Any:
        """The discriminator's, (B,): above 0 for what it takes for reading the truth."""
        return self.critic((features, elements), self.drawn(elements), z, training=True)

    def critic_loss(self, batch):
        inputs = inputs_of(batch)
        elements, z = self.both(inputs, "sequence", "own"), self.both(inputs, "own_z", "own_z")
        features = self.both(inputs, "true_features", "own_features")
        logits = self.logits(features, elements, z)
        true, own = ops.split(logits, 2)
        right = ops.concatenate([ops.cast(true > 0, "float32"), ops.cast(own <= 0, "float32")])
        self.accuracy_tracker.update_state(right)
        self.accuracy.assign(MEMORY * self.accuracy + (1.0 - MEMORY) * ops.mean(right))
        return ops.mean(ops.softplus(-true) + ops.softplus(own))

    def plays(self, player):
        if player == "critic":
            return self.accuracy < self.learns_below
        return True if self.likelihood_weight else self.accuracy > self.teaches_above

    def objective(self, inputs, outputs):
        own = self.logits(self.features(inputs, "own"), inputs["own"], inputs.get("own_z"))
        loss = ops.softplus(-own)
        if self.both_ways:
            true = self.logits(outputs["features"], inputs["sequence"], outputs.get("z"))
            loss = loss + ops.softplus(true)
        teaches = ops.cast(self.accuracy > self.teaches_above, loss.dtype)
        return self.weight * teaches * ops.mean(loss)

    def get_config(self):
        return super().get_config() | {
            "weight": self.weight,
            "teaches_above": self.teaches_above,
            "learns_below": self.learns_below,
            "both_ways": self.both_ways,
            "units": self.units,
        }
