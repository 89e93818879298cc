"""Cells put together as one cell: one above the other, side by side, with residual connections.

Dropout masks are drawn before the loop and arrive glued to the input, as in `cells`; here they may
drop each layer's input as well as its candidate (see `with_dropout_masks`).
"""

import keras
from keras import ops

from latentgen import random
from latentgen.errors import InputError
from latentgen.layers.cells import RecurrentCell, cell_class


def with_dropout_masks(cell, inputs, seed):
    """Appends a stack's dropout masks to inputs (B, T, D) → (B, T, D + cell.dropout_size).

    Args:
        cell: a CellStack or ParallelCells.
        inputs: what it reads at each step; without masks nothing is dropped.
        seed: a keras.random.SeedGenerator.
    """
    if not cell.dropout_shares:
        return inputs
    batch, steps = ops.shape(inputs)[0], ops.shape(inputs)[1]
    masks = [
        random.dropout(ops.ones((batch, steps, size), dtype=inputs.dtype), share, seed=seed)
        for share, size in cell.dropout_shares
    ]
    return ops.concatenate([inputs, *masks], axis=-1)


def split_states(packed, sizes: list[int]) -> list:
    """States side by side (B, Σ sizes) → one tensor each."""
    if len(sizes) == 1:  # TensorFlow does not split at no place
        return [packed]
    return list(ops.split(packed, [sum(sizes[:k]) for k in range(1, len(sizes))], axis=-1))


@keras.saving.register_keras_serializable("latentgen")
class ResidualCell(RecurrentCell):
    """A cell whose input is added to its output, as in MusicVAE's residual stacks.

    With `input_size`, the cell reads a projection p = W [x, context] + b of its input instead, and
    p is what is added: so a stack's lowest layer takes any input, and a layer may be wider than the
    one below. The context's part of p is computed once a sequence.

    Args:
        cell: the cell inside, without a context, its input as wide as itself.
        input_size: size of one step's input where it is projected; None where it is added as it is.
        context_size: size of the context beside a projected input; 0 for none.
        skip: False leaves the addition out. A bidirectional encoder of Magenta's reads its
            embedding from the last layer's states, to which nothing was added.
    """

    def __init__(
        self,
        cell: RecurrentCell,
        input_size: int | None = None,
        context_size: int = 0,
        skip: bool = True,
        **kwargs,
    ):
        if cell.input_size != cell.units or cell.context_size:
            raise InputError(
                f"cell: expected {cell.units} inputs, as many as units, and no context, received "
                f"{cell.input_size} and a context of {cell.context_size}"
            )
        if input_size is None and context_size:
            raise InputError("context_size: expected 0 without input_size, as nothing is projected")
        super().__init__(
            cell.units,
            input_size or cell.units,
            context_size,
            cell.recurrent_dropout,
            cell.forget_bias,
            **kwargs,
        )
        self.cell = cell
        self.projects = input_size is not None
        self.skip = skip
        self.state_size = list(cell.state_size)
        self.dropout_size = cell.dropout_size

    def build(self, input_shape=None):
        if not self.cell.built:  # one that was deserialised is
            self.cell.build()
        if self.projects:
            self.kernel = self.add_weight(shape=(self.input_size, self.units), name="kernel")
            if self.context_size:
                self.context_kernel = self.add_weight(
                    shape=(self.context_size, self.units), name="context_kernel"
                )
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.built = True

    def step(self, x, states, context, mask):
        if self.projects:
            x = ops.matmul(x, self.kernel) + self.bias
            if context:
                x = x + context[0]
        h, states = self.cell.step(x, states, [], mask)
        return (h + x if self.skip else h), states

    def get_config(self):
        return keras.layers.Layer.get_config(self) | {
            "cell": keras.saving.serialize_keras_object(self.cell),
            "input_size": self.input_size if self.projects else None,
            "context_size": self.context_size,
            "skip": self.skip,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config | {"cell": keras.saving.deserialize_keras_object(config["cell"])})


