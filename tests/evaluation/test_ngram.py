"""Shares of n-grams, counted by hand."""

import pytest

from latentgen.errors import InputError
from latentgen.evaluation.ngram import coverage, distinct, ngrams, novel_sentences, novelty

REAL = [["a", "b", "c"], ["a", "b", "d"]]


def test_ngrams_are_in_order_and_none_of_short_sentences():
    assert list(ngrams("abcd", 3)) == [("a", "b", "c"), ("b", "c", "d")]
    assert list(ngrams("ab", 3)) == []


def test_coverage_counts_each_real_ngram_once():
    """a b c d; ab bc bd; abc abd: of which 'a b c' has three, two and one."""
    assert coverage([["a", "b", "c"]] * 5, REAL, 3) == pytest.approx((3 / 4, 2 / 3, 1 / 2))
    assert coverage(REAL, REAL, 3) == (1.0, 1.0, 1.0)
    assert coverage([["x", "y"]], REAL, 2) == (0.0, 0.0)


def test_novelty_is_what_training_lacks():
    samples = [["a", "b", "c"], ["b", "a", "x"]]  # a b c x; ab bc ba ax; abc bax
    assert novelty(samples, REAL, 3) == pytest.approx((1 / 4, 2 / 4, 1 / 2))
    assert novelty(REAL, REAL, 3) == (0.0, 0.0, 0.0)


def test_novel_sentences_are_other_ones_as_a_whole():
    assert novel_sentences([["a", "b", "c"], ["a", "b"], ["b", "a", "c"]], REAL) == pytest.approx(
        2 / 3
    )


def test_distinct_is_one_where_nothing_repeats():
    assert distinct([["a", "b", "c", "d"]]) == (1.0,) * 4
    assert distinct([["a", "b", "a", "b"]] * 2, 2) == pytest.approx((2 / 8, 2 / 6))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: coverage([], REAL), "samples: expected 1 or more sentences"),
        (lambda: novelty(REAL, ["a b c"]), r"training\[0\]: expected a list of words"),
        (lambda: coverage(REAL, REAL, 4), "real: expected a sentence as long as max_order"),
        (lambda: distinct(REAL, 0), "max_order: expected 1 or more, received 0"),
        (lambda: novel_sentences("a b c", REAL), "samples: expected .* received a string"),
    ],
)
def test_what_has_no_ngrams_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
