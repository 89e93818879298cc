"""Rules on drums: known patterns, degenerate ones, other meters."""

import math

import note_seq
import pytest
from note_seq import NoteSequence

from latentgen.music import drum_attributes
from latentgen.music.drum_attributes import DRUM_STATISTICS

KICK, SNARE, HAT, RIDE = 36, 38, 42, 51


def pattern(
    tracks: dict[int, str], meter: tuple[int, int] = (4, 4), is_drum: bool = True
) -> NoteSequence:
    """Pitches with one sixteenth a character: x a hit, anything else none."""
    notes = NoteSequence()
    notes.tempos.add(qpm=60)
    notes.time_signatures.add(numerator=meter[0], denominator=meter[1])
    for pitch, steps in tracks.items():
        for step, character in enumerate(steps):
            if character == "x":
                notes.notes.add(
                    pitch=pitch,
                    velocity=90,
                    start_time=step / 4,
                    end_time=step / 4 + 0.1,
                    is_drum=is_drum,
                )
        notes.total_time = max(notes.total_time, len(steps) / 4)
    return notes


ROCK = {KICK: "x.......x.......", SNARE: "....x.......x...", HAT: "x.x.x.x.x.x.x.x."}
FLOOR = {KICK: "x...x...x...x...", HAT: "..x...x...x...x."}


def test_a_rock_beat():
    rock = pattern(ROCK)
    assert drum_attributes.hit_density(rock) == 12
    assert drum_attributes.hi_hat_share(rock) == 8 / 12
    assert drum_attributes.kick_on_beat(rock) == 0.5
    assert drum_attributes.backbeat(rock) == 1
    assert drum_attributes.drum_syncopation(rock) == 0


def test_four_on_the_floor():
    floor = pattern(FLOOR)
    assert drum_attributes.kick_on_beat(floor) == 1
    assert drum_attributes.backbeat(floor) == 0
    assert drum_attributes.hi_hat_share(floor) == 0.5
    assert drum_attributes.drum_syncopation(floor) == 0


def test_kicks_off_the_beat_are_syncopated_whatever_the_hi_hat_plays():
    funk = {KICK: "x..x..x.........", SNARE: "....x.......x..."}
    # Sixteenth 4 is followed by the snare: 0. Sixteenth 7 (-3) lasts over beat 3 (-1): 2.
    assert drum_attributes.drum_syncopation(pattern(funk)) == 2
    assert drum_attributes.drum_syncopation(pattern({**funk, HAT: "x" * 16})) == 2


@pytest.mark.parametrize("rule", DRUM_STATISTICS, ids=lambda rule: rule.__name__)
def test_without_drums_it_is_0(rule):
    for notes in (NoteSequence(), pattern(ROCK, is_drum=False), pattern({2: "x...x..."})):
        assert rule(notes) == 0
    one = rule(pattern({RIDE: "x"}))
    assert isinstance(one, float)
    assert math.isfinite(one)


@pytest.mark.parametrize("rule", DRUM_STATISTICS, ids=lambda rule: rule.__name__)
def test_seconds_and_steps_agree(rule):
    notes = pattern({KICK: "x..x..x.x....x.x", SNARE: "....x..x....x...", HAT: "xxxx.xxxx.xx.xxx"})
    for note in notes.notes:
        note.start_time += 0.02  # played a little late
    assert rule(note_seq.quantize_note_sequence(notes, 4)) == rule(notes)


def test_hits_on_one_step_count_once_and_one_drum_has_many_pitches():
    flam = pattern({KICK: "x...", 35: "x...", SNARE: "x...", 40: "x..."})
    assert drum_attributes.hit_density(flam) == 2


def test_beats_and_backbeats_of_other_meters():
    waltz = {KICK: "x...........", SNARE: "....x...x..."}
    assert drum_attributes.backbeat(pattern(waltz, (3, 4))) == 1
    assert drum_attributes.kick_on_beat(pattern(waltz, (3, 4))) == pytest.approx(1 / 3)
    shuffle = {KICK: "x...........", SNARE: "......x....."}
    assert drum_attributes.backbeat(pattern(shuffle, (6, 8))) == 1
    assert drum_attributes.kick_on_beat(pattern(shuffle, (6, 8))) == 0.5
