"""Melody, bass and drums side by side."""

import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.music import Unsuitable, reasons
from latentgen.music.converters import TrioConverter
from tests.music.converters.passages import assert_encodes_again, passage, through_midi


def trio():
    notes = passage(
        *((60, 0, 4), (62, 4, 8)),  # instrument 0, piano
        *((72, 0, 8, 2, 30), (74, 8, 12, 2, 30), (76, 12, 16, 2, 30)),  # guitar: more notes
        *((40, 0, 8, 1, 34), (43, 8, 12, 1, 34)),  # bass
        (65, 0, 16, 3, 48),  # strings: in no part
    )
    drums = passage((36, 0, 1), (42, 0, 1), (38, 8, 9), drums=True)
    notes.notes.extend(drums.notes)
    return notes


def parts(outputs):
    return [p.argmax(axis=1) for p in np.split(outputs, [90, 180], axis=1)]


def rows(melody, bass, drums):
    return np.concatenate([np.eye(90)[melody], np.eye(90)[bass], np.eye(512)[drums]], axis=1)


def emitted(rng, steps):
    chances = np.full(90, 0.3 / 88)
    chances[:2] = 0.5, 0.2
    return (
        rng.choice(90, steps, p=chances),
        rng.choice(90, steps, p=chances),
        rng.integers(0, 512, steps),
    )


def test_parts_stand_in_magentas_order():
    example = TrioConverter(bars=1).encode(trio(), allow_silence=False)
    assert example.outputs.shape == (16, 692)
    assert example.outputs.sum(axis=1).tolist() == [3] * 16
    melody, bass, drums = parts(example.outputs)
    assert melody.tolist() == [53] + [0] * 7 + [55, 0, 0, 0, 57, 0, 0, 0]
    assert bass.tolist() == [21] + [0] * 7 + [24, 0, 0, 0, 1, 0, 0, 0]
    assert drums.tolist() == [5] + [0] * 7 + [2] + [0] * 7


def test_of_equal_instruments_the_lowest_number_is_the_melody():
    notes = trio()
    del notes.notes[2]
    melody, _, _ = parts(TrioConverter(bars=1).encode(notes).outputs)
    assert melody.tolist() == [41, 0, 0, 0, 43, 0, 0, 0, 1] + [0] * 7


@pytest.mark.parametrize(
    ("keep", "reason"),
    [
        (lambda n: n.is_drum or n.program not in (0, 30), reasons.NO_MELODY),
        (lambda n: n.program != 34, reasons.NO_BASS),
        (lambda n: not n.is_drum, reasons.NO_DRUMS),
    ],
)
def test_data_must_have_the_three_parts_and_decodings_need_not(keep, reason):
    notes = trio()
    kept = [note for note in notes.notes if keep(note)]
    del notes.notes[:]
    notes.notes.extend(kept)
    converter = TrioConverter(bars=1)
    with pytest.raises(Unsuitable) as error:
        converter.encode(notes, allow_silence=False)
    assert error.value.reason == reason
    assert_encodes_again(converter, converter.encode(notes).outputs)


def test_a_chord_in_a_part_is_polyphonic_or_its_highest_note_is_taken():
    notes = trio()
    notes.notes.add(pitch=79, velocity=80, start_time=0, end_time=1.0, instrument=2, program=30)
    with pytest.raises(Unsuitable) as error:
        TrioConverter(bars=1).encode(notes)
    assert error.value.reason == reasons.POLYPHONIC
    melody, _, _ = parts(TrioConverter(bars=1, top_line=True).encode(notes).outputs)
    assert melody[0] == 60


@pytest.mark.parametrize("bar", [16, 12])
def test_whatever_a_model_emits_encodes_again(bar):
    converter = TrioConverter(bars=4, steps_per_bar=bar)
    rng = np.random.default_rng(bar)
    for _ in range(50):
        tokens = emitted(rng, 4 * bar)
        tempo = float(rng.uniform(20, 300))
        canonical = parts(assert_encodes_again(converter, rows(*tokens), tempo=tempo))
        assert canonical[2].tolist() == tokens[2].tolist()
        for line, given in zip(canonical[:2], tokens[:2], strict=True):
            assert set(given[line != given]) <= {1}
            assert set(line[line != given]) <= {0}


def test_a_decoding_survives_a_midi_file(tmp_path):
    converter = TrioConverter(bars=2)
    notes = converter.decode(rows(*emitted(np.random.default_rng(5), 32)), tempo=110.0)
    again = converter.encode(through_midi(notes, tmp_path))
    np.testing.assert_array_equal(again.outputs, converter.encode(notes).outputs)


def test_decoding_states_programs():
    tokens = np.zeros(16, int), np.zeros(16, int), np.zeros(16, int)
    for part, token in zip(tokens, (41, 21, 3), strict=True):
        part[0] = token
    notes = TrioConverter(bars=1).decode(rows(*tokens), program=24)
    heard = sorted((n.program, n.instrument, n.is_drum, n.pitch) for n in notes.notes)
    assert heard == [(0, 9, True, 36), (0, 9, True, 38), (24, 0, False, 60), (33, 1, False, 40)]
    with pytest.raises(InputError, match="program: expected a melody's, 0 to 31, received 33"):
        TrioConverter(bars=1).decode(rows(*tokens), program=33)


def test_arguments_make_the_same_converter():
    converter = TrioConverter(bars=4, chords=True, top_line=True)
    again = TrioConverter(**converter.arguments())
    assert again.arguments() == converter.arguments()
    assert (again.steps, again.control_depth, again.output_depth) == (64, 49, 692)
