"""Meter: bars, beats, strengths of positions, syncopation by hand-counted rhythms."""

import doctest

import numpy as np
import pytest
from note_seq import NoteSequence

from latentgen.errors import InputError
from latentgen.music import meter
from latentgen.music.meter import Bar, bars, longuet_higgins_lee, strengths


def silence(seconds: float, signatures=(), qpm: float = 60.0) -> NoteSequence:
    notes = NoteSequence(total_time=seconds)
    notes.tempos.add(qpm=qpm)
    for time, numerator, denominator in signatures:
        notes.time_signatures.add(time=time, numerator=numerator, denominator=denominator)
    return notes


def test_examples_in_docstrings():
    assert doctest.testmod(meter).failed == 0


def test_bars_up_to_the_end():
    assert bars(silence(0)) == []
    assert [bar.start for bar in bars(silence(8))] == [0, 4]
    assert len(bars(silence(8.4))) == 3
    assert len(bars(silence(8.1))) == 2  # late by less than half a sixteenth
    assert [bar.length for bar in bars(silence(9, [(0, 3, 4)]))] == [3, 3, 3]
    assert len(bars(silence(9, [(0, 6, 8)]))) == 3
    assert len(bars(silence(9, [(0, 9, 8)]))) == 2


def test_a_change_of_meter_begins_a_bar():
    found = bars(silence(12, [(0, 4, 4), (6, 3, 4)]))
    assert [(bar.start, bar.length, bar.numerator) for bar in found] == [
        *[(0, 4, 4), (4, 2, 4)],
        *[(6, 3, 3), (9, 3, 3)],
    ]
    assert found[0].beats.tolist() == [0, 1, 2, 3]
    assert found[1].beats.tolist() == [4, 5]


def test_beats_of_compound_meters_are_dotted():
    assert Bar(3, 3, 6, 8).beats.tolist() == [3, 4.5]
    assert Bar(0, 6, 12, 8).beats.tolist() == [0, 1.5, 3, 4.5]
    assert Bar(0, 1.5, 3, 8).beats.tolist() == [0, 0.5, 1]
    assert Bar(0, 4, 2, 2).beats.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("bar", "expected"),
    [
        (Bar(0, 4, 4, 4), [0, -4, -3, -4, -2, -4, -3, -4, -1, -4, -3, -4, -2, -4, -3, -4]),
        (Bar(0, 3, 3, 4), [0, -3, -2, -3, -1, -3, -2, -3, -1, -3, -2, -3]),
        (Bar(0, 3, 6, 8), [0, -3, -2, -3, -2, -3, -1, -3, -2, -3, -2, -3]),
        (Bar(0, 2, 2, 4), [0, -3, -2, -3, -1, -3, -2, -3]),
        (Bar(0, 5, 5, 4), [0, *[-3, -2, -3, -1] * 4, -3, -2, -3]),
        (Bar(0, 0.25, 1, 16), [0]),
    ],
)
def test_strengths_in_sixteenths(bar: Bar, expected: list[int]):
    assert strengths(bar, 4).tolist() == expected


def test_a_bar_that_fills_no_whole_number_of_steps_has_strengths():
    found = strengths(Bar(0, 0.625, 5, 32), 4)
    assert found[0] == 0
    assert (found[1:] < 0).all()


@pytest.mark.parametrize(
    ("onsets", "count", "expected"),
    [
        ([], 1, 0),
        ([0], 1, 0),
        ([0, 4, 8, 12], 1, 0),
        ([0, 4, 8, 12], 2, 2),  # beat 4 (-2) lasts over the next downbeat (0)
        ([0, 14], 1, 0),  # no downbeat follows
        ([14, 20], 2, 3 + 1),  # -3 over 0; then beat 2 (-2) over beat 3 (-1)
        ([15, 16], 2, 0),
        ([15, 17], 2, 4 + 3),  # -4 over 0; -4 over -1
        ([6, 12], 1, 2),  # -3 over beat 3 (-1)
        ([0, 3, 6, 10, 12], 1, 2 + 2),  # -4 over beat 2 (-2); -3 over beat 3 (-1)
        ([0, 3, 3, 6, 6, 10, 12], 1, 4),  # chords count once
    ],
)
def test_syncopation_counted_by_hand(onsets: list[int], count: int, expected: float):
    measures = [Bar(4 * index, 4, 4, 4) for index in range(count)]
    assert longuet_higgins_lee(np.array(onsets, int), measures, 4) == expected


def test_a_damaged_meter_is_refused():
    with pytest.raises(InputError, match="expected a meter"):
        bars(silence(4, [(0, 0, 4)]))
    with pytest.raises(InputError, match="at most 100000 bars"):
        bars(silence(1e9))
