"""SentenceClassifier: learns, says the same when loaded, refuses what is not its own."""

import numpy as np
import pytest

from latentgen.errors import CheckpointError, FileError, InputError
from latentgen.text.classifier import SentenceClassifier, terms_of
from latentgen.text.reading import read_lines
from tests.shared import shared_path

GOOD, BAD = ["great", "lovely", "friendly"], ["awful", "rude", "cold"]
THINGS = ["food", "service", "soup", "staff", "place", "bar"]


def sentences_of(words):
    return [f"the {thing} is {word} ." for thing in THINGS for word in words]


SENTENCES = sentences_of(GOOD) + sentences_of(BAD)
LABELS = ["good"] * 18 + ["bad"] * 18


@pytest.fixture(scope="module")
def judge():
    return SentenceClassifier.learn(SENTENCES, LABELS)


def test_it_tells_classes_apart(judge):
    assert judge.categories == ("bad", "good")
    assert judge.accuracy == 1.0
    assert judge.predict(["The hotel is LOVELY!", "it is n't cold , it is rude"]) == ["good", "bad"]
    probability = judge.probability(SENTENCES)
    assert probability.dtype == np.float32
    assert probability.shape == (36, 2)
    np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-6)
    assert judge.is_a("good", SENTENCES).tolist() == [True] * 18 + [False] * 18
    assert judge.probability([]).shape == (0, 2)
    assert judge.probability([""]).shape == (1, 2)


def test_both_spellings_have_the_same_terms():
    assert terms_of("I don't know.") == terms_of("i do n't know .")
    assert terms_of("so good") == ["so", "good", "so good"]


def test_accuracy_is_of_sentences_held_out():
    random = np.random.default_rng(0)
    labels = random.choice(["one", "two"], 200).tolist()
    noise = SentenceClassifier.learn([f"word{k} same" for k in range(200)], labels)
    assert noise.accuracy < 0.9
    assert (
        np.mean(
            [
                a == b
                for a, b in zip(
                    noise.predict([f"word{k} same" for k in range(200)]), labels, strict=True
                )
            ]
        )
        > 0.95
    )


def test_three_classes_and_any_seed(judge):
    labels = LABELS[:18] + ["awful"] * 9 + ["poor"] * 9
    three = SentenceClassifier.learn(SENTENCES, labels, seed=5)
    assert three.categories == ("awful", "good", "poor")
    assert three.probability(SENTENCES).shape == (36, 3)
    again = SentenceClassifier.learn(SENTENCES, labels, seed=5)
    np.testing.assert_array_equal(again.weights, three.weights)


def test_a_loaded_judge_says_bit_for_bit_what_the_saved_one_did(judge, tmp_path):
    judge.save(tmp_path / "judge.npz")
    loaded = SentenceClassifier.load(tmp_path / "judge.npz")
    asked = [*SENTENCES, "", "something else entirely", "a great bar and a cold one"]
    np.testing.assert_array_equal(loaded.probability(asked), judge.probability(asked))
    assert loaded.categories == judge.categories
    assert loaded.terms == judge.terms
    assert loaded.accuracy == judge.accuracy
    with np.load(tmp_path / "judge.npz", allow_pickle=False) as arrays:
        assert {arrays[name].dtype.kind for name in arrays.files} == {"f", "u"}


def test_files_of_others_are_refused(judge, tmp_path):
    path = tmp_path / "judge.npz"
    with pytest.raises(FileError, match="found none"):
        SentenceClassifier.load(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(FileError, match="could not read it"):
        SentenceClassifier.load(path)
    np.savez(path, weights=np.zeros(3))
    with pytest.raises(CheckpointError, match="expected a sentence classifier"):
        SentenceClassifier.load(path)
    judge.save(path)
    with np.load(path) as arrays:
        stored = dict(arrays)
    for name, array in (("weights", stored["weights"][:-1]), ("idf", stored["idf"] * np.nan)):
        np.savez(path, **(stored | {name: array}))
        with pytest.raises(CheckpointError, match=f"{name}: expected finite numbers"):
            SentenceClassifier.load(path)


def test_labels_that_cannot_be_learned_are_refused(judge):
    with pytest.raises(InputError, match="at least two classes"):
        SentenceClassifier.learn(SENTENCES, ["good"] * 36)
    with pytest.raises(InputError, match="at least two sentences each"):
        SentenceClassifier.learn(SENTENCES, ["good"] * 35 + ["bad"])
    with pytest.raises(InputError, match="one for each of 36 sentences, received 35"):
        SentenceClassifier.learn(SENTENCES, LABELS[:-1])
    with pytest.raises(InputError, match="expected words that occur"):
        SentenceClassifier.learn([""] * 36, LABELS)
    with pytest.raises(InputError, match="category: expected one of"):
        judge.is_a("fine", SENTENCES)
    with pytest.raises(InputError, match="received one string"):
        judge.predict("the food is great .")


@pytest.mark.shared
def test_sentiment_of_reviews():
    folder = shared_path("data/text/yelp")
    parts = {
        part: [list(read_lines(folder / f"{part}.{label}.gz")) for label in (0, 1)]
        for part in ("test", "dev")
    }
    learned, asked = ([side[:4000] for side in parts[part]] for part in ("test", "dev"))
    judge = SentenceClassifier.learn([*learned[0], *learned[1]], ["0"] * 4000 + ["1"] * 4000)
    right = np.concatenate([judge.is_a(str(k), side) for k, side in enumerate(asked)])
    assert right.mean() > 0.92
    assert abs(right.mean() - judge.accuracy) < 0.03
