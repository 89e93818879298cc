"""Each cell against its equations in NumPy, dropout and initial weights."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.layers.cell_stacks import CellStack, with_dropout_masks
from latentgen.layers.cells import CELLS, HyperLSTMCell, LSTMCell
from tests.tiny import randomise

N, D, Z, M, E, B = 8, 5, 4, 6, 3, 3  # units, input, context, hyper units, embedding, batch


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def block_norm(x, blocks, norm):
    parts = [
        (p - p.mean(-1, keepdims=True)) / np.sqrt(p.var(-1, keepdims=True) + 1e-3)
        for p in np.split(x, blocks, axis=-1)
    ]
    return np.concatenate(parts, -1) * np.array(norm.gamma) + np.array(norm.beta)


def memory(gates, c, mask):
    i, j, f, o = np.split(gates, 4, axis=-1)
    return c * sigmoid(f + 1.0) + sigmoid(i) * np.tanh(j) * mask, sigmoid(o)


def lstm(cell, x, states, mask):
    h, c = states
    w = np.concatenate([np.array(cell.kernel), np.array(cell.recurrent_kernel)])
    c, o = memory(np.concatenate([x, h], -1) @ w + np.array(cell.bias), c, mask)
    h = np.tanh(c) * o
    return h, [h, c]


def layer_norm(cell, x, states, mask):
    h, c = states
    w = np.concatenate([np.array(cell.kernel), np.array(cell.recurrent_kernel)])
    c, o = memory(block_norm(np.concatenate([x, h], -1) @ w, 4, cell.gate_norm), c, mask)
    h = np.tanh(block_norm(c, 1, cell.memory_norm)) * o
    return h, [h, c]


def hyper(cell, x, states, mask):
    """As Magenta's HyperLSTMCell: each gate's product with x and with h is rescaled by its own
    embedding of the small cell's state; the latter is also shifted by one."""
    h, c, hyper_h, hyper_c = states
    n = cell.units
    hyper_h, (_, hyper_c) = layer_norm(
        cell.hyper_cell, np.concatenate([x, h], -1), [hyper_h, hyper_c], mask[:, n:]
    )
    scale_w, scale_b = np.array(cell.scale_embedding), np.array(cell.scale_bias)
    gates = []
    for gate in range(4):
        columns = slice(gate * n, (gate + 1) * n)
        total = np.array(cell.bias)[columns]
        for source, (value, kernel) in enumerate(((x, cell.kernel), (h, cell.recurrent_kernel))):
            k = 4 * source + gate
            embedding = slice(k * E, (k + 1) * E)
            z = hyper_h @ scale_w[:, embedding] + scale_b[embedding]
            total = total + (z @ np.array(cell.scale_kernel)[k]) * (
                value @ np.array(kernel)[:, columns]
            )
        z = hyper_h @ np.array(cell.shift_embedding)[:, gate * E : (gate + 1) * E]
        gates.append(total + z @ np.array(cell.shift_kernel)[gate])
    gates = block_norm(np.concatenate(gates, -1), 4, cell.gate_norm)
    c, o = memory(gates, c, mask[:, :n])
    h = np.tanh(block_norm(c, 1, cell.memory_norm)) * o
    return h, [h, c, hyper_h, hyper_c]


EQUATIONS = {"lstm": lstm, "layer_norm": layer_norm, "hyper": hyper}


def make(name, input_size=D, context_size=0, **options):
    if name == "hyper":
        options |= {"hyper_units": M, "hyper_embedding": E}
    cell = CELLS[name](N, input_size, context_size, **options)
    cell.build()
    return randomise(cell)


@pytest.fixture(params=list(CELLS))
def name(request):
    return request.param


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def states_of(cell):
    return [random(B, size, seed=k + 1) for k, size in enumerate(cell.state_size)]


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_three_steps_follow_the_equations(name, dropout):
    cell = make(name, recurrent_dropout=dropout)
    ours, theirs = states_of(cell), states_of(cell)
    for t in range(3):
        x = random(B, D, seed=10 + t)
        mask = np.ones((B, cell.dropout_size), "float32")
        inputs = x
        if dropout:
            mask = 2.0 * (random(B, cell.dropout_size, seed=20 + t) > 0).astype("float32")
            inputs = np.concatenate([x, mask], axis=-1)
        h, ours = cell(ops.convert_to_tensor(inputs), ours)
        expected, theirs = EQUATIONS[name](cell, x, theirs, mask)
        np.testing.assert_allclose(np.array(h), expected, rtol=1e-5, atol=2e-6)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(np.array(a), b, rtol=1e-5, atol=2e-6)


def test_context_is_an_input_concatenated_at_every_step(name):
    """A context projected once gives what the same vector beside each input gives."""
    cell, wide = make(name, context_size=Z), make(name, input_size=D + Z)
    ours = {v.path.partition("/")[2]: v for v in cell.trainable_variables}
    for variable in wide.trainable_variables:
        path = variable.path.partition("/")[2]
        value = np.array(ours[path])
        if path.endswith("/kernel") or path == "kernel":
            context = np.array(ours[path.replace("kernel", "context_kernel")])
            value = np.concatenate([value[:D], context, value[D:]])
        variable.assign(value)
    x, z = random(B, D), random(B, Z, seed=5)
    context = cell.project_context(ops.convert_to_tensor(z))
    h, states = cell(ops.convert_to_tensor(x), [*states_of(cell), *context])
    both = ops.convert_to_tensor(np.concatenate([x, z], axis=-1))
    expected, _ = wide(both, states_of(wide))
    np.testing.assert_allclose(np.array(h), np.array(expected), rtol=1e-5, atol=2e-6)
    assert len(states) == len(cell.state_size) + len(context)  # the context travels on


