"""Measures of a latent space, against cases whose values are known."""

import numpy as np
import pytest
from scipy import stats

from latentgen.errors import InputError
from latentgen.evaluation.latents import active_units, mutual_information, total_kl
from latentgen.vae import Posterior


def test_units_are_active_where_means_vary():
    random = np.random.default_rng(0)
    mean = random.normal(size=(2000, 4)) * np.sqrt([1.0, 0.011, 0.009, 0.0]) + 5.0
    posterior = Posterior(mean, np.ones_like(mean))
    assert active_units(posterior).tolist() == [True, True, False, False]
    assert active_units(posterior, threshold=0.5).tolist() == [True, False, False, False]


def test_kl_is_the_expectation_under_the_posterior():
    mean, scale = np.array([[0.5, -1.0]]), np.array([[0.3, 2.0]])
    z = stats.norm(mean, scale).rvs((200_000, 2), random_state=0)
    expected = (stats.norm(mean, scale).logpdf(z) - stats.norm.logpdf(z)).sum(-1).mean()
    assert total_kl(Posterior(mean, scale))[0] == pytest.approx(expected, abs=0.02)


def test_posteriors_far_apart_tell_everything():
    mean = 100.0 * np.arange(20)[:, None] * np.ones((1, 3))
    posterior = Posterior(mean, np.ones_like(mean))
    assert mutual_information(posterior) == pytest.approx(np.log(20), abs=1e-6)


def test_one_posterior_for_all_tells_nothing():
    same = np.ones((50, 3))
    assert mutual_information(Posterior(same, 0.5 * same)) == pytest.approx(0.0, abs=1e-9)


def test_two_classes_tell_as_much_as_their_overlap_leaves():
    """Half the posteriors at −1, half at 1, all of scale 1: an integral over z."""
    mean = np.repeat([[-1.0], [1.0]], 3000, axis=0)
    posterior = Posterior(mean, np.ones_like(mean))
    z = np.linspace(-9, 9, 20_001)
    densities = np.stack([stats.norm.pdf(z, m) for m in (-1.0, 1.0)])
    mixture = densities.mean(axis=0)
    exact = np.trapezoid((densities * np.log(densities / mixture)).mean(axis=0), z)
    assert mutual_information(posterior, seed=1) == pytest.approx(exact, abs=0.03)


def test_a_gaussian_channel_has_its_textbook_information():
    """μ ~ N(0, 3), z = μ + N(0, 1): ½ log(1 + 3) nats a dimension."""
    mean = np.sqrt(3.0) * np.random.default_rng(9).normal(size=(4000, 2))
    found = mutual_information(Posterior(mean, np.ones_like(mean)))
    assert found == pytest.approx(np.log(4.0), abs=0.06)


def test_it_is_the_difference_of_the_two_divergences():
    """I = E KL(q(z|x) ‖ p) − KL(q(z) ‖ p), the second one on a grid."""
    random = np.random.default_rng(2)
    mean, scale = random.normal(size=(30, 1)), np.exp(0.3 * random.normal(size=(30, 1)))
    z = np.linspace(-12, 12, 20_001)
    mixture = stats.norm.pdf(z[:, None], mean[:, 0], scale[:, 0]).mean(axis=1)
    marginal = np.trapezoid(mixture * np.log(mixture / stats.norm.pdf(z)), z)
    exact = total_kl(Posterior(mean, scale)).mean() - marginal
    draws = [mutual_information(Posterior(mean, scale), seed=k) for k in range(200)]
    assert np.mean(draws) == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("shape", [(0, 3), (3,)])
def test_no_posterior_is_refused(shape):
    with pytest.raises(InputError, match="expected means and scales"):
        mutual_information(Posterior(np.ones(shape), np.ones(shape)))
