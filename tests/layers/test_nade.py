"""The NADE head against its equations in NumPy, all outcomes and TensorFlow Probability."""

import numpy as np
import pytest
from keras import ops
from scipy import stats

from latentgen.layers.nade import NadeHead
from latentgen.training.gradients import gradient
from tests.layers.test_bernoulli import (
    check_compiled,
    outcomes,
    repeated,
    round_trip,
    slope_of,
)
from tests.layers.test_decoder import weight_gradients
from tests.layers.test_heads import on_tensorflow, random, uniform
from tests.tiny import UNITS, randomise

D, H = 4, 5
ROWS = outcomes(D)


def make(scale: float = 1.0, **options) -> NadeHead:
    head = NadeHead(UNITS, D, H, **options)
    head.build()
    return randomise(head, scale=scale)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def conditionals(head: NadeHead, parameters: np.ndarray, row: np.ndarray) -> np.ndarray:
    """p(v_i = 1 | v_<i) of one row, in float64 (Uria et al. 2016, eqs. 3 and 4)."""
    w_enc, w_dec = np.array(head.w_enc, "float64"), np.array(head.w_dec, "float64")
    b_enc, b_dec = parameters[:H].astype("float64"), parameters[H:].astype("float64")
    return np.array(
        [sigmoid(b_dec[i] + sigmoid(b_enc + row[:i] @ w_enc[:i]) @ w_dec[i]) for i in range(D)]
    )


