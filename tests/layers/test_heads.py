"""The output heads against TensorFlow Probability, SciPy and their own parameters."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from latentgen.errors import InputError
from latentgen.layers.heads import (
    NEVER,
    CategoricalHead,
    categorical_index,
    categorical_sample,
    gumbel_softmax,
    largest,
)
from latentgen.layers.mixture_density import MixtureDensityHead
from latentgen.training.gradients import gradient

M = 3
on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow Probability needs TensorFlow"
)


def mixture(mixtures=M, **options):
    return MixtureDensityHead(8, mixtures, **options)


def random(*shape, seed=0, scale=1.0):
    return (scale * np.random.default_rng(seed).normal(size=shape)).astype("float32")


def uniform(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, dtype="float32")


def stroke_rows(n, seed=0):
    """Stroke-5 rows with all three pen states."""
    pens = np.eye(3, dtype="float32")[np.arange(n) % 3]
    offsets = random(n, 2, seed=seed) * (1.0 - pens[:, 2:])
    return np.concatenate([offsets, pens], axis=-1)


def parameters_of(pi, means, scales, rho, pen=(0.0, 0.0, -30.0)):
    """The head's parameters (3 + 6M,) of named quantities; the pen never ends by default."""
    means, scales = np.asarray(means, float), np.asarray(scales, float)
    parts = [pen, np.log(pi), *means.T, *np.log(scales).T, np.arctanh(rho)]
    return np.concatenate(parts).astype("float32")


def draws(head, parameters, n=20000, temperature=1.0, seed=0):
    rows = np.repeat(parameters[None], n, axis=0)
    return np.array(head.sample(rows, uniform(n, head.noise_size, seed=seed), temperature))


# Densities


@on_tensorflow
def test_mixture_log_prob_is_that_of_tensorflow_probability():
    head, parameters, rows = mixture(), random(60, 21), stroke_rows(60)
    ours = np.array(head.log_prob(parameters, rows))
    tfp = head.as_tfp(parameters)
    theirs = tfp.log_prob(rows).numpy()
    going_on = rows[:, 4] == 0
    np.testing.assert_allclose(ours[going_on], theirs[going_on], rtol=1e-4, atol=1e-5)
    # The closing element has a pen, no offset: only the pen's part is ours.
    pen = tfp.distributions[1].log_prob(rows[:, 2:]).numpy()
    np.testing.assert_allclose(ours[~going_on], pen[~going_on], rtol=1e-5)


@on_tensorflow
def test_categorical_log_prob_is_that_of_tensorflow_probability():
    head, logits = CategoricalHead(8, 5), random(20, 5, scale=3.0)
    symbols = np.eye(5, dtype="float32")[np.arange(20) % 5]
    ours, theirs = head.log_prob(logits, symbols), head.as_tfp(logits).log_prob(symbols)
    np.testing.assert_allclose(np.array(ours), theirs.numpy(), rtol=1e-5)


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="it works on TensorFlow")
def test_as_tfp_says_which_backend_it_needs():
    for head, size in ((mixture(), 21), (CategoricalHead(8, 5), 5)):
        with pytest.raises(InputError, match="KERAS_BACKEND=tensorflow"):
            head.as_tfp(random(1, size))


def density(parameters, row, m=M):
    """Σ π_k N_k of one row, in float64 by SciPy."""
    p = parameters.astype("float64")
    pi = np.exp(p[3 : 3 + m]) / np.exp(p[3 : 3 + m]).sum()
    mean_x, mean_y, log_x, log_y, raw = p[3 + m :].reshape(5, m)
    total = 0.0
    for k in range(m):
        sx, sy, rho = np.exp(log_x[k]), np.exp(log_y[k]), np.tanh(raw[k])
        covariance = [[sx**2, rho * sx * sy], [rho * sx * sy, sy**2]]
        normal = stats.multivariate_normal([mean_x[k], mean_y[k]], covariance)
        total += pi[k] * normal.pdf(row[:2])
    return total


def pen_entropy(parameters, row):
    pen = parameters[:3].astype("float64")
    return -(row[2:] * (pen - np.log(np.exp(pen).sum()))).sum()


