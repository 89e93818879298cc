"""What a way to a constrained z needs to know of constraints; single and combined ones have it."""

from collections.abc import Callable
from typing import Any, Protocol

import keras
import numpy as np


class Constraints(Protocol):
    """Tensors in, tensors out: z (n, latent_size) and conditions (n, c)."""

    latent_size: int
    real: np.ndarray  # real z (m, latent_size)
    bandwidth: float  # deviation of the density around each of them

    @property
    def network(self) -> keras.layers.Layer:
        """The layer that owns every variable the functions below read."""

    def program(self, function: Callable, *settings: Any) -> Callable:
        """`function(self, *tensors, *settings)` of tensors, compiled once until the next fit."""

    def realism(self, z: Any) -> Any:
        """Logits (n,) that z is of the data: the critic asked for nothing else."""

    def critic(self, z: Any, condition: Any) -> Any:
        """Logits (n,) that z is real and as the condition asks."""

    def log_match(self, z: Any, condition: Any) -> Any:
        """log p(condition | z), (n,), by the attribute critics; (k, n) of conditions (k, 1, c)."""

    def act(self, z: Any, condition: Any) -> Any:
        """The actor's z', (n, latent_size)."""

    def shift(self, z: Any, condition: Any) -> Any:
        """Attribute-vector arithmetic: z + the vectors of what is asked for, (n, latent_size)."""
