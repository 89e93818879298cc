"""Evaluation of models of text: against sums over their own outputs, and exact cases."""

import numpy as np
import pytest

from latentgen.text.corpus import Corpus
from latentgen.text.data import TextBatches
from latentgen.text.evaluation import evaluate
from tests.text.tiny import SENTENCES, WORDS, tiny_language_model, tiny_vae
from tests.tiny import randomise

CORPUS = Corpus.of([*SENTENCES, "dogs see mice dogs see mice"], WORDS)


def batches(size=16):
    return TextBatches(CORPUS, size).once()


def test_the_likelihood_of_a_language_model_is_exact():
    model = randomise(tiny_language_model(), scale=0.3)
    found = evaluate(model, batches())
    scores = model.score([CORPUS.tokenizer.text(CORPUS[k]) for k in range(len(CORPUS))])
    assert found.sentences == 37
    assert found.tokens == 36 * 4 + 7
    assert found.nll == pytest.approx(-scores.log_prob.sum() / 37, rel=1e-4)
    assert found.perplexity == pytest.approx(np.exp(-scores.log_prob.sum() / 151), rel=1e-4)
    assert found.kl is None
    assert "perplexity" in str(found)


def test_a_model_that_knows_nothing_has_the_perplexity_of_its_vocabulary():
    model = tiny_language_model()
    for weight in model.trainable_variables:
        weight.assign(np.zeros(weight.shape))
    found = evaluate(model, batches())
    assert found.perplexity == pytest.approx(WORDS.size, rel=1e-4)


def test_the_parts_of_the_bound_add_up():
    vae = randomise(tiny_vae(), scale=0.3)
    found = evaluate(vae, batches())
    assert found.nll == pytest.approx(found.reconstruction + found.kl, rel=1e-5)
    kl = vae.score([CORPUS.tokenizer.text(CORPUS[k]) for k in range(len(CORPUS))]).kl
    assert found.kl == pytest.approx(kl.mean(), rel=1e-4)
    assert 0 <= found.active_units <= found.latent_size == 4
    assert 0 < found.mutual_information <= np.log(37) + 1e-6
    assert "units active" in str(found)
    assert "importance" not in str(found)


def test_a_collapsed_posterior_is_reported_as_such():
    """A posterior that is the prior: no KL, no information, and every bound is the likelihood."""
    vae = randomise(tiny_vae(), scale=0.3)
    for layer in (vae.mean_layer, vae.scale_layer):
        for weight in layer.weights:
            weight.assign(np.zeros(weight.shape))
    found = evaluate(vae, batches(), importance_samples=3)
    assert found.kl == pytest.approx(0.0, abs=1e-6)
    assert found.active_units == 0
    assert found.mutual_information == pytest.approx(0.0, abs=1e-6)


def test_more_samples_tighten_the_bound():
    vae = randomise(tiny_vae(), scale=0.3)
    one, many = (evaluate(vae, batches(), importance_samples=k) for k in (1, 50))
    # One sample is the bound itself, with the KL estimated by that sample.
    assert one.importance_weighted == pytest.approx(one.nll, abs=0.6)
    assert many.importance_weighted < one.importance_weighted
    assert many.importance_weighted < many.nll
    assert f"{many.importance_weighted:.2f}" in str(many)
