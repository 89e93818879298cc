"""One table between our variables and another program's tensors, read in both directions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentgen.errors import CheckpointError


@dataclass(frozen=True)
class Piece:
    """A range of one of our variables along the axis that its tensor is put together on.

    Attributes:
        variable: a Keras variable.
        start, stop: the range; stop None for the rest.
    """

    variable: Any
    start: int = 0
    stop: int | None = None

    def index(self, axis: int) -> tuple[slice, ...]:
        return (slice(None),) * axis + (slice(self.start, self.stop),)

    def size(self, axis: int) -> int:
        return len(range(*slice(self.start, self.stop).indices(self.variable.shape[axis])))


@dataclass(frozen=True)
class Tensor:
    """One of their tensors: pieces of our variables, one after the other.

    Attributes:
        name: theirs.
        pieces: ours.
        axis: along which the pieces lie.
        shape: theirs, where it differs from that of the pieces put together; None where not.
    """

    name: str
    pieces: Sequence[Piece]
    axis: int = 0
    shape: tuple[int, ...] | None = None

    def joined_shape(self) -> tuple[int, ...]:
        shape = list(self.pieces[0].variable.shape)
        shape[self.axis] = sum(piece.size(self.axis) for piece in self.pieces)
        return tuple(shape)


def assign(table: Sequence[Tensor], tensors: dict[str, np.ndarray], source: Any) -> None:
    """Gives our variables their values, all of them or none.

    Args:
        table: what goes where.
        tensors: theirs, by name; names that the table does not have are an error, unless empty.
        source: what errors call the file.

    Raises:
        CheckpointError: says which tensors are missing, left over or of another shape.
    """
    tensors = {name: tensor for name, tensor in tensors.items() if tensor.size}
    wanted = {tensor.name: tensor for tensor in table}
    problems = [f"missing {name}" for name in wanted if name not in tensors]
    problems += [f"extra {name}" for name in tensors if name not in wanted]
    for name in wanted.keys() & tensors.keys():
        expected = wanted[name].shape or wanted[name].joined_shape()
        if tensors[name].shape != expected:
            problems.append(f"{name} has shape {tensors[name].shape}, expected {expected}")
    if problems:
        shown = "; ".join(sorted(problems)[:5])
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise CheckpointError(f"{source}: these weights belong to another model: {shown}{more}")
    values: dict[int, tuple[Any, np.ndarray]] = {}
    for tensor in table:
        array, start = tensors[tensor.name].reshape(tensor.joined_shape()), 0
        for piece in tensor.pieces:
            _, value = values.setdefault(
                id(piece.variable), (piece.variable, np.array(piece.variable))
            )
            stop = start + piece.size(tensor.axis)
            value[piece.index(tensor.axis)] = np.take(array, range(start, stop), tensor.axis)
            start = stop
    for _, value in values.values():
        if not np.isfinite(value).all():
            raise CheckpointError(f"{source}: expected finite numbers, found NaN or infinity")
    for variable, value in values.values():
        variable.assign(value)


def collect(
    table: Sequence[Tensor], value_of: Callable[[Any], np.ndarray] = np.asarray
) -> dict[str, np.ndarray]:
    """Their tensors of our variables: what `assign` would read.

    Args:
        value_of: the array that stands for a variable: its value, or its gradient, say.
    """
    tensors = {}
    for tensor in table:
        pieces = [value_of(p.variable)[p.index(tensor.axis)] for p in tensor.pieces]
        joined = np.concatenate(pieces, axis=tensor.axis)
        tensors[tensor.name] = joined.reshape(tensor.shape or joined.shape)
    return tensors
