"""What the names and shapes of Magenta's MusicVAE variables tell of its architecture."""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentgen.errors import CheckpointError

CONDUCTOR = "decoder/hierarchical_level_0"
ENCODER = "encoder"
CONTROL = "control_preprocessing"
WRAPPER = "input_projection_wrapper"


@dataclass(frozen=True)
class Stack:
    """Layers one above the other: their units, the columns that the lowest reads."""

    units: list[int]
    reads: int
    residual: bool


@dataclass(frozen=True)
class Encoder:
    """`input_depth` columns without the control; `hierarchical` encodes segments first."""

    units: list[int]
    input_depth: int
    bidirectional: bool
    residual: bool
    hierarchical: bool


@dataclass(frozen=True)
class Structure:
    """An architecture, as far as variables tell it.

    Attributes:
        latent_size: of z; 0 for none.
        units, residual: of the decoder, and of the conductor.
        outputs: depth of each part that has a decoder of its own; of one that has all, its depth.
        parts_apart: whether parts have decoders of their own.
        hidden: size of a NADE's hidden layer; 0 where there is none.
        conducted, autoregressive: whether there is a conductor, and whether it reads what was
            decoded before.
        control_depth: columns of the control; control_units: layers that read it first.
        encoder: None where there is none.
    """

    latent_size: int
    units: list[int]
    residual: bool
    outputs: list[int]
    parts_apart: bool
    hidden: int
    conducted: bool
    autoregressive: bool
    control_depth: int
    control_units: list[int]
    encoder: Encoder | None


def read_structure(tensors: Mapping[str, np.ndarray], source: Any) -> Structure:
    """The architecture of these variables.

    All sizes are read off matrices that have them, so that no model is larger than its file.

    Raises:
        CheckpointError: a matrix is missing, or of a shape that does not fit the others, or the
            architecture is one that latentgen has not.
    """
    read = _Reader(tensors, source)
    conducted = read.has(f"{CONDUCTOR}/")
    if read.has("decoder/hierarchical_level_1/") or read.has("encoder/hierarchical_level_2/"):
        raise read.error("expected one conductor and two levels of encoders, found more levels")
    inside = "core_decoder/" if conducted else ""
    count = len({m[1] for n in tensors if (m := re.match(rf"{inside}core_decoder_(\d+)/", n))})
    scopes = [f"{inside}core_decoder_{k}/decoder" for k in range(count)] or [f"{inside}decoder"]
    stacks = [read.stack(f"{scope}/multi_rnn_cell/cell_{{}}") for scope in scopes]
    units, residual = stacks[0].units, stacks[0].residual
    if any((stack.units, stack.residual) != (units, residual) for stack in stacks):
        raise read.error(f"expected parts' decoders of one size, found {[s.units for s in stacks]}")
    hidden = _hidden(read, scopes)
    outputs = []
    for scope in scopes:
        outputs.append(read.columns(f"{scope}/output_projection/kernel", units[-1]) - hidden)
    states = 2 * sum(units)
    embedding = _embedding(read, f"{scopes[0]}/z_to_initial_state", states)
    controls = {
        stack.reads - output - embedding for stack, output in zip(stacks, outputs, strict=True)
    }
    if len(controls) > 1 or min(*controls, *outputs) < 0:
        raise read.error(
            f"expected decoders that read outputs ({outputs}), z ({embedding}) and controls, found "
            f"such of {[stack.reads for stack in stacks]} columns"
        )
    (control_depth,) = controls
    control_units: list[int] = []
    if read.has(f"{CONTROL}/"):
        stack = read.bidirectional(CONTROL)
        if 2 * stack.units[-1] != control_depth:
            raise read.error(
                f"expected {control_depth} columns of {CONTROL}, found {2 * stack.units[-1]}"
            )
        control_units, control_depth = stack.units, stack.reads
    latent_size, autoregressive = embedding, False
    if conducted:
        latent_size = read.rows(f"{CONDUCTOR}/initial_state/kernel", states)
        stack = read.stack(f"{CONDUCTOR}/cell_{{}}")
        autoregressive = stack.reads != 1
        expected = len(scopes) * states + latent_size if autoregressive else 1
        if stack.units != units or embedding != units[-1] or stack.reads != expected:
            raise read.error(
                f"expected a conductor of {units} units that reads nothing (1) or what was decoded "
                f"({len(scopes) * states + latent_size}), found one of {stack.units} that reads "
                f"{stack.reads} columns"
            )
    encoder = _encoder(read, control_depth, latent_size) if read.has(f"{ENCODER}/") else None
    if encoder is not None and encoder.hierarchical and not conducted:
        raise read.error("expected a conductor with a hierarchical encoder, found none")
    return Structure(
        latent_size,
        units,
        residual,
        outputs,
        bool(count),
        hidden,
        conducted,
        autoregressive,
        control_depth,
        control_units,
        encoder,
    )


