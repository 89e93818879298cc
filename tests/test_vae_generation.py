"""Generation by a model: seeded, in batches, compiled or not, and its arguments."""

import keras
import numpy as np
import pytest

from latentgen.errors import InputError
from tests.tiny import LATENT, STEPS, categorical_vae, randomise, sequence_model, sequence_vae

on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="JAX compiles always"
)
PLAIN = {"jit_compile": False}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = randomise(sequence_vae(max_length=STEPS))
    bias = np.array(model.head.projection.bias)
    bias[2] = -1e3  # no drawing ends early: every step can be compared
    model.head.projection.bias.assign(bias)
    return model


def z_of(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, LATENT)).astype("float32")


def test_the_seed_decides(model):
    z = z_of(5)
    first = model.generate(z, seed=1, **PLAIN)
    assert first.shape == (5, STEPS, 5)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, model.generate(z, seed=1, **PLAIN))
    assert (first != model.generate(z, seed=2, **PLAIN)).any()


def test_an_example_does_not_depend_on_its_batch(model):
    """Example k is a function of its z, the seed and k, whatever is drawn beside it."""
    z = z_of(5)
    whole = model.generate(z, seed=1, **PLAIN)
    parts = model.generate(z, seed=1, batch_size=2, **PLAIN)
    np.testing.assert_allclose(whole, parts, rtol=1e-4, atol=1e-5)
    first = model.generate(z[:1], seed=1, **PLAIN)
    np.testing.assert_allclose(whole[:1], first, rtol=1e-4, atol=1e-5)
    twins = model.generate(np.repeat(z[:1], 3, axis=0), seed=1, temperature=1.0, **PLAIN)
    assert (twins[0] != twins[1]).any()  # one z, several drawings


def test_greedy_is_the_same_compiled_by_xla_and_not(model):
    z = z_of(3)
    plain = model.generate(z, greedy=True, jit_compile=False)
    np.testing.assert_array_equal(plain, model.generate(z, greedy=True, seed=9, jit_compile=False))
    xla = model.generate(z, greedy=True, jit_compile=True)
    np.testing.assert_allclose(plain, xla, rtol=1e-4, atol=1e-5)


def test_samples_are_the_same_compiled_by_xla_and_not(model):
    z = z_of(3)
    plain = model.generate(z, seed=4, temperature=0.8, jit_compile=False)
    xla = model.generate(z, seed=4, temperature=0.8, jit_compile=True)
    np.testing.assert_array_equal(plain[..., 2:], xla[..., 2:])
    np.testing.assert_allclose(plain, xla, rtol=1e-3, atol=1e-4)


def test_temperature_spreads_the_samples(model):
    z = np.repeat(z_of(1), 32, axis=0)
    cold, warm = (
        model.generate(z, temperature=t, length=1, **PLAIN)[:, 0, :2].std() for t in (0.01, 2.0)
    )
    assert warm > 3 * cold


def test_length_bounds_the_result(model):
    z = z_of(2)
    assert model.generate(z, length=3, **PLAIN).shape == (2, 3, 5)
    longer = model.generate(z, length=STEPS + 4, greedy=True, **PLAIN)
    assert longer.shape == (2, STEPS + 4, 5)
    np.testing.assert_allclose(
        longer[:, :STEPS], model.generate(z, greedy=True, **PLAIN), rtol=1e-4, atol=1e-5
    )


def test_a_prefix_is_continued(model):
    z = z_of(3)
    beginnings = [model.generate(z, seed=5, length=2, **PLAIN)[k, :k] for k in range(3)]
    drawn = model.generate(z, prefix=beginnings, **PLAIN)
    for row, beginning in zip(drawn, beginnings, strict=True):
        np.testing.assert_array_equal(row[: len(beginning)], beginning)


def test_a_decoder_without_z():
    model = randomise(sequence_model())
    drawn = model.generate(n=3, temperature=1.0, **PLAIN)
    assert drawn.shape == (3, STEPS, 5)
    assert (drawn[0] != drawn[1]).any()


def test_symbols_come_as_one_hot():
    drawn = randomise(categorical_vae()).generate(z_of(3), **PLAIN)
    assert set(np.unique(drawn)) <= {0.0, 1.0}
    assert (drawn.sum(-1) == 1).all()


def test_weights_changed_after_the_first_drawing_are_seen(model):
    """A compiled function must not keep the weights it was compiled with."""
    z = z_of(2)
    before = model.generate(z, greedy=True, **PLAIN)
    bias = model.head.projection.bias
    old = np.array(bias)
    bias.assign(old + 0.5)
    after = model.generate(z, greedy=True, **PLAIN)
    bias.assign(old)
    assert (before != after).any()
    np.testing.assert_array_equal(before, model.generate(z, greedy=True, **PLAIN))


@on_tensorflow
def test_few_shapes_are_compiled(model):
    """Batch sizes go up to powers of two, and the temperature is no constant of the program."""
    for n in (3, 4):
        for temperature in (0.1, 0.2, 0.7):
            model.generate(z_of(n), temperature=temperature, length=4, **PLAIN)
    traced = model._generators[(False, None, None, False)].experimental_get_tracing_count()
    model.generate(z_of(3), temperature=0.9, length=4, **PLAIN)
    again = model._generators[(False, None, None, False)].experimental_get_tracing_count()
    assert traced == again


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"z": np.zeros((2, LATENT + 1))},
            rf"z: expected shape \(n, {LATENT}\), received \(2, 5\)",
        ),
        ({"z": np.zeros(LATENT)}, "z: expected shape"),
        ({"z": np.full((2, LATENT), np.nan)}, "z: expected finite numbers"),
        ({"z": np.full((2, LATENT), np.inf)}, "z: expected finite numbers"),
        ({"z": [["a"] * LATENT]}, "z: expected numbers"),
        ({"z": np.zeros((0, LATENT))}, "n: expected how many"),
        ({"n": 2}, "z: this decoder needs latent vectors"),
        ({"z": np.zeros((2, LATENT)), "temperature": 0.0}, "temperature: expected"),
        ({"z": np.zeros((2, LATENT)), "temperature": -1.0}, "temperature: expected"),
        ({"z": np.zeros((2, LATENT)), "temperature": np.nan}, "temperature: expected"),
        ({"z": np.zeros((2, LATENT)), "temperature": np.inf}, "temperature: expected"),
        ({"z": np.zeros((2, LATENT)), "length": -3}, "length: expected"),
        ({"z": np.zeros((2, LATENT)), "length": 0}, "length: expected"),
        ({"z": np.zeros((2, LATENT)), "seed": -1}, "seed: expected"),
        ({"z": np.zeros((2, LATENT)), "batch_size": 0}, "batch_size: expected"),
        ({"z": np.zeros((2, LATENT)), "prefix": [np.zeros((1, 5))]}, "prefix: expected 2"),
        (
            {"z": np.zeros((1, LATENT)), "prefix": [np.zeros((STEPS + 1, 5))]},
            "prefix: expected at most 6 steps, received 7",
        ),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(model, arguments, message):
    with pytest.raises(InputError, match=message):
        model.generate(**arguments, **PLAIN)


@pytest.mark.parametrize("n", [None, 0, -1])
def test_a_decoder_without_z_must_know_how_many(n):
    with pytest.raises(InputError, match="n: expected how many sequences"):
        sequence_model().generate(n=n, **PLAIN)
