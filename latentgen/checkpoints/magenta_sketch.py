"""Sketch-RNN's variables in Magenta's names and layouts (rnn.py, model.py).

- Kernels: W_xh has rows of the stroke-5 element, then of z; gates i, j, f, o, as ours.
- States from z, packed: LSTM c, h; layer-norm LSTM h, c; HyperLSTM h, hyper h, c, hyper c.
  Ours are h, c, hyper h, hyper c.
- HyperLSTM: two small layers a gate and source (hyper_ix … hyper_oh), ours side by side.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from latentgen.checkpoints.mapping import Piece, Tensor
from latentgen.layers.cells import HyperLSTMCell, LayerNormLSTMCell, LSTMCell, RecurrentCell
from latentgen.vae import SequenceVAE

ELEMENT = 5
GATES = "ijfo"
SCOPES: dict[type[RecurrentCell], str] = {
    LSTMCell: "LSTMCell",
    LayerNormLSTMCell: "LayerNormLSTMCell",
    HyperLSTMCell: "HyperLSTMCell",
}
STATE_ORDERS: dict[type[RecurrentCell], tuple[int, ...]] = {  # theirs, as numbers of ours
    LSTMCell: (1, 0),
    LayerNormLSTMCell: (0, 1),
    HyperLSTMCell: (0, 2, 1, 3),
}


def sketch_table(model: Any) -> list[Tensor]:
    """What of Magenta's, below `vector_rnn/`, is what of a SketchVAE's or SketchDecoder's."""
    (cell,) = model.decoder.cell.cells
    table = list(_cell(cell, f"RNN/{SCOPES[type(cell)]}"))
    table += _pieces(model.head.projection, "RNN/output_")
    if not isinstance(model, SequenceVAE):
        return table
    for direction, (rnn,) in (("fw", model.encoder.forward), ("bw", model.encoder.backward)):
        (cell,) = rnn.cell.cells
        table += _cell(cell, f"ENC_RNN/{direction}/{SCOPES[type(cell)]}")
    table += _pieces(model.mean_layer, "ENC_RNN_mu/super_linear_")
    table += _pieces(model.scale_layer, "ENC_RNN_sigma/super_linear_")
    return table + list(_initial_state(model.decoder))


def _pieces(layer: Any, prefix: str) -> list[Tensor]:
    return [
        Tensor(f"{prefix}w", [Piece(layer.kernel)]),
        Tensor(f"{prefix}b", [Piece(layer.bias)]),
    ]


def _initial_state(decoder: Any) -> Iterator[Tensor]:
    (cell,) = decoder.cell.cells
    bounds = list(pairwise(np.cumsum([0, *cell.state_size]).tolist()))
    order = [bounds[k] for k in STATE_ORDERS[type(cell)]]
    layer = decoder.initial_state_layer
    for axis, name, ours in ((1, "w", layer.kernel), (0, "b", layer.bias)):
        pieces = [Piece(ours, start, stop) for start, stop in order]
        yield Tensor(f"linear/super_linear_{name}", pieces, axis)


def _cell(cell: RecurrentCell, scope: str, before_z: int | None = None) -> Iterator[Tensor]:
    """A cell; of its input the first `before_z` columns stand before z, the rest behind it."""
    before_z = cell.input_size if before_z is None else before_z
    rows = [Piece(cell.kernel, 0, before_z)]
    if cell.context_size:
        rows.append(Piece(cell.context_kernel))
    if before_z < cell.input_size:
        rows.append(Piece(cell.kernel, before_z))
    yield Tensor(f"{scope}/W_xh", rows)
    yield Tensor(f"{scope}/W_hh", [Piece(cell.recurrent_kernel)])
    if not isinstance(cell, LayerNormLSTMCell):
        yield Tensor(f"{scope}/bias", [Piece(cell.bias)])
    if not isinstance(cell, LSTMCell):
        for norm, name in ((cell.gate_norm, "ln_all"), (cell.memory_norm, "ln_c")):
            for part in ("gamma", "beta"):
                yield Tensor(f"{scope}/{name}/ln_{part}", [Piece(getattr(norm, part))])
    if isinstance(cell, HyperLSTMCell):
        # The small cell reads (element, z, h).
        yield from _cell(cell.hyper_cell, f"{scope}/LayerNormLSTMCell", cell.input_size)
        yield from _scales(cell, scope)


def _scales(cell: HyperLSTMCell, scope: str) -> Iterator[Tensor]:
    """Scales of the four gates of the input, then of the state; shifts of the state's."""
    e, n = cell.hyper_embedding, cell.units
    for index, (source, gate) in enumerate((s, g) for s in "xh" for g in GATES):
        name, columns = f"{scope}/hyper_{gate}{source}", (index * e, (index + 1) * e)
        yield Tensor(f"{name}/zw/super_linear_w", [Piece(cell.scale_embedding, *columns)], 1)
        yield Tensor(f"{name}/zw/super_linear_b", [Piece(cell.scale_bias, *columns)])
        kernel = [Piece(cell.scale_kernel, index, index + 1)]
        yield Tensor(f"{name}/alpha/super_linear_w", kernel, 0, (e, n))
    for index, gate in enumerate(GATES):
        name, columns = f"{scope}/hyper_{gate}h", (index * e, (index + 1) * e)
        yield Tensor(f"{name}/zb/super_linear_w", [Piece(cell.shift_embedding, *columns)], 1)
        kernel = [Piece(cell.shift_kernel, index, index + 1)]
        yield Tensor(f"{name}/beta/super_linear_w", kernel, 0, (e, n))
