"""Likelihood in all units, and what a judge and a model trained on samples make of them."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.evaluation.likelihood import likelihood, lm_score, reverse_lm_score
from latentgen.text.tokenizers import Characters
from tests.text.tiny import SENTENCES, tiny_language_model, tiny_vae


def uniform(model):
    """The model with all weights 0: every token has the same probability."""
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    return model


def test_a_uniform_model_of_characters_needs_the_alphabets_bits():
    tokenizer = Characters.learn(SENTENCES)
    model = uniform(tiny_language_model(tokenizer=tokenizer, max_length=24))
    sentences = SENTENCES[:5]
    found = likelihood(model.score(sentences), sentences)
    assert found.bits_per_character == pytest.approx(np.log2(tokenizer.size), rel=1e-5)
    assert found.token == pytest.approx(np.log(tokenizer.size), rel=1e-5)
    assert found.perplexity == pytest.approx(tokenizer.size, rel=1e-4)
    tokens = np.mean([len(sentence) + 1 for sentence in sentences])
    assert found.sentence == pytest.approx(tokens * np.log(tokenizer.size), rel=1e-5)


def test_a_uniform_model_of_words_spends_a_words_bits_on_its_characters():
    model = uniform(tiny_language_model())
    found = likelihood(model.score(["we see mice"]), ["we see mice"])
    assert found.bits_per_character == pytest.approx(4 * np.log2(model.tokenizer.size) / 12)


def test_tokens_weigh_alike_whatever_their_sentence_and_kl_counts():
    scores = SimpleNamespace(
        log_prob=np.array([[-1.0, -2.0, 0.0], [-3.0, -3.0, -3.0]]),
        tokens=np.array([2, 3]),
        kl=np.array([1.0, 0.0]),
    )
    found = likelihood(scores, ["a", "bc"])
    assert found.sentence == pytest.approx(13 / 2)
    assert found.token == pytest.approx(13 / 5)
    assert found.bits_per_character == pytest.approx(13 / 5 / np.log(2))


def test_the_likelihood_of_a_vae_is_its_bound():
    vae = tiny_vae()
    scores = vae.score(SENTENCES[:4])
    expected = (scores.kl - scores.log_prob.sum(axis=1)).mean()
    assert likelihood(scores, SENTENCES[:4]).sentence == pytest.approx(expected, rel=1e-5)


@pytest.fixture(scope="module")
def scored():
    """A judge of the toy language, and the reverse scores of its sentences and of fewer ones."""

    def make_model():
        model = tiny_language_model(dropout=0.0)
        model.compile(keras.optimizers.Adam(0.02), jit_compile=keras.backend.backend() == "jax")
        return model

    def trained(samples, **options):
        models = []

        def make():
            models.append(make_model())
            return models[-1]

        score = reverse_lm_score(samples, SENTENCES, make, 120, 32, **options)
        return models[0], score

    judge, all_of_them = trained(SENTENCES)
    return {
        "judge": judge,
        "all": all_of_them,
        "again": trained(SENTENCES)[1],
        "one": trained([SENTENCES[0]] * 40)[1],
    }


def test_a_judge_finds_its_language_likely_and_others_not(scored):
    """36 sentences of the same probability: log 36 nats of four tokens."""
    judge = scored["judge"]
    assert lm_score(judge, SENTENCES) == pytest.approx(np.log(36) / 4, abs=0.15)
    assert lm_score(judge, ["mice see dogs", "hear we hear we"]) > 2 * np.log(36) / 4


def test_the_reverse_score_sees_what_samples_lack(scored):
    assert scored["all"] == pytest.approx(np.log(36) / 4, abs=0.15)
    assert scored["one"] > 2 * scored["all"]


def test_the_reverse_score_is_a_function_of_its_seeds(scored):
    assert scored["again"] == pytest.approx(scored["all"], rel=1e-5)


def test_the_judges_score_is_a_mean_over_tokens(scored):
    scores = scored["judge"].score(["we see mice", "dogs"])
    expected = -scores.log_prob.sum() / (4 + 2)
    assert lm_score(scored["judge"], ["we see mice", "dogs"]) == pytest.approx(expected, rel=1e-5)


def test_what_was_not_scored_is_refused():
    scores = SimpleNamespace(log_prob=np.zeros((2, 3)), tokens=np.ones(2), kl=np.zeros(2))
    with pytest.raises(InputError, match="expected the 2 that were scored, received 1"):
        likelihood(scores, ["a"])
    with pytest.raises(InputError, match="expected the 2 that were scored, received a string"):
        likelihood(scores, "ab")
    with pytest.raises(InputError, match="expected 1 or more, received 0 and 64"):
        reverse_lm_score(["a"], ["a"], tiny_language_model, 0)