def _hidden(read: "_Reader", scopes: list[str]) -> int:
    names = [f"{scope}/nade/w_enc" for scope in scopes]
    if not any(name in read.tensors for name in names):
        return 0
    if len(names) > 1:
        raise read.error("expected a NADE for all parts, found one a part")
    return read.shape(names[0], 3)[2]


def _embedding(read: "_Reader", scope: str, states: int) -> int:
    """The size of what a decoder starts from; where it is 0 the kernel may have been left out."""
    alone = not read.has(f"{ENCODER}/") and f"{scope}/bias" in read.tensors
    if alone and f"{scope}/kernel" not in read.tensors:
        return 0
    return read.rows(f"{scope}/kernel", states)


def _encoder(read: "_Reader", control_depth: int, latent_size: int) -> Encoder:
    lower = f"{ENCODER}/hierarchical_level_0"
    hierarchical = read.has(f"{lower}/")
    scope = lower if hierarchical else ENCODER
    bidirectional = not read.has(f"{scope}/multi_rnn_cell/")
    if bidirectional:
        stack = read.bidirectional(scope)
    else:
        stack = read.stack(f"{scope}/multi_rnn_cell/cell_{{}}")
    found = read.columns(f"{ENCODER}/mu/kernel", stack.units[-1] * (2 if bidirectional else 1))
    if found != latent_size:
        raise read.error(f"expected an encoder of z of {latent_size}, found one of {found}")
    depth = stack.reads - control_depth
    if depth < 1:
        raise read.error(
            f"expected an encoder that reads more than {control_depth} columns of control, found "
            f"one that reads {stack.reads}"
        )
    return Encoder(stack.units, depth, bidirectional, stack.residual, hierarchical)


class _Reader:
    """Variables whose shapes are asked for, with an error that says what is wrong."""

    def __init__(self, tensors: Mapping[str, np.ndarray], source: Any):
        self.tensors = tensors
        self.source = source

    def error(self, message: str) -> CheckpointError:
        return CheckpointError(f"{self.source}: {message}")

    def has(self, prefix: str) -> bool:
        return any(name.startswith(prefix) for name in self.tensors)

    def shape(self, name: str, rank: int = 2) -> tuple[int, ...]:
        if name not in self.tensors:
            raise self.error(f"expected MusicVAE's weights, missing {name}")
        shape = self.tensors[name].shape
        if len(shape) != rank:
            raise self.error(f"expected {rank} dimensions of {name}, found shape {shape}")
        return shape

    def columns(self, name: str, rows: int) -> int:
        """The columns of a matrix of so many rows."""
        shape = self.shape(name)
        if shape[0] != rows:
            raise self.error(f"expected {name} with {rows} rows, found shape {shape}")
        return shape[1]

    def rows(self, name: str, columns: int) -> int:
        """The rows of a matrix of so many columns."""
        shape = self.shape(name)
        if shape[1] != columns:
            raise self.error(f"expected {name} with {columns} columns, found shape {shape}")
        return shape[0]

    def stack(self, template: str, directions: int = 1) -> Stack:
        """The layers whose scopes are `template` with their number in it."""
        units: list[int] = []
        reads, residual = 0, False
        for k in itertools.count():
            scope = template.format(k)
            if k and not self.has(f"{scope}/"):
                return Stack(units, reads, residual)
            size, columns, projects = self._cell(scope)
            if not k:
                reads, residual = columns, projects
            elif columns != directions * units[-1]:
                raise self.error(
                    f"expected {scope} to read {directions * units[-1]} columns, found {columns}"
                )
            units.append(size)
        raise AssertionError

    def bidirectional(self, scope: str) -> Stack:
        inner = "bidirectional_rnn/fw/multi_rnn_cell/cell_0"
        return self.stack(f"{scope}/cell_{{}}/{inner}", directions=2)

    def _cell(self, scope: str) -> tuple[int, int, bool]:
        """Units of a cell, the columns that it reads, and whether it projects them first."""
        projects = f"{scope}/{WRAPPER}/kernel" in self.tensors
        inner = f"{scope}/{WRAPPER}" if projects else scope
        rows, gates = self.shape(f"{inner}/lstm_cell/kernel")
        units, rest = divmod(gates, 4)
        reads = rows - units
        if projects:
            reads = self.rows(f"{inner}/kernel", units)
        if rest or units < 1 or reads < 1 or (projects and rows != 2 * units):
            raise self.error(
                f"expected {inner}/lstm_cell/kernel of shape (columns read + n, 4n), found "
                f"{(rows, gates)}"
            )
        return units, reads, projects
