"""The groove head: its density, Magenta's loss, and Magenta's own numbers."""

import numpy as np
import pytest
from scipy import stats

from latentgen.layers.groove_head import GrooveHead
from tests.layers.test_bernoulli import (
    BELOW_ONE,
    check_compiled,
    outcomes,
    repeated,
    round_trip,
    slope_of,
)
from tests.layers.test_heads import on_tensorflow, random, uniform
from tests.layers.test_joint_head import MagentaCase
from tests.tiny import UNITS

D = 3


def head(drums: int = D) -> GrooveHead:
    return GrooveHead(UNITS, drums)


def grooves(n: int = 8, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    hits = outcomes(D)[np.arange(n) % 2**D]
    velocities, offsets = generator.random((n, D)), generator.uniform(-1, 1, (n, D))
    return np.concatenate([hits, hits * velocities, hits * offsets], -1).astype("float32")


def test_the_default_is_nine_drums():
    assert GrooveHead(UNITS).element_size == 27


def test_loss_is_magentas_formula():
    parameters, rows = random(8, 3 * D, scale=2.0), grooves()
    hits, velocities, offsets = np.split(parameters.astype("float64"), 3, -1)
    x, v, o = np.split(rows, 3, -1)
    p = 1 / (1 + np.exp(-hits))
    log_loss = -x * np.log(p + 1e-7) - (1 - x) * np.log(1 - p + 1e-7)
    parts = [log_loss, (v - 1 / (1 + np.exp(-velocities))) ** 2, (o - np.tanh(offsets)) ** 2]
    expected = [part.sum(-1) for part in parts]
    np.testing.assert_allclose(np.array(head().loss(parameters, rows)), sum(expected), rtol=1e-5)
    for ours, part in zip(head().losses(parameters, rows), expected, strict=True):
        np.testing.assert_allclose(np.array(ours), part, rtol=1e-5)


@on_tensorflow
def test_log_prob_is_that_of_tensorflow_probability():
    parameters, rows = random(8, 3 * D, scale=2.0), grooves()
    theirs = head().as_tfp(parameters).log_prob(rows).numpy()
    np.testing.assert_allclose(np.array(head().log_prob(parameters, rows)), theirs, rtol=1e-5)


def test_log_prob_is_the_negative_loss_but_for_a_constant():
    """So that training by the loss is training by likelihood."""
    parameters, rows = random(8, 3 * D), grooves()
    total = np.array(head().log_prob(parameters, rows)) + np.array(head().loss(parameters, rows))
    np.testing.assert_allclose(total, -D * np.log(np.pi), rtol=1e-5)


def test_the_density_integrates_to_one():
    """One drum: the sum over its hit, the integral over its velocity and offset."""
    axis = np.linspace(-5, 6, 111, dtype="float32")
    plane = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    total = 0.0
    for hit in (0.0, 1.0):
        rows = np.concatenate([np.full((len(plane), 1), hit, "float32"), plane], -1)
        logs = head(1).log_prob(np.array([[0.7, -0.4, 0.9]], "float32"), rows)
        total += np.exp(np.array(logs, "float64")).sum() * 0.1**2
    assert abs(total - 1.0) < 1e-4


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_only_hits_are_drawn(temperature):
    parameters, n = random(3 * D), 20000
    drawn = np.array(head().sample(repeated(parameters, n), uniform(n, D), temperature))
    hits, velocities, offsets = np.split(parameters, 3)
    for count, p in zip(drawn[:, :D].sum(0), 1 / (1 + np.exp(-hits / temperature)), strict=True):
        assert stats.binomtest(int(count), n, float(p)).pvalue > 1e-3
    means = np.concatenate([1 / (1 + np.exp(-velocities)), np.tanh(offsets)])
    np.testing.assert_allclose(drawn[:, D:], repeated(means, n), rtol=1e-5)


def test_samples_become_the_mode_as_the_temperature_falls():
    parameters = random(50, 3 * D)
    mode = np.array(head().mode(parameters))
    np.testing.assert_array_equal(mode[:, :D], parameters[:, :D] >= 0)
    drawn = np.array(head().sample(parameters, uniform(50, D), 1e-6))
    np.testing.assert_allclose(drawn, mode, rtol=1e-6)
    cold = np.array(head().relax(parameters, uniform(50, D), 1e-3))
    assert (np.minimum(cold[:, :D], 1 - cold[:, :D]) < 0.01).mean() > 0.9
    np.testing.assert_allclose(cold[:, D:], mode[:, D:], rtol=1e-6)


@pytest.mark.parametrize("size", [30.0, 1e4])
def test_saturated_parameters_give_finite_losses_and_gradients(size):
    parameters, rows = random(8, 3 * D, scale=size), grooves()
    for function in (head().loss, head().log_prob):
        assert np.isfinite(np.array(function(parameters, rows))).all()
        slope = slope_of(lambda p, f=function: f(p, rows), parameters)
        assert np.isfinite(slope).all()
    assert np.array(head().loss(parameters, rows)).max() < D * (16.2 + 1 + 4)
    for u in (0.0, BELOW_ONE):
        noise = np.full((8, D), u, "float32")
        assert np.isfinite(np.array(head().sample(parameters, noise, 1e-3))).all()


def test_it_compiles():
    check_compiled(head(), random(8, 3 * D), grooves())


def test_it_is_saved_and_loaded(tmp_path):
    first = head()
    loaded = round_trip(first, tmp_path)
    assert (loaded.drums, loaded.element_size) == (D, 3 * D)
    features = random(3, UNITS)
    np.testing.assert_array_equal(np.array(first(features)), np.array(loaded(features)))


@pytest.mark.shared
def test_magentas_groove_decoder():
    case = MagentaCase("music_groove")
    groove = GrooveHead(32, 3, name="head")
    decoder = case.decoder(groove)
    groove.projection.set_weights(case.dense("decoder/output_projection"))
    z, targets = case.recorded["z_fixed"], case.recorded["targets"]
    case.check_losses(groove, decoder.teacher_forced(z, targets).parameters)
    case.check_greedy(decoder)
