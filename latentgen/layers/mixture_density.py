"""Mixture density head of Sketch-RNN: where the pen goes next, and whether it lifts or stops."""

import math
from typing import Any, NamedTuple

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.layers.heads import (
    EPSILON,
    OutputHead,
    categorical_sample,
    gumbel_softmax,
    largest,
    require_tfp,
)

LOG_2PI = math.log(2.0 * math.pi)
# float32's tanh reaches exactly 1 near 9.01, where 1 − ρ² is 0 and the density NaN; at 8 the
# ellipse is 3000 times as long as it is wide, narrower than any pen.
MAX_RAW_CORRELATION = 8.0
MAX_LOG_SCALE = 12.0


class StrokeMixture(NamedTuple):
    """Parameters of a step's distribution; M mixtures, shapes (…, 3) and (…, M)."""

    pen_logits: Any
    logits: Any
    mean_x: Any
    mean_y: Any
    log_scale_x: Any
    log_scale_y: Any
    raw_correlation: Any  # the correlation ρ is its tanh


@keras.saving.register_keras_serializable("latentgen")
class MixtureDensityHead(OutputHead):
    """Bivariate Gaussian mixture over (dx, dy) and a categorical pen (Ha & Eck 2017, eqs. 3–6).

    Elements are stroke-5 rows: dx, dy, and one-hot pen (down, lifted after this point, finished).
    The order of the 3 + 6M parameters is Magenta's: pen, π, μx, μy, σx, σy, ρ.

    Args:
        mixtures: number M of Gaussians.
        density_floor: added to the density inside the logarithm of the training loss, 1e-6 as
            published (it bounds the loss at 13.8 nats); 0 trains the true likelihood.
            `log_prob` is the true one always.
        temperature_rule: 'paper' scales variances by the temperature; 'magenta' standard
            deviations, as its TensorFlow code does.
    """

    element_size = 5
    noise_size = 4  # mixture, pen, and two for the Gaussian

    def __init__(
        self,
        feature_size: int,
        mixtures: int = 20,
        density_floor: float = 1e-6,
        temperature_rule: str = "paper",
        **kwargs,
    ):
        super().__init__(feature_size, **kwargs)
        if temperature_rule not in ("paper", "magenta"):
            raise InputError(
                f"temperature_rule: expected 'paper' or 'magenta', received {temperature_rule!r}"
            )
        self.mixtures = mixtures
        self.density_floor = density_floor
        self.temperature_rule = temperature_rule
        self.parameter_size = 3 + 6 * mixtures

    def start(self, batch):
        return self._constant_row(batch, 2)

    def end(self, batch):
        return self._constant_row(batch, 4)

    def _constant_row(self, batch, column):
        return ops.one_hot(ops.full((batch,), column, dtype="int32"), 5)

    def ended(self, elements):
        return elements[..., 4] > 0.5

    def split(self, parameters) -> StrokeMixture:
        """Unconstrained parameters (…, 3 + 6M) → named parts, kept inside float32's safe range."""
        m = self.mixtures
        bounds = [3 + m * k for k in range(6)]
        pen, pi, mean_x, mean_y, scale_x, scale_y, correlation = ops.split(
            parameters, bounds, axis=-1
        )
        return StrokeMixture(
            pen,
            pi,
            mean_x,
            mean_y,
            ops.clip(scale_x, -MAX_LOG_SCALE, MAX_LOG_SCALE),
            ops.clip(scale_y, -MAX_LOG_SCALE, MAX_LOG_SCALE),
            ops.clip(correlation, -MAX_RAW_CORRELATION, MAX_RAW_CORRELATION),
        )

    def log_density(self, mixture: StrokeMixture, offsets):
        """log Σ_k π_k N_k of offsets (…, 2) → (…)."""
        x = (offsets[..., 0:1] - mixture.mean_x) * ops.exp(-mixture.log_scale_x)
        y = (offsets[..., 1:2] - mixture.mean_y) * ops.exp(-mixture.log_scale_y)
        rho = ops.tanh(mixture.raw_correlation)
        # 1 − tanh²(r) = 4 e^(−2|r|) / (1 + e^(−2|r|))², which loses no digit near ρ = ±1.
        magnitude = ops.abs(mixture.raw_correlation)
        log_one_minus_rho2 = math.log(4.0) - 2.0 * magnitude - 2.0 * ops.softplus(-2.0 * magnitude)
        # (x² + y² − 2ρxy) / (1 − ρ²), as a sum of squares.
        distance = ops.square(x - rho * y) * ops.exp(-log_one_minus_rho2) + ops.square(y)
        log_normal = (
            -LOG_2PI
            - mixture.log_scale_x
            - mixture.log_scale_y
            - 0.5 * log_one_minus_rho2
            - 0.5 * distance
        )
        return ops.logsumexp(ops.log_softmax(mixture.logits, axis=-1) + log_normal, axis=-1)

    def pen_log_prob(self, mixture: StrokeMixture, pen):
        """Log-probability of one-hot pen states (…, 3) → (…)."""
        return ops.sum(pen * ops.log_softmax(mixture.pen_logits, axis=-1), axis=-1)

    def log_prob(self, parameters, elements):
        """log p(dx, dy) + log p(pen); the closing element has a pen but no offset."""
        mixture = self.split(parameters)
        drawn = 1.0 - elements[..., 4]
        offset = self.log_density(mixture, elements[..., :2]) * drawn
        return offset + self.pen_log_prob(mixture, elements[..., 2:])

    def loss(self, parameters, elements):
        if not self.density_floor:
            return -self.log_prob(parameters, elements)
        mixture = self.split(parameters)
        floor = math.log(self.density_floor)
        density = ops.logaddexp(self.log_density(mixture, elements[..., :2]), floor)
        offset = density * (1.0 - elements[..., 4])
        return -offset - self.pen_log_prob(mixture, elements[..., 2:])

    def sample(self, parameters, noise, temperature=1.0):
        mixture = self.split(parameters)
        component = categorical_sample(mixture.logits, noise[..., 0], temperature)
        pen = categorical_sample(mixture.pen_logits, noise[..., 1], temperature)
        spread = temperature if self.temperature_rule == "magenta" else ops.sqrt(temperature)
        offset = self._offset(mixture, component, noise[..., 2:], spread)
        # The closing element is exactly (0, 0, 0, 0, 1), as in the training data.
        return ops.concatenate([offset * (1.0 - pen[..., 2:]), pen], axis=-1)

    def mode(self, parameters):
        mixture = self.split(parameters)
        component = ops.one_hot(largest(mixture.logits), self.mixtures)
        pen = ops.one_hot(largest(mixture.pen_logits), 3)
        offset = self._means(mixture, component)
        return ops.concatenate([offset * (1.0 - pen[..., 2:]), pen], axis=-1)

    @property
    def relax_noise_size(self):
        return self.mixtures + 3 + 2  # mixture, pen, Gaussian

    def relax(self, parameters, noise, temperature=1.0):
        mixture = self.split(parameters)
        m = self.mixtures
        component = gumbel_softmax(mixture.logits, noise[..., :m], temperature)
        pen = gumbel_softmax(mixture.pen_logits, noise[..., m : m + 3], temperature)
        offset = self._offset(mixture, component, noise[..., m + 3 :], 1.0)
        return ops.concatenate([offset * (1.0 - pen[..., 2:]), pen], axis=-1)

    def _means(self, mixture, weights):
        return ops.stack(
            [ops.sum(weights * mixture.mean_x, -1), ops.sum(weights * mixture.mean_y, -1)], axis=-1
        )

    def _offset(self, mixture, weights, noise, spread):
        """(dx, dy) of the component chosen by weights (…, M), from two uniforms (Box–Muller)."""
        radius = ops.sqrt(-2.0 * ops.log(ops.clip(1.0 - noise[..., 0:1], EPSILON, 1.0)))
        angle = 2.0 * math.pi * noise[..., 1:2]
        first, second = radius * ops.cos(angle), radius * ops.sin(angle)  # (…, 1)
        rho = ops.tanh(mixture.raw_correlation)
        width = ops.sqrt(ops.maximum(1.0 - ops.square(rho), 0.0))
        x = ops.exp(mixture.log_scale_x) * (rho * first + width * second)
        y = ops.exp(mixture.log_scale_y) * first
        spreads = [ops.sum(weights * x, -1), ops.sum(weights * y, -1)]
        return self._means(mixture, weights) + ops.stack(spreads, axis=-1) * spread

    def as_tfp(self, parameters):
        """tfd.Blockwise of the offset's mixture and the pen: its log_prob takes (…, 5) rows."""
        tfd = require_tfp("as_tfp").distributions
        mixture = self.split(parameters)
        rho = ops.tanh(mixture.raw_correlation)
        sigma_x, sigma_y = ops.exp(mixture.log_scale_x), ops.exp(mixture.log_scale_y)
        width = ops.sqrt(ops.maximum(1.0 - ops.square(rho), 1e-12))
        rows = [
            ops.stack([sigma_x, ops.zeros_like(rho)], axis=-1),
            ops.stack([rho * sigma_y, width * sigma_y], axis=-1),
        ]
        offset = tfd.MixtureSameFamily(
            tfd.Categorical(logits=mixture.logits),
            tfd.MultivariateNormalTriL(
                loc=ops.stack([mixture.mean_x, mixture.mean_y], axis=-1),
                scale_tril=ops.stack(rows, axis=-2),
            ),
        )
        pen = tfd.OneHotCategorical(logits=mixture.pen_logits, dtype="float32")
        return tfd.Blockwise([offset, pen])

    def get_config(self):
        return super().get_config() | {
            "mixtures": self.mixtures,
            "density_floor": self.density_floor,
            "temperature_rule": self.temperature_rule,
        }
