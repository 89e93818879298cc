"""IPOT and Sinkhorn against POT's exact and entropic plans, and against the published recurrence.

JAX and TensorFlow are held to the same numbers, POT's and the recurrence's, so to each other.
"""

from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.compilation import compiled
from latentgen.errors import InputError
from latentgen.training.gradients import gradient
from latentgen.transport import cosine_cost, ipot, sinkhorn

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
SOLVERS = pytest.mark.parametrize("solver", [ipot, sinkhorn])


@pytest.fixture(scope="module")
def ot():
    """POT, which would otherwise import every backend it finds beside NumPy."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):
            patch.setenv(f"POT_BACKEND_DISABLE_{name}", "1")
        return pytest.importorskip("ot", reason="needs POT: make install")


def costs(problems=6, n=20, m=25, size=16, seed=0):
    """Cosine costs of random vectors, the size that METHODS' figures are of."""
    generator = np.random.default_rng(seed)
    x, y = (generator.normal(size=(problems, k, size)).astype("float32") for k in (n, m))
    return np.array(cosine_cost(ops.convert_to_tensor(x), ops.convert_to_tensor(y)))


def in_one(function, *tensors):
    """function(*tensors) in one graph: hundreds of iterations take seconds without."""
    return compiled(keras.layers.Identity(), function, jit_compile=False)(*tensors)


def weights(problems, n, seed=0):
    drawn = np.random.default_rng(seed).uniform(0.2, 1.0, (problems, n))
    return (drawn / drawn.sum(axis=1, keepdims=True)).astype("float32")


def exact(ot, cost, a=None, b=None):
    """The least cost of each problem; uniform masses without a and b."""
    none: list = [[]] * len(cost)
    problems = zip(cost, none if a is None else a, none if b is None else b, strict=True)
    return np.array([ot.emd2(*(_exactly_one(w) for w in (p, q)), c) for c, p, q in problems])


def _exactly_one(mass):
    mass = np.asarray(mass, "float64")
    return mass / mass.sum() if mass.size else mass


def excess(found, ot, cost, **masses):
    return float((np.array(found.cost) / exact(ot, cost.astype("float64"), **masses) - 1).mean())


def arrays(found):
    return [np.array(part) for part in found]


def test_the_released_settings_come_as_near_to_the_exact_cost_as_published(ot):
    cost = costs(12)
    assert excess(ipot(cost, beta=0.5, iterations=50), ot, cost) == pytest.approx(0.0013, abs=6e-4)
    assert excess(ipot(cost, beta=1.0, iterations=10), ot, cost) == pytest.approx(0.11, abs=0.015)


def test_ipot_converges_to_the_exact_plan(ot):
    cost = costs()
    solve = partial(ipot, beta=0.2, iterations=600)
    found = in_one(solve, cost)
    np.testing.assert_allclose(found.cost, exact(ot, cost.astype("float64")), rtol=1e-4)
    plans = [ot.emd([], [], c.astype("float64")) for c in cost]
    # Where two plans cost nearly the same, as in one of these, the cost alone tells them apart.
    assert np.isclose(found.plan, plans, atol=2e-3).mean() > 0.99
    assert np.array(found.marginal_error).max() < 1e-3
    a, b = weights(6, 20), weights(6, 25, seed=1)
    unequal = in_one(solve, cost, a, b)
    assert excess(unequal, ot, cost, a=a, b=b) == pytest.approx(0.0, abs=1e-3)


def test_ipot_is_the_published_recurrence():
    cost, beta = costs().astype("float64"), 0.5
    found = arrays(ipot(cost, beta=beta, iterations=30))
    for c, plan in zip(cost, found[0], strict=True):
        n, m = c.shape
        sigma, t = np.full(m, 1 / m), np.ones((n, m))
        for _ in range(30):
            q = np.exp(-c / beta) * t
            delta = 1 / (n * (q @ sigma))
            sigma = 1 / (m * (q.T @ delta))
            t = delta[:, None] * q * sigma
        np.testing.assert_allclose(plan, t, atol=2e-6)


def test_sinkhorn_is_pot_s(ot):
    cost, a, b = costs(4), weights(4, 20), weights(4, 25, seed=1)
    found = sinkhorn(cost, a, b, epsilon=0.1, iterations=300)
    for k, plan in enumerate(np.array(found.plan)):
        masses = [_exactly_one(w[k]) for w in (a, b)]
        expected = ot.sinkhorn(*masses, cost[k].astype("float64"), 0.1, stopThr=1e-12)
        np.testing.assert_allclose(plan, expected, atol=1e-6)


def test_ipot_is_sinkhorn_with_beta_over_iterations():
    cost = costs()
    one = ipot(cost, beta=10.0, iterations=200)
    other = sinkhorn(cost, epsilon=10.0 / 200, iterations=400)
    np.testing.assert_allclose(one.plan, other.plan, atol=1e-5)
    np.testing.assert_allclose(one.cost, other.cost, rtol=1e-4)


