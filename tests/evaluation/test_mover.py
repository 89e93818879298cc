"""Word mover's distance: against the exact one, and against what it is for."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog

from latentgen.errors import InputError
from latentgen.evaluation.mover import estimated_word_mover, word_mover, word_vectors

# Who does what; subjects keep the company of verbs, verbs that of objects.
SUBJECTS, VERBS, OBJECTS = ("dogs", "cats", "we"), ("see", "hear", "like"), ("mice", "trains")
CORPUS = [list(words) for words in itertools.product(SUBJECTS, VERBS, OBJECTS)]
CORPUS += [["the", "sun", "is", adjective] for adjective in ("hot", "warm", "red")] * 3
VECTORS = word_vectors(CORPUS, 6, window=2, minimum_count=3)


def exact(first, second, vectors):
    """The word mover's distance by a linear program."""
    costs = np.array([[np.linalg.norm(vectors[a] - vectors[b]) for b in second] for a in first])
    n, m = costs.shape
    leaves = np.kron(np.eye(n), np.ones(m))
    arrives = np.kron(np.ones(n), np.eye(m))
    masses = np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)])
    return linprog(costs.ravel(), A_eq=np.vstack([leaves, arrives]), b_eq=masses).fun


def random_sentences(seed, count):
    random = np.random.default_rng(seed)
    words = sorted(VECTORS)
    return [list(random.choice(words, size=random.integers(1, 6))) for _ in range(count)]


def test_words_in_the_same_company_are_near():
    def near(a, b):
        return np.linalg.norm(VECTORS[a] - VECTORS[b])

    assert near("dogs", "cats") < 0.1 < 1.0 < near("dogs", "sun")
    assert near("hot", "warm") < 0.1 < 1.0 < near("hot", "see")
    assert all(np.linalg.norm(v) == pytest.approx(1.0) for v in VECTORS.values())


def test_vectors_are_a_function_of_the_seed():
    again = word_vectors(CORPUS, 6, window=2, minimum_count=3)
    assert all(np.array_equal(VECTORS[word], again[word]) for word in VECTORS)


def test_rare_words_have_no_vector():
    assert "once" not in word_vectors([*CORPUS, ["dogs", "see", "once"]], 6, minimum_count=2)
    assert "once" in word_vectors([*CORPUS, ["dogs", "see", "once"]], 6, minimum_count=1)


def test_it_bounds_the_exact_distance_closely():
    first, second = random_sentences(0, 12), random_sentences(1, 12)
    relaxed = word_mover(first, second, VECTORS)
    true = np.array([[exact(a, b, VECTORS) for b in second] for a in first])
    assert relaxed.shape == (12, 12)
    assert (relaxed <= true + 1e-9).all()
    assert relaxed.mean() > 0.8 * true.mean()
    assert np.corrcoef(relaxed.ravel(), true.ravel())[0, 1] > 0.9


def test_one_word_against_one_is_exact():
    words = [[word] for word in VECTORS]
    expected = [[np.linalg.norm(VECTORS[a] - VECTORS[b]) for b in VECTORS] for a in VECTORS]
    assert word_mover(words, words, VECTORS) == pytest.approx(np.array(expected), abs=1e-9)


def test_the_same_words_are_at_no_distance_and_unknown_ones_at_one():
    sentences = [["dogs", "see", "mice"], ["mice", "see", "dogs", "see"], ["xyz"], []]
    found = word_mover(sentences, sentences, VECTORS)
    assert found[0, 1] == pytest.approx(0.0, abs=1e-9)
    assert found[0, 2:] == pytest.approx([1.0, 1.0])
    assert found == pytest.approx(found.T)


def test_the_estimate_sees_both_strange_samples_and_alike_ones():
    random = np.random.default_rng(0)
    real, others = CORPUS[:26:2], CORPUS[1:26:2]
    alike = [real[0]] * 13
    strange = [list(random.choice(sorted(VECTORS), 4)) for _ in range(13)]
    good, repeated, odd = (
        estimated_word_mover(samples, real, VECTORS) for samples in (others, alike, strange)
    )
    assert estimated_word_mover(real[::-1], real, VECTORS) == pytest.approx(0.0, abs=1e-9)
    assert good < 0.5 * repeated
    assert good < 0.5 * odd


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: word_vectors([]), "sentences: expected 1 or more"),
        (
            lambda: word_vectors([["a", "b"], ["a"]], minimum_count=2),
            "one with two words that occur 2",
        ),
        (lambda: word_mover(CORPUS, ["a b"], VECTORS), r"second\[0\]: expected a list of words"),
        (lambda: word_mover(CORPUS, CORPUS, {}), "vectors: expected those of word_vectors"),
        (
            lambda: estimated_word_mover(CORPUS, CORPUS[1:], VECTORS),
            "expected equally many sentences, received 27 and 26",
        ),
    ],
)
def test_what_has_no_distance_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
