"""Magenta's models as equations over its own variables, one example at a time, in NumPy.

After ../shared/fixtures/magenta/README.md and Magenta's lstm_models.py, rnn.py; what latentgen
makes of the same variables has to agree.
"""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def dense(t, scope, x):
    return x @ t[f"{scope}/kernel"] + t[f"{scope}/bias"]


# MusicVAE


def lstm(t, scope, x, state):
    c, h = state
    gates = dense(t, f"{scope}/lstm_cell", np.concatenate([x, h]))
    i, j, f, o = np.split(gates, 4)
    c = c * sigmoid(f + 1) + sigmoid(i) * np.tanh(j)
    h = np.tanh(c) * sigmoid(o)
    return h, (c, h)


def cell(t, scope, x, state, residual):
    """One layer: h, or h + what the LSTM read; the new state."""
    wrapper = f"{scope}/input_projection_wrapper"
    if f"{wrapper}/kernel" in t:
        scope, x = wrapper, dense(t, wrapper, x)
    h, state = lstm(t, scope, x, state)
    return (h + x if residual else h), state


def layers(t, template):
    count = 0
    while any(name.startswith(template.format(count) + "/") for name in t):
        count += 1
    return [template.format(k) for k in range(count)]


def stack(t, template, x, states, residual):
    new = []
    for scope, state in zip(layers(t, template), states, strict=True):
        x, state = cell(t, scope, x, state, residual)
        new.append(state)
    return x, new


def zeros(t, scope):
    bias = f"{scope}/input_projection_wrapper/lstm_cell/bias"
    n = len(t[bias if bias in t else f"{scope}/lstm_cell/bias"]) // 4
    return np.zeros(n), np.zeros(n)


def bidirectional(t, scope, x, residual):
    """Outputs (T, 2n) of the last layer, and both directions' last h."""
    for layer in layers(t, f"{scope}/cell_{{}}"):
        outputs, last = [], []
        for direction, order in (("fw", 1), ("bw", -1)):
            inner = f"{layer}/bidirectional_rnn/{direction}/multi_rnn_cell/cell_0"
            state, ys = zeros(t, inner), []
            for row in x[::order]:
                y, state = cell(t, inner, row, state, residual)
                ys.append(y)
            outputs.append(np.array(ys)[::order])
            last.append(state[1])
        x = np.concatenate(outputs, axis=1)
    return x, np.concatenate(last)


def encode(t, scope, x, residual):
    if any(name.startswith(f"{scope}/multi_rnn_cell/") for name in t):
        template = f"{scope}/multi_rnn_cell/cell_{{}}"
        states = [zeros(t, layer) for layer in layers(t, template)]
        for row in x:
            y, states = stack(t, template, row, states, residual)
        return y
    return bidirectional(t, scope, x, residual)[1]


def posterior(t, x, residual=False, segments=0):
    """mu and sigma of one example (T, depth), its control beside it."""
    scope = "encoder"
    if segments:
        parts = np.split(x, segments)
        x = np.array([encode(t, "encoder/hierarchical_level_0", p, residual) for p in parts])
        scope = "encoder/hierarchical_level_1"
    embedding = encode(t, scope, x, residual)
    return dense(t, "encoder/mu", embedding), np.log1p(np.exp(dense(t, "encoder/sigma", embedding)))


def states_of(t, scope, z, template):
    flat = np.tanh(dense(t, scope, z))
    states = []
    for layer in layers(t, template):
        n = len(zeros(t, layer)[0])
        states.append((flat[:n], flat[n : 2 * n]))
        flat = flat[2 * n :]
    return states


def core(t, scope, z, reads, control, residual):
    """Outputs (T, P) of a flat decoder that reads the rows of `reads`, and its last states."""
    template = f"{scope}decoder/multi_rnn_cell/cell_{{}}"
    states = states_of(t, f"{scope}decoder/z_to_initial_state", z, template)
    outputs = []
    for row, told in zip(reads, control, strict=True):
        y, states = stack(t, template, np.concatenate([row, z, told]), states, residual)
        outputs.append(dense(t, f"{scope}decoder/output_projection", y))
    return np.array(outputs), states


