"""Melodies as 90 classes."""

import json

import numpy as np
import pytest
from note_seq import Melody, MelodyOneHotEncoding, midi_io

from latentgen.errors import InputError
from latentgen.music import Unsuitable, reasons
from latentgen.music.converters import MelodyConverter
from latentgen.music.reading.windows import windows
from tests.music.converters.passages import assert_encodes_again, passage, through_midi
from tests.shared import shared_path


def classes(example):
    return example.outputs.argmax(axis=-1).tolist()


def emitted(rng, steps=32):
    """Classes as an untrained model may emit them: note-offs anywhere."""
    chances = np.full(90, 0.3 / 88)
    chances[:2] = 0.5, 0.2
    return rng.choice(90, steps, p=chances)


def rows(tokens):
    return np.eye(90, dtype=np.float32)[tokens]


def test_classes_are_magentas():
    example = MelodyConverter(bars=1).encode(
        passage((60, 0, 4), (62, 4, 6), (21, 8, 9), (108, 9, 16))
    )
    expected = [41, 0, 0, 0, 43, 0, 1, 0, 2, 89, 0, 0, 0, 0, 0, 0]
    assert classes(example) == expected
    assert example.outputs.dtype == bool
    assert example.outputs.sum() == 16
    assert example.length == 16
    assert example.controls.shape == (16, 0)
    np.testing.assert_array_equal(example.inputs, example.outputs)


def test_an_overlapping_note_is_ended_by_the_next():
    example = MelodyConverter(bars=1).encode(passage((60, 0, 12), (64, 4, 8)))
    assert classes(example) == [41, 0, 0, 0, 45, 0, 0, 0, 1] + [0] * 7


def test_notes_that_start_together_are_refused_or_the_highest_is_taken():
    chord = passage((60, 0, 4), (67, 0, 8), (64, 0, 16))
    with pytest.raises(Unsuitable) as error:
        MelodyConverter(bars=1).encode(chord)
    assert error.value.reason == reasons.POLYPHONIC
    example = MelodyConverter(bars=1, top_line=True).encode(chord)
    assert classes(example) == [48] + [0] * 7 + [1] + [0] * 7


def test_drums_and_notes_without_velocity_are_no_melody():
    notes = passage((60, 0, 4), (36, 0, 1), (62, 4, 8))
    notes.notes[1].is_drum = True
    notes.notes[2].velocity = 0
    assert classes(MelodyConverter(bars=1).encode(notes)) == [41, 0, 0, 0, 1] + [0] * 11


@pytest.mark.parametrize("pitch", [20, 109])
def test_a_pitch_off_the_piano_is_refused(pitch):
    with pytest.raises(Unsuitable) as error:
        MelodyConverter(bars=1).encode(passage((pitch, 0, 4)))
    assert error.value.reason == reasons.OUT_OF_RANGE


@pytest.mark.parametrize(
    ("notes", "reason"),
    [
        (passage((60, 0, 24), meter=(3, 4)), reasons.OTHER_METER),
        (passage((60, 0, 8), (60, 32, 36)), reasons.TOO_LONG),
        (next(windows(passage((60, 0, 16)), 1, 1)), reasons.TOO_SHORT),
        (next(windows(passage((60, 0, 64)), 4, 1)), reasons.TOO_LONG),
    ],
)
def test_a_window_of_another_length_is_refused(notes, reason):
    with pytest.raises(Unsuitable) as error:
        MelodyConverter().encode(notes)
    assert error.value.reason == reason


def test_a_window_quantised_in_another_way_is_refused():
    window = next(windows(passage((60, 0, 32)), 2, 1, steps_per_quarter=8))
    with pytest.raises(InputError, match="expected 4 steps a quarter, received 8"):
        MelodyConverter().encode(window)


def test_notes_that_are_not_a_window_may_end_early_or_sound_on():
    assert classes(MelodyConverter().encode(passage((60, 0, 4)))) == [41, 0, 0, 0, 1] + [0] * 27
    assert classes(MelodyConverter().encode(passage((60, 0, 40)))) == [41] + [0] * 31


def test_silence_encodes_unless_data_must_have_notes():
    converter = MelodyConverter()
    silence = converter.decode(rows(np.zeros(32, int)))
    assert len(silence.notes) == 0
    assert silence.total_time == 4.0
    assert classes(converter.encode(silence)) == [0] * 32
    with pytest.raises(Unsuitable) as error:
        converter.encode(silence, allow_silence=False)
    assert error.value.reason == reasons.SILENT


@pytest.mark.parametrize(("bars", "bar"), [(2, 16), (2, 12), (3, 8), (1, 14)])
def test_whatever_a_model_emits_encodes_again(bars, bar):
    rng = np.random.default_rng(bars * bar)
    converter = MelodyConverter(bars, steps_per_bar=bar)
    for _ in range(200):
        tokens = emitted(rng, bars * bar)
        canonical = assert_encodes_again(
            converter, rows(tokens), tempo=float(rng.uniform(20, 300)), program=40
        ).argmax(axis=-1)
        changed = canonical != tokens
        assert set(tokens[changed]) <= {1}  # only note-offs that end nothing are left out
        assert set(canonical[changed]) <= {0}