@SOLVERS
def test_the_result_says_what_it_is(solver):
    cost = costs(3, 4, 6)
    plan, price, error = arrays(solver(cost, iterations=2))
    assert (plan.shape, price.shape, error.shape) == ((3, 4, 6), (3,), (3,))
    np.testing.assert_allclose(price, (plan * cost).sum((1, 2)), rtol=1e-5)
    rows, columns = abs(plan.sum(2) - 1 / 4).sum(1), abs(plan.sum(1) - 1 / 6).sum(1)
    np.testing.assert_allclose(error, rows + columns, atol=1e-6)
    assert error.min() > 1e-4  # after two iterations
    assert arrays(solver(cost, iterations=300))[2].max() < 1e-3


# What does not count


JUNK = [0.0, 1e30, -1e30, np.inf, np.nan]


@SOLVERS
@pytest.mark.parametrize("unrolled", [False, True])
def test_padding_has_no_mass_whatever_stands_there(solver, unrolled):
    n, m, options = 3, 2, {"iterations": 20, "unrolled": unrolled}
    alone = costs(1, n, m)
    cost = np.repeat(np.pad(alone, ((0, 0), (0, 1), (0, 3))), len(JUNK), axis=0)
    for padded, junk in zip(cost, JUNK, strict=True):
        padded[n:], padded[:, m:] = junk, junk
    rows, columns = np.full(len(JUNK), n), np.full(len(JUNK), m)

    plan, price, error = arrays(solver(cost, rows, columns, **options))
    expected = arrays(solver(alone, **options))
    np.testing.assert_allclose(plan[:, :n, :m] - expected[0], 0, atol=1e-5)
    np.testing.assert_allclose(price - expected[1], 0, atol=1e-5)
    np.testing.assert_allclose(error - expected[2], 0, atol=1e-5)
    assert plan.sum() == pytest.approx(plan[:, :n, :m].sum())

    slope = gradient(lambda c: ops.sum(solver(c, rows, columns, **options).cost), cost)
    expected = gradient(lambda c: ops.sum(solver(c, **options).cost), alone)
    slope = np.array(slope)
    np.testing.assert_allclose(slope[:, :n, :m] - np.array(expected), 0, atol=1e-5)
    assert not slope[:, n:].any()
    assert not slope[:, :, m:].any()


def test_lengths_masks_and_weights_say_the_same():
    cost, lengths = costs(3, 4, 5), (np.array([4, 2, 1]), np.array([3, 5, 2]))
    masks = [np.arange(n) < length[:, None] for n, length in zip((4, 5), lengths, strict=True)]
    expected = ipot(cost, *lengths, iterations=5)
    for given in (masks, [7 * mask for mask in masks], [mask / 9 for mask in masks]):
        for one, other in zip(ipot(cost, *given, iterations=5), expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


@SOLVERS
def test_a_mask_need_not_be_a_beginning(solver):
    cost, keep = costs(2, 5, 6), np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 1]], bool)
    found = arrays(solver(cost, keep))
    for k in range(2):
        np.testing.assert_allclose(
            found[0][k, keep[k]], solver(cost[k : k + 1, keep[k]]).plan[0], atol=1e-6
        )


@SOLVERS
def test_one_row_and_one_column_have_one_plan(solver):
    for shape in ((2, 1, 7), (2, 7, 1), (2, 1, 1)):
        cost = costs(*shape)
        plan, price, error = arrays(solver(cost, iterations=3))
        np.testing.assert_allclose(plan, 1 / plan[0].size, rtol=1e-5)
        np.testing.assert_allclose(price, cost.mean((1, 2)), atol=1e-6)
        np.testing.assert_allclose(error, 0, atol=1e-5)


@SOLVERS
@pytest.mark.parametrize("unrolled", [False, True])
def test_nothing_costs_nothing(solver, unrolled):
    cost = costs(4, 4, 5)
    rows, columns = np.array([4, 0, 3, 0]), np.array([5, 2, 0, 0])

    def price(c):
        return ops.sum(solver(c, rows, columns, iterations=9, unrolled=unrolled).cost)

    for part in (*solver(cost, rows, columns, iterations=9), gradient(price, cost)):
        assert np.isfinite(np.array(part)).all()
        assert (np.array(part)[1:] == 0).all()
        assert (np.array(part)[0] != 0).any()


@SOLVERS
def test_large_and_sharp_problems_stay_numbers(solver):
    cost = 1000 * costs(2)
    plan, price, error = arrays(solver(cost, iterations=200))
    assert np.isfinite([*price, *error]).all()
    np.testing.assert_allclose(plan.sum((1, 2)), 1, rtol=2e-2)


# Gradients


