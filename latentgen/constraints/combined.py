"""Constraints learnt apart, used together on one latent space."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from latentgen.constraints.constrained import Constrained, check_names
from latentgen.errors import InputError

if TYPE_CHECKING:
    from latentgen.constraints.latent_constraints import LatentConstraints

ROUNDS = 3


def combine(*constraints: "LatentConstraints") -> "CombinedConstraints":
    """Constraints that ask for what all of these ask.

    `ascent`, `rejection` and `hmc` use the sum of all scores, `vector` the sum of the vectors;
    `actor` lets the actors take turns, three rounds, each moving on from where the others went.
    Every actor undoes a little of the others' work, so that `ascent` holds more of what is asked.

    Raises:
        InputError: fewer than two, different latent sizes, or the same attribute twice.
    """
    return CombinedConstraints(constraints)


class CombinedConstraints(Constrained):
    """See `combine`."""

    def __init__(self, parts: Sequence["LatentConstraints"]):
        sizes = {part.latent_size for part in parts}
        names = [name for part in parts for name in part.attribute_names]
        if len(parts) < 2 or len(sizes) != 1 or len(set(names)) != len(names):
            raise InputError(
                "combine expected two or more constraints of one latent size with different "
                f"attributes, received sizes {sorted(sizes)} and attributes {names}"
            )
        self.parts, self.latent_size = tuple(parts), sizes.pop()
        self.attributes = tuple(attribute for part in parts for attribute in part.attributes)
        self.attribute_names = tuple(names)
        self.real = np.concatenate([part.real for part in parts])
        self.bandwidth = float(np.mean([part.bandwidth for part in parts]))
        self.network = _Networks([part.network for part in parts])

    def learnt(self) -> tuple[Any, ...]:
        return tuple(thing for part in self.parts for thing in part.learnt())

    def encode(self, values: Mapping[str, Any], z: np.ndarray, keep: Sequence[str]) -> np.ndarray:
        check_names([*values, *keep], self.attribute_names)
        encoded = []
        for part in self.parts:
            own = {name: value for name, value in values.items() if name in part.attribute_names}
            encoded.append(part.encode(own, z, [n for n in keep if n in part.attribute_names]))
        return np.concatenate(encoded, axis=1)

    def realism(self, z: Any) -> Any:
        return sum(part.realism(z) for part in self.parts) / len(self.parts)

    def critic(self, z: Any, condition: Any) -> Any:
        return sum(part.critic(z, own) for part, own in self._split(condition)) / len(self.parts)

    def log_match(self, z: Any, condition: Any) -> Any:
        return sum(part.log_match(z, own) for part, own in self._split(condition))

    def shift(self, z: Any, condition: Any) -> Any:
        return z + sum(part.shift(z, own) - z for part, own in self._split(condition))

    def act(self, z: Any, condition: Any) -> Any:
        for _ in range(ROUNDS):
            for part, own in self._split(condition):
                z = part.act(z, own)
        return z

    def predict(self, z: np.ndarray) -> dict[str, np.ndarray]:
        return {name: p for part in self.parts for name, p in part.predict(z).items()}

    def _split(self, condition: Any) -> list[tuple["LatentConstraints", Any]]:
        ends = np.cumsum([0, *(part.condition_size for part in self.parts)])
        slices = [condition[..., a:b] for a, b in pairwise(ends)]
        return list(zip(self.parts, slices, strict=True))


class _Networks(keras.layers.Layer):
    """Owns the variables of all parts."""

    def __init__(self, networks: list[keras.layers.Layer]):
        super().__init__()
        self.networks = networks
