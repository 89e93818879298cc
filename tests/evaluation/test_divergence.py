"""Divergences of listed distributions, against values worked out by hand and the stated limits."""

import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.evaluation.divergence import generalized_js, kl

P, Q = np.array([0.5, 0.5]), np.array([0.25, 0.75])


def random_pair(seed, shape):
    random = np.random.default_rng(seed)
    return [random.dirichlet(np.ones(np.prod(shape))).reshape(shape) for _ in range(2)]


def test_known_values():
    assert kl(P, Q) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    assert kl(Q, P) == pytest.approx(0.25 * np.log(1 / 2) + 0.75 * np.log(3 / 2))
    assert kl(P, P) == 0.0
    assert kl([1.0, 0.0], [0.5, 0.5]) == pytest.approx(np.log(2))
    assert kl([0.5, 0.5], [1.0, 0.0]) == np.inf
    assert generalized_js([1.0, 0.0], [0.0, 1.0]) == pytest.approx(np.log(2))


@pytest.mark.parametrize("shape", [(2,), (50,), (6, 7)])
def test_js_nears_either_kl_at_its_ends(shape):
    p, q = random_pair(3, shape)
    assert generalized_js(p, q, 1e-6) / 1e-6 == pytest.approx(kl(p, q), rel=1e-3)
    assert generalized_js(p, q, 1 - 1e-6) / 1e-6 == pytest.approx(kl(q, p), rel=1e-3)
    assert generalized_js(p, q, 0.0) == generalized_js(p, q, 1.0) == 0.0


def test_js_is_symmetric_and_bounded_by_the_entropy_of_its_weight():
    for seed in range(5):
        p, q = random_pair(seed, (20,))
        assert generalized_js(p, q) == pytest.approx(generalized_js(q, p))
        assert generalized_js(p, q, 0.2) == pytest.approx(generalized_js(q, p, 0.8))
        for weight in (0.1, 0.5, 0.7):
            bound = -weight * np.log(weight) - (1 - weight) * np.log(1 - weight)
            assert 0 < generalized_js(p, q, weight) < bound


def test_js_is_what_a_draw_tells_of_whence_it_came():
    """The mutual information of an outcome and of whether it is P's (with probability π) or Q's."""
    p, q = random_pair(9, (8,))
    joint = np.stack([0.3 * p, 0.7 * q])
    apart = joint.sum(axis=0) * joint.sum(axis=1, keepdims=True)
    assert generalized_js(p, q, 0.3) == pytest.approx(kl(joint, apart))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kl([0.5, 0.6], P), r"p: expected probabilities, .* sum to 1\.1"),
        (lambda: kl(P, [1.5, -0.5]), "q: expected probabilities"),
        (lambda: kl(P, [np.nan, 1.0]), "q: expected probabilities"),
        (lambda: kl([], []), "p: expected probabilities"),
        (lambda: kl(P, np.ones(4) / 4), r"same outcomes, received \(2,\) and \(4,\)"),
        (lambda: generalized_js(P, np.ones(4) / 4), r"same outcomes, received \(2,\) and \(4,\)"),
        (lambda: generalized_js(P, Q, 1.1), "weight: expected a share from 0 to 1, received 1.1"),
    ],
)
def test_what_is_no_pair_of_distributions_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
