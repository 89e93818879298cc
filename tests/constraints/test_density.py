"""Mean shift on the density of real z: exact on two points, uphill on many."""

import numpy as np
import pytest
from scipy.special import logsumexp

from latentgen.constraints import LatentConstraints, combine
from tests.constraints.latents import SIZE, make_labels, make_latents, truth


@pytest.fixture(scope="module")
def fitted():
    z, kind = make_latents()
    constraints = LatentConstraints(SIZE, hidden=32, layers=2, seed=1)
    return constraints.fit(z, make_labels(z, kind), scale=np.full(SIZE, 0.3), turns=100)


def log_density(z, constraints):
    squares = ((z[:, None] - constraints.real[None]) ** 2).sum(-1)
    return logsumexp(-squares / (2 * constraints.bandwidth**2), axis=1)


def test_the_bandwidth_is_the_posteriors_or_what_the_prior_leaves(fitted):
    assert fitted.bandwidth == pytest.approx(0.3)
    z = np.random.default_rng(0).normal(0, 0.8, (3000, SIZE)).astype("float32")
    alone = LatentConstraints(SIZE, hidden=8, layers=1).fit(z, turns=1)
    assert alone.bandwidth == pytest.approx(0.6, abs=0.02)  # sqrt(1 - 0.8²)
    assert len(alone.real) == 3000


def test_a_step_is_the_weighted_mean_of_the_real_z(fitted):
    z = make_latents(5, seed=2)[0]
    start = fitted.transform(z)
    moved = fitted.transform(z, method="density", steps=1)
    logits = -((start[:, None] - fitted.real[None]) ** 2).sum(-1) / (2 * 0.3**2)
    weights = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
    np.testing.assert_allclose(moved, weights @ fitted.real, atol=1e-4)
    np.testing.assert_array_equal(fitted.transform(z, method="density", steps=0), start)


def test_every_step_goes_uphill(fitted):
    z = np.random.default_rng(3).standard_normal((50, SIZE)).astype("float32")
    heights = [
        log_density(fitted.transform(z, method="density", steps=steps), fitted)
        for steps in (0, 1, 2, 4)
    ]
    assert (np.diff(heights, axis=0) > -1e-3).all()
    assert (heights[-1] - heights[0]).mean() > 1.0


def test_what_is_asked_for_is_kept_row_by_row(fitted):
    values = [True, False] * 50
    z = fitted.sample(100, {"right": values}, method="density", seed=4)
    assert (truth(z, "right") == values).mean() > 0.85


def test_combined_constraints_have_the_real_z_of_all(fitted):
    z = make_latents(60, seed=8)[0]
    other = LatentConstraints(SIZE, hidden=8, layers=1).fit(z, turns=1)
    both = combine(fitted, other)
    assert len(both.real) == len(fitted.real) + 60
    assert both.sample(3, {"first": True}, method="density").shape == (3, SIZE)
