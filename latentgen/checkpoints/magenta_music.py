"""MusicVAE's variables in Magenta's names and layouts (lstm_models.py, lstm_utils.py).

- LSTM kernels: rows of the input (element, z, control), then of h; gates i, j, f, o, as ours.
- z_to_initial_state: columns c, h a layer; ours h, c.
- residual stacks: an InputProjectionWrapper where the width changes, with its cell inside.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from latentgen.checkpoints.mapping import Piece, Tensor
from latentgen.layers.cell_stacks import CellStack, ParallelCells, ResidualCell
from latentgen.layers.cells import RecurrentCell
from latentgen.layers.decoder import AutoregressiveDecoder, Decoder
from latentgen.layers.encoder import BidirectionalEncoder
from latentgen.layers.hierarchical_decoder import HierarchicalDecoder
from latentgen.layers.hierarchical_encoder import HierarchicalEncoder
from latentgen.layers.joint_head import JointHead
from latentgen.layers.nade import NadeHead
from latentgen.vae import SequenceVAE


def music_table(model: Any) -> list[Tensor]:
    """What of Magenta's checkpoint is what of a MusicVAE's, or of a MusicDecoder's."""
    table = decoder_table(model.decoder)
    if isinstance(model, SequenceVAE):
        table += list(_encoder(model.encoder, "encoder"))
        table += [
            *_dense(model.mean_layer, "encoder/mu"),
            *_dense(model.scale_layer, "encoder/sigma"),
        ]
    if model.control_encoder is not None:
        table += list(_bidirectional(model.control_encoder, "control_preprocessing"))
    return table


def decoder_table(decoder: AutoregressiveDecoder) -> list[Tensor]:
    """The same of a decoder."""
    if isinstance(decoder, HierarchicalDecoder):
        return [*_conductor(decoder), *_core(decoder.core, "core_decoder/")]
    assert isinstance(decoder, Decoder)
    return list(_core(decoder, ""))


def without_rows(decoder: AutoregressiveDecoder) -> dict[str, np.ndarray]:
    """Their tensors of no numbers, which a table cannot hold: z's, of a decoder without z."""
    end = "z_to_initial_state/bias"
    return {
        tensor.name.replace("/bias", "/kernel"): np.zeros((0, *tensor.joined_shape()), "float32")
        for tensor in ([] if decoder.latent_size else decoder_table(decoder))
        if tensor.name.endswith(end)
    }


def _core(decoder: Decoder, prefix: str) -> Iterator[Tensor]:
    """A flat decoder; one with parts apart is a decoder a part."""
    cell, elements = decoder.cell, decoder.head.element_size
    if not isinstance(cell, ParallelCells):
        yield from _stack(cell, f"{prefix}decoder/multi_rnn_cell", elements)
        yield from _initial_state(decoder, cell.state_size, 0, f"{prefix}decoder")
        yield from _projection(decoder.head, f"{prefix}decoder")
        return
    start = 0
    for k, (stack, head) in enumerate(zip(cell.stacks, decoder.head.heads, strict=True)):
        scope = f"{prefix}core_decoder_{k}/decoder"
        yield from _stack(stack, f"{scope}/multi_rnn_cell", head.element_size)
        yield from _initial_state(decoder, stack.state_size, start, scope)
        yield from _projection(head, scope)
        start += sum(stack.state_size)


def _conductor(decoder: HierarchicalDecoder) -> Iterator[Tensor]:
    scope = "decoder/hierarchical_level_0"
    core = _core_states(decoder.core.cell) if decoder.autoregressive else []
    for k, cell in enumerate(decoder.conductor.cells):
        order = core if k == 0 else []
        yield from _cell(cell, f"{scope}/cell_{k}", cell.input_size, order)
    layer = decoder.initial_state_layer
    yield from _swapped(layer, decoder.conductor.state_size, 0, f"{scope}/initial_state")


def _core_states(cell: CellStack | ParallelCells) -> list[tuple[int, int]]:
    """Where their c and h of each layer lie in ours; of parts apart a layer's c's, then its h's."""
    bounds = pairwise(np.cumsum([0, *cell.state_size]).tolist())
    parts = len(cell.stacks) if isinstance(cell, ParallelCells) else 1
    states = np.array(list(bounds)).reshape(parts, -1, 2, 2)  # (part, layer, h or c, bounds)
    return [tuple(b) for b in states[:, :, ::-1].transpose(1, 2, 0, 3).reshape(-1, 2).tolist()]


