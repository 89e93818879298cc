"""Seq2Seq: it learns to reverse a toy language, is kept as it is, and refuses what it cannot read;
and the search that every model of text offers."""

import itertools

import keras
import numpy as np
import pytest

from latentgen.errors import CheckpointError, InputError
from latentgen.text.corpus import Corpus
from latentgen.text.data import ParallelBatches
from latentgen.text.seq2seq import Seq2Seq
from latentgen.text.tokenizers import Words
from latentgen.training.checkpoint import CHECKPOINT, fit_resumably, restore
from tests.text.tiny import PLAIN, SENTENCES, tiny_language_model, tiny_vae
from tests.tiny import randomise, values

LETTERS = ["k", "l", "m", "n", "o"]
FORWARD = [" ".join(w) for n in (2, 3, 4) for w in itertools.product(LETTERS, repeat=n)]
BACKWARD = [" ".join(reversed(s.split())).upper() for s in FORWARD]
HELD_OUT = np.arange(0, len(FORWARD), 16)
SOURCE, TARGET = Words.learn(FORWARD), Words.learn(BACKWARD)
TINY = {"embedding_size": 6, "encoder_units": [5], "decoder_units": [8], "max_length": 7}


def tiny(source=SOURCE, target=TARGET, **options) -> Seq2Seq:
    keras.utils.set_random_seed(0)
    return Seq2Seq(source, target, **(TINY | options))


def written(sentences):
    """As the model writes them: the first letter is a capital anyway."""
    return [TARGET.decode(TARGET.encode(sentence, verbatim=True)) for sentence in sentences]


@pytest.fixture(scope="module")
def model():
    return randomise(tiny(), scale=0.3)


def untrained() -> Seq2Seq:
    model = tiny(embedding_size=16, encoder_units=[24], decoder_units=[32], dropout=0.0)
    optimizer = keras.optimizers.Adam(0.01, global_clipnorm=5.0)
    model.compile(optimizer, jit_compile=keras.backend.backend() == "jax")  # slow there without
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def trained(folder):
    rows = np.setdiff1d(np.arange(len(FORWARD)), HELD_OUT)
    sides = (
        Corpus.of([side[k] for k in rows], tokenizer)
        for side, tokenizer in ((FORWARD, SOURCE), (BACKWARD, TARGET))
    )
    batches = ParallelBatches(*sides, batch_size=64)
    model = untrained()
    fit_resumably(model, batches.from_step, 300, folder, steps_per_epoch=150, verbose=0)
    return model


def test_it_learns_to_reverse_what_it_never_saw(trained):
    sources = [FORWARD[k] for k in HELD_OUT]
    expected = written(BACKWARD[k] for k in HELD_OUT)
    for options in ({}, {"beam": 3}):
        found = trained.translate(sources, **options, **PLAIN)
        right = [one == other for one, other in zip(found, expected, strict=True)]
        assert np.mean(right) > 0.9, options


def test_the_right_target_is_the_likelier_one(trained):
    sources, right = FORWARD[700:732], BACKWARD[700:732]
    scores = trained.score(sources, right)
    assert (scores.tokens == 5).all()
    assert scores.per_token.mean() > -0.3
    assert trained.score(sources, [s.upper() for s in sources]).per_token.mean() < -1.0
    assert (scores.kl == 0).all()


def test_a_translation_is_independent_of_the_others(trained):
    sources = [FORWARD[0], FORWARD[40], FORWARD[400], "k l m n o k l"]
    together = trained.translate(sources, **PLAIN)
    assert together == [trained.translate([source], **PLAIN)[0] for source in sources]
    assert len(set(together)) == 4


