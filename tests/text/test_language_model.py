"""LanguageModel: exact likelihoods, drawing with and without a beginning, and keeping it."""

import keras
import numpy as np
import pytest

from latentgen.errors import CheckpointError, InputError
from latentgen.text.model import LanguageModel
from latentgen.text.vae import TextVAE
from tests.text.tiny import PLAIN, SENTENCES, WORDS, tiny_language_model, tiny_vae, train
from tests.tiny import randomise


@pytest.fixture(scope="module")
def model():
    return randomise(tiny_language_model(), scale=0.3)


@pytest.fixture(scope="module")
def trained():
    model = tiny_language_model(embedding_size=16, decoder_units=[24], dropout=0.0)
    train(model, 200, rate=0.02)
    return model


def test_it_learns_the_language(trained):
    """All sentences are equally likely: log 36 nats each, 4 tokens."""
    nats = -trained.score(SENTENCES).log_prob.sum(axis=1)
    assert nats.mean() == pytest.approx(np.log(36), abs=0.15)
    assert -trained.score(["see dogs mice"]).log_prob.sum() > 10


def test_it_draws_the_language(trained):
    drawn = [s.lower() for s in trained.sample(200, seed=1, **PLAIN)]
    assert np.mean([sentence in SENTENCES for sentence in drawn]) > 0.9
    assert len(set(drawn)) > 25


def test_likelihoods_are_those_of_the_next_word_given_the_ones_before(model):
    """Step by step, on a state carried along."""
    ids = WORDS.encode("dogs see mice")
    states, total, before = model.decoder.initial_states(None, 1), 0.0, 1
    for token in [*ids, 0]:
        read = model.head.embed(np.array([[before]], "float32"))
        features, states = model.decoder.advance(0, read, states)
        logits = np.array(model.head(features), "float64")[0]
        total += logits[token] - np.log(np.exp(logits).sum())
        before = token
    found = model.score(["dogs see mice"])
    assert found.log_prob.sum() == pytest.approx(total, abs=1e-4)
    assert found.per_token[0] == pytest.approx(total / 4, abs=1e-4)
    assert (found.kl == 0).all()


def test_beginnings_are_gone_on_with(model):
    drawn = model.sample(3, prefix="they hear", **PLAIN)
    assert len(drawn) == 3
    assert all(sentence.lower().startswith("they hear") for sentence in drawn)
    beginnings = ["we like", "cats"]
    for sentence, begin in zip(model.continue_(beginnings, **PLAIN), beginnings, strict=True):
        assert sentence.lower().startswith(begin)
    with pytest.raises(InputError, match="expected 1 to 7 tokens"):
        model.continue_(["dogs " * 8], **PLAIN)


def test_a_draw_depends_on_the_seed_and_its_number(model):
    eight = model.sample(8, seed=3, **PLAIN)
    assert model.sample(3, seed=3, batch_size=2, **PLAIN) == eight[:3]
    assert model.sample(8, seed=4, **PLAIN) != eight


def test_a_preset_says_what_it_is_of(tmp_path, model):
    model.save_preset(tmp_path / "toy", dtype="float32")
    again = LanguageModel.from_preset(tmp_path / "toy")
    assert again.sample(3, **PLAIN) == model.sample(3, **PLAIN)
    assert isinstance(TextVAE.any_from_preset(tmp_path / "toy", LanguageModel), LanguageModel)
    with pytest.raises(CheckpointError, match="expected a preset of TextVAE"):
        TextVAE.from_preset(tmp_path / "toy")
    tiny_vae().save_preset(tmp_path / "other")
    (tmp_path / "other" / "weights.npz").replace(tmp_path / "toy" / "weights.npz")
    with pytest.raises(CheckpointError):
        LanguageModel.from_preset(tmp_path / "toy")


def test_it_is_a_keras_model(tmp_path):
    model = tiny_language_model(word_dropout=0.2)
    train(model, 2)
    model.save(tmp_path / "toy.keras")
    again = keras.models.load_model(tmp_path / "toy.keras")
    np.testing.assert_array_equal(
        again.score(SENTENCES[:3]).log_prob, model.score(SENTENCES[:3]).log_prob
    )
