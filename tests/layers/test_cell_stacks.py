"""Residual cells, input dropout and parallel stacks against their equations and Magenta's."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.compilation import compiled
from latentgen.errors import InputError
from latentgen.layers.cell_stacks import (
    CellStack,
    ParallelCells,
    ResidualCell,
    cell_stack,
    with_dropout_masks,
)
from latentgen.layers.cells import CELLS, LayerNormLSTMCell, LSTMCell
from latentgen.layers.heads import CategoricalHead
from latentgen.layers.joint_head import JointHead
from tests.layers.test_cells import EQUATIONS
from tests.layers.test_decoder import weight_gradients
from tests.layers.test_joint_head import MagentaCase
from tests.tiny import randomise

B, D, C, Z, N = 3, 5, 2, 4, 6  # batch, element, control, context, units


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def states_of(cell):
    return [random(B, size, seed=k + 1) for k, size in enumerate(cell.state_size)]


def make(units=(N, N, 4), input_size=D + C, context_size=Z, **options) -> CellStack:
    stack = cell_stack("lstm", list(units), input_size, context_size, name="cells", **options)
    stack.build()
    return randomise(stack)


def ones(cell):
    return np.ones((B, cell.dropout_size), "float32")


def run(cell, inputs, z=None, states=None, seed=None):
    """Outputs (B, T, n) of a cell over inputs (B, T, D [+ masks])."""
    context = [] if z is None else cell.project_context(ops.convert_to_tensor(z), seed)
    states = [*(states or states_of(cell)), *context]
    return np.array(keras.layers.RNN(cell, return_sequences=True)(inputs, initial_state=states))


# Residual cells


def residual_step(stack, x, z, states):
    """Three layers: a projection of [x, z], a plain sum, a projection as the size changes."""
    new = []
    for k, layer in enumerate(stack.cells):
        if k == 0:
            weights = np.concatenate([np.array(layer.kernel), np.array(layer.context_kernel)])
            x = np.concatenate([x, z], -1) @ weights + np.array(layer.bias)
        if k == 2:
            x = x @ np.array(layer.kernel) + np.array(layer.bias)
        h, pair = EQUATIONS["lstm"](layer.cell, x, states[2 * k : 2 * k + 2], 1.0)
        x = x + h
        new += pair
    return x, new


def test_residual_stack_follows_the_equations():
    """Lowest layer and changes of size: W [x, z] + b is read and added; else the input itself."""
    stack = make(residual=True)
    assert [layer.projects for layer in stack.cells] == [True, False, True]
    assert stack.input_size == D + C
    z, inputs = random(B, Z, seed=5), random(B, 3, D + C)
    ours, states = run(stack, inputs, z), states_of(stack)
    for t in range(3):
        expected, states = residual_step(stack, inputs[:, t], z, states)
        np.testing.assert_allclose(ours[:, t], expected, rtol=1e-5, atol=1e-5)


def test_a_residual_stacks_context_is_projected_once_into_the_projection():
    stack = make(residual=True)
    projected = stack.project_context(ops.convert_to_tensor(random(B, Z)))
    assert [tuple(part.shape) for part in projected] == [(B, N)]  # not 4·N: no gate sees it
    assert all(layer.cell.context_size == 0 for layer in stack.cells)


def test_a_residual_cell_whose_input_is_not_added():
    """Its states are those of the cell with the addition: what an encoder's embedding is."""
    added = ResidualCell(LSTMCell(N, N, name="cell"), D, name="layer")
    added.build()
    randomise(added)
    bare = ResidualCell(LSTMCell(N, N, name="cell"), D, skip=False, name="layer")
    bare.build()
    bare.set_weights(added.get_weights())
    h, states = added(random(B, D), states_of(added))
    plain, same = bare(random(B, D), states_of(bare))
    p = random(B, D) @ np.array(added.kernel) + np.array(added.bias)
    np.testing.assert_allclose(np.array(h), np.array(plain) + p, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(np.array(plain), np.array(same[0]))
    np.testing.assert_array_equal(np.array(states[0]), np.array(same[0]))


@pytest.mark.parametrize("name", list(CELLS))
def test_every_cell_may_be_residual(name):
    stack = cell_stack(name, [N, N], D, Z, residual=True)
    stack.build()
    randomise(stack)
    z, inputs = random(B, Z, seed=5), random(B, D)
    context = stack.project_context(ops.convert_to_tensor(z))
    first, second = stack.cells
    states = states_of(stack)
    half = len(first.state_size)
    h, new = stack(inputs, [*states, *context])
    low, _ = first(inputs, [*states[:half], *context])
    inner, _ = second.cell(low, states[half:])
    np.testing.assert_allclose(np.array(h), np.array(low) + np.array(inner), rtol=1e-5, atol=1e-6)
    assert len(new) == len(states) + len(context)


def test_cells_that_cannot_be_residual_are_refused():
    with pytest.raises(InputError, match="cell: expected 6 inputs, as many as units"):
        ResidualCell(LSTMCell(N, D))
    with pytest.raises(InputError, match="no context"):
        ResidualCell(LSTMCell(N, N, Z), D)
    with pytest.raises(InputError, match="context_size: expected 0 without input_size"):
        ResidualCell(LSTMCell(N, N), context_size=Z)


# Dropout


@pytest.mark.parametrize("residual", [False, True])
def test_masks_of_ones_change_nothing_and_zeros_take_the_input_away(residual):
    stack = make(input_dropout=0.5, recurrent_dropout=0.25, residual=residual)
    sizes = [D + C, N, N, N, N, 4]  # input, candidate; layer by layer
    shares = [0.5, 0.25] * 3
    assert stack.dropout_shares == list(zip(shares, sizes, strict=True))
    assert stack.dropout_size == sum(sizes)
    x, z = random(B, D + C), random(B, Z, seed=5)
    context = stack.project_context(ops.convert_to_tensor(z))

    def step(inputs, mask=None):
        inputs = inputs if mask is None else np.concatenate([inputs, mask], -1)
        return np.array(stack(inputs, [*states_of(stack), *context])[0])

    np.testing.assert_allclose(step(x, ones(stack)), step(x), rtol=1e-6)
    for k, size in enumerate(sizes):
        mask, start = ones(stack), sum(sizes[:k])
        mask[:, start : start + size] = 0.0
        assert (np.abs(step(x, mask) - step(x)) > 1e-5).any(), k
    mask = ones(stack)
    mask[:, : D + C] = 0.0
    np.testing.assert_allclose(step(x, mask), step(0 * x), rtol=1e-5, atol=1e-6)


def test_masks_have_their_shares_and_are_fresh_at_each_step():
    stack = make(input_dropout=0.5, recurrent_dropout=0.25)
    inputs = random(8, 100, D + C)
    masked = np.array(with_dropout_masks(stack, inputs, keras.random.SeedGenerator(3)))
    assert masked.shape == (8, 100, D + C + stack.dropout_size)
    np.testing.assert_array_equal(masked[..., : D + C], inputs)
    start = D + C
    for share, size in stack.dropout_shares:
        mask = masked[..., start : start + size]
        start += size
        assert set(np.unique(mask)) == {0.0, np.float32(1 / (1 - share))}
        error = np.sqrt(share * (1 - share) / mask.size)
        assert abs((mask == 0).mean() - share) < 5 * error
        assert len(np.unique(mask.reshape(8, -1), axis=0)) == 8
        assert (mask[:, 1:] != mask[:, :-1]).any(axis=(0, 2)).mean() > 0.9
    again = with_dropout_masks(stack, inputs, keras.random.SeedGenerator(3))
    np.testing.assert_array_equal(masked, np.array(again))


def test_no_masks_without_dropout():
    inputs = random(B, 4, D + C)
    assert with_dropout_masks(make(), inputs, 3) is inputs
    # Nor room for what is never dropped.
    assert make(recurrent_dropout=0.25).dropout_size == N + N + 4
    assert make(input_dropout=0.25).dropout_size == D + C + N + N


def test_the_context_is_dropped_once_a_sequence_and_in_training_only():
    stack, z = make(input_dropout=0.5), random(200, Z)
    kernel = np.array(stack.cells[0].context_kernel)
    quiet = np.array(stack.project_context(ops.convert_to_tensor(z))[0])
    np.testing.assert_allclose(quiet, z @ kernel, rtol=1e-4, atol=1e-5)
    seed = keras.random.SeedGenerator(1)
    dropped = np.array(stack.project_context(ops.convert_to_tensor(z), seed)[0])
    entries = dropped @ np.linalg.pinv(kernel) / z  # what each entry of z was multiplied by
    np.testing.assert_allclose(entries, np.round(entries), atol=2e-2)
    assert set(np.unique(np.round(entries))) == {0.0, 2.0}
    assert abs((entries < 1).mean() - 0.5) < 5 * np.sqrt(0.25 / entries.size)


# Parallel stacks


def trio(**options) -> ParallelCells:
    """Three stacks, of one, two and two layers, that read 5, 4 and 3 columns and 2 of control."""
    units, sizes = [[N], [N, 4], [5, N]], [D, 4, 3]
    stacks = [
        cell_stack("lstm", u, size + C, Z, name=f"part_{k}", **options)
        for k, (u, size) in enumerate(zip(units, sizes, strict=True))
    ]
    cells = ParallelCells(stacks, sizes, C, name="cells")
    cells.build()
    return randomise(cells)


@pytest.mark.parametrize("residual", [False, True])
def test_parallel_stacks_are_stacks_each_with_its_own_columns(residual):
    cells = trio(residual=residual)
    assert cells.input_size == 5 + 4 + 3 + C
    assert cells.output_size == N + 4 + N
    assert cells.state_size == [N] * 2 + [N, N, 4, 4] + [5, 5, N, N]
    z, inputs, states = random(B, Z, seed=5), random(B, 4, 14), states_of(cells)
    ours = run(cells, inputs, z, states)
    alone = []
    for stack, columns in zip(cells.stacks, ([0, 5], [5, 9], [9, 12]), strict=True):
        read = np.concatenate([inputs[..., slice(*columns)], inputs[..., 12:]], -1)
        own, states = states[: len(stack.state_size)], states[len(stack.state_size) :]
        alone.append(run(stack, read, z, own))
    np.testing.assert_allclose(ours, np.concatenate(alone, -1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", list(CELLS))
def test_parallel_stacks_of_every_cell_step_like_their_stacks(name):
    stacks = [cell_stack(name, [N], size, Z, name=f"part_{size}") for size in (3, 2)]
    cells = ParallelCells(stacks, [3, 2])
    cells.build()
    randomise(cells)
    x, z, states = random(B, 5), random(B, Z, seed=5), states_of(cells)
    context = cells.project_context(ops.convert_to_tensor(z))
    h, new = cells(x, [*states, *context])
    half, count = len(states) // 2, len(context) // 2
    first, low = stacks[0](x[:, :3], [*states[:half], *context[:count]])
    second, high = stacks[1](x[:, 3:], [*states[half:], *context[count:]])
    expected = [*low[:half], *high[:half], *context]
    np.testing.assert_allclose(
        np.array(h), np.concatenate([np.array(first), np.array(second)], -1), rtol=1e-6
    )
    for a, b in zip(new, expected, strict=True):
        np.testing.assert_allclose(np.array(a), np.array(b), rtol=1e-6)


def test_parallel_stacks_take_their_own_masks():
    cells = trio(input_dropout=0.5, recurrent_dropout=0.25)
    x, z, states = random(B, 14), random(B, Z, seed=5), states_of(cells)
    masked = np.array(with_dropout_masks(cells, x[:, None], keras.random.SeedGenerator(2)))[:, 0]
    context = cells.project_context(ops.convert_to_tensor(z))
    h, _ = cells(masked, [*states, *context])
    masks, alone = masked[:, 14:], []
    for k, (stack, columns) in enumerate(zip(cells.stacks, ([0, 5], [5, 9], [9, 12]), strict=True)):
        size, count = stack.dropout_size, len(stack.state_size)
        read = [x[:, slice(*columns)], x[:, 12:], masks[:, :size]]
        masks = masks[:, size:]
        output, _ = stack(np.concatenate(read, -1), [*states[:count], context[k]])
        alone.append(np.array(output))
        states = states[count:]
    assert masks.shape[-1] == 0
    np.testing.assert_allclose(np.array(h), np.concatenate(alone, -1), rtol=1e-5, atol=1e-6)


def test_the_parts_of_the_context_drop_different_entries():
    cells, z = trio(input_dropout=0.5), ops.ones((50, Z))
    for stack in cells.stacks:
        stack.cells[0].context_kernel.assign(ops.ones((Z, 4 * stack.cells[0].units)))
    parts = cells.project_context(z, keras.random.SeedGenerator(1))
    counts = [np.array(part)[:, 0] for part in parts]
    assert (counts[0] != counts[1]).any()
    assert (counts[1] != counts[2]).any()


def test_stacks_that_do_not_fit_are_refused():
    def stack(size, context=Z, cell="lstm"):
        return cell_stack(cell, [N], size, context)

    with pytest.raises(InputError, match=r"inputs of \[5, 4\].* received stacks with .*\[3, 4\]"):
        ParallelCells([stack(3), stack(4)], [3, 2], 2)
    with pytest.raises(InputError, match="contexts of one size"):
        ParallelCells([stack(3), stack(2, Z + 1)], [3, 2])
    with pytest.raises(InputError, match="lowest cells of one kind"):
        ParallelCells([stack(3), stack(2, cell="hyper")], [3, 2])


# Both backends, XLA, gradients and files

BUILDERS = {
    "stack": lambda: make(input_dropout=0.5, recurrent_dropout=0.25),
    "residual": lambda: make(input_dropout=0.5, residual=True),
    "parallel": lambda: trio(input_dropout=0.5, residual=True),
}


@pytest.fixture(params=list(BUILDERS))
def any_cell(request):
    return BUILDERS[request.param]()


class Unroll(keras.layers.Layer):
    """A cell over a sequence, from zero states, beside a context: a decoder without a head."""

    def __init__(self, cell, **kwargs):
        super().__init__(**kwargs)
        self.cell = cell
        self.rnn = keras.layers.RNN(cell, return_sequences=True)

    def build(self, *shapes):
        self.rnn.build((None, None, self.cell.input_size))
        self.built = True

    def call(self, inputs, z):
        zero = ops.zeros_like(z[:, :1])
        states = [ops.repeat(zero, size, axis=-1) for size in self.cell.state_size]
        return self.rnn(inputs, initial_state=[*states, *self.cell.project_context(z)])

    def get_config(self):
        return super().get_config() | {"cell": keras.saving.serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config):
        return cls(**config | {"cell": keras.saving.deserialize_keras_object(config["cell"])})


def test_they_compile_in_a_loop(any_cell):
    unroll = Unroll(any_cell)
    inputs, z = random(B, 4, any_cell.input_size), random(B, Z)
    masked = np.array(with_dropout_masks(any_cell, inputs, keras.random.SeedGenerator(0)))
    for given in (inputs, masked):
        expected = np.array(unroll(ops.convert_to_tensor(given), ops.convert_to_tensor(z)))
        fast = np.array(compiled(unroll, unroll.call)(given, z))
        np.testing.assert_allclose(fast, expected, rtol=1e-4, atol=1e-5)


def test_gradients_reach_every_weight(any_cell):
    unroll = Unroll(any_cell)
    unroll.build()
    inputs, z = random(B, 4, any_cell.input_size), ops.convert_to_tensor(random(B, Z))
    slopes = weight_gradients(unroll, lambda: ops.sum(ops.square(unroll(inputs, z))))
    for variable, slope in zip(unroll.trainable_variables, slopes, strict=True):
        assert np.isfinite(slope).all(), variable.path
        assert np.abs(slope).max() > 0, variable.path


def test_they_are_saved_and_loaded(any_cell, tmp_path):
    inputs, context = keras.Input((None, any_cell.input_size)), keras.Input((Z,))
    model = keras.Model([inputs, context], Unroll(any_cell)(inputs, context))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom_objects={"Unroll": Unroll})
    assert len(loaded.weights) == len(any_cell.weights)
    given = [random(B, 4, any_cell.input_size), random(B, Z)]
    np.testing.assert_array_equal(np.array(model(given)), np.array(loaded(given)))


def test_config_rebuilds_the_same_cell(any_cell):
    other = type(any_cell).from_config(any_cell.get_config())
    other.build()
    assert [v.shape for v in other.weights] == [v.shape for v in any_cell.weights]
    assert other.dropout_shares == any_cell.dropout_shares
    assert other.state_size == any_cell.state_size
    other.set_weights(any_cell.get_weights())
    inputs, z = random(B, 4, any_cell.input_size), random(B, Z)
    np.testing.assert_array_equal(run(other, inputs, z), run(any_cell, inputs, z))


def test_a_residual_cells_config():
    first = ResidualCell(LayerNormLSTMCell(N, N, recurrent_dropout=0.5), D, Z, skip=False)
    other = ResidualCell.from_config(first.get_config())
    assert (other.input_size, other.context_size, other.skip) == (D, Z, False)
    assert isinstance(other.cell, LayerNormLSTMCell)
    assert other.recurrent_dropout == 0.5
    plain = ResidualCell.from_config(ResidualCell(LSTMCell(N, N)).get_config())
    assert not plain.projects


# Against Magenta


@pytest.mark.shared
def test_magentas_split_decoder_is_parallel_stacks_with_a_joint_head():
    """Three core decoders under a conductor of three segments (hierdec_split_trio)."""
    case = MagentaCase("music_hierdec_split_trio")
    sizes = [5, 4, 6]
    stacks = [cell_stack("lstm", [32, 32], n, 32, name=f"part_{n}") for n in sizes]
    cores = ParallelCells(stacks, sizes)
    head = JointHead([CategoricalHead(32, n, name=f"head_{n}") for n in sizes], shared=False)
    initial = keras.layers.Dense(sum(cores.state_size), activation="tanh")
    conductor = cell_stack("lstm", [32, 32], 1)
    first = keras.layers.Dense(sum(conductor.state_size), activation="tanh")
    for layer in (cores, head, conductor):
        layer.build()
    initial.build((None, 32))
    first.build((None, 16))
    states = []
    for k, (stack, part) in enumerate(zip(stacks, head.heads, strict=True)):
        scope = f"core_decoder/core_decoder_{k}/decoder"
        case.assign_stack(stack, f"{scope}/multi_rnn_cell")
        part.projection.set_weights(case.dense(f"{scope}/output_projection"))
        states.append(case.initial_state(f"{scope}/z_to_initial_state"))
    # A plain concatenation, stack after stack.
    initial.set_weights([np.concatenate(parts, -1) for parts in zip(*states, strict=True)])
    level = "decoder/hierarchical_level_0"
    case.assign_stack(conductor, level)
    first.set_weights(case.initial_state(f"{level}/initial_state"))

    def split(packed, cell):
        return list(np.split(np.array(packed), np.cumsum(cell.state_size)[:-1], axis=-1))

    z, targets = case.recorded["z_fixed"], case.recorded["targets"]
    embeddings = run(conductor, np.zeros((3, 3, 1), "float32"), states=split(first(z), conductor))
    inputs = np.concatenate([0 * targets[:, :1], targets[:, :-1]], 1)
    features = [
        run(cores, inputs[:, 4 * k : 4 * k + 4], embedding, split(initial(embedding), cores))
        for k, embedding in enumerate(np.swapaxes(embeddings, 0, 1))
    ]
    case.check_losses(head, head(np.concatenate(features, 1)))