@pytest.mark.parametrize("floor", [1e-6, 0.0])
def test_loss_is_the_published_formula(floor):
    """−log(Σ π N + 1e-6)·(1 − p3) + cross-entropy of the pen (arXiv 1704.03477, eq. 9)."""
    head, parameters, rows = mixture(density_floor=floor), random(12, 21), stroke_rows(12)
    rows[:3, :2] *= 30.0  # far out, where the floor matters
    expected = [
        (-np.log(density(p, row) + floor) if row[4] == 0 else 0.0) + pen_entropy(p, row)
        for p, row in zip(parameters, rows, strict=True)
    ]
    np.testing.assert_allclose(np.array(head.loss(parameters, rows)), expected, rtol=2e-4)
    if floor:
        assert np.array(head.loss(parameters, rows))[0] < 13.9 + pen_entropy(parameters[0], rows[0])


def test_mixture_density_integrates_to_one():
    head, parameters = mixture(), random(21, scale=0.5)
    axis = np.linspace(-12, 12, 241, dtype="float32")
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    log_density = head.log_density(head.split(parameters[None]), grid)
    total = np.exp(np.array(log_density, "float64")).sum() * 0.1**2
    assert abs(total - 1.0) < 1e-3


@pytest.mark.parametrize("raw", [20.0, -20.0, 1e4, -1e4])
@pytest.mark.parametrize("log_scale", [0.0, 1e4, -1e4])
@pytest.mark.parametrize("floor", [1e-6, 0.0])
def test_saturated_parameters_give_finite_loss_and_gradients(raw, log_scale, floor):
    """Magenta's 1 − ρ² becomes 0 here, its cost NaN, and one step ruins the weights."""
    head, parameters = mixture(density_floor=floor), random(6, 21)
    parameters[:, -M:] = raw
    parameters[:, 3 + 3 * M : 3 + 5 * M] = log_scale
    parameters[3:, 3 : 3 + M] *= 1e4  # saturated weights and pen as well
    parameters[3:, :3] *= 1e4
    rows = stroke_rows(6)
    rows[0, :2] = 0.0
    rows[1, :2] = 1000.0

    def total(p):
        return ops.sum(head.loss(p, rows) + head.log_prob(p, rows))

    assert np.isfinite(np.array(head.loss(parameters, rows))).all()
    assert np.isfinite(np.array(head.log_prob(parameters, rows))).all()
    slope = gradient(lambda p: ops.sum(head.loss(p, rows)), ops.convert_to_tensor(parameters))
    assert np.isfinite(np.array(slope)).all()
    slope = gradient(lambda p: ops.sum(head.log_prob(p, rows)), ops.convert_to_tensor(parameters))
    assert np.isfinite(np.array(slope)).all()
    for temperature in (1e-3, 1.0):
        drawn = np.array(head.sample(parameters, uniform(6, 4), temperature))
        assert np.isfinite(drawn).all()


# Samples


@pytest.mark.parametrize("rule", ["paper", "magenta"])
@pytest.mark.parametrize("temperature", [1.0, 0.25])
def test_samples_have_the_moments_of_their_parameters(rule, temperature):
    """The paper scales the variance by the temperature, Magenta's code the deviation."""
    parameters = parameters_of([1.0], [[3.0, -2.0]], [[2.0, 0.5]], [0.6])
    drawn = draws(mixture(1, temperature_rule=rule), parameters, temperature=temperature)
    n, shrunk = len(drawn), temperature if rule == "paper" else temperature**2
    covariance = shrunk * np.array([[4.0, 0.6], [0.6, 0.25]])
    error = np.sqrt(np.diag(covariance) / n)
    assert (np.abs(drawn[:, :2].mean(0) - [3.0, -2.0]) < 5 * error).all()
    spread = np.sqrt(np.diag(covariance))
    difference = (np.cov(drawn[:, :2].T) - covariance) / np.outer(spread, spread)
    assert np.abs(difference).max() < 5 * np.sqrt(2 / n)


