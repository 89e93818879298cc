"""Rules on passages: known values, degenerate ones, and the same answer for every form of notes."""

import math

import note_seq
import numpy as np
import pytest
from note_seq import NoteSequence

from latentgen.errors import InputError
from latentgen.music import attributes
from latentgen.music.attributes import STATISTICS
from tests.shared import shared_path

ODE = [64, 64, 65, 67, 67, 65, 64, 62, 60, 60, 62, 64, 64, 62, 62]  # two bars at two a quarter
ODE_LENGTHS = [1] * 12 + [1.5, 0.5, 2]


def melody(
    pitches: list[int],
    lengths: list[float] | float = 1.0,
    qpm: float = 120.0,
    meter: tuple[int, int] = (4, 4),
    total: float | None = None,
) -> NoteSequence:
    """Notes one after another, lengths in quarters, 0 for a rest's pitch."""
    notes = NoteSequence()
    notes.tempos.add(qpm=qpm)
    notes.time_signatures.add(numerator=meter[0], denominator=meter[1])
    time = 0.0
    for pitch, length in zip(
        pitches, [lengths] * len(pitches) if isinstance(lengths, float) else lengths, strict=True
    ):
        seconds = length * 60 / qpm
        if pitch:
            notes.notes.add(pitch=pitch, velocity=80, start_time=time, end_time=time + seconds)
        time += seconds
    notes.total_time = time if total is None else total * 60 / qpm
    return notes


def random_passage(seed: int) -> NoteSequence:
    """Notes anywhere, drums among them, in some meter and tempo."""
    generator = np.random.default_rng(seed)
    notes = melody([], qpm=float(generator.uniform(40, 220)))
    notes.time_signatures[0].numerator = int(generator.choice([2, 3, 4, 5, 6, 9]))
    notes.time_signatures[0].denominator = int(generator.choice([4, 8]))
    for _ in range(int(generator.integers(0, 30))):
        start = generator.uniform(0, 8)
        notes.notes.add(
            pitch=int(generator.integers(21, 109)),
            velocity=80,
            start_time=start,
            end_time=start + generator.uniform(0.01, 2),
            is_drum=bool(generator.random() < 0.2),
        )
    notes.total_time = max((note.end_time for note in notes.notes), default=0.0)
    return notes


EMPTY = NoteSequence()
ONE = melody([60])
DRUMS = melody([36, 38, 36, 38])
for drum in DRUMS.notes:
    drum.is_drum = True


def test_a_well_known_tune():
    ode = melody(ODE, ODE_LENGTHS)
    assert attributes.number_of_notes(ode) == 15
    assert attributes.note_density(ode) == 15 / 4
    assert attributes.pitch_range(ode) == 7
    assert attributes.mean_pitch(ode) == pytest.approx(np.mean(ODE))
    assert attributes.share_in_key(ode, "C major") == 1
    assert attributes.share_in_key(ode, "A minor") == 1
    assert attributes.share_in_key(ode, "G major") == 13 / 15  # all but the two Fs
    assert attributes.share_in_pitch_classes(ode, {0, 4, 7}) == 9 / 15
    assert attributes.share_in_pitches(ode, range(60, 64)) == 6 / 15
    assert attributes.most_likely_key(ode) == "C major"
    assert attributes.key_agreement(ode) == 1
    assert attributes.interval_size(ode) == pytest.approx(np.abs(np.diff(ODE)).mean())
    assert attributes.note_duration(ode) == pytest.approx(16 / 15)
    assert attributes.syncopation(ode) == 0


