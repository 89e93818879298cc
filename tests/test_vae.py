"""SequenceVAE and SequenceModel: loss, KL, schedules, fitting, saving."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.errors import InputError
from latentgen.training.batches import of_any_length
from latentgen.training.schedules import ExponentialApproach
from latentgen.vae import SequenceVAE, kl_divergence
from tests.tiny import (
    STEPS,
    categorical_vae,
    mixture_head,
    random_posterior,
    randomise,
    sequence_model,
    sequence_vae,
    strokes,
    symbols,
    values,
)


def compiled(model, **options):
    options = {"jit_compile": keras.backend.backend() == "jax"} | options  # far slower without
    eager = not options["jit_compile"]  # for a few steps faster than to trace one
    model.compile(keras.optimizers.Adam(1e-2), **({"run_eagerly": eager} | options))
    return model


@keras.saving.register_keras_serializable("latentgen_tests")
def latent_energy(model, inputs, outputs):
    """A second objective for the slot: the mean square of z."""
    return ops.mean(ops.square(outputs["z"]))


# KL


def exact_kl(mean, scale):
    mean, scale = mean.astype("float64"), scale.astype("float64")
    return -0.5 * (1 + np.log(scale**2) - mean**2 - scale**2)


def test_kl_is_that_of_the_formula_and_zero_at_the_prior():
    mean, scale = random_posterior()
    np.testing.assert_allclose(
        np.array(kl_divergence(mean, scale)), exact_kl(mean, scale), rtol=1e-4, atol=1e-5
    )
    assert float(kl_divergence(ops.zeros(()), ops.ones(()))) == 0.0


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_kl_is_summed_or_averaged_over_z(reduction):
    mean, scale = random_posterior()
    kl, cost = sequence_vae(kl_reduction=reduction).kl_terms(mean, scale)
    expected = getattr(exact_kl(mean, scale), reduction)(axis=-1).mean()
    np.testing.assert_allclose([np.mean(kl), float(cost)], expected, rtol=1e-5)


def test_the_floor_bounds_the_cost_on_the_batch_mean():
    mean, scale = random_posterior()
    expected = exact_kl(mean, scale).mean()
    for floor in (expected - 0.1, expected + 0.1):
        model = sequence_vae(kl_reduction="mean", kl_floor=floor)
        kl, cost = model.kl_terms(mean, scale)
        assert np.mean(kl) == pytest.approx(expected, rel=1e-5)
        assert float(cost) == pytest.approx(max(expected, floor), rel=1e-5)


def test_free_bits_are_given_to_each_example():
    mean, scale = random_posterior()
    nats = exact_kl(mean, scale).sum(axis=-1)
    bits = float(np.median(nats) / np.log(2.0))  # half of the examples lie below
    kl, cost = sequence_vae(free_bits=bits).kl_terms(mean, scale)
    assert np.mean(kl) == pytest.approx(nats.mean(), rel=1e-5)
    expected = np.maximum(nats - bits * np.log(2.0), 0.0).mean()
    assert 0 < expected < nats.mean()
    assert float(cost) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("activation", ["exp", "softplus"])
def test_scale_of_the_posterior(activation):
    model = randomise(sequence_vae(scale_activation=activation))
    batch = strokes()
    raw = model.scale_layer(model.encoder(batch["sequence"], batch["length"]))
    raw = np.array(raw, "float64")
    expected = np.exp(raw / 2) if activation == "exp" else np.log1p(np.exp(raw))
    np.testing.assert_allclose(np.array(model.posterior(batch).scale), expected, rtol=1e-5)


# Loss


def loss_of(model, batch, z_seed=5):
    """The loss with the same noise of the posterior each time, and its outputs."""
    model.seed_generator.state.assign(keras.random.SeedGenerator(z_seed).state)
    outputs = model(batch)
    return float(model.compute_loss(batch, None, outputs, training=False)), outputs


def test_loss_is_reconstruction_and_weighted_kl():
    model = randomise(sequence_vae(kl_weight=0.25))
    batch = strokes()
    loss, outputs = loss_of(model, batch)
    steps = np.array(model.head.loss(outputs["parameters"], batch["sequence"]))
    scored = sum(row[: n + 1].sum() for row, n in zip(steps, batch["length"], strict=True))
    kl = exact_kl(np.array(outputs["mean"]), np.array(outputs["scale"])).sum(-1).mean()
    assert loss == pytest.approx(scored / 3 / STEPS + 0.25 * kl, rel=1e-4)
    np.testing.assert_allclose(
        np.array(outputs["z"]),
        np.array(outputs["mean"]) + np.array(outputs["scale"]) * noise(np.array(outputs["z"])),
        rtol=1e-3,
        atol=1e-3,
    )


def noise(z, z_seed=5):
    return np.array(keras.random.normal(z.shape, seed=keras.random.SeedGenerator(z_seed)))


@pytest.mark.parametrize("scored_steps", ["until_end", "before_end"])
@pytest.mark.parametrize(("make", "data"), [(sequence_vae, strokes), (categorical_vae, symbols)])
def test_a_shorter_bucket_has_the_same_loss(make, data, scored_steps):
    """Padding that is not computed is not missed."""
    model = randomise(make(scored_steps=scored_steps, max_length=12))
    lengths = (5, 3, 1)
    short, _ = loss_of(model, data(lengths, steps=6))
    long, _ = loss_of(model, data(lengths, steps=12))
    assert short == pytest.approx(long, rel=1e-6)


def test_scored_steps():
    batch = strokes((4, 2, 6))
    ones = np.ones((3, STEPS), "float32")
    for scored, counts in (("all", [6, 6, 6]), ("until_end", [5, 3, 6]), ("before_end", [4, 2, 6])):
        model = sequence_model(scored_steps=scored)
        nats = model.sequence_loss(lambda parameters, elements: ones, batch, None)
        np.testing.assert_array_equal(np.array(nats), counts)


def test_reconstruction_is_per_step_or_per_sequence():
    batch = symbols()
    mean = randomise(categorical_vae(kl_weight=0.0, max_length=12))
    total = categorical_vae(kl_weight=0.0, max_length=12, mean_over_steps=False)
    total.set_weights(values(mean))
    assert loss_of(total, batch)[0] == pytest.approx(12 * loss_of(mean, batch)[0], rel=1e-5)


def test_the_likelihood_is_reported_beside_the_published_loss():
    model = randomise(sequence_vae())
    batch = strokes()
    batch["sequence"][0, 0, :2] = 100.0  # far beyond the floor of 13.8 nats
    _, outputs = loss_of(model, batch)
    steps = -np.array(model.head.log_prob(outputs["parameters"], batch["sequence"]))
    scored = sum(row[: n + 1].sum() for row, n in zip(steps, batch["length"], strict=True))
    nll = float(model.nll_tracker.result())
    assert nll == pytest.approx(scored / 3, rel=1e-4)
    assert nll > 5 * float(model.reconstruction_tracker.result()) * STEPS


# Fitting


def test_fit_lowers_the_loss_follows_the_schedule_and_counts_steps():
    keras.utils.set_random_seed(0)
    schedule = ExponentialApproach(0.0, 1.0, 0.9)
    model = compiled(sequence_vae(dropout=0.1, kl_weight=schedule))
    batch = strokes()
    history = model.fit(batch, batch_size=3, epochs=12, verbose=0).history
    assert int(model.step) == 12
    np.testing.assert_allclose(
        history["kl_weight"], [1 - 0.9**step for step in range(12)], rtol=1e-4, atol=1e-6
    )
    assert history["reconstruction"][-1] < history["reconstruction"][0] - 0.1
    evaluated = model.evaluate(batch, batch_size=3, verbose=0, return_dict=True)
    assert int(model.step) == 12  # looking at held-out data is no step
    assert set(evaluated) == {"loss", "reconstruction", "nll", "kl", "kl_weight"}


def test_metrics_weigh_examples_not_batches():
    """The last batch of an evaluation is shorter, in both senses, and counts as much less."""
    model = compiled(randomise(sequence_model()))
    batches = [strokes((5, 3, 1)), strokes((2,), steps=3, seed=1)]
    found = model.evaluate(of_any_length((b,) for b in batches), verbose=0, return_dict=True)
    nats = [
        float(nll)
        for batch in batches
        for nll in model.sequence_loss(
            lambda parameters, elements: -model.head.log_prob(parameters, elements),
            batch,
            model(batch)["parameters"],
        )
    ]
    assert len(nats) == 4
    assert found["nll"] == pytest.approx(np.mean(nats), rel=1e-4)


def test_fit_under_xla_with_a_second_objective():
    keras.utils.set_random_seed(0)
    model = compiled(sequence_vae(objective=latent_energy), jit_compile=True)
    history = model.fit(strokes(), batch_size=3, epochs=8, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert history["loss"][-1] < history["loss"][0]


def test_the_objective_adds_to_the_loss_in_training_only():
    plain, model = sequence_vae(), sequence_vae(objective=latent_energy)
    model.set_weights(values(plain))
    batch = strokes()
    loss, outputs = loss_of(plain, batch)
    energy = float(ops.mean(ops.square(outputs["z"])))
    assert float(model.compute_loss(batch, None, outputs, training=True)) == pytest.approx(
        loss + energy, rel=1e-5
    )
    assert float(model.compute_loss(batch, None, outputs, training=False)) == pytest.approx(loss)


def test_a_decoder_alone_is_trained_by_its_likelihood():
    keras.utils.set_random_seed(0)
    model = compiled(sequence_model())
    history = model.fit(strokes(), batch_size=3, epochs=12, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] - 0.1
    np.testing.assert_allclose(history["loss"], history["reconstruction"], rtol=1e-6)


# Saving


@pytest.mark.parametrize("jit_compile", [False, True])
def test_keras_file_keeps_weights_optimizer_and_settings(tmp_path, jit_compile):
    if keras.backend.backend() == "jax" and not jit_compile:
        pytest.skip("JAX is always compiled; without, a step takes seconds")
    keras.utils.set_random_seed(0)
    model = sequence_vae(
        dropout=0.2,
        kl_weight=ExponentialApproach(0.0, 1.0, 0.9),
        kl_floor=0.1,
        scale_activation="softplus",
        objective=latent_energy,
    )
    compiled(model, jit_compile=jit_compile)
    batch = strokes()
    model.fit(batch, batch_size=3, epochs=3, verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    other = keras.models.load_model(path, safe_mode=True)
    assert isinstance(other, SequenceVAE)
    assert len(other.weights) == len(model.weights)
    for ours, theirs in zip(other.weights, model.weights, strict=True):
        np.testing.assert_array_equal(np.array(ours), np.array(theirs), err_msg=theirs.path)
    assert len(other.optimizer.variables) == len(model.optimizer.variables)
    for ours, theirs in zip(other.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.array(ours), np.array(theirs), err_msg=theirs.path)
    assert other.jit_compile is jit_compile
    assert (other.kl_floor, other.scale_activation) == (0.1, "softplus")
    assert other.objective is latent_energy
    assert loss_of(other, batch)[0] == pytest.approx(loss_of(model, batch)[0], rel=1e-6)
    if not jit_compile:
        history = other.fit(batch, batch_size=3, epochs=1, verbose=0).history
        assert history["kl_weight"][0] == pytest.approx(1 - 0.9**3)  # the schedule goes on


@pytest.mark.parametrize("make", [sequence_model, categorical_vae])
def test_other_models_and_heads_keep_their_weights(tmp_path, make):
    model = randomise(make())
    model.save(tmp_path / "model.keras")
    other = keras.models.load_model(tmp_path / "model.keras")
    assert len(other.weights) == len(model.weights)
    for ours, theirs in zip(values(other), values(model), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kl_reduction": "max"}, "expected 'mean' or 'sum', received 'max'"),
        ({"scale_activation": "relu"}, "expected 'exp' or 'softplus', received 'relu'"),
        ({"scored_steps": "some"}, "expected one of .*received 'some'"),
    ],
)
def test_unknown_settings_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        sequence_vae(mixture_head(), **options)
