"""Uphill on the density of the real z: where the critic is content too soon, these are the data.

The z of real data have the density q(z) = mean of N(z; z_i, h²) over the real z_i that `fit` saw
(the VAE's aggregate posterior, with one deviation h for all). Those that are as asked have
q(z | y) ∝ Σ p(y | z_i)^a N(z; z_i, h²), with p(y | z_i) by the attribute critics; a > 1 leaves out
the z_i that they doubt. One mean-shift step (Fukunaga & Hostetler 1975) takes z to the mean of the
z_i, weighted by the summands: upwards.
"""

from typing import Any

import numpy as np

from latentgen.constraints.direct import actor
from latentgen.constraints.predictors import ARRAYS
from latentgen.constraints.protocol import Constraints
from latentgen.vae import Posterior

STEPS, ATTRIBUTE_WEIGHT = 3, 6.0


def density(
    constraints: Constraints,
    z: np.ndarray,
    condition: np.ndarray,
    seed: int = 0,
    steps: int = STEPS,
    attribute_weight: float = ATTRIBUTE_WEIGHT,
) -> np.ndarray:
    """The actor's z', then `steps` mean-shift steps on q(z | y); `seed` is not used.

    A step costs n · m distances, for m real z. Many steps bring all z to a few summits.
    `attribute_weight` is a, the actor's by default.
    """
    moved, real = actor(constraints, z, condition), constraints.real
    match = attribute_weight * _log_matches(constraints, real, condition)
    return uphill(moved, real, constraints.bandwidth, steps, match)


def uphill(
    z: Any,
    real: Any,
    bandwidth: float,
    steps: int = STEPS,
    match: Any = None,
    xp: Any = ARRAYS,
    precision: str = "float64",
) -> Any:
    """z (n, d) after mean-shift steps on the density of real z (m, d), float32; learns nothing.

    `match` (n, m) is what is added to the logarithms of the m summands' weights. `xp` is what
    computes it: of NumPy arrays, or keras.ops in a graph; see `Predictor`. The logarithms are
    hundreds, of which float32 leaves z three or four digits: `precision` is that where a runtime
    has no other.
    """
    z, real = xp.cast(z, precision), xp.cast(real, precision)
    match = None if match is None else xp.cast(match, precision)
    for _ in range(steps):
        # |z - z_i|² up to a term that is the same for all i and drops out of the softmax
        squares = xp.sum(real**2, axis=1) - 2 * xp.matmul(z, xp.transpose(real))
        logits = -squares / (2 * bandwidth**2) + (0.0 if match is None else match)
        z = xp.matmul(xp.softmax(logits, axis=-1), real)
    return xp.cast(z, "float32")


def like_real(z: Any, real: Posterior, xp: Any = ARRAYS) -> Any:
    """z (n, d) moved uphill to where those of real pieces are; what `sample` is of a preset."""
    return uphill(z, real.mean, float((real.scale**2).mean() ** 0.5), xp=xp)


def _log_matches(constraints: Constraints, real: np.ndarray, condition: np.ndarray) -> np.ndarray:
    """log p(row of the condition | real z_i), (n, m); each different condition is asked once."""
    different, rows = np.unique(condition, axis=0, return_inverse=True)
    ask = constraints.program(_log_match)
    real, different = real.astype("float64"), different.astype("float64")  # on JAX float32
    asked = [np.asarray(ask(real, row[None])) for row in different]
    return np.stack(asked)[rows.reshape(-1)]


def _log_match(constraints, z, condition):
    return constraints.log_match(z, condition)
