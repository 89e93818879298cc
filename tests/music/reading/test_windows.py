"""Windows of whole bars, in any meter."""

import pytest
from note_seq import NoteSequence, midi_io, sequences_lib

from latentgen.errors import InputError
from latentgen.music import Unsuitable, reasons
from latentgen.music.reading.windows import CHORD_SYMBOL, quantised, windows
from tests.shared import shared_path


def passage(meter=(4, 4), tempo=120.0, beats=16):
    """A quarter note on each beat, pitches counting up from 60."""
    notes = NoteSequence()
    notes.tempos.add(qpm=tempo)
    notes.time_signatures.add(numerator=meter[0], denominator=meter[1])
    for beat in range(beats):
        second = 60 / tempo
        notes.notes.add(
            pitch=60 + beat, velocity=80, start_time=beat * second, end_time=(beat + 1) * second
        )
    notes.total_time = beats * 60 / tempo
    return notes


def pitches(window):
    return [note.pitch for note in window.notes]


def test_windows_hop_by_bars_and_start_at_step_0():
    cut = list(windows(passage(), bars=2, hop_bars=1))
    assert [pitches(window) for window in cut] == [
        list(range(60, 68)),
        list(range(64, 72)),
        list(range(68, 76)),
    ]
    for window in cut:
        assert window.total_quantized_steps == 32
        assert window.total_time == pytest.approx(4.0)
        assert [note.quantized_start_step for note in window.notes] == list(range(0, 32, 4))
        assert [note.start_time for note in window.notes] == pytest.approx(
            [i * 0.5 for i in range(8)]
        )
        assert sequences_lib.is_relative_quantized_sequence(window)


