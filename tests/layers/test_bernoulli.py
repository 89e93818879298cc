"""The Bernoulli head against TensorFlow Probability, its frequencies and its limits."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from latentgen.compilation import compiled
from latentgen.layers.bernoulli import BernoulliHead
from latentgen.layers.heads import OutputHead
from latentgen.sequence_model import SequenceModel
from latentgen.training.gradients import gradient
from tests.layers.test_heads import on_tensorflow, random, uniform
from tests.tiny import UNITS, decoder, randomise

D = 4
BELOW_ONE = np.nextafter(np.float32(1.0), np.float32(0.0))


def outcomes(size: int) -> np.ndarray:
    """All 2^size rows of zeros and ones."""
    return np.array(list(itertools.product([0, 1], repeat=size)), "float32")


def repeated(parameters: np.ndarray, n: int) -> np.ndarray:
    return np.repeat(parameters[None], n, axis=0)


def slope_of(function, parameters: np.ndarray) -> np.ndarray:
    total = gradient(lambda p: ops.sum(function(p)), ops.convert_to_tensor(parameters))
    return np.array(total)


def round_trip(head: OutputHead, folder) -> OutputHead:
    """The head of a model that was saved as .keras and loaded again."""
    model = SequenceModel(randomise(decoder(head, latent_size=0)), 6)
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras").head


def check_compiled(head: OutputHead, parameters: np.ndarray, elements: np.ndarray) -> None:
    """Compiled with XLA, every function gives what it gives uncompiled."""
    noise = uniform(len(parameters), head.noise_size)

    def all_of(p, x, u):
        return head.log_prob(p, x), head.loss(p, x), head.sample(p, u, 0.5), head.mode(p)

    fast = compiled(head, all_of)(parameters, elements, noise)
    for ours, expected in zip(fast, all_of(parameters, elements, noise), strict=True):
        np.testing.assert_allclose(np.array(ours), np.array(expected), rtol=1e-4, atol=1e-5)


def head() -> BernoulliHead:
    return BernoulliHead(UNITS, D)


@on_tensorflow
def test_log_prob_is_that_of_tensorflow_probability():
    logits, rows = random(16, D, scale=3.0), outcomes(D)
    ours, theirs = head().log_prob(logits, rows), head().as_tfp(logits).log_prob(rows)
    np.testing.assert_allclose(np.array(ours), theirs.numpy(), rtol=1e-5)


def test_probabilities_of_all_outcomes_sum_to_one():
    logits = random(D, scale=3.0)
    logs = head().log_prob(repeated(logits, 2**D), outcomes(D))
    assert abs(np.exp(np.array(logs, "float64")).sum() - 1.0) < 1e-5


def test_loss_is_the_sigmoid_cross_entropy_summed():
    logits, rows = random(16, D, scale=3.0), outcomes(D)
    p = 1.0 / (1.0 + np.exp(-logits.astype("float64")))
    expected = -(rows * np.log(p) + (1 - rows) * np.log(1 - p)).sum(-1)
    np.testing.assert_allclose(np.array(head().loss(logits, rows)), expected, rtol=1e-5)


@pytest.mark.parametrize("size", [30.0, 1e4, 1e30])
def test_saturated_logits_give_finite_losses_and_gradients(size):
    logits, rows = size * (2 * outcomes(D) - 1), outcomes(D)
    for truth in (rows, 1 - rows):
        losses = np.array(head().loss(logits, truth))
        assert np.isfinite(losses).all()
        slope = slope_of(lambda p, x=truth: head().loss(p, x), logits)
        np.testing.assert_allclose(slope, rows - truth, atol=1e-6)  # p − x
    np.testing.assert_allclose(np.array(head().loss(logits, rows)), 0.0, atol=1e-6)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_samples_have_the_frequencies_of_their_logits(temperature):
    logits, n = np.array([-2.0, 0.0, 0.5, 3.0], "float32"), 20000
    drawn = np.array(head().sample(repeated(logits, n), uniform(n, D), temperature))
    for count, p in zip(drawn.sum(0), 1 / (1 + np.exp(-logits / temperature)), strict=True):
        assert stats.binomtest(int(count), n, float(p)).pvalue > 1e-3


def test_certain_and_impossible_values():
    logits = np.array([[1e4, -1e4, 200.0, -200.0]], "float32")
    for u in (0.0, 0.5, BELOW_ONE):
        noise = np.full((1, D), u, "float32")
        np.testing.assert_array_equal(np.array(head().sample(logits, noise)), [[1, 0, 1, 0]])


def test_samples_become_the_mode_as_the_temperature_falls():
    logits, noise = random(50, D), uniform(50, D)
    mode = np.array(head().mode(logits))
    np.testing.assert_array_equal(mode, logits >= 0)
    np.testing.assert_array_equal(np.array(head().sample(logits, noise, 1e-6)), mode)
    assert (np.array(head().sample(logits, noise, 1.0)) != mode).any()


def test_relaxed_values_become_draws_as_the_temperature_falls():
    logits, n = np.array([-1.0, 0.0, 0.5, 2.0], "float32"), 20000
    noise = uniform(n, D)
    cold, warm = (np.array(head().relax(repeated(logits, n), noise, t)) for t in (1e-3, 2.0))
    assert (np.minimum(cold, 1 - cold) < 0.01).mean() > 0.99
    assert ((warm > 0.1) & (warm < 0.9)).mean() > 0.5
    for count, p in zip((warm > 0.5).sum(0), 1 / (1 + np.exp(-logits)), strict=True):
        assert stats.binomtest(int(count), n, float(p)).pvalue > 1e-3


def test_relaxed_values_keep_gradients_at_the_edges_of_the_noise():
    logits = random(3, D)
    noise = uniform(3, D)
    noise[0], noise[1] = 0.0, BELOW_ONE
    slope = slope_of(lambda p: head().relax(p, noise, 0.5), logits)
    assert np.isfinite(slope).all()
    assert (slope[2] > 0).all()


def test_it_compiles():
    check_compiled(head(), random(16, D), outcomes(D))


def test_it_is_saved_and_loaded(tmp_path):
    first = head()
    loaded = round_trip(first, tmp_path)
    assert (loaded.size, loaded.element_size, loaded.noise_size) == (D, D, D)
    features = random(3, UNITS)
    np.testing.assert_array_equal(np.array(first(features)), np.array(loaded(features)))