def _encoder(encoder: Any, scope: str) -> Iterator[Tensor]:
    if isinstance(encoder, HierarchicalEncoder):
        for level, part in enumerate((encoder.lower, encoder.upper)):
            yield from _encoder(part, f"{scope}/hierarchical_level_{level}")
    elif isinstance(encoder, BidirectionalEncoder):
        yield from _bidirectional(encoder, scope)
    else:
        yield from _stack(encoder.rnn.cell, f"{scope}/multi_rnn_cell", encoder.input_size)


def _bidirectional(encoder: BidirectionalEncoder, scope: str) -> Iterator[Tensor]:
    for direction, rnns in (("fw", encoder.forward), ("bw", encoder.backward)):
        for k, rnn in enumerate(rnns):
            inner = f"{scope}/cell_{k}/bidirectional_rnn/{direction}/multi_rnn_cell"
            yield from _stack(rnn.cell, inner, rnn.cell.input_size)


def _stack(stack: CellStack, scope: str, elements: int) -> Iterator[Tensor]:
    """Cells one above the other; the lowest reads `elements` columns, then z, then a control."""
    for k, cell in enumerate(stack.cells):
        yield from _cell(cell, f"{scope}/cell_{k}", elements if k == 0 else cell.input_size)


def _cell(cell: Any, scope: str, elements: int, order: list | None = None) -> Iterator[Tensor]:
    """An LSTM cell, or a residual one with the LSTM inside."""
    if isinstance(cell, ResidualCell):
        if cell.projects:
            scope = f"{scope}/input_projection_wrapper"
            yield Tensor(f"{scope}/kernel", _rows(cell, elements, order))
            yield Tensor(f"{scope}/bias", [Piece(cell.bias)])
            order, elements = None, cell.units
        cell = cell.cell
    rows = [*_rows(cell, elements, order), Piece(cell.recurrent_kernel)]
    yield Tensor(f"{scope}/lstm_cell/kernel", rows)
    yield Tensor(f"{scope}/lstm_cell/bias", [Piece(cell.bias)])


def _rows(cell: RecurrentCell, elements: int, order: list | None = None) -> list[Piece]:
    """Rows of what a cell reads: the element, z, and what is left of its input, the control."""
    order = order or []
    first = max((stop for _, stop in order), default=0)
    pieces = [Piece(cell.kernel, a, b) for a, b in [*order, (first, elements)]]
    if cell.context_size:
        pieces.append(Piece(cell.context_kernel))
    if cell.input_size > elements:
        pieces.append(Piece(cell.kernel, elements))
    return pieces


def _states_swapped(sizes: list[int], start: int) -> list[tuple[int, int]]:
    """Ranges of states h, c, h, c… in the order c, h, c, h…"""
    bounds = list(pairwise(np.cumsum([start, *sizes]).tolist()))
    return [bounds[k ^ 1] for k in range(len(bounds))]


def _swapped(layer: Any, sizes: list[int], start: int, scope: str) -> Iterator[Tensor]:
    """A dense layer whose outputs are states, for some of its columns."""
    order = _states_swapped(sizes, start)
    for axis, name in ((1, "kernel"), (0, "bias")):
        yield Tensor(f"{scope}/{name}", [Piece(getattr(layer, name), a, b) for a, b in order], axis)


def _initial_state(decoder: Decoder, sizes: list[int], start: int, scope: str) -> Iterator[Tensor]:
    scope = f"{scope}/z_to_initial_state"
    if decoder.latent_size:
        yield from _swapped(decoder.initial_state_layer, sizes, start, scope)
    elif decoder.learned_start:  # their kernel has no rows
        order = _states_swapped(sizes, start)
        yield Tensor(f"{scope}/bias", [Piece(decoder.start_bias, a, b) for a, b in order])


def _projection(head: Any, scope: str) -> Iterator[Tensor]:
    heads = head.heads if isinstance(head, JointHead) else [head]
    for axis, name in ((1, "kernel"), (0, "bias")):
        pieces = [Piece(getattr(part.projection, name)) for part in heads]
        yield Tensor(f"{scope}/output_projection/{name}", pieces, axis)
    if isinstance(head, NadeHead):
        size, hidden = head.size, head.hidden
        yield Tensor(f"{scope}/nade/w_enc", [Piece(head.w_enc)], 0, (size, 1, hidden))
        yield Tensor(f"{scope}/nade/w_dec_t", [Piece(head.w_dec)], 0, (size, hidden, 1))


def _dense(layer: Any, scope: str) -> Iterator[Tensor]:
    for name in ("kernel", "bias"):
        yield Tensor(f"{scope}/{name}", [Piece(getattr(layer, name))])
