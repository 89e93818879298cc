"""What objectives are minimised by, exactly, on distributions that can be listed."""

import sys

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from latentgen.evaluation.divergence import generalized_js, kl
from tests.shared import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "benchmarks"))
from discrete import JOINT, SHARES, TARGET, scheduled_loss, scheduled_optimum, unimodal_fit

RANDOM = np.random.default_rng(3)


def listed(outcomes: int = 6) -> np.ndarray:
    return RANDOM.dirichlet(np.ones(outcomes))


@pytest.mark.parametrize("share", SHARES)
def test_scheduled_sampling_is_minimised_by_what_the_figure_shows(share):
    """Found by descent in all of a model's logits, without knowing the answer."""

    def loss(logits):
        return scheduled_loss(softmax(logits).reshape(4, 4), JOINT, share)

    found = minimize(loss, np.zeros(16), tol=1e-10).x
    np.testing.assert_allclose(
        softmax(found).reshape(4, 4), scheduled_optimum(JOINT, share), atol=3e-4
    )


def test_scheduled_samplings_optimum_goes_from_the_data_to_the_marginals_product():
    np.testing.assert_allclose(scheduled_optimum(JOINT, 0.0), JOINT)
    product = np.outer(JOINT.sum(1), JOINT.sum(0))
    np.testing.assert_allclose(scheduled_optimum(JOINT, 1.0), product)
    away = [kl(JOINT, scheduled_optimum(JOINT, share)) for share in np.linspace(0, 1, 9)]
    assert away[0] == pytest.approx(0.0)
    assert (np.diff(away) > 0.0).all()


@pytest.mark.parametrize("prior", [1e-4, 1.0 - 1e-4])
def test_the_limits_of_generalized_js_are_the_two_kl(prior):
    p, q = listed(), listed()
    scaled = generalized_js(p, q, prior) / (prior * (1.0 - prior))
    near, far = (kl(p, q), kl(q, p)) if prior < 0.5 else (kl(q, p), kl(p, q))
    assert scaled == pytest.approx(near, rel=1e-2)
    assert abs(scaled - far) > 0.02 * far


@pytest.mark.parametrize("prior", [0.02, 0.3, 0.5, 0.9])
def test_the_reward_is_the_gradient_of_generalized_js(prior):
    """E_Q[log(1 − D) ∇ log Q] / π against differences of JS_π / (π (1 − π))."""
    p, logits = listed(), RANDOM.normal(size=6)

    def divergence(at):
        return generalized_js(p, softmax(at), prior) / (prior * (1.0 - prior))

    expected = [
        (divergence(logits + step) - divergence(logits - step)) / 2e-5 for step in 1e-5 * np.eye(6)
    ]
    q = softmax(logits)
    log_one_minus_d = np.log((1.0 - prior) * q / (prior * p + (1.0 - prior) * q))
    score = np.eye(6) - np.exp(log_softmax(logits))  # of outcome i by logit j
    np.testing.assert_allclose((q * log_one_minus_d) @ score / prior, expected, atol=1e-6)


def test_one_mode_is_sought_as_the_prior_nears_1_and_both_are_covered_as_it_nears_0():
    modes, spread = (-2.0, 2.2), 0.8
    (covering, wide), (seeking, narrow) = (unimodal_fit(TARGET, prior) for prior in (0.01, 0.99))
    assert modes[0] + spread < covering < modes[1] - spread
    assert wide > 2 * spread
    assert seeking == pytest.approx(modes[0], abs=0.05)
    assert narrow == pytest.approx(0.6, abs=0.05)