def test_log_prob_and_loss_follow_the_equations():
    head, parameters = make(), random(2**D, H + D)
    p = np.stack([conditionals(head, *pair) for pair in zip(parameters, ROWS, strict=True)])
    exact = (ROWS * np.log(p) + (1 - ROWS) * np.log(1 - p)).sum(-1)
    floored = (ROWS * np.log(1e-6 + p) + (1 - ROWS) * np.log(1e-6 + 1 - p)).sum(-1)
    np.testing.assert_allclose(np.array(head.log_prob(parameters, ROWS)), exact, rtol=1e-5)
    np.testing.assert_allclose(np.array(head.loss(parameters, ROWS)), -floored, rtol=1e-5)
    head.probability_floor = 0.0
    np.testing.assert_allclose(np.array(head.loss(parameters, ROWS)), -exact, rtol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_probabilities_of_all_outcomes_sum_to_one(scale):
    head, parameters = make(scale), random(H + D, scale=scale)
    logs = np.array(head.log_prob(repeated(parameters, 2**D), ROWS), "float64")
    assert abs(np.exp(logs).sum() - 1.0) < 1e-5


@on_tensorflow
def test_log_prob_is_that_of_tensorflow_probability():
    head, parameters = make(), random(2**D, H + D)
    theirs = head.as_tfp(parameters).log_prob(ROWS).numpy()
    np.testing.assert_allclose(np.array(head.log_prob(parameters, ROWS)), theirs, rtol=1e-5)
    assert head.as_tfp(parameters).sample(seed=1).shape == ROWS.shape


def test_values_depend_on_those_before_them_alone():
    head, parameters = make(), random(1, H + D)
    logits = np.array(head.conditional_logits(repeated(parameters[0], 2), ROWS[[0, 0]]))
    for changed in range(D):
        row = ROWS[:1].copy()
        row[0, changed] = 1.0
        other = np.array(head.conditional_logits(parameters, row))[0]
        np.testing.assert_allclose(other[: changed + 1], logits[0, : changed + 1], rtol=1e-5)
        assert (np.abs(other - logits[0])[changed + 1 :] > 1e-4).all()


def test_samples_have_the_joint_frequencies():
    """Not only each value's own: the sixteen outcomes together."""
    head, parameters, n = make(2.0), random(H + D), 20000
    drawn = np.array(head.sample(repeated(parameters, n), uniform(n, D)))
    counts = np.bincount((drawn @ [8, 4, 2, 1]).astype(int), minlength=2**D)
    p = np.exp(np.array(head.log_prob(repeated(parameters, 2**D), ROWS), "float64"))
    assert stats.chisquare(counts, n * p / p.sum()).pvalue > 1e-3


def test_temperature_divides_each_conditional_logit():
    head, parameters, n = make(2.0), random(H + D), 20000
    drawn = np.array(head.sample(repeated(parameters, n), uniform(n, D), 0.5))
    counts = np.bincount((drawn @ [8, 4, 2, 1]).astype(int), minlength=2**D)
    p = np.stack([conditionals(head, parameters, row) for row in ROWS])
    p = sigmoid(2.0 * np.log(p / (1 - p)))
    joint = np.prod(ROWS * p + (1 - ROWS) * (1 - p), axis=-1)
    assert stats.chisquare(counts, n * joint).pvalue > 1e-3


def test_samples_become_the_mode_as_the_temperature_falls():
    head, parameters = make(), random(50, H + D)
    mode = np.array(head.mode(parameters))
    for parameter, row in zip(parameters, mode, strict=True):
        np.testing.assert_array_equal(row, conditionals(head, parameter, row) >= 0.5)
    drawn = np.array(head.sample(parameters, uniform(50, D), 1e-6))
    np.testing.assert_array_equal(drawn, mode)
    assert (np.array(head.sample(parameters, uniform(50, D))) != mode).any()


@pytest.mark.parametrize("size", [1e2, 1e4])
@pytest.mark.parametrize("floor", [1e-6, 0.0])
def test_saturated_parameters_give_finite_losses_and_gradients(size, floor):
    head, parameters = make(probability_floor=floor), random(2**D, H + D, scale=size)
    for function in (head.loss, head.log_prob):
        assert np.isfinite(np.array(function(parameters, ROWS))).all()
        slope = slope_of(lambda p, f=function: f(p, ROWS), parameters)
        assert np.isfinite(slope).all()
    if floor:
        assert np.array(head.loss(parameters, ROWS)).max() < D * 13.9


def test_gradients_reach_every_weight_and_are_those_of_differences():
    head, features = make(), random(2**D, UNITS)

    def total():
        return ops.sum(head.loss(head(features), ROWS))

    slopes = weight_gradients(head, total)
    by_path = dict(zip([v.name for v in head.trainable_variables], slopes, strict=True))
    for name in ("w_enc", "w_dec"):
        weights = getattr(head, name)
        value, step = np.array(weights), np.zeros((D, H), "float32")
        step[1, 2] = 1e-2
        ends = []
        for sign in (1, -1):
            weights.assign(value + sign * step)
            ends.append(float(total()))
        weights.assign(value)
        expected = (ends[0] - ends[1]) / 2e-2
        assert abs(by_path[name][1, 2] - expected) < 1e-2 * (1 + abs(expected))
    # The last value conditions nothing: its row of w_enc is never read.
    assert (by_path["w_enc"][-1] == 0).all()
    assert (by_path["w_enc"][:-1] != 0).all()


def test_relaxed_values_become_draws_and_keep_gradients():
    head, parameters = make(), random(200, H + D)
    noise = uniform(200, D)
    cold = np.array(head.relax(parameters, noise, 1e-3))
    assert (np.minimum(cold, 1 - cold) < 0.01).mean() > 0.95

    def last(p):
        return ops.sum(head.relax(p, noise, 0.5)[:, -1])

    slope = np.array(gradient(last, ops.convert_to_tensor(parameters)))
    assert np.isfinite(slope).all()
    assert (np.abs(slope).max(axis=0) > 0).all()  # through the values before it too


def test_it_compiles():
    check_compiled(make(), random(2**D, H + D), ROWS)


def test_it_is_saved_and_loaded(tmp_path):
    first = NadeHead(UNITS, D, H, probability_floor=0.0)
    loaded = round_trip(first, tmp_path)
    assert (loaded.size, loaded.hidden, loaded.probability_floor) == (D, H, 0.0)
    features = random(3, UNITS)
    ours, theirs = (np.array(h.log_prob(h(features), ROWS[:3])) for h in (first, loaded))
    np.testing.assert_array_equal(ours, theirs)
