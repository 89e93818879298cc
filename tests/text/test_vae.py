"""TextVAE: its verbs, its errors, what keeps its posterior alive, and that it can be kept."""

import keras
import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.evaluation.latents import active_units
from latentgen.text.tokenizers import UNKNOWN, Characters
from latentgen.text.vae import TextVAE
from latentgen.training.schedules import Cyclical
from latentgen.vae import Posterior
from tests.text.tiny import PLAIN, SENTENCES, WORDS, tiny_vae, train
from tests.tiny import randomise


@pytest.fixture(scope="module")
def vae():
    return randomise(tiny_vae(), scale=0.3)


@pytest.fixture(scope="module")
def trained():
    model = tiny_vae(
        latent_size=6,
        embedding_size=16,
        encoder_units=[24],
        decoder_units=[32],
        free_bits=6.0,
        kl_weight=0.1,
        dropout=0.0,
    )
    return model, train(model, 300, rate=0.02)


def test_a_trained_posterior_is_alive(trained):
    """The language has log 36 = 3.6 nats, of which free bits allow 6 · ln 2 = 4.2."""
    model, metrics = trained
    assert metrics["kl"] > 2.5
    assert active_units(model.encode(SENTENCES)).sum() >= 2


def test_a_trained_model_reconstructs(trained):
    """Of 36 sentences, one would come back by chance."""
    model, _ = trained
    again = [s.lower().rstrip(".") for s in model.reconstruct(SENTENCES, **PLAIN)]
    assert np.mean([a == b for a, b in zip(again, SENTENCES, strict=True)]) > 0.2


def test_the_ends_of_an_interpolation_are_the_reconstructions(trained):
    model, _ = trained
    path = model.interpolate(SENTENCES[0], SENTENCES[-1], 5, **PLAIN)
    ends = model.reconstruct([SENTENCES[0], SENTENCES[-1]], **PLAIN)
    assert len(path) == 5
    assert [path[0], path[-1]] == ends


def test_every_weight_learns():
    model = tiny_vae(tied=False)
    before = [np.array(v) for v in model.trainable_variables]
    train(model, 3)
    for variable, old in zip(model.trainable_variables, before, strict=True):
        assert (np.array(variable) != old).any(), variable.path


def test_encoder_and_decoder_read_one_table():
    model = tiny_vae()
    tables = [v for v in model.trainable_variables if tuple(v.shape) == (WORDS.size, 6)]
    assert len(tables) == 1
    first = model.encode(SENTENCES[:2]).mean
    table = np.array(tables[0])
    table[WORDS.encode("dogs")[0]] += 1.0
    tables[0].assign(table)
    assert (model.encode(SENTENCES[:2]).mean != first).all()


def test_padding_is_never_read(vae):
    short, long = "dogs see mice", "dogs see mice dogs see mice dogs"
    alone, beside = vae.encode([short]), vae.encode([short, long])
    np.testing.assert_allclose(alone.mean[0], beside.mean[0], atol=1e-6)
    np.testing.assert_allclose(alone.scale[0], beside.scale[0], rtol=1e-5)
    batch = vae.to_batch([short])
    padded = np.concatenate([batch["sequence"], np.full((1, 8, 1), 3, "float32")], axis=1)
    wider = vae.encode_batch(batch | {"sequence": padded})
    np.testing.assert_allclose(wider.mean, alone.mean, atol=1e-6)


# Word dropout


def read_by_decoder(model, training):
    """What words the decoder was given to read of a batch."""
    batch, seen = model.to_batch(4 * SENTENCES), []
    forced = model.decoder.teacher_forced

    def teacher_forced(z, targets, *args, **kwargs):
        seen.append(np.array(targets)[..., 0])
        return forced(z, targets, *args, **kwargs)

    model.decoder.teacher_forced = teacher_forced
    model(batch, training=training)
    model.decoder.teacher_forced = forced
    return batch["sequence"][..., 0], seen[0]


def test_words_are_dropped_in_training_alone():
    model = tiny_vae(word_dropout=0.4)
    truth, read = read_by_decoder(model, training=True)
    changed = read != truth
    assert (read[changed] == UNKNOWN).all()
    assert changed.mean() == pytest.approx(0.4, abs=0.06)  # four standard errors
    truth, read = read_by_decoder(model, training=False)
    np.testing.assert_array_equal(read, truth)


def test_dropped_words_are_still_to_be_predicted():
    """The likelihood of a batch is that of its true words, whatever was read."""
    model = tiny_vae(word_dropout=0.9)
    batch = model.to_batch(["dogs see mice"])
    outputs = model(batch, training=True)
    expected = np.array(model.head.log_prob(outputs["parameters"], batch["sequence"]))[0, :4].sum()
    model.compute_loss(batch, None, outputs, training=False)
    assert float(model.nll_tracker.result()) == pytest.approx(-expected, rel=1e-5)


# Verbs


