"""Sequence matching as a second objective, on models of sentences, melodies and drawings."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.compilation import compiled
from latentgen.errors import InputError
from latentgen.layers.heads import CategoricalHead
from latentgen.layers.tokens import TokenHead
from latentgen.objectives.transport import SequenceMatching, sequence_matching
from latentgen.text.seq2seq import Seq2Seq
from latentgen.text.tokenizers import Words
from latentgen.transport import cosine_cost, ipot
from tests.text.tiny import SENTENCES, WORDS, tiny_language_model, tiny_vae
from tests.tiny import categorical_vae, randomise, sequence_vae, strokes, symbols

JIT = keras.backend.backend() == "jax"  # slow there without
PAIRS = (["we see mice", "dogs like bones", "they hear"], ["we like trains", "cats", "they see"])


def tiny_seq2seq(target: Words | None = None) -> Seq2Seq:
    keras.utils.set_random_seed(0)
    sizes = {"embedding_size": 6, "encoder_units": [5], "decoder_units": [8], "max_length": 7}
    return Seq2Seq(WORDS, target, **sizes)


def value(objective, model, batch, **parameters) -> float:
    """The objective on a batch, of a model as it is or of given parameters."""
    model.objective = None
    run = compiled(model, lambda b: objective(model, b, parameters or model(b)), False)
    return float(run({name: ops.convert_to_tensor(part) for name, part in batch.items()}))


def slopes(objective, model, batch) -> dict[str, float]:
    """The largest gradient of each of a model's variables."""
    model.objective, model.sampling = objective, 0.0
    before = [np.array(v) for v in model.trainable_variables]
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
    model.train_on_batch(batch)
    return {
        v.path: float(abs(np.array(v) - old).max())
        for v, old in zip(model.trainable_variables, before, strict=True)
    }


def by_hand(given, soft):
    """The mean cost of lists of embedded sequences, one problem after the other."""
    pairs = zip(given, soft, strict=True)
    return np.mean([float(ipot(cosine_cost(g[None], s[None])).cost[0]) for g, s in pairs])


def test_it_is_the_mean_cost_of_what_counts():
    model = randomise(tiny_seq2seq())
    batch = model.to_batch(*PAIRS)
    table = np.array(model.head.table)
    shares = np.array(ops.softmax(model(batch)["parameters"] / 0.5, axis=-1))
    soft, reference, source = (
        [row[: length + 1] for row, length in zip(rows, lengths, strict=True)]
        for rows, lengths in (
            (shares @ table, batch["length"]),
            (table[batch["sequence"][..., 0].astype(int)], batch["length"]),
            (table[batch["source"][..., 0].astype(int)], batch["source_length"]),
        )
    )
    matched, copied = by_hand(reference, soft), by_hand(source, soft)
    assert abs(matched - copied) > 0.01
    for weights, expected in (
        ((1.0, 0.0), matched),
        ((0.0, 1.0), copied),
        ((0.3, 2.0), 0.3 * matched + 2.0 * copied),
    ):
        found = value(SequenceMatching(*weights, temperature=0.5), model, batch)
        assert found == pytest.approx(expected, abs=1e-4)


def test_padding_is_nothing():
    model = randomise(tiny_language_model())
    short = model.to_batch(SENTENCES[:4])
    more = np.full((4, 3, 1), 5.0, "float32")  # words, as nothing may depend on them
    long = short | {"sequence": np.concatenate([short["sequence"], more], axis=1)}
    objective = SequenceMatching()
    assert value(objective, model, long) == pytest.approx(value(objective, model, short), rel=1e-4)


def perfect(head, sequence):
    """Parameters under which a head says this sequence."""
    if isinstance(head, TokenHead):
        return 60.0 * np.eye(head.parameter_size, dtype="float32")[sequence[..., 0].astype(int)]
    if isinstance(head, CategoricalHead):
        return 60.0 * sequence
    one = np.ones((*sequence.shape[:-1], head.mixtures), "float32")
    # The order of StrokeMixture: pen, π, μx, μy, σx, σy, ρ.
    means = [one * sequence[..., k : k + 1] for k in (0, 1)]
    return np.concatenate([60.0 * sequence[..., 2:], one, *means, -9 * one, -9 * one, one], axis=-1)