def test_draws_depend_on_temperature_and_seed(model):
    sources = FORWARD[:8]
    draws = [model.translate(sources, temperature=2.0, seed=seed, **PLAIN) for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
    assert model.translate(sources, temperature=1e-4, **PLAIN) == model.translate(sources, **PLAIN)
    likely = model.translate(sources, temperature=2.0, top_k=1, **PLAIN)
    assert likely == model.translate(sources, **PLAIN)
    begun = model.translate(sources, prefix="M N", **PLAIN)
    assert all(sentence.startswith("M N") for sentence in begun)


def test_equal_tokenizers_share_one_table():
    shared, apart = tiny(SOURCE, None), tiny(SOURCE, TARGET)
    assert shared.tokenizer == SOURCE
    assert tiny(SOURCE, SOURCE.arguments()).source_embedding is None
    assert apart.count_params() - shared.count_params() == SOURCE.size * TINY["embedding_size"]
    ids = shared.to_sources(FORWARD[:2])["source"]
    np.testing.assert_array_equal(
        np.array(shared.embed_source(ids)), np.array(shared.head.table)[ids[..., 0].astype(int)]
    )


@pytest.mark.parametrize("target", [TARGET, None], ids=["two tokenizers", "one"])
def test_it_is_kept_as_it_is(tmp_path, target):
    model = randomise(tiny(SOURCE, target), scale=0.3)
    expected = model.translate(FORWARD[200:204], **PLAIN)
    model.save(tmp_path / "model.keras")
    model.save_preset(tmp_path / "toy", dtype="float32")
    for again in (
        keras.models.load_model(tmp_path / "model.keras"),
        Seq2Seq.from_preset(tmp_path / "toy"),
    ):
        assert again.translate(FORWARD[200:204], **PLAIN) == expected
        assert again.tokenizer == model.tokenizer
        assert again.source_tokenizer == SOURCE


def test_weights_of_another_vocabulary_are_refused(tmp_path):
    tiny().save_preset(tmp_path / "one")
    tiny(Words.learn(SENTENCES)).save_preset(tmp_path / "other")
    (tmp_path / "other" / "weights.npz").replace(tmp_path / "one" / "weights.npz")
    with pytest.raises(CheckpointError, match="expected"):
        Seq2Seq.from_preset(tmp_path / "one")


def test_a_run_is_taken_up_from_its_checkpoint(folder, trained):
    again = untrained()
    assert restore(again, folder / CHECKPOINT) == 2
    for one, other in zip(values(again), values(trained), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.translate("k l"), "sentences: expected a list .* received one string"),
        (lambda m: m.translate([]), "sentences: expected a list .* received none"),
        (lambda m: m.translate(["k", " "]), r"sentences\[1\]: expected 1 to 7 tokens, received 0"),
        (lambda m: m.translate(["k " * 8]), r"sentences\[0\]: expected 1 to 7 .* received 8"),
        (lambda m: m.translate(["k", 3]), r"sentences\[1\]: expected a string, received int"),
        (lambda m: m.translate(["k"], beam=0), "beam: expected how many .* received 0"),
        (lambda m: m.translate(["k"], beam=2, temperature=1.0), "beam, temperature: expected"),
        (lambda m: m.translate(["k"], beam=2, top_k=2), "beam: expected no top_k or top_p"),
        (lambda m: m.translate(["k"], beam=2, length_penalty=-1.0), "length_penalty: expected 0"),
        (lambda m: m.translate(["k"], temperature=0.0), "temperature: expected"),
        (lambda m: m.score(["k"], ["K", "L"]), "targets: expected 1, .* received 2"),
        (lambda m: m.generate(np.zeros((2, 3))), "z: expected a batch with source"),
        (lambda m: m.generate(n=2), "z: expected a batch with source .* received none"),
        (
            lambda m: m.generate({"source": np.zeros((2, 3)), "source_length": np.ones(2)}),
            r"z: expected source \(n, S, 1\)",
        ),
        (
            lambda m: m.generate({"source": np.full((2, 8, 1), 9), "source_length": [1, 1]}),
            "z: expected ids from 0 to 7 .* another vocabulary",
        ),
        (
            lambda m: m.generate({"source": np.ones((2, 8, 1)), "source_length": [1, 9]}),
            "z: expected ids from 0 to 7 and lengths from 1 to 8",
        ),
    ],
)
def test_bad_input_is_one_clear_line(model, call, message):
    with pytest.raises(InputError, match=message) as raised:
        call(model)
    assert "\n" not in str(raised.value)


def test_unknown_words_are_read_as_unknown(model):
    assert model.translate(["k zebra l"], **PLAIN) == model.translate(["k yak l"], **PLAIN)


def test_every_model_of_text_can_search():
    language, vae = (randomise(m, scale=0.5) for m in (tiny_language_model(), tiny_vae()))
    found, greedy = (language.decode(n=1, **kind, **PLAIN) for kind in ({"beam": 1}, {"greedy": 1}))
    assert found == greedy
    begun = language.decode(n=2, prefix="they hear", beam=3, **PLAIN)
    assert all(sentence.startswith("They hear") for sentence in begun)
    again = vae.reconstruct(SENTENCES[:3], beam=1, **PLAIN)
    assert again == vae.reconstruct(SENTENCES[:3], **PLAIN)
    assert len(vae.reconstruct(SENTENCES[:3], beam=4, **PLAIN)) == 3
