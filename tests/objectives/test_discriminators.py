"""Discriminators: what padding changes (nothing), what z and the order change, saving."""

import keras
import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.layers.heads import CategoricalHead
from latentgen.layers.tokens import TokenHead
from latentgen.objectives.discriminators import (
    ConvolutionalDiscriminator,
    ElementEmbedding,
    RecurrentDiscriminator,
)
from tests.tiny import mixture_head, randomise, strokes, values

KINDS = {
    "convolutional": (ConvolutionalDiscriminator, {"widths": (1, 3, 9), "filters": 4}),
    "recurrent": (RecurrentDiscriminator, {"units": 4, "hidden": 5}),
    "causal": (
        RecurrentDiscriminator,
        {"units": 4, "hidden": 5, "bidirectional": False, "per_step": True},
    ),
}


def make(kind, latent_size=0, **options):
    keras.utils.set_random_seed(3)
    make_it, sizes = KINDS[kind]
    embedding = ElementEmbedding.of(mixture_head(), 6)
    return randomise(make_it(embedding, latent_size=latent_size, **(sizes | options)))


def padded(extra=0, filling=7.0, seed=0):
    """Stroke sequences (3, 6 + extra, 5), and which steps count."""
    batch = strokes(seed=seed)
    sequence, length = batch["sequence"], batch["length"]
    mask = np.arange(6 + extra) < length[:, None]
    sequence = np.pad(sequence, [(0, 0), (0, extra), (0, 0)])
    return np.where(mask[..., None], sequence, np.float32(filling)), mask


def logits(model, steps, mask, z=None, **options):
    return np.asarray(model(steps, mask, z, **options))


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing(kind):
    model = make(kind)
    received = logits(model, *padded(extra=4))
    expected = logits(model, *padded(filling=0.0))
    if received.ndim == 2:
        np.testing.assert_array_equal(received[:, 6:], 0.0)
        received = received[:, :6]
    np.testing.assert_allclose(received, expected, atol=1e-5)
    assert np.ptp(expected) > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_cut_out_of_the_middle_changes_nothing(kind):
    """As where each of a sequence's segments has an end of its own."""
    model = make(kind)
    steps = strokes((6, 6, 6))["sequence"]
    mask = np.array([[1, 1, 0, 0, 1, 0]] * 3, "bool")
    other = np.where(mask[..., None], steps, np.float32(5.0))
    received, expected = logits(model, other, mask), logits(model, steps, mask)
    np.testing.assert_allclose(received, expected, atol=1e-5)
    if kind != "convolutional":  # to which what is cut out is silence
        short = logits(model, steps[:, [0, 1, 4]], np.ones((3, 3), "bool"))
        received = received[mask].reshape(3, 3) if received.ndim == 2 else received
        np.testing.assert_allclose(received, short, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_and_z_are_read(kind):
    model = make(kind, latent_size=2)
    steps, mask = padded()
    z = np.random.default_rng(0).normal(size=(3, 2)).astype("float32")
    expected = logits(model, steps, mask, z)
    for other, condition in ((steps * np.float32(1.5), z), (steps, z + 1.0)):
        received = logits(model, other, mask, condition)
        assert (np.abs(received - expected).reshape(3, -1).max(axis=1) > 1e-5).all()


def test_a_causal_logit_knows_nothing_of_what_comes():
    steps, mask = strokes((6, 6, 6))["sequence"], np.ones((3, 6), "bool")
    later = steps.copy()
    later[:, 4:] += 1.0
    causal, both = make("causal"), make("recurrent", per_step=True)
    same = logits(causal, steps, mask)[:, :4] - logits(causal, later, mask)[:, :4]
    np.testing.assert_allclose(same, 0.0, atol=1e-6)
    other = logits(both, steps, mask)[:, :4] - logits(both, later, mask)[:, :4]
    assert np.abs(other).max() > 1e-4


def test_a_sequences_logit_is_the_mean_of_its_steps():
    steps, mask = padded()
    each, all_ = make("recurrent", per_step=True), make("recurrent")
    expected = logits(each, steps, mask).sum(1) / mask.sum(1)
    np.testing.assert_allclose(logits(all_, steps, mask), expected, rtol=1e-5)


def test_an_empty_sequence_has_a_logit():
    steps, mask = padded()
    for kind in KINDS:
        assert np.isfinite(logits(make(kind), steps, np.zeros_like(mask))).all()


@pytest.mark.parametrize("head", [CategoricalHead(4, 5), TokenHead(4, 5, 3)], ids=["one-hot", "id"])
def test_a_symbol_and_its_relaxed_one_hot_are_read_alike(head):
    embedding = randomise(ElementEmbedding.of(head, 6))
    ids = np.array([[0, 3], [4, 1]], "int32")
    received = np.asarray(embedding(head.element_of(ids)))
    expected = np.asarray(embedding(np.eye(5, dtype="float32")[ids]))
    np.testing.assert_allclose(received, expected, atol=1e-6)
    assert received.shape == (2, 2, 6)
    assert embedding.count_params() == 5 * 6 + 6


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_is_in_training_alone(kind):
    model = make(kind, dropout=0.5)
    first, again = (logits(model, *padded()) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(logits(model, *padded(), training=True), first)


@pytest.mark.parametrize("kind", KINDS)
def test_its_configuration_makes_one_that_takes_its_weights(kind):
    model = make(kind, latent_size=2)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    assert [v.shape for v in again.weights] == [v.shape for v in model.weights]
    again.set_weights(values(model))
    steps, mask = padded()
    z = np.ones((3, 2), "float32")
    np.testing.assert_array_equal(logits(model, steps, mask, z), logits(again, steps, mask, z))


def test_a_bad_share_is_refused():
    with pytest.raises(InputError, match="dropout: expected a share"):
        make("recurrent", dropout=1.0)