@pytest.mark.parametrize("rule", STATISTICS, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("notes", [EMPTY, ONE, DRUMS], ids=["empty", "one note", "drums"])
def test_degenerate_passages_have_finite_answers(rule, notes: NoteSequence):
    value = rule(notes)
    assert isinstance(value, float)
    assert math.isfinite(value)
    if notes is EMPTY:
        assert value == 0


def test_stated_answers_of_degenerate_passages():
    assert attributes.most_likely_key(EMPTY) == "none"
    assert attributes.most_likely_key(DRUMS) == "none"
    assert attributes.most_likely_key(melody(list(range(60, 72)))) == "none"
    assert attributes.most_likely_key(ONE) == "F minor"
    assert attributes.share_in_key(EMPTY, "C major") == 0
    assert attributes.mean_pitch(DRUMS) == 0
    assert attributes.number_of_notes(DRUMS) == 4
    assert attributes.note_density(DRUMS) == 4
    assert attributes.mean_pitch(ONE) == 60
    assert attributes.note_density(melody([60], total=8)) == 0.5  # the empty bar counts


@pytest.mark.parametrize("seed", range(20))
def test_seconds_and_steps_agree(seed: int):
    notes = random_passage(seed)
    quantised = note_seq.quantize_note_sequence(notes, 4)
    bare = NoteSequence()
    bare.CopyFrom(quantised)
    for note in bare.notes:
        note.start_time = note.end_time = 0.0
    bare.total_time = 0.0
    for rule in STATISTICS:
        value = rule(notes)
        assert math.isfinite(value), rule
        assert rule(quantised) == pytest.approx(value), rule
        assert rule(bare) == pytest.approx(value), rule
    key = attributes.most_likely_key(notes)
    assert attributes.most_likely_key(quantised) == attributes.most_likely_key(bare) == key


@pytest.mark.parametrize("qpm", [47.0, 120.0, 211.0])
def test_tempo_does_not_matter(qpm: float):
    for rule in STATISTICS:
        assert rule(melody(ODE, ODE_LENGTHS, qpm)) == pytest.approx(rule(melody(ODE, ODE_LENGTHS)))


def test_transposition_moves_pitch_alone():
    ode, higher = melody(ODE, ODE_LENGTHS), melody([pitch + 3 for pitch in ODE], ODE_LENGTHS)
    assert attributes.most_likely_key(higher) == "E-flat major"
    for rule in STATISTICS:
        difference = 3 if rule is attributes.mean_pitch else 0
        assert rule(higher) - rule(ode) == pytest.approx(difference), rule


def test_contour_rises_falls_and_stays():
    assert attributes.contour(melody([60, 62, 64, 66])) == pytest.approx(1)
    assert attributes.contour(melody([66, 64, 62, 60])) == pytest.approx(-1)
    assert attributes.contour(melody([60, 60, 60])) == 0
    assert attributes.contour(melody([60, 64, 60])) == pytest.approx(0)
    assert 0 < attributes.contour(melody([60, 64, 62, 66])) < 1


def test_of_a_chord_the_highest_note_is_the_line():
    notes = melody([72, 74, 76])
    for note in list(notes.notes):
        for below in (5, 12, 24):
            notes.notes.add(
                pitch=note.pitch - below, start_time=note.start_time, end_time=note.end_time
            )
    assert attributes.interval_size(notes) == 2
    assert attributes.contour(notes) == pytest.approx(1)
    assert attributes.number_of_notes(notes) == 12


def test_syncopation_is_heard_in_any_meter():
    straight, pushed = melody([60] * 8), melody([60] * 8, [1, 1, 1, 0.5, 1.5, 1, 1, 1])
    assert attributes.syncopation(straight) == 0
    assert attributes.syncopation(pushed) == 3 / 2  # one note, before the second bar's downbeat
    waltz = melody([60] * 3, [0.5, 1.0, 1.5], meter=(3, 4))
    assert attributes.syncopation(waltz) == 2  # from 1+ over 2, and from 2+ over 3
    jig = melody([60] * 6, 0.5, meter=(6, 8))
    assert attributes.syncopation(jig) == 0


def test_repetition_between_bars():
    bar, other = [60, 64, 67, 64], [62, 65, 69, 65]
    assert attributes.repetition(melody(bar * 3)) == 1
    assert attributes.repetition(melody(bar + other)) == 0
    assert attributes.repetition(melody(bar)) == 0
    half = [*bar[:2], *other[2:]]
    assert attributes.repetition(melody(bar + half)) == pytest.approx(2 / 6)
    silent = [0] * 4
    assert attributes.repetition(melody(bar + silent + silent + silent)) == 0
    assert attributes.repetition(melody(bar + bar + silent + silent)) == 0.5
    assert attributes.repetition(melody([60, 62, 64] * 2, meter=(3, 4))) == 1


def test_wrong_sets_are_refused():
    with pytest.raises(InputError, match="from 0 to 11, received 60"):
        attributes.share_in_pitch_classes(ONE, {60})
    with pytest.raises(InputError, match="expected a name such as"):
        attributes.share_in_key(ONE, "H")


def test_statistics_are_means_by_name():
    found = attributes.statistics([melody([60, 64]), melody([70, 72, 74, 76])])
    assert found["number_of_notes"] == 3
    assert found["pitch_range"] == 5
    assert list(found) == [rule.__name__ for rule in STATISTICS]
    assert attributes.statistics([ONE], [attributes.mean_pitch]) == {"mean_pitch": 60}
    with pytest.raises(InputError, match="at least one"):
        attributes.statistics([])


@pytest.mark.shared
def test_keys_of_pop_songs_as_annotated():
    # Keys that the data set's own annotation gives these songs.
    songs = {"002": "B major", "013": "A minor", "035": "E major", "101": "G minor"}
    for song, key in songs.items():
        path = shared_path(f"data/music/pop909/{song}.mid")
        notes = note_seq.midi_file_to_note_sequence(str(path))
        tune = [note for note in notes.notes if note.instrument == 0]
        del notes.notes[:]
        notes.notes.extend(tune)
        assert attributes.most_likely_key(notes) == key
        assert attributes.key_agreement(notes) > 0.9