def test_sentences_are_drawn_as_people_write(vae):
    drawn = vae.sample(6, seed=1, temperature=1.0, **PLAIN)
    assert drawn == vae.sample(6, seed=1, temperature=1.0, **PLAIN)
    assert drawn != vae.sample(6, seed=2, temperature=1.0, **PLAIN)
    assert all(isinstance(sentence, str) for sentence in drawn)
    careful = vae.decode(vae.sample_prior(6), top_k=1, **PLAIN)
    assert careful == vae.decode(vae.sample_prior(6), greedy=True, **PLAIN)


def test_a_prefix_begins_every_sentence(vae):
    z = vae.sample_prior(3)
    for prefix in ("they hear", ["they hear", "we like", "dogs"]):
        drawn = vae.decode(z, prefix=prefix, **PLAIN)
        begins = [prefix] * 3 if isinstance(prefix, str) else prefix
        for sentence, begin in zip(drawn, begins, strict=True):
            assert sentence.lower().startswith(begin)
    assert vae.continue_(["they hear"], **PLAIN)[0].lower().startswith("they hear")


def test_scores_are_the_likelihood_of_each_token(vae):
    sentences = ["dogs see mice", "we like trains dogs"]
    scores, batch = vae.score(sentences), vae.to_batch(sentences)
    mean, _ = vae.encode(sentences)
    logits = np.array(vae.decoder.teacher_forced(mean, batch["sequence"]).parameters, "float64")
    ids = batch["sequence"][..., 0].astype(int)
    log_prob = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    for row, tokens in enumerate((4, 5)):
        expected = log_prob[row, np.arange(tokens), ids[row, :tokens]]
        np.testing.assert_allclose(scores.log_prob[row, :tokens], expected, atol=1e-4)
        assert (scores.log_prob[row, tokens:] == 0).all()
        assert scores.per_token[row] == pytest.approx(expected.mean(), abs=1e-4)
    assert scores.tokens.tolist() == [4, 5]
    assert (scores.kl > 0).all()


def test_words_nobody_knows_are_read_as_unknown(vae):
    posterior = vae.encode(["dogs see zeppelins"])
    assert np.isfinite(posterior.mean).all()
    assert vae.to_batch(["dogs see zeppelins"])["sequence"][0, 2, 0] == UNKNOWN


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ("dogs see mice", "expected a list of at least one string, received one string"),
        ([], "expected a list of at least one string, received none"),
        (["dogs", ""], r"sentences\[1\]: expected 1 to 7 tokens, received 0"),
        (["  \n"], r"sentences\[0\]: expected 1 to 7 tokens, received 0"),
        (["dogs " * 8], r"sentences\[0\]: expected 1 to 7 tokens, received 8"),
        (["dogs", None], r"sentences\[1\]: expected a string, received NoneType"),
        ([b"dogs"], r"sentences\[0\]: expected a string, received bytes"),
    ],
)
def test_what_is_no_sentence_is_refused(vae, sentences, message):
    with pytest.raises(InputError, match=message):
        vae.encode(sentences)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent_size": 0}, "latent_size: expected 1 or more"),
        ({"word_dropout": 1.0}, "word_dropout: expected a share"),
        ({"dropout": -0.1}, "dropout: expected a share"),
        ({"kl_cycles": 0}, "kl_cycles, kl_steps"),
        ({"tokenizer": {"kind": "os"}}, "tokenizer: expected"),
    ],
)
def test_what_cannot_be_built_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        tiny_vae(**options)


# Keeping


def test_the_schedule_comes_of_plain_arguments():
    model = tiny_vae(kl_weight=0.4, kl_cycles=2, kl_steps=100)
    assert isinstance(model.kl_weight, Cyclical)
    weights = [float(model.kl_weight(step)) for step in (0, 25, 49, 50, 75, 100, 999)]
    np.testing.assert_allclose(weights, [0.0, 0.4, 0.4, 0.0, 0.4, 0.4, 0.4], atol=1e-6)
    assert tiny_vae(kl_weight=0.4).kl_weight == 0.4


@pytest.mark.parametrize("tokenizer", [WORDS, Characters.learn(SENTENCES)])
def test_a_preset_keeps_the_model_and_the_tokenizer(tmp_path, tokenizer):
    model = tiny_vae(tokenizer=tokenizer, kl_steps=10, max_length=40)
    model.reference = Posterior(*model.encode(SENTENCES[:5]))
    model.save_preset(tmp_path / "toy", dtype="float32")
    again = TextVAE.from_preset(tmp_path / "toy")
    assert again.tokenizer == tokenizer
    assert again.arguments() == model.arguments()
    z = model.sample_prior(3)
    assert again.decode(z, **PLAIN) == model.decode(z, **PLAIN)
    np.testing.assert_allclose(again.reference.mean, model.reference.mean, atol=2e-3)


def test_it_is_a_keras_model(tmp_path):
    model = tiny_vae(kl_steps=10)
    train(model, 2)
    model.save(tmp_path / "toy.keras")
    again = keras.models.load_model(tmp_path / "toy.keras")
    for ours, theirs in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(np.array(ours), np.array(theirs))
    np.testing.assert_array_equal(
        again.encode(SENTENCES[:3]).mean, model.encode(SENTENCES[:3]).mean
    )
    assert again.optimizer is not None
