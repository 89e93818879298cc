"""The ways that are one forward pass: the actor, and attribute-vector arithmetic."""

from typing import Any

import keras
import numpy as np

from latentgen.constraints.protocol import Constraints


def actor(
    constraints: Constraints, z: np.ndarray, condition: np.ndarray, seed: int = 0
) -> np.ndarray:
    """G(z, y), the trained actor. Takes milliseconds; `seed` is not used."""
    return keras.ops.convert_to_numpy(constraints.act(z, condition))


def vector(
    constraints: Constraints, z: np.ndarray, condition: np.ndarray, seed: int = 0
) -> np.ndarray:
    """z + (mean z of what is asked for - mean z of the rest), the classic of latent arithmetic."""
    return keras.ops.convert_to_numpy(constraints.shift(z, condition))


def rejection(
    constraints: Constraints,
    z: np.ndarray,
    condition: np.ndarray,
    seed: int = 0,
    candidates: int = 64,
) -> np.ndarray:
    """The best of N prior samples for each row, the honest baseline; z itself is one of them."""
    random = np.random.default_rng([seed, 1])
    draws = random.standard_normal((candidates, *z.shape)).astype("float32")
    draws[0] = z
    flat = draws.reshape(-1, z.shape[1])
    repeated = np.tile(condition, (candidates, 1))
    score = constraints.program(_score)
    scores = keras.ops.convert_to_numpy(score(flat, repeated)).reshape(candidates, len(z))
    return draws[scores.argmax(0), np.arange(len(z))]


def _score(constraints: Constraints, z: Any, condition: Any) -> Any:
    """How likely z is to be real and as asked, as a log probability (n,)."""
    real = -keras.ops.softplus(-constraints.critic(z, condition))
    return constraints.log_match(z, condition) + real
