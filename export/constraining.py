"""Constraints in a TensorFlow graph: latent vectors moved to what clients ask for by numbers."""

from typing import Any

import tensorflow as tf
from keras import ops

from latentgen.constraints.constrained import Constrained
from latentgen.constraints.density import ATTRIBUTE_WEIGHT, STEPS, uphill
from latentgen.errors import InputError
from latentgen.export import steps
from latentgen.export.pieces import Port, port
from latentgen.export.rows import at_least_zero, checked, each

METHODS = ("actor", "density", "vector")


class Constraining:
    """Moves z as `constraints.transform` does.

    Args:
        constraints: learnt ones, one or several combined.
        method: 'actor', 'density' or 'vector'; the others search anew for each request.
        density_steps: of the method 'density'.

    Raises:
        InputError: another method, or constraints that have learnt nothing.
    """

    def __init__(self, constraints: Constrained, method: str = "actor", density_steps: int = STEPS):
        if method not in METHODS:
            raise InputError(
                f"method: expected one of {', '.join(METHODS)} for an export, received {method!r}"
            )
        constraints.network  # noqa: B018 (says so if nothing has been learnt)
        self.constraints, self.method, self.steps = constraints, method, density_steps
        self.attributes = constraints.attributes

    @property
    def inputs(self) -> dict[str, Port]:
        """What is asked, and how far to go."""
        asked = "; ".join(
            f"{a.name}: {' '.join(f'{k}={c}' for k, c in enumerate(a.classes)) or 'a number'}"
            for a in self.attributes
        )
        doc = (
            f"what is asked, a column an attribute ({asked}), NaN where nothing is; (n, columns), "
        )
        return {
            "targets": port(None, tf.float32, doc + "or (columns,) for all"),
            "strength": port(
                None, tf.float32, "how far to go: 0 stays, 1 is as learnt; one for all, or (n,)"
            ),
        }

    def move(self, z: Any, targets: Any, strength: Any) -> tf.Tensor:
        """z (n, latent_size) moved to the targets."""
        n = tf.shape(z)[0]
        condition = self._condition(each(targets, n, len(self.attributes)))
        strength = at_least_zero(strength, n, "strength")[:, None]
        return z + strength * (self._moved(z, condition) - z)

    def _moved(self, z, condition):
        if self.method == "vector":
            return self.constraints.shift(z, condition)
        moved = self.constraints.act(z, condition)
        if self.method == "density":
            real = tf.constant(self.constraints.real)
            match = ATTRIBUTE_WEIGHT * self.constraints.log_match(real, condition[:, None])
            bandwidth = self.constraints.bandwidth
            moved = uphill(moved, real, bandwidth, self.steps, match, ops)
        return moved

    def _condition(self, targets):
        if not self.attributes:  # realism alone
            return tf.zeros_like(targets)
        for index, attribute in enumerate(self.attributes):
            column, most = targets[:, index], len(attribute.classes) - 1
            if attribute.classes:
                good = (column == tf.round(column)) & (column >= 0) & (column <= most)
                expected = f"a class from 0 to {most}"
            else:
                good, expected = tf.math.is_finite(column), "a finite number"
            message = f"targets: expected {expected} or NaN for {attribute.name}, received another"
            good = tf.reduce_all(good | tf.math.is_nan(column))
            targets = checked(targets, good, message)
        return steps.condition(self.attributes, targets)
