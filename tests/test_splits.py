"""Splits by name: what is in the test part today is there in ten years."""

import doctest
from collections import Counter

import pytest

from latentgen import splits
from latentgen.errors import InputError
from latentgen.splits import split_of


def test_split_is_deterministic_and_has_the_shares():
    parts = [split_of(str(key), valid=0.1, test=0.2) for key in range(5000)]
    assert parts == [split_of(str(key), valid=0.1, test=0.2) for key in range(5000)]
    counts = Counter(parts)
    assert counts["test"] == pytest.approx(1000, rel=0.1)
    assert counts["valid"] == pytest.approx(500, rel=0.15)
    assert parts != [split_of(str(key), valid=0.1, test=0.2, seed=1) for key in range(5000)]
    # Written down: a split that changes with a release would leak test drawings into training.
    keys = ("5201136883597312", "1", "2", "3", "4")
    assert [split_of(k, 0.3, 0.3) for k in keys] == ["train", "train", "valid", "valid", "test"]
    with pytest.raises(InputError, match="leave some for training"):
        split_of("1", valid=0.5, test=0.5)


def test_the_example_in_the_documentation_is_true():
    failed, tried = doctest.testmod(splits)
    assert tried == 1
    assert failed == 0