def test_the_plan_held_fixed_is_the_gradient(ot):
    cost = costs(2, 5, 6)
    held = np.array(gradient(lambda c: ops.sum(ipot(c).cost), cost))
    np.testing.assert_allclose(held, ipot(cost).plan, atol=1e-7)
    plan = ot.emd([], [], cost[0].astype("float64"))
    total = partial(gradient, lambda c: ops.sum(ipot(c, beta=0.05, iterations=2000).cost))
    np.testing.assert_allclose(in_one(total, cost)[0], plan, atol=2e-3)


@SOLVERS
def test_the_unrolled_gradient_is_that_of_finite_differences(solver):
    cost, step = costs(1, 3, 4), 1e-2
    options = {"epsilon": 0.4} if solver is sinkhorn else {}

    def price(c):
        return solver(c, iterations=6, unrolled=True, **options).cost

    slope = np.array(gradient(lambda c: ops.sum(price(c)), cost))
    changes = step * np.eye(12, dtype="float32").reshape(12, 3, 4)
    up, down = np.array(price(np.concatenate([cost + changes, cost - changes]))).reshape(2, 12)
    np.testing.assert_allclose(slope.ravel(), (up - down) / (2 * step), atol=2e-4)


def test_few_iterations_have_another_gradient_than_their_plan():
    """Why `unrolled` is there: what is held fixed is not yet the best plan."""

    def slope(unrolled, **options):
        price = partial(ipot, unrolled=unrolled, **options)
        total = partial(gradient, lambda c: ops.sum(price(c).cost))
        return np.array(in_one(total, costs(1, 6, 6)))

    few, enough = {"beta": 1.0, "iterations": 10}, {"beta": 0.1, "iterations": 500}
    assert abs(slope(False, **few) - slope(True, **few)).max() > 0.01
    np.testing.assert_allclose(slope(False, **enough), slope(True, **enough), atol=1e-3)


def test_unrolled_masses_and_plans_have_gradients_too():
    cost, a = costs(1, 3, 4), weights(1, 3)
    change = gradient(lambda w: ops.sum(ipot(cost, w, unrolled=True).cost), a)
    assert abs(np.array(change)).max() > 1e-3
    held = gradient(lambda w: ops.sum(ipot(cost, w).cost) + ops.sum(w), a)
    np.testing.assert_allclose(held, 1.0)
    change = gradient(lambda c: ipot(c, unrolled=True).plan[0, 0, 0], cost)
    assert abs(np.array(change)).max() > 1e-3


@SOLVERS
@pytest.mark.parametrize("unrolled", [False, True])
@pytest.mark.parametrize("jit_compile", [False, True] if ON_TENSORFLOW else [True])
def test_it_compiles_with_its_gradient(solver, unrolled, jit_compile):
    cost, rows = costs(3, 4, 5), np.array([4, 1, 0])

    def both(c):
        def price(c):
            return ops.sum(solver(c, rows, iterations=8, unrolled=unrolled).cost)

        return price(c), gradient(price, c)

    expected = both(cost)
    program = compiled(keras.layers.Layer(), both, jit_compile)
    for one, other in zip(program(ops.convert_to_tensor(cost)), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="JAX knows every shape")
def test_unknown_shapes_are_no_obstacle():
    import tensorflow as tf

    unknown = tf.TensorSpec((None, None, None), "float32")
    program = tf.function(lambda c, n: ipot(c, n).cost, [unknown, tf.TensorSpec((None,), "int32")])
    for shape in ((2, 4, 5), (3, 6, 2)):
        cost, rows = costs(*shape), np.arange(1, shape[0] + 1).astype("int32")
        np.testing.assert_allclose(program(cost, rows), ipot(cost, rows).cost, rtol=1e-5)


def test_half_precision_is_counted_in_single():
    cost = costs(2).astype("float16")
    found = ipot(cost)
    assert keras.backend.standardize_dtype(found.cost.dtype) == "float32"
    np.testing.assert_allclose(found.cost, ipot(cost.astype("float32")).cost, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: ipot(c[0]), r"cost: expected \(problems, rows, columns\), .* \(4, 5\)"),
        (lambda c: ipot(c, np.ones((2, 4))), r"rows: expected lengths \(3,\) .* \(2, 4\)"),
        (lambda c: ipot(c, None, np.ones(4)), r"columns: expected lengths \(3,\) .* \(4,\)"),
        (lambda c: sinkhorn(c, np.ones((3, 4, 1))), r"rows: expected .* received \(3, 4, 1\)"),
        (lambda c: ipot(c, beta=0.0), "beta: expected a number above 0, received 0.0"),
        (lambda c: sinkhorn(c, epsilon=float("nan")), "epsilon: expected .* received nan"),
        (lambda c: ipot(c, iterations=0), "iterations: expected 1 or more, received 0"),
    ],
)
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises(InputError, match=message) as raised:
        call(costs(3, 4, 5))
    assert "\n" not in str(raised.value)