@keras.saving.register_keras_serializable("latentgen")
class CellStack(keras.layers.Layer):
    """Cells one above the other, as one cell; the context reaches the lowest one alone.

    Args:
        cells: from the lowest to the highest.
        input_dropout: share of each cell's input entries dropped in training, with fresh masks at
            each step. The context's entries are dropped once a sequence (Magenta draws them anew at
            each step too, where z is an input like any other).
    """

    def __init__(self, cells, input_dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.cells = list(cells)
        self.input_dropout = input_dropout
        self.state_size = [size for cell in self.cells for size in cell.state_size]
        self.input_size = self.cells[0].input_size
        self.context_size = self.cells[0].context_size
        self.recurrent_dropout = self.cells[0].recurrent_dropout
        # Each mask of one step, in the order in which `call` takes them off: (share, entries).
        self.dropout_shares = [
            (share, size)
            for cell in self.cells
            for share, size in (
                (input_dropout, cell.input_size),
                (cell.recurrent_dropout, cell.dropout_size),
            )
            if share
        ]
        self.dropout_size = sum(size for _, size in self.dropout_shares)
        self.output_size = self.cells[-1].output_size

    def build(self, input_shape=None):
        for cell in self.cells:
            if not cell.built:  # one that was deserialised is
                cell.build()
        self.built = True

    def project_context(self, context, seed=None) -> list:
        """The context's part of the lowest cell, once a sequence.

        Args:
            context: (B, context_size); ignored where that is 0.
            seed: a SeedGenerator in training, where `input_dropout` drops entries; otherwise None.
        """
        if self.context_size and self.input_dropout and seed is not None:
            context = random.dropout(context, self.input_dropout, seed=seed)
        return self.cells[0].project_context(context)

    def call(self, inputs, states, training=False):
        """One step: inputs (B, D) or (B, D + dropout_size) → h (B, n), new states."""
        own, context = list(states[: len(self.state_size)]), list(states[len(self.state_size) :])
        x, masks = inputs[:, : self.input_size], inputs[:, self.input_size :]
        has_masks = inputs.shape[-1] != self.input_size
        new_states = []
        for index, cell in enumerate(self.cells):
            mask = None
            if has_masks and self.input_dropout:
                x, masks = x * masks[:, : cell.input_size], masks[:, cell.input_size :]
            if has_masks and cell.recurrent_dropout:
                mask, masks = masks[:, : cell.dropout_size], masks[:, cell.dropout_size :]
            states, own = own[: len(cell.state_size)], own[len(cell.state_size) :]
            x, states = cell.step(x, states, context if index == 0 else [], mask)
            new_states += states
        return x, new_states + context

    def get_config(self):
        cells = [keras.saving.serialize_keras_object(cell) for cell in self.cells]
        return super().get_config() | {"cells": cells, "input_dropout": self.input_dropout}

    @classmethod
    def from_config(cls, config):
        cells = [keras.saving.deserialize_keras_object(cell) for cell in config["cells"]]
        return cls(**config | {"cells": cells})


def cell_stack(
    cell: str,
    units: list[int],
    input_size: int,
    context_size: int = 0,
    recurrent_dropout: float = 0.0,
    input_dropout: float = 0.0,
    residual: bool = False,
    **kwargs,
) -> CellStack:
    """A stack of cells of one kind.

    Args:
        cell: 'lstm', 'layer_norm' or 'hyper'.
        units: hidden size of each layer, from the lowest.
        input_size, context_size, recurrent_dropout: see RecurrentCell.
        input_dropout: see CellStack.
        residual: whether each layer's input is added to its output. It is projected first in the
            lowest layer and wherever the size changes.
    """
    make, cells, below = cell_class(cell), [], input_size
    for k, n in enumerate(units):
        context = context_size if k == 0 else 0
        if residual:
            inner = make(n, n, recurrent_dropout=recurrent_dropout, name="cell")
            projected = below if k == 0 or below != n else None
            layer = ResidualCell(inner, projected, context, name=f"cell_{k}")
        else:
            layer = make(n, below, context, recurrent_dropout=recurrent_dropout, name=f"cell_{k}")
        cells.append(layer)
        below = n
    return CellStack(cells, input_dropout, **kwargs)


@keras.saving.register_keras_serializable("latentgen")
class ParallelCells(keras.layers.Layer):
    """Stacks side by side, as one cell: each decodes one part of an element on its own.

    Stack k reads part k of the element and, as all of them do, the trailing control columns; the
    parts meet in the context alone. With JointHead(shared=False) this is MusicVAE's
    SplitMultiOutLstmDecoder. States and outputs are stack 0's, then stack 1's, and so on.

    Args:
        stacks: one a part, with contexts of one size and lowest cells of one kind.
        element_sizes: size of each part of an element.
        control_size: columns behind the element that every stack reads; 0 for none.
    """

    def __init__(self, stacks, element_sizes, control_size: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.stacks = list(stacks)
        self.element_sizes = list(element_sizes)
        self.control_size = control_size
        expected = [size + control_size for size in self.element_sizes]
        received = [stack.input_size for stack in self.stacks]
        if received != expected:
            raise InputError(
                f"stacks: expected one a part, with inputs of {expected} (part and control), "
                f"received stacks with inputs of {received}"
            )
        kinds = {(type(stack.cells[0]).__name__, stack.context_size) for stack in self.stacks}
        if len(kinds) != 1:
            raise InputError(
                "stacks: expected lowest cells of one kind and contexts of one size, "
                f"received {sorted(kinds)}"
            )
        self.input_size = sum(self.element_sizes) + control_size
        self.context_size = self.stacks[0].context_size
        self.state_size = [size for stack in self.stacks for size in stack.state_size]
        self.dropout_shares = [part for stack in self.stacks for part in stack.dropout_shares]
        self.dropout_size = sum(stack.dropout_size for stack in self.stacks)
        self.output_size = sum(stack.output_size for stack in self.stacks)

    def build(self, input_shape=None):
        for stack in self.stacks:
            if not stack.built:  # one that was deserialised is
                stack.build()
        self.built = True

    def project_context(self, context, seed=None) -> list:
        """Each stack's own part of the same context, stack 0's first; see CellStack."""
        return [part for stack in self.stacks for part in stack.project_context(context, seed)]

    def call(self, inputs, states, training=False):
        """One step: inputs (B, D) or (B, D + dropout_size) → outputs (B, Σ n), new states."""
        own, context = list(states[: len(self.state_size)]), list(states[len(self.state_size) :])
        projected = len(context) // len(self.stacks)
        elements = sum(self.element_sizes)
        control = inputs[:, elements : self.input_size]
        masks = inputs[:, self.input_size :]
        has_masks = inputs.shape[-1] != self.input_size
        outputs, new_states, start = [], [], 0
        for k, (stack, size) in enumerate(zip(self.stacks, self.element_sizes, strict=True)):
            read = [inputs[:, start : start + size]]
            start += size
            if self.control_size:
                read.append(control)
            if has_masks and stack.dropout_size:
                read.append(masks[:, : stack.dropout_size])
                masks = masks[:, stack.dropout_size :]
            states, own = own[: len(stack.state_size)], own[len(stack.state_size) :]
            states = states + context[k * projected : (k + 1) * projected]
            output, states = stack(ops.concatenate(read, axis=-1), states)
            outputs.append(output)
            new_states += states[: len(stack.state_size)]
        return ops.concatenate(outputs, axis=-1), new_states + context

    def get_config(self):
        stacks = [keras.saving.serialize_keras_object(stack) for stack in self.stacks]
        return super().get_config() | {
            "stacks": stacks,
            "element_sizes": self.element_sizes,
            "control_size": self.control_size,
        }

    @classmethod
    def from_config(cls, config):
        stacks = [keras.saving.deserialize_keras_object(stack) for stack in config["stacks"]]
        return cls(**config | {"stacks": stacks})
