"""Keys: names in every spelling, scales, and the key found for known tunes."""

import doctest

import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.music import keys


def test_examples_in_docstrings():
    assert doctest.testmod(keys).failed == 0


@pytest.mark.parametrize(
    "name",
    ["A-flat major", "Ab major", "A♭ Major", " a flat major ", "G# major", "g-sharp major", "Ab"],
)
def test_spellings_of_one_key(name: str):
    assert keys.parse_key(name) == (8, "major")


@pytest.mark.parametrize("mode", ["major", "minor"])
def test_every_key_has_a_name_that_is_read_again(mode: str):
    assert [keys.parse_key(keys.key_name(tonic, mode)) for tonic in range(12)] == [
        (tonic, mode) for tonic in range(12)
    ]


@pytest.mark.parametrize(
    "name", ["", "H major", "m", "C dorian", "major C", "Abb major", "Cm minor"]
)
def test_other_words_are_refused(name: str):
    with pytest.raises(InputError, match="expected a name such as 'C major'"):
        keys.parse_key(name)


def test_short_minor_keys():
    assert keys.parse_key("Am") == keys.parse_key("A minor") == (9, "minor")
    assert keys.parse_key("bbm") == keys.parse_key("B-flat minor") == (10, "minor")


def test_a_key_wraps_around_the_octave():
    assert keys.parse_key("Cb major") == (11, "major")
    assert keys.parse_key("B# minor") == (0, "minor")


def test_relative_keys_share_their_pitch_classes():
    assert keys.pitch_classes("A minor") == keys.pitch_classes("C major")
    assert keys.pitch_classes("F# minor") == keys.pitch_classes("A major")
    assert sorted(keys.pitch_classes("E-flat major")) == [0, 2, 3, 5, 7, 8, 10]


@pytest.mark.parametrize("tonic", range(12))
def test_a_scale_ending_on_its_tonic_is_found_in_every_key(tonic: int):
    for mode, scale in (("major", keys.MAJOR_SCALE), ("minor", keys.MINOR_SCALE)):
        weights = np.zeros(12)
        weights[[(tonic + degree) % 12 for degree in scale]] = 1
        weights[[tonic, (tonic + scale[2]) % 12, (tonic + 7) % 12]] += 1  # the tonic's triad
        assert keys.find_key(weights) == (tonic, mode)