def test_samples_are_gaussian_and_choose_components_and_pens_by_their_weights():
    pen = np.log([0.5, 0.3, 0.2])
    parameters = parameters_of(
        [0.7, 0.3], [[-50.0, 0.0], [50.0, 0.0]], [[1.0, 2.0], [3.0, 1.0]], [0.0, -0.5], pen
    )
    drawn = draws(mixture(2), parameters)
    counts = drawn[:, 2:].sum(0)
    assert stats.chisquare(counts, np.exp(pen) * len(drawn)).pvalue > 1e-3
    ended, going_on = drawn[drawn[:, 4] == 1], drawn[drawn[:, 4] == 0]
    np.testing.assert_array_equal(ended[:, :2], 0.0)  # the closing element has no offset
    left = going_on[going_on[:, 0] < 0]
    assert stats.binomtest(len(left), len(going_on), 0.7).pvalue > 1e-3
    assert stats.kstest(left[:, 0] + 50.0, "norm").pvalue > 1e-3
    assert stats.kstest(left[:, 1] / 2.0, "norm").pvalue > 1e-3


def test_temperature_sharpens_weights_and_pens():
    """p^(1/T), renormalised: at T = 0.5 odds of 3 to 1 become 9 to 1."""
    pen = np.log([0.75, 0.25, 1e-12])
    parameters = parameters_of(
        [0.75, 0.25], [[-50.0, 0.0], [50.0, 0.0]], [[1.0, 1.0]] * 2, [0.0, 0.0], pen
    )
    drawn = draws(mixture(2), parameters, temperature=0.5)
    for share in ((drawn[:, 0] < 0).sum(), drawn[:, 2].sum()):
        assert stats.binomtest(int(share), len(drawn), 0.9).pvalue > 1e-3


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_categorical_sample_has_the_frequencies_of_its_logits(temperature):
    logits = np.array([1.0, -2.0, 0.5, 0.0, 2.0], "float32")
    n = 20000
    drawn = np.array(categorical_sample(np.repeat(logits[None], n, 0), uniform(n), temperature))
    assert (drawn.sum(-1) == 1).all()
    weights = np.exp(logits.astype("float64") / temperature)
    assert stats.chisquare(drawn.sum(0), n * weights / weights.sum()).pvalue > 1e-3


def test_categorical_sample_is_the_inverse_of_the_cumulative_weights():
    logits = np.log(np.array([[0.25, 0.0, 0.5, 0.25]], "float32") + 1e-30)
    below_one = np.nextafter(np.float32(1.0), np.float32(0.0))
    for noise, index in ((0.0, 0), (0.24, 0), (0.26, 2), (0.74, 2), (0.76, 3), (below_one, 3)):
        drawn = np.array(categorical_sample(logits, np.array([noise], "float32"), 1.0))
        assert drawn[0].argmax() == index, noise


def test_impossible_symbols_are_never_drawn():
    logits = np.array([[-1e4, 0.0, 0.0, -1e4]] * 2000, "float32")
    noise = uniform(2000)
    noise[:2] = 0.0, np.nextafter(np.float32(1.0), np.float32(0.0))
    drawn = np.array(categorical_sample(logits, noise, 1.0)).sum(0)
    assert drawn[0] == drawn[3] == 0


@pytest.mark.parametrize("classes", [129, 1000])  # more than are drawn in one go
def test_of_many_classes_as_of_few(classes):
    random = np.random.default_rng(0)
    logits = random.normal(size=(500, classes)).astype("float32") * 3
    impossible = random.random((500, classes)) < 0.5
    impossible[:, -70:] = True  # the whole of the last block
    logits[impossible] = NEVER
    noise = uniform(500)
    noise[:50], noise[50:100] = 0.0, np.nextafter(np.float32(1.0), np.float32(0.0))
    drawn = ops.convert_to_numpy(categorical_index(logits, noise, 0.8))
    assert not impossible[np.arange(500), drawn].any()
    weights = np.exp(logits.astype("float64") / 0.8)
    sums = weights.cumsum(axis=1) / weights.sum(axis=1, keepdims=True)
    expected = (sums <= noise[:, None].astype("float64")).sum(axis=1)
    assert (drawn == expected)[100:].mean() > 0.99  # but for rounding