@pytest.mark.parametrize(
    ("make", "batch"),
    [
        (tiny_language_model, lambda m: m.to_batch(["we see mice", "dogs like", "cats"])),
        (categorical_vae, lambda m: symbols((6, 3, 1))),
        (sequence_vae, lambda m: strokes((6, 3, 1))),
    ],
    ids=["words", "one-hots", "strokes"],
)
def test_the_reference_costs_nothing_in_any_order_and_another_does(make, batch):
    model = randomise(make())
    batch = batch(model)
    parameters = perfect(model.head, batch["sequence"])
    turned = parameters.copy()
    turned[0, :3] = turned[0, 2::-1]
    objective = SequenceMatching(1.0, beta=0.1, iterations=100, temperature=0.5)
    assert value(objective, model, batch, parameters=parameters) < 0.01
    assert value(objective, model, batch, parameters=turned) < 0.01
    other = np.roll(parameters, 1, axis=0)
    assert value(objective, model, batch, parameters=other) > 0.1


def test_training_brings_the_output_nearer():
    model = tiny_vae(dropout=0.0)
    batch = model.to_batch(SENTENCES[:16])
    objective = SequenceMatching(100.0, iterations=15)
    start = value(objective, model, batch)
    model.objective = objective
    model.compile(keras.optimizers.Adam(0.02), jit_compile=JIT)
    for _ in range(30):
        model.train_on_batch(batch)
    assert value(objective, model, batch) < 0.7 * start


def test_it_is_added_to_the_likelihood_in_training_alone():
    def losses(model):
        model.compile(keras.optimizers.SGD(0.0), jit_compile=JIT)
        batch = model.to_batch(SENTENCES[:4])
        return [float(np.ravel(f(batch))[0]) for f in (model.train_on_batch, model.test_on_batch)]

    plain = tiny_language_model(dropout=0.0)
    alone, tested = losses(plain)
    with_it, tested_with_it = losses(
        sequence_matching(tiny_language_model(dropout=0.0), weight=3.0)
    )
    extra = value(SequenceMatching(3.0), plain, plain.to_batch(SENTENCES[:4]))
    assert with_it - alone == pytest.approx(extra, rel=1e-3)
    assert tested == pytest.approx(tested_with_it)


def test_every_variable_that_it_concerns_has_its_gradient():
    """Both tables by L_copy, the decoder by either, and the source's table by L_copy most."""
    target = Words.learn(PAIRS[1])
    batch = tiny_seq2seq(target).to_batch(*PAIRS)
    found = [
        slopes(objective, randomise(tiny_seq2seq(target)), batch)
        for objective in (None, SequenceMatching(), SequenceMatching(0.0, 50.0))
    ]
    assert all(np.isfinite([*each.values()]).all() for each in found)
    for path in found[0]:
        if "source_embedding" in path or path.endswith("head/table"):
            assert found[2][path] > found[0][path], path
        if "attention" in path or "cells" in path:
            assert len({each[path] for each in found}) == 3, path


def test_drawings_train_by_it():
    model = sequence_matching(sequence_vae(), weight=1.0, iterations=4, unrolled=True)
    model.compile(keras.optimizers.Adam(0.01), jit_compile=JIT)
    assert np.isfinite([model.train_on_batch(strokes()) for _ in range(2)]).all()


def test_melodies_train_by_it_under_xla():
    model = sequence_matching(categorical_vae(), iterations=4)
    model.compile(keras.optimizers.Adam(0.01), jit_compile=True)
    assert np.isfinite([model.train_on_batch(symbols()) for _ in range(2)]).all()


def test_a_saved_model_has_it_still(tmp_path):
    model = sequence_matching(
        tiny_seq2seq(), weight=0.2, copy_weight=0.3, temperature=0.7, beta=1.0, iterations=10
    )
    model.compile(keras.optimizers.Adam(0.01), jit_compile=JIT)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again.objective, SequenceMatching)
    assert again.objective.get_config() == model.objective.get_config()
    assert again.objective.get_config() == {
        "weight": 0.2,
        "copy_weight": 0.3,
        "temperature": 0.7,
        "beta": 1.0,
        "iterations": 10,
        "unrolled": False,
    }
    batch = model.to_batch(*PAIRS)
    expected = value(model.objective, model, batch)
    assert value(again.objective, again, batch) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": -0.1}, "weight, copy_weight: expected .* received -0.1 and 0.0"),
        ({"weight": 0.0}, "weight, copy_weight: expected .* received 0.0 and 0.0"),
        ({"weight": float("nan")}, "weight, copy_weight: expected .* received nan"),
        ({"temperature": 0.0}, "temperature: expected a number above 0, received 0.0"),
    ],
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        SequenceMatching(**options)


def test_copying_wants_a_source():
    model = tiny_language_model()
    with pytest.raises(InputError, match=r"copy_weight: expected a Seq2Seq.* LanguageModel"):
        value(SequenceMatching(copy_weight=0.1), model, model.to_batch(SENTENCES[:2]))