def test_masks_are_fresh_at_each_step_and_seeded(name):
    cell = make(name, recurrent_dropout=0.25)
    inputs = random(4, 50, D)
    seed = keras.random.SeedGenerator(3)
    masked = np.array(with_dropout_masks(CellStack([cell]), inputs, seed))
    np.testing.assert_array_equal(masked[..., :D], inputs)
    mask = masked[..., D:]
    assert mask.shape[-1] == cell.dropout_size
    assert set(np.unique(mask)) == {0.0, np.float32(1 / 0.75)}
    dropped = np.mean(mask == 0)
    assert abs(dropped - 0.25) < 5 * np.sqrt(0.25 * 0.75 / mask.size)
    assert (mask[:, 1:] != mask[:, :-1]).any(axis=(0, 2)).all()  # no step repeats the last
    assert (mask[0] != mask[1]).any()  # nor one example another
    again = with_dropout_masks(CellStack([cell]), inputs, keras.random.SeedGenerator(3))
    np.testing.assert_array_equal(masked, np.array(again))
    assert (np.array(with_dropout_masks(CellStack([cell]), inputs, seed)) != masked).any()


def test_no_masks_without_dropout(name):
    cell = make(name)
    inputs = random(B, 2, D)
    assert with_dropout_masks(CellStack([cell]), inputs, 0) is inputs


def test_dropping_everything_leaves_the_memory_to_the_forget_gate():
    """The mask touches the candidate: the old memory still decays by its gate, nothing else."""
    cell = make("lstm", recurrent_dropout=0.5)
    x, (h, c) = random(B, D), states_of(cell)
    _, (_, new) = cell(np.concatenate([x, np.zeros((B, N), "float32")], -1), [h, c])
    w = np.concatenate([np.array(cell.kernel), np.array(cell.recurrent_kernel)])
    f = np.split(np.concatenate([x, h], -1) @ w + np.array(cell.bias), 4, axis=-1)[2]
    np.testing.assert_allclose(np.array(new), c * sigmoid(f + 1.0), rtol=1e-5, atol=1e-6)


def test_recurrent_kernels_are_orthogonal_gate_by_gate(name):
    keras.utils.set_random_seed(0)
    cell = CELLS[name](N, D, Z)
    cell.build()
    kernels = [cell.recurrent_kernel]
    if isinstance(cell, HyperLSTMCell):
        kernels.append(cell.hyper_cell.recurrent_kernel)
    for kernel in kernels:
        gates = np.split(np.array(kernel), 4, axis=1)
        for gate in gates:
            np.testing.assert_allclose(gate.T @ gate, np.eye(len(gate)), atol=1e-5)
        assert not np.allclose(gates[0], gates[1])


def test_hyper_cell_starts_with_scales_of_a_tenth_and_no_shift():
    cell = HyperLSTMCell(N, D, hyper_units=M, hyper_embedding=E)
    cell.build()
    assert np.array(cell.bias).max() == 0
    hyper_h = random(B, M)
    scales = np.array(
        cell._per_gate(
            ops.matmul(hyper_h, cell.scale_embedding) + cell.scale_bias, cell.scale_kernel
        )
    )
    shifts = np.array(cell._per_gate(ops.matmul(hyper_h, cell.shift_embedding), cell.shift_kernel))
    np.testing.assert_allclose(scales, 0.1, rtol=1e-5)
    np.testing.assert_array_equal(shifts, 0.0)


def test_a_stack_is_its_cells_one_above_the_other():
    lower = LSTMCell(N, D, Z, recurrent_dropout=0.5)
    upper = HyperLSTMCell(M, N, recurrent_dropout=0.5, hyper_units=M, hyper_embedding=E)
    stack = CellStack([lower, upper])
    stack.build()
    randomise(stack)
    x, z = random(B, D), random(B, Z, seed=5)
    masks = 2.0 * (random(B, stack.dropout_size, seed=6) > 0).astype("float32")
    context = stack.project_context(ops.convert_to_tensor(z))
    states = states_of(stack)
    h, new = stack(np.concatenate([x, masks], -1), [*states, *context])
    middle, low = lower(np.concatenate([x, masks[:, :N]], -1), [*states[:2], *context])
    top, high = upper(np.concatenate([np.array(middle), masks[:, N:]], -1), states[2:])
    np.testing.assert_allclose(np.array(h), np.array(top), rtol=1e-5, atol=1e-6)
    for a, b in zip(new, [*low[:2], *high, *context], strict=True):
        np.testing.assert_allclose(np.array(a), np.array(b), rtol=1e-5, atol=1e-6)


def test_config_rebuilds_the_same_sizes(name):
    cell = make(name, context_size=Z, recurrent_dropout=0.25, forget_bias=0.5)
    other = type(cell).from_config(cell.get_config())
    other.build()
    assert [v.shape for v in other.weights] == [v.shape for v in cell.weights]
    assert (other.recurrent_dropout, other.forget_bias) == (0.25, 0.5)
