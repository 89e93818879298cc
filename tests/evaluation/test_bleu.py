"""BLEU and self-BLEU against nltk's, which compares every pair of sentences."""

import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.evaluation.bleu import bleu, self_bleu, texygen_bleu, texygen_self_bleu

CAPTIONS = [
    line.split()
    for line in (
        "a man riding a wave on top of a surfboard",
        "a man riding a wave on a surfboard in the ocean",
        "a cat sitting on top of a wooden table",
        "a bathroom with a toilet and a sink",
        "the the the the the",
        "a cat",
        "surfboard",
        "a man riding a wave on top of a surfboard",
    )
]


def random_sentences(seed, count, longest=12, words="abcdef"):
    random = np.random.default_rng(seed)
    return [
        list(random.choice(list(words), size=random.integers(1, longest + 1))) for _ in range(count)
    ]


def nltk_bleu(hypothesis, references, order):
    translate = pytest.importorskip("nltk.translate.bleu_score")
    return translate.sentence_bleu(
        references, hypothesis, [1 / order] * order, translate.SmoothingFunction().method1
    )


def expected_bleu(hypotheses, references, max_order=5):
    return [
        np.mean([nltk_bleu(words, references, order) for words in hypotheses])
        for order in range(2, max_order + 1)
    ]


def expected_self_bleu(sentences, max_order=5):
    return [
        np.mean(
            [
                nltk_bleu(words, sentences[:k] + sentences[k + 1 :], order)
                for k, words in enumerate(sentences)
            ]
        )
        for order in range(2, max_order + 1)
    ]


CORPORA = {
    "captions": CAPTIONS,
    "few words": random_sentences(1, 30, words="ab"),
    "more words": random_sentences(2, 30),
    "words of their own": random_sentences(3, 10, words="uvwxyz"),
    "shorter than the n-grams": random_sentences(4, 12, longest=3),
    "one": CAPTIONS[:1],
}


@pytest.mark.parametrize("references", CORPORA.values(), ids=CORPORA)
@pytest.mark.parametrize("hypotheses", CORPORA.values(), ids=CORPORA)
def test_bleu_is_nltks(hypotheses, references):
    assert bleu(hypotheses, references) == pytest.approx(expected_bleu(hypotheses, references))


@pytest.mark.parametrize(
    "sentences", [c for c in CORPORA.values() if len(c) > 1], ids=[c for c in CORPORA if c != "one"]
)
def test_self_bleu_leaves_exactly_the_sentence_itself_out(sentences):
    assert self_bleu(sentences) == pytest.approx(expected_self_bleu(sentences))
    assert self_bleu(sentences[:2], 3) == pytest.approx(expected_self_bleu(sentences[:2], 3))


def test_sentences_of_the_references_score_one_and_strangers_zero():
    long = [words for words in CAPTIONS if len(words) >= 5 and "the" not in words]
    assert bleu(long, CAPTIONS) == pytest.approx((1.0,) * 4)
    assert self_bleu([long[0]] * 3) == pytest.approx((1.0,) * 4)
    assert bleu([["x"] * 9], CAPTIONS) == (0.0,) * 4
    assert self_bleu([["x"] * 9, ["y"] * 9]) == (0.0,) * 4


def test_a_sentence_without_words_scores_nothing():
    assert bleu([[]], CAPTIONS) == (0.0,) * 4
    assert bleu([CAPTIONS[0], []], CAPTIONS, 2) == pytest.approx((0.5,))


def test_texygens_variant_uses_five_hundred_sentences_and_all_hypotheses():
    sentences = random_sentences(5, 530, longest=7, words="abcdefghijklmnop")
    others = random_sentences(6, 700, longest=7, words="abcdefghijklmnop")
    assert texygen_bleu(others, sentences) == bleu(others, sentences[:500])
    assert texygen_bleu(others, sentences) != bleu(others, sentences)
    assert texygen_self_bleu(sentences) == self_bleu(sentences[:500])


def test_more_references_never_lower_the_matches():
    """With all of one length there is no brevity, and a reference more can only match more."""
    sentences = [words * 2 for words in random_sentences(7, 40, longest=1)]
    sentences = [
        a + b + c for a, b, c in zip(sentences, sentences[1:], sentences[2:], strict=False)
    ]
    few, many = (bleu(sentences[:9], sentences[9:n]) for n in (12, 38))
    assert all(a <= b for a, b in zip(few, many, strict=True))
    assert few[0] < many[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bleu([], CAPTIONS), "hypotheses: expected 1 or more .* received 0"),
        (lambda: bleu(CAPTIONS, []), "references: expected 1 or more .* received 0"),
        (lambda: bleu("a cat", CAPTIONS), "hypotheses: expected .* received a string"),
        (lambda: bleu(CAPTIONS, ["a cat"]), r"references\[0\]: expected a list of words"),
        (lambda: self_bleu(CAPTIONS[:1]), "sentences: expected 2 or more .* received 1"),
        (lambda: self_bleu(CAPTIONS, 1), "max_order: expected 2 or more, received 1"),
    ],
)
def test_what_is_no_list_of_sentences_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
