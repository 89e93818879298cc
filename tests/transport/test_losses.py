"""Costs of pairs of vectors, and the losses on sequences of them."""

from functools import partial

import keras
import numpy as np
import pytest
from keras import ops
from scipy.spatial.distance import cdist

from latentgen.compilation import compiled
from latentgen.errors import InputError
from latentgen.training.gradients import gradient
from latentgen.transport import (
    cosine_cost,
    euclidean_cost,
    ipot,
    sequence_loss,
    sinkhorn,
    soft_argmax,
    squared_euclidean_cost,
)

COSTS = {
    "cosine": cosine_cost,
    "euclidean": euclidean_cost,
    "sqeuclidean": squared_euclidean_cost,
}
each_cost = pytest.mark.parametrize("name", list(COSTS))


def vectors(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@each_cost
def test_costs_are_scipy_s(name):
    x, y = vectors(2, 4, 3), vectors(2, 5, 3, seed=1)
    found = COSTS[name](ops.convert_to_tensor(x), ops.convert_to_tensor(y))
    expected = [cdist(a, b, name) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@each_cost
def test_equal_and_zero_vectors_have_a_finite_gradient(name):
    x = vectors(1, 3, 4)
    x[0, 1] = 0.0

    def total(x):
        return ops.sum(COSTS[name](x, ops.concatenate([ops.stop_gradient(x)] * 2, axis=1)))

    equal = np.diagonal(np.array(COSTS[name](x, x))[0])
    np.testing.assert_allclose(equal, [0, name == "cosine", 0], atol=2e-6)
    assert np.isfinite(np.array(gradient(total, x))).all()


def test_near_vectors_are_not_lost_in_rounding():
    x = 100.0 + vectors(1, 3, 4)
    np.testing.assert_allclose(np.array(euclidean_cost(x, x + 0.5))[0].diagonal(), 1.0, rtol=1e-4)


def test_soft_argmax_sharpens_to_the_argmax():
    logits = vectors(4, 6)
    np.testing.assert_allclose(np.array(soft_argmax(logits)).sum(-1), 1, rtol=1e-6)
    np.testing.assert_allclose(soft_argmax(logits, 1e-3), np.eye(6)[logits.argmax(-1)], atol=1e-6)
    np.testing.assert_allclose(soft_argmax(logits, 2.0), soft_argmax(logits / 2), rtol=1e-6)


def test_order_costs_nothing_and_other_vectors_do():
    x = vectors(2, 5, 8)
    exact = partial(ipot, beta=0.1, iterations=200)
    shuffled, other = x[:, [3, 0, 4, 1, 2]], vectors(2, 5, 8, seed=1)
    np.testing.assert_allclose(sequence_loss(x, shuffled, solver=exact), 0, atol=1e-4)
    assert np.array(sequence_loss(x, other, solver=exact)).min() > 0.3


def test_the_solver_and_the_cost_can_be_others():
    x, y = vectors(2, 5, 8), vectors(2, 6, 8, seed=1)
    solver = partial(sinkhorn, epsilon=0.3)
    found = sequence_loss(x, y, cost=euclidean_cost, solver=solver)
    np.testing.assert_allclose(found, solver(euclidean_cost(x, y)).cost, rtol=1e-6)


JUNK = [0.0, 1e38, -1e38, np.inf, np.nan]


@each_cost
def test_padding_changes_nothing_whatever_stands_there(name):
    options = {"cost": COSTS[name], "solver": partial(ipot, iterations=10)}
    a, b = vectors(1, 5, 4), vectors(1, 3, 4, seed=1)
    x, y = (np.repeat(np.pad(v, ((0, 0), (0, 2), (0, 0))), len(JUNK), axis=0) for v in (a, b))
    for k, junk in enumerate(JUNK):
        x[k, 5:], y[k, 3:] = junk, junk
    n, mask = np.full(len(JUNK), 5), np.repeat(np.arange(5)[None] < 3, len(JUNK), axis=0)

    def slope(x, y, *masks):
        return np.array(gradient(lambda y: ops.sum(sequence_loss(x, y, *masks, **options)), y))

    expected = sequence_loss(a, b, **options)
    np.testing.assert_allclose(sequence_loss(x, y, n, mask, **options), [*expected] * 5, rtol=1e-4)
    found = slope(x, y, n, mask)
    np.testing.assert_allclose(found[:, :3] - slope(a, b), 0, atol=1e-4)
    assert not found[:, 3:].any()


def test_an_empty_sequence_costs_nothing():
    x, y = vectors(2, 4, 3), vectors(2, 5, 3, seed=1)
    found = np.array(sequence_loss(x, y, np.array([4, 0])))
    assert found[0] > 0.1
    assert found[1] == 0


def test_following_the_gradient_finds_the_given_vectors():
    given, output = vectors(1, 4, 3), vectors(1, 4, 3, seed=1)

    def loss(output):
        return ops.sum(sequence_loss(given, output, cost=squared_euclidean_cost))

    start = float(loss(output))
    downhill = compiled(keras.layers.Layer(), lambda output: output - gradient(loss, output), False)
    for _ in range(40):
        output = downhill(output)
    assert float(loss(output)) < 0.02 * start


def test_shapes_that_do_not_belong_together_are_refused():
    with pytest.raises(InputError, match=r"output_counted: expected lengths \(2,\)"):
        sequence_loss(vectors(2, 4, 3), vectors(2, 5, 3), None, np.ones((2, 4)))
