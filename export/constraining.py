"""Constraints in a SavedModel: what is asked is checked, then z is moved."""

from typing import Any

import tensorflow as tf

from latentgen.constraints.constrained import Constrained
from latentgen.export import moving
from latentgen.export.pieces import Port, port
from latentgen.export.rows import at_least_zero, checked, each


class Constraining:
    """Moves z as `constraints.transform` does.

    Args:
        constraints: learnt ones, one or several combined.
        way: how z is moved.
    """

    def __init__(self, constraints: Constrained, way: moving.Way):
        self.constraints, self.way = constraints, way
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
        targets = self._checked(each(targets, n, len(self.attributes)))
        strength = at_least_zero(strength, n, "strength")
        return moving.constrain(self.constraints, z, targets, strength, self.way)

    def _checked(self, targets):
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
        return targets