@pytest.mark.parametrize(
    ("meter", "steps"), [((3, 4), 24), ((6, 8), 24), ((2, 4), 16), ((5, 4), 40), ((7, 8), 28)]
)
def test_a_bar_has_the_steps_of_its_meter(meter, steps):
    cut = list(windows(passage(meter, beats=20), bars=2, hop_bars=2))
    assert {window.total_quantized_steps for window in cut} == {steps}
    assert {(w.time_signatures[0].numerator, w.time_signatures[0].denominator) for w in cut} == {
        meter
    }
    assert len(cut) == -(-80 // (steps // 2)) // 2


def test_notes_are_cut_at_the_end_and_left_out_when_they_began_before():
    notes = NoteSequence(total_time=6.0)
    notes.notes.add(pitch=60, velocity=80, start_time=1.5, end_time=3.0)  # from bar 1 into bar 2
    notes.notes.add(pitch=62, velocity=80, start_time=5.0, end_time=6.0)
    cut = list(windows(notes, bars=1, hop_bars=1))
    assert [pitches(window) for window in cut] == [[60], [], [62]]
    assert cut[0].notes[0].quantized_end_step == 16
    assert cut[0].notes[0].end_time == pytest.approx(2.0)


def test_changes_of_tempo_and_meter_split_and_nothing_is_dropped():
    notes = passage(beats=16)
    notes.tempos.add(qpm=90, time=4.0)
    notes.time_signatures.add(numerator=3, denominator=4, time=4.0)
    cut = list(windows(notes, bars=1, hop_bars=1))
    assert [window.total_quantized_steps for window in cut] == [16, 16, 12, 12]
    assert [window.tempos[0].qpm for window in cut] == [120, 120, 90, 90]
    assert sum(len(window.notes) for window in cut) == 16


def test_total_time_may_be_missing():
    notes = passage(beats=16)
    notes.ClearField("total_time")
    notes.tempos.add(qpm=90, time=4.0)
    assert [window.tempos[0].qpm for window in windows(notes, 1, 1)] == [120, 120, 90, 90]


def test_a_last_bar_that_is_not_full_counts_and_too_short_a_section_gives_none():
    assert len(list(windows(passage(beats=5), bars=2, hop_bars=1))) == 1
    assert list(windows(passage(beats=4), bars=2, hop_bars=1)) == []


def test_chords_and_keys_in_force_are_stated_at_the_start():
    notes = passage(beats=16)
    for time, figure in ((0.0, "C"), (3.0, "F"), (4.5, "G"), (4.5001, "Am")):
        notes.text_annotations.add(time=time, text=figure, annotation_type=CHORD_SYMBOL)
    notes.text_annotations.add(time=0.0, text="slowly")
    notes.key_signatures.add(time=0.0, key=0)
    notes.key_signatures.add(time=6.0, key=7)
    cut = list(windows(notes, bars=1, hop_bars=1))
    chords = [[(a.quantized_step, a.text) for a in window.text_annotations] for window in cut]
    assert chords == [[(0, "C")], [(0, "C"), (8, "F")], [(0, "F"), (4, "Am")], [(0, "Am")]]
    assert [[key.key for key in window.key_signatures] for window in cut] == [[0], [0], [0], [7]]


def test_deviation_from_the_grid_is_kept():
    notes = passage(beats=8)
    notes.notes[4].start_time -= 0.03
    second = list(windows(notes, bars=1, hop_bars=1))[1]
    assert second.notes[0].quantized_start_step == 0
    assert second.notes[0].start_time == pytest.approx(-0.03)


def test_the_sequence_itself_is_not_changed_and_a_quantised_one_is_taken():
    notes = passage()
    before = notes.SerializeToString(deterministic=True)
    cut = list(windows(notes, 2, 1))
    assert notes.SerializeToString(deterministic=True) == before
    again = list(windows(quantised(notes), 2, 1))
    assert again == cut
    with pytest.raises(InputError, match="24 steps a quarter, received 4"):
        next(windows(quantised(notes), 2, 1, steps_per_quarter=24))


def test_a_bad_section_is_reported_after_the_windows_of_the_others():
    notes = passage(beats=16)
    notes.time_signatures.add(numerator=1, denominator=32, time=4.0)
    iterator = windows(notes, 1, 1)
    assert [pitches(next(iterator)) for _ in range(2)] == [
        list(range(60, 64)),
        list(range(64, 68)),
    ]
    with pytest.raises(Unsuitable) as error:
        next(iterator)
    assert error.value.reason == reasons.OTHER_METER


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda n: n.tempos[0].__setattr__("qpm", 0.0), reasons.DAMAGED),
        (lambda n: n.tempos[0].__setattr__("qpm", float("nan")), reasons.DAMAGED),
        (lambda n: n.notes[0].__setattr__("end_time", 1e12), reasons.DAMAGED),
        (lambda n: n.notes[0].__setattr__("end_time", float("inf")), reasons.DAMAGED),
        (lambda n: n.notes[3].__setattr__("end_time", 0.0), reasons.DAMAGED),
        (lambda n: n.notes[0].__setattr__("end_time", 1e7), reasons.DAMAGED),
        (lambda n: n.time_signatures[0].__setattr__("denominator", 3), reasons.BAD_TIME_SIGNATURE),
        (lambda n: n.time_signatures[0].__setattr__("numerator", 0), reasons.BAD_TIME_SIGNATURE),
    ],
)
def test_values_no_music_has_are_refused(damage, reason):
    notes = passage()
    damage(notes)
    with pytest.raises(Unsuitable) as error:
        list(windows(notes, 1, 1))
    assert error.value.reason == reason


@pytest.mark.parametrize("argument", ["bars", "hop_bars", "steps_per_quarter"])
def test_lengths_below_one_are_refused(argument):
    arguments = {"bars": 1, "hop_bars": 1, "steps_per_quarter": 4} | {argument: 0}
    with pytest.raises(InputError, match=f"^{argument}: expected at least 1, received 0"):
        list(windows(passage(), **arguments))


def test_changes_are_refused_where_a_sequence_is_not_split():
    notes = passage()
    notes.tempos.add(qpm=90, time=4.0)
    with pytest.raises(Unsuitable) as error:
        quantised(notes)
    assert error.value.reason == reasons.TEMPO_CHANGE


def test_every_note_of_a_real_song_is_in_exactly_one_window():
    path = shared_path("data/music/pop909/001.mid")
    notes = midi_io.midi_file_to_note_sequence(str(path))
    cut = list(windows(notes, bars=4, hop_bars=4))
    longest = quantised(notes).total_quantized_steps // cut[0].total_quantized_steps
    assert len(cut) == longest
    inside = sum(len(window.notes) for window in cut)
    starts = [note.quantized_start_step for note in quantised(notes).notes]
    assert inside == sum(start < len(cut) * cut[0].total_quantized_steps for start in starts)
