"""Names and shapes of Magenta's variables, written down from its source, and random values.

Independent of latentgen.checkpoints, which these check; ../shared/fixtures/magenta/README.md lists
those of its own cases, and `test_music_model` and `test_sketch_model` compare.
"""

import re

import numpy as np

from tests.shared import shared_path


def listed(case):
    """The names and shapes that the fixtures' README lists for a case."""
    text = shared_path("fixtures/magenta/README.md").read_text()
    line = text.split(f"**{case}**\n")[1].splitlines()[0]
    return {
        name: tuple(int(n) for n in shape.split(", ") if n)
        for name, shape in re.findall(r"`([^`]+)` \[([\d, ]*)\]", line)
    }


def random_values(shapes, seed=0):
    """Values as wide as trained ones, so that no gate stands still."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(0, 0.4, shape).astype("float32") for name, shape in shapes.items()}


def dense(scope, rows, columns):
    return {f"{scope}/kernel": (rows, columns), f"{scope}/bias": (columns,)}


def lstm_stack(template, units, reads, residual=False, directions=1):
    """The layers of a stack; of a bidirectional one (directions 2) those of one direction."""
    shapes, below = {}, reads
    for k, n in enumerate(units):
        scope = template.format(k)
        if residual and (k == 0 or below != n or directions == 2):
            scope += "/input_projection_wrapper"
            shapes |= dense(scope, below, n)
            below = n
        shapes |= dense(f"{scope}/lstm_cell", below + n, 4 * n)
        below = directions * n
    return shapes


def bidirectional(scope, units, reads, residual=False):
    inner = "cell_{{}}/bidirectional_rnn/{}/multi_rnn_cell/cell_0"
    return {
        name: shape
        for direction in ("fw", "bw")
        for name, shape in lstm_stack(
            f"{scope}/{inner.format(direction)}", units, reads, residual, directions=2
        ).items()
    }


def core_decoder(scope, units, z, output, control=0, residual=False, hidden=0):
    shapes = lstm_stack(
        f"{scope}decoder/multi_rnn_cell/cell_{{}}", units, output + z + control, residual
    )
    shapes |= dense(f"{scope}decoder/z_to_initial_state", z, 2 * sum(units))
    shapes |= dense(f"{scope}decoder/output_projection", units[-1], hidden + output)
    if hidden:
        shapes[f"{scope}decoder/nade/w_enc"] = (output, 1, hidden)
        shapes[f"{scope}decoder/nade/w_dec_t"] = (output, hidden, 1)
    return shapes


def music_variables(
    encoder=(32,),
    units=(32, 32),
    z=16,
    depth=12,
    parts=None,
    control=0,
    control_units=(),
    residual=False,
    hidden=0,
    forward=False,
    hierarchical=False,
    conductor=None,
    inputs=None,
):
    """Of a model with these sizes.

    Args:
        parts: depths of parts with decoders of their own.
        conductor: None, 'autoregressive' or 'silent'.
        inputs: columns that the encoder reads, where they are not the output's.
    """
    units = list(units)
    told = 2 * control_units[-1] if control_units else control
    embedding = units[-1] if conductor else z
    inside = "core_decoder/" if conductor else ""
    shapes = {"global_step": ()}
    if parts:
        for k, part in enumerate(parts):
            scope = f"{inside}core_decoder_{k}/"
            shapes |= core_decoder(scope, units, embedding, part, told, residual, hidden)
        depth = sum(parts)
    else:
        shapes |= core_decoder(inside, units, embedding, depth, told, residual, hidden)
    if control_units:
        shapes |= bidirectional("control_preprocessing", control_units, control, residual)
    if conductor:
        scope = "decoder/hierarchical_level_0"
        states = 2 * sum(units)
        reads = states * len(parts or "1") + z if conductor == "autoregressive" else 1
        shapes |= lstm_stack(f"{scope}/cell_{{}}", units, reads, residual)
        shapes |= dense(f"{scope}/initial_state", z, states)
    if not z:
        return shapes
    scopes = ["encoder"]
    if hierarchical:
        scopes = [f"encoder/hierarchical_level_{level}" for level in (0, 1)]
    reads = (inputs or depth) + control
    for scope in scopes:
        if forward:
            shapes |= lstm_stack(f"{scope}/multi_rnn_cell/cell_{{}}", encoder, reads, residual)
        else:
            shapes |= bidirectional(scope, encoder, reads, residual)
        reads = encoder[-1] * (1 if forward else 2)
    return shapes | dense("encoder/mu", reads, z) | dense("encoder/sigma", reads, z)


CELLS = {"lstm": "LSTMCell", "layer_norm": "LayerNormLSTMCell", "hyper": "HyperLSTMCell"}
HYPER, EMBEDDING = 256, 32


def norms(scope, n):
    return {
        f"{scope}/{norm}/ln_{part}": (size,)
        for norm, size in (("ln_all", 4 * n), ("ln_c", n))
        for part in ("gamma", "beta")
    }


def sketch_cell(scope, kind, n, reads):
    scope = f"{scope}/{CELLS[kind]}"
    shapes = {f"{scope}/W_xh": (reads, 4 * n), f"{scope}/W_hh": (n, 4 * n)}
    if kind != "layer_norm":
        shapes[f"{scope}/bias"] = (4 * n,)
    if kind != "lstm":
        shapes |= norms(scope, n)
    if kind == "hyper":
        small = f"{scope}/LayerNormLSTMCell"
        shapes[f"{small}/W_xh"] = (reads + n, 4 * HYPER)
        shapes[f"{small}/W_hh"] = (HYPER, 4 * HYPER)
        shapes |= norms(small, HYPER)
        for gate in "ijfo":
            for source in "xh":
                name = f"{scope}/hyper_{gate}{source}"
                shapes[f"{name}/zw/super_linear_w"] = (HYPER, EMBEDDING)
                shapes[f"{name}/zw/super_linear_b"] = (EMBEDDING,)
                shapes[f"{name}/alpha/super_linear_w"] = (EMBEDDING, n)
            shapes[f"{scope}/hyper_{gate}h/zb/super_linear_w"] = (HYPER, EMBEDDING)
            shapes[f"{scope}/hyper_{gate}h/beta/super_linear_w"] = (EMBEDDING, n)
    return shapes


def sketch_variables(decoder="lstm", encoder="lstm", z=16, units=(32, 32), mixtures=5):
    """Of a model with these cells; without an encoder where z is 0. `units`: encoder, decoder."""
    e, n = units
    shapes = sketch_cell("RNN", decoder, n, 5 + z)
    shapes |= {"RNN/output_w": (n, 3 + 6 * mixtures), "RNN/output_b": (3 + 6 * mixtures,)}
    if z:
        for direction in ("fw", "bw"):
            shapes |= sketch_cell(f"ENC_RNN/{direction}", encoder, e, 5)
        states = 2 * (n + (HYPER if decoder == "hyper" else 0))
        for name, rows, columns in (
            ("ENC_RNN_mu", 2 * e, z),
            ("ENC_RNN_sigma", 2 * e, z),
            ("linear", z, states),
        ):
            shapes[f"{name}/super_linear_w"] = (rows, columns)
            shapes[f"{name}/super_linear_b"] = (columns,)
    return {f"vector_rnn/{name}": shape for name, shape in shapes.items()}
