"""Groove head: which drums are hit at each step, how hard, and how far off the beat."""

import math
from typing import Any, NamedTuple

import keras
from keras import ops

from latentgen.layers.bernoulli import (
    bernoulli_log_prob,
    bernoulli_mode,
    bernoulli_sample,
    binary_concrete,
)
from latentgen.layers.heads import OutputHead, require_tfp

LOG_EPSILON = 1e-7
# Under a Gaussian of this variance −log p is the squared error and a constant, ½·log π.
VARIANCE = 0.5


class Groove(NamedTuple):
    """The three thirds of an element or of its parameters, each (…, drums)."""

    hits: Any
    velocities: Any
    offsets: Any


@keras.saving.register_keras_serializable("latentgen")
class GrooveHead(OutputHead):
    """Hits, velocities in [0, 1] and timing offsets in [−1, 1] of some drums, one step.

    (Gillick et al. 2019, arXiv 1905.06118; MusicVAE's GrooveLstmDecoder.) Elements are the hits of
    all drums, then their velocities, then their offsets. The parameters are the hits' logits, and
    what a sigmoid makes velocities and a tanh offsets.

    `loss` is Magenta's: −log(p + 1e-7) of each hit and the squared errors of velocity and offset,
    summed over drums, whether or not the drum is hit. `log_prob` is a density: exact Bernoulli
    hits, and Gaussians of variance ½ around velocity and offset, so that it differs from the
    negative loss by the constant drums · log π (the 1e-7 apart).

    Samples draw the hits; velocities and offsets are their means, at any temperature.

    Args:
        drums: number of drums, 9 in MusicVAE.
    """

    def __init__(self, feature_size: int, drums: int = 9, **kwargs):
        super().__init__(feature_size, **kwargs)
        self.drums = drums
        self.element_size = self.parameter_size = 3 * drums
        self.noise_size = drums

    def split(self, parameters) -> Groove:
        """Parameters (…, 3·drums) → logits of hits, means of velocities and offsets."""
        hits, velocities, offsets = ops.split(parameters, 3, axis=-1)
        return Groove(hits, ops.sigmoid(velocities), ops.tanh(offsets))

    def log_prob(self, parameters, elements):
        groove, truth = self.split(parameters), Groove(*ops.split(elements, 3, axis=-1))
        squared = ops.square(groove.velocities - truth.velocities) + ops.square(
            groove.offsets - truth.offsets
        )
        logs = bernoulli_log_prob(groove.hits, truth.hits) - squared - math.log(math.pi)
        return ops.sum(logs, axis=-1)

    def losses(self, parameters, elements) -> Groove:
        """What hits, velocities and offsets add to the loss, each (…)."""
        groove, truth = self.split(parameters), Groove(*ops.split(elements, 3, axis=-1))
        yes = ops.log(ops.sigmoid(groove.hits) + LOG_EPSILON)
        no = ops.log(ops.sigmoid(-groove.hits) + LOG_EPSILON)
        hits = -truth.hits * yes - (1.0 - truth.hits) * no
        velocities = ops.square(groove.velocities - truth.velocities)
        offsets = ops.square(groove.offsets - truth.offsets)
        return Groove(*(ops.sum(part, axis=-1) for part in (hits, velocities, offsets)))

    def loss(self, parameters, elements):
        parts = self.losses(parameters, elements)
        return parts.hits + parts.velocities + parts.offsets

    def sample(self, parameters, noise, temperature=1.0):
        groove = self.split(parameters)
        hits = bernoulli_sample(groove.hits, noise, temperature)
        return ops.concatenate([hits, groove.velocities, groove.offsets], axis=-1)

    def mode(self, parameters):
        groove = self.split(parameters)
        return ops.concatenate(
            [bernoulli_mode(groove.hits), groove.velocities, groove.offsets], axis=-1
        )

    def relax(self, parameters, noise, temperature=1.0):
        groove = self.split(parameters)
        hits = binary_concrete(groove.hits, noise, temperature)
        return ops.concatenate([hits, groove.velocities, groove.offsets], axis=-1)

    def as_tfp(self, parameters):
        """tfd.Blockwise of hits, velocities and offsets: its log_prob takes (…, 3·drums) rows."""
        tfd = require_tfp("as_tfp").distributions
        groove, scale = self.split(parameters), math.sqrt(VARIANCE)
        hits = tfd.Bernoulli(logits=groove.hits, dtype="float32")
        normals = [tfd.Normal(mean, scale) for mean in (groove.velocities, groove.offsets)]
        return tfd.Blockwise([tfd.Independent(part, 1) for part in (hits, *normals)])

    def get_config(self):
        return super().get_config() | {"drums": self.drums}
