"""Uphill on the density of the real z: where the critic is content too soon, these are the data.

The z of real data have the density q(z) = mean of N(z; z_i, h²) over the real z_i that `fit` saw
(the VAE's aggregate posterior, with one deviation h for all). Those that are as asked have
q(z | y) ∝ Σ p(y | z_i)^a N(z; z_i, h²), with p(y | z_i) by the attribute critics; a > 1 leaves out
the z_i that they doubt. One mean-shift step (Fukunaga & Hostetler 1975) takes z to the mean of the
z_i, weighted by the summands: upwards.
"""

import numpy as np

from latentgen.constraints.direct import actor
from latentgen.constraints.protocol import Constraints


def density(
    constraints: Constraints,
    z: np.ndarray,
    condition: np.ndarray,
    seed: int = 0,
    steps: int = 3,
    attribute_weight: float = 6.0,
) -> np.ndarray:
    """The actor's z', then `steps` mean-shift steps on q(z | y); `seed` is not used.

    A step costs n · m distances, for m real z. Many steps bring all z to a few summits.
    `attribute_weight` is a, the actor's by default.
    """
    moved, real = actor(constraints, z, condition), constraints.real
    match = attribute_weight * _log_matches(constraints, real, condition)
    return uphill(moved, real, constraints.bandwidth, steps, match)


def uphill(
    z: np.ndarray,
    real: np.ndarray,
    bandwidth: float,
    steps: int = 3,
    match: np.ndarray | None = None,
) -> np.ndarray:
    """z (n, d) after mean-shift steps on the density of real z (m, d); learns nothing.

    `match` (n, m) is what is added to the logarithms of the m summands' weights.
    """
    for _ in range(steps):
        # |z - z_i|² up to a term that is the same for all i and drops out of the softmax
        squares = (real**2).sum(1) - 2 * z @ real.T
        logits = -squares / (2 * bandwidth**2) + (0.0 if match is None else match)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        z = (weights / weights.sum(axis=1, keepdims=True) @ real).astype("float32")
    return z


def _log_matches(constraints: Constraints, real: np.ndarray, condition: np.ndarray) -> np.ndarray:
    """log p(row of the condition | real z_i), (n, m); each different condition is asked once."""
    different, rows = np.unique(condition, axis=0, return_inverse=True)
    ask = constraints.program(_log_match)
    asked = [np.asarray(ask(real, np.tile(row, (len(real), 1)))) for row in different]
    return np.stack(asked)[rows.reshape(-1)]


def _log_match(constraints, z, condition):
    return constraints.log_match(z, condition)
