"""What single and combined constraints share: sampling, transforming and scoring z."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from keras import ops

from latentgen.compilation import compiled
from latentgen.constraints.attributes import Attribute
from latentgen.errors import InputError

METHODS = ("actor", "ascent", "density", "hmc", "rejection", "vector")


class Constrained:
    """z of a latent space that do what is asked; see LatentConstraints."""

    latent_size: int
    attributes: tuple[Attribute, ...]
    attribute_names: tuple[str, ...]
    network: Any
    predictors: tuple[Any, ...]
    real: np.ndarray
    bandwidth: float

    def sample(
        self,
        n: int,
        values: Mapping[str, Any] | None = None,
        *,
        method: str = "actor",
        strength: float = 1.0,
        keep: Sequence[str] = (),
        seed: int = 0,
        **options: Any,
    ) -> np.ndarray:
        """n latent vectors that are real and have the values asked for; see `transform`.

        They start at samples of the prior N(0, 1), the same ones for the same seed, whatever the
        method and the strength.
        """
        if not isinstance(n, int | np.integer) or n < 1:
            raise InputError(f"sample expected a positive number of samples, received {n!r}")
        z = np.random.default_rng(seed).standard_normal((n, self.latent_size)).astype("float32")
        return self.transform(
            z, values, method=method, strength=strength, keep=keep, seed=seed, **options
        )

    def transform(
        self,
        z: Any,
        values: Mapping[str, Any] | None = None,
        *,
        method: str = "actor",
        strength: float = 1.0,
        keep: Sequence[str] = (),
        seed: int = 0,
        **options: Any,
    ) -> np.ndarray:
        """Moves latent vectors to where they are real and have the values asked for.

        Args:
            z: (n, latent_size).
            values: attribute -> its value for all rows, or n values; none: realism alone.
            method: 'actor' (one forward pass), 'ascent' (gradient ascent, stays near z), 'density'
                (the actor, then uphill on the density of real z), 'hmc' (samples prior x
                constraints), 'rejection' (best of N prior samples), 'vector'.
            strength: 0 leaves z exactly as it is, 1 is the method's result, more extrapolates.
            keep: attributes that must stay what they are in z.
            seed: of the methods that draw.
            **options: of the method, as its file states them.

        Returns:
            (n, latent_size), float32.

        Raises:
            InputError: unknown attributes, values or methods, or a z that does not fit.
        """
        z = check_z(z, self.latent_size)
        condition = self.encode(values or {}, z, keep)
        if not np.isfinite(strength) or strength < 0:
            raise InputError(f"strength expected a number of 0 or more, received {strength!r}")
        move = find_method(method)
        if strength == 0:
            return z
        moved = move(self, z, condition, seed, **options)
        return moved if strength == 1 else z + np.float32(strength) * (moved - z)

    def encode(self, values: Mapping[str, Any], z: np.ndarray, keep: Sequence[str]) -> np.ndarray:
        """What is asked of each row of z, and what must stay, as conditions (n, c)."""
        raise NotImplementedError

    def realism(self, z: Any) -> Any:
        """Logits (n,) that z is of the data."""
        raise NotImplementedError

    def act(self, z: Any, condition: Any) -> Any:
        """The actor's z', (n, latent_size); this and the next two of tensors, as `Constraints`."""
        raise NotImplementedError

    def shift(self, z: Any, condition: Any) -> Any:
        """Attribute-vector arithmetic, (n, latent_size)."""
        raise NotImplementedError

    def log_match(self, z: Any, condition: Any) -> Any:
        """log p(condition | z), (n,)."""
        raise NotImplementedError

    def predict(self, z: np.ndarray) -> dict[str, np.ndarray]:
        """Per attribute: probabilities (n,) or (n, classes), or the predicted value (n,)."""
        raise NotImplementedError

    def learnt(self) -> tuple[Any, ...]:
        """The network and the attribute critics: what a compiled program has inside."""
        return (self.network, *self.predictors)

    def program(self, function: Callable, *settings: Any) -> Callable:
        """`function(self, *tensors, *settings)` of tensors, compiled once until the next fit."""
        programs = self.__dict__.setdefault("_programs", {})
        key, learnt = (function, settings), [*map(id, self.learnt())]
        if key not in programs or programs[key][0] != learnt:
            program = compiled(
                self.network,
                lambda *tensors: function(self, *tensors, *settings),
                jit_compile=False,
            )
            # What the ids belong to is kept, so that nothing new can have them.
            programs[key] = learnt, program, self.learnt()
        return programs[key][1]

    def score(self, z: Any) -> dict[str, np.ndarray]:
        """`realism`, the critic's probability (n,), and each attribute's.

        A binary attribute's probability (n,), a categorical one's (n, classes) in the order of its
        classes, a continuous one's predicted value (n,).
        """
        z = check_z(z, self.latent_size)
        real = ops.convert_to_numpy(ops.sigmoid(self.realism(z)))
        return {"realism": real, **self.predict(z)}


def check_names(names: Iterable[str], known: Sequence[str]) -> None:
    """An InputError if one of the names is not among the known attributes."""
    for name in names:
        if name not in known:
            raise InputError(
                f"expected attributes among {', '.join(known) or '(none were learnt)'}, "
                f"received {name!r}"
            )


def find_method(name: str) -> Callable[..., np.ndarray]:
    """The function (constraints, z, condition, seed, **options) -> z' of a method's name."""
    if name not in METHODS:
        raise InputError(f"method expected one of {', '.join(METHODS)}, received {name!r}")
    if name == "ascent":
        from latentgen.constraints.ascent import ascent

        return ascent
    if name == "hmc":
        from latentgen.constraints.hmc import hmc

        return hmc
    if name == "density":
        from latentgen.constraints.density import density

        return density
    from latentgen.constraints import direct

    return getattr(direct, name)


def check_z(z: Any, latent_size: int, name: str = "z") -> np.ndarray:
    """z as float32 (n, latent_size), or an InputError that says what is wrong with it."""
    try:
        array = np.asarray(z, dtype="float32")
    except (TypeError, ValueError):
        raise InputError(
            f"{name} expected numbers (n, {latent_size}), received {z!r:.40}"
        ) from None
    if array.ndim != 2 or array.shape[1] != latent_size or not len(array):
        raise InputError(
            f"{name} expected shape (n, {latent_size}) with n of 1 or more, received {array.shape};"
            " use the z of the model these constraints were made for"
        )
    if not np.isfinite(array).all():
        row = int(np.where(~np.isfinite(array).all(1))[0][0])
        raise InputError(f"{name} expected finite numbers, received NaN or infinity in row {row}")
    return array
