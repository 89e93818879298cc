"""Drums as combinations of 9 kinds, as rolls, and with a full kit."""

import numpy as np
import pytest
from note_seq import MultiDrumOneHotEncoding, midi_io

from latentgen.errors import InputError
from latentgen.music import Unsuitable, reasons
from latentgen.music.converters import FULL_KIT, GENERAL_KIT, DrumConverter
from latentgen.music.reading.windows import windows
from tests.music.converters.passages import assert_encodes_again, passage, through_midi
from tests.shared import shared_path


def beat():
    """Kick and closed hi-hat, hi-hat, snare with a rimshot, ride."""
    return passage(
        (36, 0, 1), (42, 0, 2), (44, 4, 5), (38, 8, 9), (37, 8, 16), (51, 15, 16), drums=True
    )


def test_kinds_and_classes_are_magentas():
    assert [pitches[0] for pitches in GENERAL_KIT] == [36, 38, 42, 46, 45, 48, 50, 49, 51]
    example = DrumConverter(bars=1).encode(beat())
    assert example.inputs.shape == (16, 10)
    assert example.outputs.shape == (16, 512)
    assert np.argwhere(example.inputs[:, :9]).tolist() == [[0, 0], [0, 2], [4, 2], [8, 1], [15, 8]]
    np.testing.assert_array_equal(example.inputs[:, 9], ~example.inputs[:, :9].any(axis=1))
    expected = [1 + 4, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 256]
    assert example.outputs.argmax(axis=1).tolist() == expected


def test_the_full_kit_has_general_midis_61_drums():
    pitches = [kind[0] for kind in FULL_KIT]
    assert len(pitches) == len(set(pitches)) == 61
    assert set(pitches) == set(range(27, 88))
    example = DrumConverter(bars=1, full=True, roll_output=True).encode(beat())
    assert example.inputs.shape == (16, 62)
    assert example.outputs.shape == (16, 61)
    assert sorted(pitches[kind] for kind in np.flatnonzero(example.outputs[8])) == [37, 38]
    with pytest.raises(InputError, match="roll_output: expected True"):
        DrumConverter(full=True)


def test_what_is_no_drum_is_left_out():
    notes = beat()
    notes.notes[0].is_drum = False  # the kick
    notes.notes[1].velocity = 0
    notes.notes[2].pitch = 100  # of no kind
    example = DrumConverter(bars=1, roll_output=True).encode(notes)
    assert np.argwhere(example.outputs).tolist() == [[8, 1], [15, 8]]


def test_no_drums_encode_unless_data_must_have_them():
    melody = passage((60, 0, 4))
    for roll_output in (False, True):
        converter = DrumConverter(bars=1, roll_output=roll_output)
        assert converter.encode(melody).inputs[:, 9].all()
        with pytest.raises(Unsuitable) as error:
            converter.encode(melody, allow_silence=False)
        assert error.value.reason == reasons.NO_DRUMS
        converter.encode(beat(), allow_silence=False)


@pytest.mark.parametrize("bar", [16, 12])
def test_every_class_encodes_to_itself(bar):
    converter = DrumConverter(bars=2, steps_per_bar=bar)
    rng = np.random.default_rng(bar)
    for _ in range(30):
        classes = rng.integers(0, 512, 2 * bar)
        outputs = np.eye(512, dtype=np.float32)[classes]
        canonical = assert_encodes_again(converter, outputs, tempo=float(rng.uniform(20, 300)))
        assert canonical.argmax(axis=1).tolist() == classes.tolist()


@pytest.mark.parametrize("full", [False, True])
def test_every_roll_encodes_to_itself(full):
    converter = DrumConverter(bars=2, full=full, roll_output=True)
    rng = np.random.default_rng(full)
    for _ in range(30):
        outputs = rng.random((32, converter.output_depth))
        canonical = assert_encodes_again(converter, outputs, velocity=30)
        np.testing.assert_array_equal(canonical, outputs > 0.5)


def test_a_decoding_survives_a_midi_file(tmp_path):
    converter = DrumConverter()
    outputs = np.eye(512)[np.random.default_rng(1).integers(0, 512, 32)]
    notes = converter.decode(outputs, tempo=93.0)
    again = converter.encode(through_midi(notes, tmp_path))
    np.testing.assert_array_equal(again.outputs, outputs)


def test_decoded_drums_are_drums_of_one_step():
    notes = DrumConverter(bars=1).decode(np.eye(512)[[1] + [0] * 15], tempo=60.0, velocity=99)
    (kick,) = notes.notes
    assert (kick.pitch, kick.velocity, kick.instrument, kick.is_drum) == (36, 99, 9, True)
    assert (kick.start_time, kick.end_time) == (0.0, 0.25)
    assert notes.total_time == 4.0


def test_arguments_make_the_same_converter():
    converter = DrumConverter(4, steps_per_bar=12, full=True, roll_output=True)
    assert converter.arguments() == {
        "bars": 4,
        "steps_per_bar": 12,
        "steps_per_quarter": 4,
        "full": True,
        "roll_output": True,
    }
    assert DrumConverter(**converter.arguments()).arguments() == converter.arguments()


def test_a_real_groove_is_encoded_as_note_seq_encodes_it():
    name = "data/music/groove/drummer1/eval_session/1_funk-groove1_138_beat_4-4.mid"
    song = midi_io.midi_file_to_note_sequence(str(shared_path(name)))
    converter, encoding = DrumConverter(), MultiDrumOneHotEncoding()
    compared = 0
    for window in windows(song, 2, 2):
        at = [[n.pitch for n in window.notes if n.quantized_start_step == s] for s in range(32)]
        expected = [encoding.encode_event(pitches) for pitches in at]
        example = converter.encode(window, allow_silence=False)
        assert example.outputs.argmax(axis=1).tolist() == expected
        compared += 1
    assert compared > 5