def split_core(t, scope, z, reads, control, residual, parts):
    """The same with a decoder for each part; their states as Magenta merges them."""
    if not parts:
        outputs, states = core(t, scope, z, reads, control, residual)
        return outputs, np.concatenate([part for state in states for part in state])
    pieces = np.split(reads, np.cumsum(parts)[:-1], axis=1)
    results = [
        core(t, f"{scope}core_decoder_{k}/", z, piece, control, residual)
        for k, piece in enumerate(pieces)
    ]
    outputs = np.concatenate([outputs for outputs, _ in results], axis=1)
    merged = []
    for layer in zip(*(states for _, states in results), strict=True):
        merged += [c for c, _ in layer] + [h for _, h in layer]
    return outputs, np.concatenate(merged)


def logits(t, z, targets, control=None, residual=False, segments=0, parts=()):
    """What the decoder makes of each step of one example (T, depth), given the truth before it."""
    reads = np.concatenate([np.zeros_like(targets[:1]), targets[:-1]])
    control = np.zeros((len(targets), 0)) if control is None else control
    if any(name.startswith("control_preprocessing/") for name in t):
        control = bidirectional(t, "control_preprocessing", control, residual)[0]
    if not segments:
        return split_core(t, "", z, reads, control, residual, parts)[0]
    scope = "decoder/hierarchical_level_0"
    template = f"{scope}/cell_{{}}"
    states = states_of(t, f"{scope}/initial_state", z, template)
    lowest = template.format(0)
    reads_z = f"{lowest}/input_projection_wrapper/kernel"
    rows = len(t[reads_z]) if reads_z in t else len(t[f"{lowest}/lstm_cell/kernel"])
    rows -= 0 if reads_z in t else len(states[0][0])
    before, outputs = np.zeros(max(rows - len(z), 0)), []
    for piece, told in zip(np.split(reads, segments), np.split(control, segments), strict=True):
        x = np.zeros(1) if rows == 1 else np.concatenate([before, z])
        embedding, states = stack(t, template, x, states, residual)
        drawn, before = split_core(t, "core_decoder/", embedding, piece, told, residual, parts)
        outputs.append(drawn)
    return np.concatenate(outputs)


def categorical_loss(x, truth):
    x = x - x.max(axis=-1, keepdims=True)
    return -((x - np.log(np.exp(x).sum(axis=-1, keepdims=True))) * truth).sum(axis=-1)


def boolean_loss(x, truth):
    return (np.maximum(x, 0) - x * truth + np.log1p(np.exp(-abs(x)))).sum(axis=-1)


def groove_loss(x, truth):
    (hit, velocity, offset), (h, v, o) = np.split(x, 3, -1), np.split(truth, 3, -1)
    hit = sigmoid(hit)
    hits = -h * np.log(hit + 1e-7) - (1 - h) * np.log(1 - hit + 1e-7)
    return (hits + (sigmoid(velocity) - v) ** 2 + (np.tanh(offset) - o) ** 2).sum(axis=-1)


def nade_loss(t, x, truth):
    """Of steps (T, H + D); the values one after the other, as they condition each other."""
    w_enc, w_dec = t["decoder/nade/w_enc"][:, 0], t["decoder/nade/w_dec_t"][..., 0]
    hidden, losses = w_enc.shape[1], []
    for row, values in zip(x, truth, strict=True):
        a, loss = row[:hidden], 0.0
        for i, v in enumerate(values):
            p = sigmoid(row[hidden + i] + sigmoid(a) @ w_dec[i])
            loss -= v * np.log(1e-6 + p) + (1 - v) * np.log(1e-6 + 1 - p)
            a = a + v * w_enc[i]
        losses.append(loss)
    return np.array(losses)


# Sketch-RNN; states are (c, h), of a HyperLSTM (c, h, hyper c, hyper h)


def norm(t, scope, x):
    x = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-3)
    return x.reshape(-1) * t[f"{scope}/ln_gamma"] + t[f"{scope}/ln_beta"]


def memory(t, scope, gates, c):
    """New c and h of the four gates, and of a c that is normalised where there is a norm for it."""
    i, j, f, o = gates
    c = c * sigmoid(f + 1) + sigmoid(i) * np.tanh(j)
    seen = norm(t, f"{scope}/ln_c", c) if f"{scope}/ln_c/ln_gamma" in t else c
    return c, np.tanh(seen) * sigmoid(o)