def test_a_note_off_stays_exactly_where_a_note_sounds():
    tokens = np.array([1, 0, 41, 1, 1, 0, 1, 43, 0, 0, 45, 0, 1, 41, 0, 1])
    canonical = assert_encodes_again(MelodyConverter(bars=1), rows(tokens)).argmax(axis=-1)
    assert canonical.tolist() == [0, 0, 41, 1, 0, 0, 0, 43, 0, 0, 45, 0, 1, 41, 0, 1]


def test_a_decoding_survives_a_midi_file(tmp_path):
    converter = MelodyConverter()
    rng = np.random.default_rng(3)
    for tempo in (60.0, 97.3, 240.0):
        notes = converter.decode(rows(emitted(rng)), tempo=tempo)
        again = converter.encode(through_midi(notes, tmp_path))
        np.testing.assert_array_equal(again.outputs, converter.encode(notes).outputs)


def test_decoding_states_tempo_meter_program_and_velocity():
    notes = MelodyConverter(2, steps_per_bar=14).decode(
        rows([41] + [0] * 27), tempo=90.0, program=73, velocity=100
    )
    assert notes.tempos[0].qpm == 90
    signature = notes.time_signatures[0]
    assert (signature.numerator, signature.denominator) == (7, 8)
    (note,) = notes.notes
    assert (note.pitch, note.velocity, note.program) == (60, 100, 73)
    assert note.end_time == pytest.approx(notes.total_time)
    assert notes.total_time == pytest.approx(28 / 4 * 60 / 90)


@pytest.mark.parametrize(
    ("outputs", "arguments", "message"),
    [
        (np.zeros((32, 91)), {}, r"outputs: expected numbers of shape \(steps, 90\)"),
        (np.zeros((1, 32, 90)), {}, "without the batch"),
        (np.full((32, 90), np.nan), {}, "outputs: expected finite numbers"),
        (np.zeros((32, 90)), {"tempo": 0.0}, "tempo: expected a positive number"),
        (np.zeros((32, 90)), {"tempo": float("nan")}, "tempo: expected a positive number"),
        (np.zeros((32, 90)), {"program": 128}, "program: expected 0 to 127, received 128"),
        (np.zeros((32, 90)), {"velocity": 0}, "velocity: expected 1 to 127, received 0"),
        (np.zeros((32, 90)), {"controls": np.zeros((32, 3))}, "controls: expected numbers"),
        (np.zeros((32, 90)), {"controls": np.zeros((3, 0))}, "controls: expected 32 rows"),
    ],
)
def test_decoding_refuses_what_is_no_melody(outputs, arguments, message):
    with pytest.raises(InputError, match=message):
        MelodyConverter().decode(outputs, **arguments)


def test_lengths_that_are_no_music_are_refused():
    with pytest.raises(InputError, match="bars: expected at least 1, received 0"):
        MelodyConverter(bars=0)
    with pytest.raises(InputError, match="steps_per_bar: expected the length of a meter"):
        MelodyConverter(steps_per_bar=5, steps_per_quarter=3)


@pytest.mark.parametrize(
    ("bar", "quarter", "meter"),
    [(16, 4, (4, 4)), (12, 4, (3, 4)), (14, 4, (7, 8)), (8, 4, (2, 4)), (5, 4, (5, 16))],
)
def test_decoding_states_the_simplest_meter(bar, quarter, meter):
    converter = MelodyConverter(1, bar, quarter)
    notes = converter.decode(rows(np.full(bar, 41)))
    assert (notes.time_signatures[0].numerator, notes.time_signatures[0].denominator) == meter
    assert classes(converter.encode(notes)) == [41] * bar


def test_arguments_make_the_same_converter():
    converter = MelodyConverter(4, steps_per_bar=12, top_line=True, chords=True)
    again = MelodyConverter(**converter.arguments())
    assert again.arguments() == converter.arguments()
    assert (again.steps, again.control_depth) == (48, 49)


def test_a_real_melody_is_encoded_as_note_seq_encodes_it():
    song = midi_io.midi_file_to_note_sequence(str(shared_path("data/music/pop909/001.mid")))
    tracks = {info.name: info.instrument for info in song.instrument_infos}
    melody = [note for note in song.notes if note.instrument == tracks["MELODY"]]
    del song.notes[:]
    song.notes.extend(melody)
    bars = 32 // next(windows(song, 1, 1)).total_quantized_steps
    converter = MelodyConverter(top_line=True)
    encoding = MelodyOneHotEncoding(21, 109)
    compared = 0
    for window in windows(song, bars, bars):
        if not window.notes:
            continue
        expected = Melody()
        expected.from_quantized_sequence(
            window, instrument=0, ignore_polyphonic_notes=True, gap_bars=1000
        )
        expected.set_length(len(expected) + expected.start_step, from_left=True)
        expected.set_length(32)
        assert classes(converter.encode(window)) == [encoding.encode_event(e) for e in expected]
        compared += 1
    assert compared > 10


def test_what_magentas_decoder_emits_encodes_again():
    fixture = json.loads(shared_path("fixtures/musicvae_js_mel_2bar_small.json").read_text())
    changed = 0
    for tokens in fixture["tokens"]:
        canonical = assert_encodes_again(MelodyConverter(), rows(tokens)).argmax(axis=-1)
        changed += (canonical != tokens).sum()
    assert changed <= len(fixture["tokens"])  # a real model hardly emits an idle note-off
