"""z moved to what clients ask for by numbers, in keras.ops: the same in every format."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from keras import ops

from latentgen.constraints.attributes import Attribute
from latentgen.constraints.constrained import Constrained
from latentgen.constraints.density import ATTRIBUTE_WEIGHT, STEPS, uphill
from latentgen.domain import DomainModel
from latentgen.errors import InputError

METHODS = ("actor", "density", "vector")


class Way(NamedTuple):
    """How z is moved; the library's other methods search anew for each request."""

    method: str
    """One of METHODS."""
    steps: int = STEPS
    """Of the method 'density'."""
    precision: str = "float64"
    """In which that method's density is worked out."""


def way_for(model: DomainModel, constraints: Constrained, method: str | None = None) -> Way:
    """The way of that method; by default on the density of real z, where the model knows those.

    Raises:
        InputError: another method, or constraints of another latent size or that learnt nothing.
    """
    _check_constraints(constraints, model.decoder.latent_size)
    if method is None:
        method = "density" if model.reference is not None and len(constraints.real) else "actor"
    if method not in METHODS:
        raise InputError(
            f"method: expected one of {', '.join(METHODS)} for an export, received {method!r}"
        )
    # More steps lead to ever fewer sentences.
    return Way(method, 1 if hasattr(model, "tokenizer") else STEPS)


def constrain(constraints: Constrained, z: Any, targets: Any, strength: Any, way: Way) -> Any:
    """z (n, latent_size) moved to the targets (n, A), see `condition` → (n, latent_size).

    `strength` (n,): 0 leaves z where it is, 1 is as learnt, more goes further.
    """
    asked = condition(constraints.attributes, targets)
    step = constraints.shift if way.method == "vector" else constraints.act
    moved = step(z, asked)
    if way.method == "density":
        real = ops.cast(ops.convert_to_tensor(constraints.real), way.precision)
        asked = ops.cast(asked, way.precision)
        match = ATTRIBUTE_WEIGHT * constraints.log_match(real, asked[:, None])
        moved = uphill(moved, real, constraints.bandwidth, way.steps, match, ops, way.precision)
    return z + strength[:, None] * (moved - z)


def condition(attributes: Sequence[Attribute], targets: Any) -> Any:
    """What an actor reads, (n, c), of targets (n, A).

    A target is a class by its number or, of a measured attribute, a value in its own units; NaN
    asks for nothing.
    """
    if not attributes:  # the actor of realism alone
        return ops.zeros_like(targets)
    columns = []
    for index, attribute in enumerate(attributes):
        target = targets[:, index : index + 1]
        if attribute.classes:
            classes = ops.arange(len(attribute.classes), dtype="float32")
            columns.append(ops.cast(ops.round(target) == classes, "float32"))  # NaN is none
        else:
            known = ops.cast(ops.logical_not(ops.isnan(target)), "int32")
            value = (target - attribute.mean) / attribute.scale
            # Not ops.where, which tf2onnx writes as a sum of products: 0 times NaN is NaN.
            either = ops.concatenate([ops.zeros_like(value), value], axis=-1)
            columns.append(ops.take_along_axis(either, known, axis=-1))
            columns.append(ops.cast(known, "float32"))
    return ops.concatenate(columns, axis=-1)


def _check_constraints(constraints: Constrained, latent_size: int) -> None:
    """An InputError if the constraints are for latent vectors of another size."""
    if constraints.latent_size != latent_size:
        raise InputError(
            f"constraints: expected ones for latent size {latent_size}, received ones for "
            f"{constraints.latent_size}; give those that were learnt of this model's z"
        )
    constraints.network  # noqa: B018 (says so if nothing has been learnt)
