"""ROUGE, against values worked out by hand."""

import sys

import pytest

from latentgen.errors import InputError
from latentgen.evaluation.rouge import rouge


@pytest.fixture(autouse=True)
def _installed():
    pytest.importorskip("rouge_score")


def test_a_pair_by_hand():
    """Of three and four words, two are common, one pair, and two in this order."""
    found = rouge(["the cat sat"], ["The cat is here."])
    assert found == pytest.approx((2 * 2 / 7, 2 * 1 / 5, 2 * 2 / 7))


def test_order_matters_for_pairs_and_for_the_common_sequence_alone():
    found = rouge(["c b a"], ["a b c"])
    assert found == pytest.approx((1.0, 0.0, 1 / 3))


def test_the_mean_over_pairs():
    assert rouge(["a b", "x y"], ["a b", "a b"]) == pytest.approx((0.5, 0.5, 0.5))


def test_stems_where_asked():
    assert rouge(["dogs running"], ["dog runs"]).rouge_1 == 0.0
    assert rouge(["dogs running"], ["dog runs"], stem=True).rouge_1 == 1.0


def test_lists_that_are_no_pairs_are_refused():
    with pytest.raises(InputError, match="equally many texts, 1 or more, received 1 and 2"):
        rouge(["a"], ["a", "b"])
    with pytest.raises(InputError, match="received 0 and 0"):
        rouge([], [])
    with pytest.raises(InputError, match="expected lists of texts, received a string"):
        rouge("a", "b")


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rouge_score.rouge_scorer", None)
    with pytest.raises(ImportError, match=r"pip install 'latentgen\[evaluation\]'"):
        rouge(["a"], ["a"])