def test_the_largest_is_the_first_of_equals():
    logits = np.array([[1.0, 3.0, 2.0], [-0.0, 0.0, -5.0], [-2.0, -2.0, -1e30]], "float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(largest(logits)), [1, 0, 0])


def test_mode_is_the_heaviest_components_mean_and_the_likeliest_pen():
    parameters = parameters_of(
        [0.4, 0.6], [[1.0, 2.0], [3.0, 4.0]], [[1.0, 1.0]] * 2, [0.0, 0.0], (0.0, 1.0, -1.0)
    )
    head = mixture(2)
    np.testing.assert_allclose(np.array(head.mode(parameters)), [3, 4, 0, 1, 0], rtol=1e-6)
    closing = parameters_of([0.4, 0.6], [[1, 2], [3, 4]], [[1, 1]] * 2, [0, 0], (0.0, 1.0, 2.0))
    np.testing.assert_array_equal(np.array(head.mode(closing)), [0, 0, 0, 0, 1])


# Relaxations


def test_relaxed_symbols_become_one_hot_as_the_temperature_falls():
    head, logits = CategoricalHead(8, 5), random(50, 5)
    noise = uniform(50, 5)
    warm, cold = (np.array(head.relax(logits, noise, t)) for t in (5.0, 1e-3))
    np.testing.assert_allclose(warm.sum(-1), 1.0, rtol=1e-5)
    assert warm.max() < 0.9
    assert (cold.max(-1) > 0.99).mean() > 0.9
    np.testing.assert_array_equal(cold.argmax(-1), warm.argmax(-1))  # the same draw, sharper


def test_relaxed_symbols_have_the_frequencies_of_their_logits():
    logits, n = np.array([1.0, -1.0, 0.0], "float32"), 20000
    relaxed = np.array(gumbel_softmax(np.repeat(logits[None], n, 0), uniform(n, 3), 0.5))
    counts = np.bincount(relaxed.argmax(-1), minlength=3)
    weights = np.exp(logits.astype("float64"))
    assert stats.chisquare(counts, n * weights / weights.sum()).pvalue > 1e-3


def test_relaxed_strokes_become_elements_and_keep_gradients():
    head, parameters = mixture(), random(40, 21)
    noise = uniform(40, M + 5)
    cold = np.array(head.relax(parameters, noise, 1e-3))
    assert cold.shape == (40, 5)
    assert (cold[:, 2:].max(-1) > 0.99).mean() > 0.9
    weights = random(40, 5, seed=1)

    def scored(p):
        return ops.sum(head.relax(p, noise, 0.5) * weights)

    slope = np.array(gradient(scored, ops.convert_to_tensor(parameters)))
    assert np.isfinite(slope).all()
    assert (np.abs(slope).max(axis=0) > 0).all()  # every parameter is reached
    step = np.zeros_like(parameters)
    step[0, 4] = 1e-2  # against a central difference, at one weight
    difference = (scored(parameters + step) - scored(parameters - step)) / 2e-2
    assert abs(slope[0, 4] - float(difference)) < 2e-2 * (1 + abs(slope[0, 4]))


# The closing element, and odd arguments


def test_start_end_and_ended():
    head = mixture()
    np.testing.assert_array_equal(np.array(head.start(2)), [[0, 0, 1, 0, 0]] * 2)
    np.testing.assert_array_equal(np.array(head.end(2)), [[0, 0, 0, 0, 1]] * 2)
    np.testing.assert_array_equal(np.array(head.ended(stroke_rows(6))), [0, 0, 1, 0, 0, 1])
    symbols = CategoricalHead(8, 4, end_class=1)
    np.testing.assert_array_equal(np.array(symbols.end(1)), [[0, 1, 0, 0]])
    np.testing.assert_array_equal(np.array(symbols.ended(np.eye(4))), [0, 1, 0, 0])
    assert not np.array(CategoricalHead(8, 4).ended(ops.eye(4))).any()
    np.testing.assert_array_equal(np.array(symbols.start(2)), 0.0)


def test_an_unknown_temperature_rule_is_refused():
    with pytest.raises(InputError, match="'paper' or 'magenta', received 'celsius'"):
        mixture(temperature_rule="celsius")


def test_config_rebuilds_the_head():
    head = mixture(density_floor=0.0, temperature_rule="magenta")
    other = MixtureDensityHead.from_config(head.get_config())
    assert (other.mixtures, other.density_floor, other.temperature_rule) == (M, 0.0, "magenta")
    symbols = CategoricalHead.from_config(CategoricalHead(8, 4, end_class=1).get_config())
    assert (symbols.classes, symbols.end_class) == (4, 1)
