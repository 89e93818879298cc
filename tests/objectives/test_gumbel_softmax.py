"""Relaxed free runs: what they are, their gradients, and the adversarial training on them."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.objectives import ConvolutionalDiscriminator, ElementEmbedding, GumbelSoftmax
from latentgen.objectives.gumbel_softmax import hardened, relaxed_run
from latentgen.training.gradients import gradient
from tests.objectives.checks import (
    ON_JAX,
    check_it_is_saved,
    check_it_resumes,
    check_it_trains,
    fit,
    prepared,
    toy_batch,
)
from tests.objectives.models import MODELS
from tests.objectives.toy import toy_model
from tests.tiny import randomise


def make(model=None, **options):
    model = model or toy_model()
    sizes = {"widths": (1, 4), "filters": 16, "dropout": 0.1, "name": "critic"}
    latent = {"latent_size": model.decoder.latent_size}
    critic = ConvolutionalDiscriminator(ElementEmbedding.of(model.head, 6), **sizes, **latent)
    return GumbelSoftmax(model, discriminator=critic, **options)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_trained(name):
    check_it_trains(make, MODELS[name])


def test_it_resumes(tmp_path):
    check_it_resumes(lambda: prepared(make()), tmp_path)


def test_it_is_saved(tmp_path):
    check_it_is_saved(prepared(make(temperature=0.5)), tmp_path / "run.keras")


@pytest.mark.skipif(ON_JAX, reason="is always compiled there")
def test_it_compiles_under_xla():
    model, batch = MODELS["music VAE"]()
    found = fit(prepared(make(model), jit_compile=True), batch)
    assert np.isfinite(list(found.values())).all()


def setting(name, steps=8):
    """A model with weights that tell, z for two, and the noise of a relaxed run."""
    model = randomise(MODELS[name]()[0], scale=0.3)
    random = np.random.default_rng(1)
    z = random.normal(size=(2, model.decoder.latent_size)).astype("float32")
    noise = random.random((2, steps, model.head.relax_noise_size), dtype="float32")
    return model.decoder, z if z.size else None, noise


@pytest.mark.parametrize("name", MODELS)
def test_each_element_is_drawn_given_those_before_it(name):
    """Near temperature 0 a relaxed run is a run: read as the truth, it draws itself."""
    decoder, z, noise = setting(name, steps=16 if name == "music VAE" else 8)
    run = relaxed_run(decoder, z, noise, 1e-4)
    elements = hardened(decoder.head, run)
    parameters = decoder.teacher_forced(z, elements).parameters
    again = decoder.head.relax(parameters, noise, 1e-4)
    np.testing.assert_allclose(np.asarray(run), np.asarray(again), atol=1e-3)
    assert len(np.unique(np.asarray(elements).reshape(-1, elements.shape[-1]), axis=0)) > 2


@pytest.mark.parametrize("name", ["text VAE", "music VAE", "sketch VAE"])
def test_the_gradient_goes_through_all_draws(name):
    """That of the last element by z, against a difference of two runs."""
    decoder, z, noise = setting(name, steps=16 if name == "music VAE" else 8)
    toward = np.random.default_rng(2).normal(size=z.shape).astype("float32")

    def last(z):
        run = relaxed_run(decoder, z, noise, 1.0)
        return ops.sum(run[:, -1] * ops.arange(run.shape[-1], dtype="float32"))

    slope = float(np.sum(np.asarray(gradient(last, z)) * toward))
    step = np.float32(2e-2)  # far above what rounding is
    difference = float(last(z + step * toward) - last(z - step * toward)) / (2 * step)
    assert slope == pytest.approx(difference, rel=0.05)
    assert abs(slope) > 1e-3


def test_straight_through_draws_symbols_with_a_gradient():
    decoder, z, noise = setting("text VAE")
    toward = np.random.default_rng(2).normal(size=decoder.head.parameter_size).astype("float32")
    run = np.asarray(relaxed_run(decoder, z, noise, 1.0, straight_through=True))
    np.testing.assert_allclose(run.max(axis=-1), 1.0, atol=1e-6)
    np.testing.assert_allclose(run.sum(axis=-1), 1.0, atol=1e-6)

    def last(z):
        return ops.sum(relaxed_run(decoder, z, noise, 1.0, straight_through=True)[:, -1] * toward)

    assert (np.abs(np.asarray(gradient(last, z))).max(axis=-1) > 1e-4).all()


class Likes(keras.layers.Layer):
    """A discriminator that takes the symbol 1 for true."""

    def __init__(self):
        super().__init__()
        self.taste = self.add_weight(shape=(3,), initializer="zeros", name="taste")
        self.taste.assign([0.0, 2.0, 0.0])
        self.built = True

    def call(self, elements, mask, z=None, training=False):
        if elements.shape[-1] == 1:
            elements = ops.one_hot(ops.cast(elements[..., 0], "int32"), 3)
        return ops.sum(elements @ self.taste[:, None], axis=(1, 2))


@pytest.mark.parametrize("straight_through", [True, False])
def test_the_model_comes_to_draw_what_a_discriminator_likes(straight_through):
    model = toy_model()
    trainer = GumbelSoftmax(model, 0.5, straight_through, discriminator=Likes())
    prepared(trainer, rate=0.03, critic_rate=0.0, run_eagerly=False)
    fit(trainer, toy_batch(16), 40)
    drawn = model.generate(n=64, jit_compile=False)
    assert (drawn == 1).mean() > 0.85
