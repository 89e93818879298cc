"""Latent vectors: encoded, drawn, kept in files, interpolated."""

import numpy as np
import pytest

from latentgen.errors import CheckpointError, InputError
from latentgen.vae import Posterior, read_posterior, slerp, write_posterior
from tests.tiny import LATENT, random_posterior, randomise, sequence_vae, strokes


def test_encoding_does_not_depend_on_the_batch():
    model, batch = randomise(sequence_vae()), strokes((5, 3, 1, 2, 6))
    together = model.encode_batch(batch)
    apart = model.encode_batch(batch, batch_size=2)
    assert together.mean.shape == together.scale.shape == (5, LATENT)
    np.testing.assert_allclose(together.mean, apart.mean, rtol=1e-5, atol=1e-6)
    expected = model.posterior(batch)
    np.testing.assert_allclose(together.mean, np.array(expected.mean), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(together.scale, np.array(expected.scale), rtol=1e-5, atol=1e-6)


def test_samples_of_prior_and_posterior():
    model = sequence_vae()
    prior = model.sample_prior(5000, seed=3)
    np.testing.assert_array_equal(prior, model.sample_prior(5000, seed=3))
    assert (prior != model.sample_prior(5000, seed=4)).any()
    assert np.abs(prior.mean(0)).max() < 5 / np.sqrt(5000)
    posterior = Posterior(np.full((5000, 2), 3.0, "float32"), np.full((5000, 2), 0.5, "float32"))
    drawn = posterior.sample(seed=1)
    np.testing.assert_allclose(drawn.mean(0), 3.0, atol=5 * 0.5 / np.sqrt(5000))
    np.testing.assert_allclose(drawn.std(0), 0.5, rtol=0.06)


def test_impossible_numbers_of_latent_vectors_are_refused():
    with pytest.raises(InputError, match="n: expected how many"):
        sequence_vae().sample_prior(-1)
    with pytest.raises(InputError, match="seed: expected 0 or more"):
        sequence_vae().sample_prior(1, seed=-1)
    with pytest.raises(InputError, match="steps: expected"):
        slerp(np.zeros(2), np.ones(2), 0)


def test_posteriors_in_a_file(tmp_path):
    path = tmp_path / "latents.npz"
    mean, scale = random_posterior()
    write_posterior(path, Posterior(mean, scale))
    found = read_posterior(path, LATENT)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.scale, scale, rtol=1e-3)
    assert found.mean.dtype == found.scale.dtype == np.float32
    for parts in (
        {"mean": mean, "scale": scale[:-1]},
        {"mean": mean[:, :-1], "scale": scale[:, :-1]},
        {"mean": mean},
        {"mean": np.float32(1.0), "scale": np.float32(1.0)},
        {"mean": mean, "scale": np.full_like(scale, np.nan)},
        {"mean": mean, "scale": np.full(scale.shape, "x")},
    ):
        np.savez(path, **parts)
        with pytest.raises(CheckpointError, match=r"latents\.npz: expected"):
            read_posterior(path, LATENT)


def test_slerp_stays_on_the_arc():
    a, b = np.array([2.0, 0.0, 0.0], "float32"), np.array([0.0, 2.0, 0.0], "float32")
    path = slerp(a, b, 5)
    assert path.dtype == np.float32
    np.testing.assert_allclose(path[[0, -1]], [a, b], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 2.0, rtol=1e-6)
    angles = np.degrees(np.arctan2(path[:, 1], path[:, 0]))
    np.testing.assert_allclose(angles, [0, 22.5, 45, 67.5, 90], atol=1e-3)


@pytest.mark.parametrize(
    ("a", "b"), [([1, 2], [1, 2]), ([1, 2], [-1, -2]), ([0, 0], [1, 2]), ([0, 0], [0, 0])]
)
def test_slerp_without_an_arc_is_linear(a, b):
    """Magenta's gives NaN here, and writes music from it."""
    a, b = np.array(a, "float32"), np.array(b, "float32")
    np.testing.assert_allclose(slerp(a, b, 3), [a, (a + b) / 2, b], atol=1e-6)
