"""Musical time: quarters, seconds and steps in every form that notes come in."""

import note_seq
import numpy as np
import pytest
from note_seq import NoteSequence

from latentgen.errors import InputError
from latentgen.music import timing


def sequence(times: list[tuple[float, float]], tempos=((0.0, 120.0),)) -> NoteSequence:
    notes = NoteSequence()
    for start, end in times:
        notes.notes.add(pitch=60, velocity=80, start_time=start, end_time=end)
    for time, qpm in tempos:
        notes.tempos.add(time=time, qpm=qpm)
    notes.total_time = max((end for _, end in times), default=0.0)
    return notes


def test_tempo_changes_are_followed_both_ways():
    notes = sequence([(0, 1), (1, 2), (3, 4)], tempos=[(0, 60), (1, 120), (3, 240)])
    starts, ends = timing.in_quarters(notes)
    assert starts.tolist() == [0, 1, 5]
    assert ends.tolist() == [1, 3, 9]
    assert timing.to_seconds(notes, starts).tolist() == [0, 1, 3]
    assert timing.to_seconds(notes, ends).tolist() == [1, 2, 4]
    assert timing.total_quarters(notes) == 9


def test_before_the_first_tempo_it_is_120():
    notes = sequence([(0, 1)], tempos=[(1.0, 60.0)])
    assert timing.in_quarters(notes)[1].tolist() == [2]
    assert timing.in_quarters(sequence([(0, 1)], tempos=[]))[1].tolist() == [2]


def test_the_grid_is_note_seqs():
    generator = np.random.default_rng(0)
    times = [(float(start), float(start + 0.4)) for start in generator.uniform(0, 8, 50)]
    notes = sequence(times, tempos=[(0, 97)])
    quantised = note_seq.quantize_note_sequence(notes, 4)
    before, after = timing.on_grid(notes), timing.on_grid(quantised)
    expected = sorted(note.quantized_start_step for note in quantised.notes)
    assert before.starts.tolist() == expected
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    assert timing.total_quarters(notes) == timing.total_quarters(quantised)


def test_a_window_keeps_its_feel_and_bare_steps_are_enough():
    played = note_seq.quantize_note_sequence(sequence([(0.02, 0.3), (0.52, 0.7)]), 4)
    assert timing.in_seconds(played)[0].tolist() == [0.02, 0.52]
    assert timing.in_quarters(played)[0].tolist() == [0.04, 1.04]
    bare = NoteSequence()
    bare.quantization_info.steps_per_quarter = 4
    bare.tempos.add(qpm=60)
    bare.notes.add(pitch=60, quantized_start_step=4, quantized_end_step=6)
    assert timing.in_seconds(bare)[0].tolist() == [1.0]
    assert timing.in_seconds(bare)[1].tolist() == [1.5]
    assert timing.in_quarters(bare)[1].tolist() == [1.5]


def test_absolutely_quantised_notes_have_times():
    notes = note_seq.quantize_note_sequence_absolute(sequence([(0, 0.5), (0.5, 1)]), 100)
    assert timing.in_quarters(notes)[0].tolist() == [0, 1]
    assert timing.on_grid(notes).starts.tolist() == [0, 4]
    assert timing.total_quarters(notes) == 2


def test_a_tempo_of_zero_is_refused():
    with pytest.raises(InputError, match="tempos above 0"):
        timing.in_quarters(sequence([(0, 1)], tempos=[(0, 0)]))


def test_nothing_is_changed():
    notes = sequence([(0.5, 1), (0, 0.5)])
    before = notes.SerializeToString(deterministic=True)
    timing.on_grid(notes), timing.in_seconds(notes), timing.total_quarters(notes)
    assert notes.SerializeToString(deterministic=True) == before
