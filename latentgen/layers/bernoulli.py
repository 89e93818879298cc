"""Head of independent yes/no values: piano rolls, drum rolls, pedals."""

import keras
from keras import ops

from latentgen.layers.heads import EPSILON, OutputHead, require_tfp


def bernoulli_log_prob(logits, values):
    """Log-probability of each value in {0, 1} (…, D), exact where a logit is saturated."""
    return values * ops.log_sigmoid(logits) + (1.0 - values) * ops.log_sigmoid(-logits)


def bernoulli_sample(logits, noise, temperature):
    """Draws (…, D) in {0, 1} of logits / temperature from one uniform each."""
    return ops.cast(noise < ops.sigmoid(logits / temperature), logits.dtype)


def bernoulli_mode(logits):
    """1 where the probability is one half or more, 0 elsewhere."""
    return ops.cast(logits >= 0.0, logits.dtype)


def binary_concrete(logits, noise, temperature):
    """Relaxed draws (…, D) in (0, 1) from one uniform each (Maddison et al. 2017, §B)."""
    noise = ops.clip(noise, EPSILON, 1.0 - EPSILON)
    return ops.sigmoid((logits + ops.log(noise) - ops.log(1.0 - noise)) / temperature)


@keras.saving.register_keras_serializable("latentgen")
class BernoulliHead(OutputHead):
    """D independent values in {0, 1} a step; the parameters are their logits.

    (MusicVAE's BooleanLstmDecoder, which has D = 1.) The loss is the sigmoid cross-entropy, summed
    over the D values.

    Args:
        size: D.
    """

    def __init__(self, feature_size: int, size: int, **kwargs):
        super().__init__(feature_size, **kwargs)
        self.size = size
        self.element_size = self.parameter_size = self.noise_size = size

    def log_prob(self, parameters, elements):
        return ops.sum(bernoulli_log_prob(parameters, elements), axis=-1)

    def sample(self, parameters, noise, temperature=1.0):
        return bernoulli_sample(parameters, noise, temperature)

    def mode(self, parameters):
        return bernoulli_mode(parameters)

    def relax(self, parameters, noise, temperature=1.0):
        return binary_concrete(parameters, noise, temperature)

    def as_tfp(self, parameters):
        tfd = require_tfp("as_tfp").distributions
        return tfd.Independent(tfd.Bernoulli(logits=parameters, dtype="float32"), 1)

    def get_config(self):
        return super().get_config() | {"size": self.size}
