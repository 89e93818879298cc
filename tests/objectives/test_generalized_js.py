"""Generalized Jensen-Shannon: its gradient is the divergence's; every model is trained by it."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.errors import InputError
from latentgen.objectives import ConvolutionalDiscriminator, ElementEmbedding, GeneralizedJS
from tests.objectives.checks import (
    check_it_is_saved,
    check_it_resumes,
    check_it_trains,
    prepared,
)
from tests.objectives.models import MODELS
from tests.objectives.toy import ALL, STEPS, TRUTH, gradients, jensen_shannon, toy_model, train


def small(model):
    embedding = ElementEmbedding.of(model.head, 6)
    sizes = {"widths": (1, 2, 4), "filters": 16, "dropout": 0.1, "name": "critic"}
    return ConvolutionalDiscriminator(embedding, latent_size=model.decoder.latent_size, **sizes)


def make(model=None, **options):
    model = model or toy_model()
    return GeneralizedJS(model, **({"discriminator": small(model)} | options))


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_trained(name):
    check_it_trains(lambda model: make(model, prior=0.3), MODELS[name])


def test_it_resumes(tmp_path):
    check_it_resumes(lambda: prepared(make(prior=0.2)), tmp_path)


def test_it_is_saved(tmp_path):
    check_it_is_saved(prepared(make(prior=0.7)), tmp_path / "run.keras")


class Knows(keras.layers.Layer):
    """A discriminator of the toy language that knows log P / Q."""

    def __init__(self, model):
        super().__init__()
        self.model = [model]  # a list, so that it is no part
        self.built = True

    def call(self, elements, mask, z=None, training=False):
        place = ops.cast([27, 9, 3, 1], "float32")
        index = ops.cast(ops.sum(elements[..., 0] * place, axis=-1), "int32")
        return ops.take(np.log(TRUTH + 1e-30).astype("float32") - log_model(*self.model), index)


def log_model(model):
    """log Q of every sequence of the toy language, (81,)."""
    parameters = model.decoder.teacher_forced(None, ALL).parameters
    return ops.sum(model.head.log_prob(parameters, ALL), axis=1)


@pytest.mark.parametrize("prior", [0.05, 0.5, 0.95])
def test_its_gradient_is_that_of_the_divergence(prior):
    """A mean over 20,000 draws, against the sum over all sequences that there are."""
    model = toy_model(units=4)
    trainer = make(model, prior=prior, discriminator=Knows(model))
    inputs = trainer.with_own({"sequence": np.zeros((20_000, STEPS, 1), "float32")})
    received = gradients(lambda: trainer.objective(inputs, {}), model.trainable_variables)

    def divergence():
        p, log_q = TRUTH.astype("float32"), log_model(model)
        log_p = np.log(p + 1e-30)
        log_m = ops.logaddexp(math.log(prior) + log_p, math.log(1 - prior) + log_q)
        own, true = ops.exp(log_q) * (log_q - log_m), p * (log_p - log_m)
        both = prior * ops.sum(true) + (1 - prior) * ops.sum(own)
        return both / (prior * (1 - prior)) / STEPS  # as the model's loss, a mean over steps

    expected = gradients(divergence, model.trainable_variables)
    received, expected = (np.concatenate([g.ravel() for g in gs]) for gs in (received, expected))
    assert np.linalg.norm(received - expected) < 0.12 * np.linalg.norm(expected)


def test_the_divergence_falls():
    model = toy_model()
    before = jensen_shannon(model)
    train(make(model, prior=0.3), 240, rate=0.01, critic_steps=3)
    assert jensen_shannon(model) < 0.75 * before


def test_bad_arguments_are_refused():
    with pytest.raises(InputError, match="prior: expected a share above 0 and below 1"):
        make(prior=1.0)
    with pytest.raises(InputError, match="critic: expected a built layer, received Dense"):
        make(discriminator=keras.layers.Dense(1))
    with pytest.raises(InputError, match="expected more than 0 for a VAE"):
        make(MODELS["sketch VAE"]()[0], likelihood_weight=0.0)