def layer_norm_lstm(t, scope, x, c, h):
    gates = (x @ t[f"{scope}/W_xh"] + h @ t[f"{scope}/W_hh"]).reshape(4, -1)
    gates = norm(t, f"{scope}/ln_all", gates).reshape(4, -1)
    return memory(t, scope, gates, c)


def super_linear(t, scope, x):
    return x @ t[f"{scope}/super_linear_w"] + t.get(f"{scope}/super_linear_b", 0.0)


def sketch_step(t, scope, x, state):
    if f"{scope}/LSTMCell/W_hh" in t:
        scope, (c, h) = f"{scope}/LSTMCell", state
        gates = x @ t[f"{scope}/W_xh"] + h @ t[f"{scope}/W_hh"] + t[f"{scope}/bias"]
        return memory(t, scope, gates.reshape(4, -1), c)
    if f"{scope}/LayerNormLSTMCell/W_hh" in t:
        return layer_norm_lstm(t, f"{scope}/LayerNormLSTMCell", x, *state)
    scope, (c, h, hyper_c, hyper_h) = f"{scope}/HyperLSTMCell", state
    hyper_c, hyper_h = layer_norm_lstm(
        t, f"{scope}/LayerNormLSTMCell", np.concatenate([x, h]), hyper_c, hyper_h
    )
    gates = []
    for k, gate in enumerate("ijfo"):
        total = t[f"{scope}/bias"].reshape(4, -1)[k]
        for name, source, matrix in (("x", x, "W_xh"), ("h", h, "W_hh")):
            name = f"{scope}/hyper_{gate}{name}"
            part = np.split(source @ t[f"{scope}/{matrix}"], 4)[k]
            total = total + part * super_linear(
                t, f"{name}/alpha", super_linear(t, f"{name}/zw", hyper_h)
            )
        shift = super_linear(t, f"{name}/zb", hyper_h)
        gates.append(total + super_linear(t, f"{name}/beta", shift))
    gates = norm(t, f"{scope}/ln_all", np.array(gates)).reshape(4, -1)
    return *memory(t, scope, gates, c), hyper_c, hyper_h


def sketch_sizes(t, scope):
    """Sizes of a cell's states."""
    n = next(
        len(v)
        for k, v in t.items()
        if k.startswith(scope) and k.endswith("Cell/W_hh") and k.count("Cell") == 1
    )
    return (n, n, 256, 256) if f"{scope}/HyperLSTMCell/W_hh" in t else (n, n)


def sketch_posterior(t, sequence):
    """mean and log-variance of one drawing (T, 5), without the start token."""
    last = []
    for direction, order in (("fw", 1), ("bw", -1)):
        scope = f"ENC_RNN/{direction}"
        state = [np.zeros(n) for n in sketch_sizes(t, scope)]
        for row in sequence[::order]:
            state = sketch_step(t, scope, row, state)
        last.append(state[1])
    embedding = np.concatenate(last)
    return super_linear(t, "ENC_RNN_mu", embedding), super_linear(t, "ENC_RNN_sigma", embedding)


def sketch_outputs(t, z, sequence):
    """What the decoder makes of each step of one drawing (T, 5); z None without a latent."""
    sizes = sketch_sizes(t, "RNN")
    state, beside = [np.zeros(n) for n in sizes], np.zeros(0)
    if z is not None:
        beside = z
        packed = np.tanh(super_linear(t, "linear", z))
        n = sizes[0]
        if len(sizes) == 4:  # h, hyper h, c, hyper c
            h, hyper_h, c, hyper_c = np.split(packed, np.cumsum([n, 256, n]))
            state = [c, h, hyper_c, hyper_h]
        elif "RNN/LSTMCell/W_hh" in t:
            state = [packed[:n], packed[n:]]
        else:
            state = [packed[n:], packed[:n]]
    outputs = []
    for row in np.concatenate([[[0, 0, 1, 0, 0]], sequence[:-1]]):
        state = sketch_step(t, "RNN", np.concatenate([row, beside]), state)
        outputs.append(state[1] @ t["RNN/output_w"] + t["RNN/output_b"])
    return np.array(outputs)
