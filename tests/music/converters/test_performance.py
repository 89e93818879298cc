"""Several instruments as tracks of events."""

import numpy as np
import pytest
from note_seq import NoteSequence, midi_io

from latentgen.errors import InputError
from latentgen.music import Unsuitable, reasons
from latentgen.music.converters import PerformanceConverter
from latentgen.music.reading.windows import CHORD_SYMBOL, quantised, windows
from tests.music.converters.passages import assert_encodes_again, passage, through_midi
from tests.shared import shared_path

ON, OFF, SHIFT, VELOCITY, PROGRAM, DRUMS, END = 0, 128, 255, 351, 360, 488, 489


def ensemble():
    """A piano's third, a flute, a drum, in steps of 24 a quarter."""
    notes = passage(
        *((73, 0, 48, 5, 73), (60, 0, 24, 2, 0), (64, 0, 96, 2, 0), (67, 24, 25, 2, 0)),
        steps_per_quarter=24,
    )
    drum = passage((36, 12, 13, 9, 0), steps_per_quarter=24, drums=True)
    notes.notes.extend(drum.notes)
    notes.notes[1].velocity = 127
    return notes


def tracks(converter, outputs):
    """The classes of each track up to its end."""
    result = []
    for track in outputs.reshape(converter.instruments, converter.events, -1):
        filled = track.any(axis=1)
        assert filled[: filled.sum()].all()  # rows after the end are zeros
        result.append(track[filled].argmax(axis=1).tolist())
    return result


def rows(converter, *given):
    """Tracks of classes, ended and padded."""
    outputs = np.zeros((converter.instruments, converter.events, converter.output_depth))
    for i in range(converter.instruments):
        classes = given[i] if i < len(given) else [END]
        outputs[i, np.arange(len(classes)), classes] = 1
    return outputs.reshape(converter.steps, -1)


def emitted(rng, converter, busy):
    """Classes as an untrained model may emit them; `busy` tracks end late or never."""
    chances = np.ones(converter.output_depth)
    chances[:256] = 3
    chances[END] = 0 if busy else 10
    pitches = rng.integers(0, 128, 6)  # few, so that note-offs meet what sounds
    outputs = rng.choice(490, converter.steps, p=chances / chances.sum())
    outputs = np.where(outputs < 128, pitches[outputs % 6], outputs)
    outputs = np.where((outputs >= 128) & (outputs < 256), 128 + pitches[outputs % 6], outputs)
    return np.eye(490, dtype=np.float32)[outputs]


def test_classes_and_tracks_are_magentas():
    converter = PerformanceConverter()
    assert (converter.input_depth, converter.output_depth, converter.steps) == (490, 490, 512)
    assert (converter.window_steps, converter.control_depth) == (96, 0)
    example = converter.encode(ensemble(), allow_silence=False)
    assert example.outputs.shape == (512, 490)
    assert example.length.tolist() == [13, 7, 8, 1, 1, 1, 1, 1]
    piano, flute, drums, *others = tracks(converter, example.outputs)
    assert piano == [
        *(PROGRAM, VELOCITY + 8, ON + 60, VELOCITY + 5, ON + 64, SHIFT + 24, OFF + 60, ON + 67),
        *(SHIFT + 1, OFF + 67, SHIFT + 71, OFF + 64, END),
    ]
    assert flute == [
        *(PROGRAM + 73, VELOCITY + 5, ON + 73, SHIFT + 48, OFF + 73, SHIFT + 48, END),
    ]
    assert drums == [
        *(DRUMS, SHIFT + 12, VELOCITY + 5, ON + 36, SHIFT + 1, OFF + 36, SHIFT + 83, END),
    ]
    assert others == [[END]] * 5


def test_an_instrument_with_two_programs_is_two_tracks():
    notes = passage((60, 0, 24, 1, 5), (62, 24, 48, 1, 3), steps_per_quarter=24)
    first, second, *_ = tracks(PerformanceConverter(), PerformanceConverter().encode(notes).outputs)
    assert (first[0], second[0]) == (PROGRAM + 3, PROGRAM + 5)


def test_a_decoding_has_programs_velocities_drums_and_length():
    converter = PerformanceConverter()
    given = rows(
        converter,
        [DRUMS, VELOCITY + 1, ON + 36, SHIFT + 24, END],
        [PROGRAM + 40, VELOCITY + 8, ON + 60, SHIFT + 48, OFF + 60, END],
        [ON + 62, SHIFT + 12, PROGRAM + 7, OFF + 62, END],
    )
    notes = converter.decode(given, tempo=60.0, velocity=80)
    heard = {(n.pitch, n.program, n.is_drum, n.velocity): n for n in notes.notes}
    assert set(heard) == {(36, 0, True, 1), (60, 40, False, 113), (62, 7, False, 65)}
    drum = heard[36, 0, True, 1]
    assert drum.end_time == pytest.approx(4.0)  # not ended: with the window
    assert notes.total_time == pytest.approx(4.0)
    assert notes.tempos[0].qpm == 60
    assert heard[60, 40, False, 113].end_time == pytest.approx(2.0)


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("bar", [96, 72])
def test_whatever_a_model_emits_encodes_again(bar, busy):
    converter = PerformanceConverter(steps_per_bar=bar)
    rng = np.random.default_rng(bar + busy)
    heard = 0
    for _ in range(12):
        outputs = emitted(rng, converter, busy)
        tempo = float(rng.uniform(20, 300))
        assert_encodes_again(converter, outputs, tempo=tempo)
        heard += len(converter.decode(outputs).notes)
    assert heard > 50


def test_canonical_tracks_encode_to_themselves():
    converter = PerformanceConverter()
    outputs = converter.encode(ensemble()).outputs
    np.testing.assert_array_equal(assert_encodes_again(converter, outputs), outputs)


def test_what_means_nothing_is_left_out():
    converter = PerformanceConverter()
    given = rows(
        converter,
        [PROGRAM + 9, END],  # no notes
        [PROGRAM + 5, OFF + 60, ON + 60, OFF + 60, VELOCITY + 3, ON + 61, SHIFT + 96, ON + 62, END],
    )
    canonical = tracks(converter, assert_encodes_again(converter, given))
    expected = [PROGRAM + 5, VELOCITY + 3, ON + 61, SHIFT + 96, OFF + 61, END]
    assert canonical == [expected] + [[END]] * 7


def test_notes_of_one_pitch_end_in_the_order_they_start():
    converter = PerformanceConverter()
    inner_last = passage((60, 0, 72), (60, 24, 48), steps_per_quarter=24)
    (track, *_) = tracks(
        converter, assert_encodes_again(converter, converter.encode(inner_last).outputs)
    )
    assert track == [
        *(PROGRAM, VELOCITY + 5, ON + 60, SHIFT + 24, ON + 60, SHIFT + 24, OFF + 60),
        *(SHIFT + 24, OFF + 60, SHIFT + 24, END),
    ]


def test_a_track_that_never_ends_loses_its_last_notes():
    converter = PerformanceConverter()
    given = rows(converter, [ON + 30 + i for i in range(64)])
    notes = converter.decode(given)
    assert [n.pitch for n in notes.notes] == list(range(30, 60))  # 30 on, 30 off, 4 others
    (track, *_) = tracks(converter, assert_encodes_again(converter, given))
    assert len(track) == 64


def test_silence_encodes_unless_data_must_have_notes():
    converter = PerformanceConverter()
    silence = converter.decode(rows(converter))
    assert tracks(converter, converter.encode(silence).outputs) == [[END]] * 8
    with pytest.raises(Unsuitable) as error:
        converter.encode(silence, allow_silence=False)
    assert error.value.reason == reasons.SILENT


@pytest.mark.parametrize(
    ("notes", "reason"),
    [
        ([(60, 0, 24, i, i) for i in range(9)], reasons.TOO_MANY_INSTRUMENTS),
        ([(60, i, i + 1) for i in range(0, 96, 2)], reasons.TOO_MANY_EVENTS),
        ([(128, 0, 24)], reasons.OUT_OF_RANGE),
        ([(60, 0, 24, 0, 128)], reasons.OUT_OF_RANGE),
    ],
)
def test_what_does_not_fit_is_refused(notes, reason):
    with pytest.raises(Unsuitable) as error:
        PerformanceConverter().encode(passage(*notes, steps_per_quarter=24))
    assert error.value.reason == reason


def test_chords_stand_at_the_events_they_sound_with():
    converter = PerformanceConverter(chords=True)
    assert converter.control_depth == 49
    notes = ensemble()
    for time, figure in ((0.0, "C"), (0.5, "Am"), (1.5, "F")):
        notes.text_annotations.add(time=time, text=figure, annotation_type=CHORD_SYMBOL)
    example = converter.encode(notes)
    chords = [
        track[: int(length)].argmax(axis=1).tolist()
        for track, length in zip(example.controls.reshape(8, 64, 49), example.length, strict=True)
    ]
    none, c, a_minor, f = 0, 1, 22, 6
    assert chords[1] == [none, c, c, c, a_minor, a_minor, a_minor]  # the flute
    assert chords[0][-3:] == [a_minor, f, f]
    assert chords[3] == [none]
    assert example.controls.sum() == example.length.sum()
    decoded = converter.decode(example.outputs, controls=example.controls)
    assert [(a.time, a.text) for a in decoded.text_annotations] == [(0.0, "C"), (0.5, "Am")]
    np.testing.assert_array_equal(converter.encode(decoded).outputs, example.outputs)


def test_a_decoding_survives_a_midi_file(tmp_path):
    converter = PerformanceConverter()
    notes = converter.decode(converter.encode(ensemble()).outputs, tempo=110.0)
    again = converter.encode(through_midi(notes, tmp_path))
    np.testing.assert_array_equal(again.outputs, converter.encode(notes).outputs)


@pytest.mark.parametrize(
    ("outputs", "arguments", "message"),
    [
        (np.zeros((512, 90)), {}, r"outputs: expected numbers of shape \(steps, 490\)"),
        (np.zeros((64, 490)), {}, "outputs: expected 8 tracks of 64 rows, received 64 rows"),
        (np.zeros((512, 490)), {"program": 3}, "program: expected None"),
    ],
)
def test_decoding_refuses_what_is_no_performance(outputs, arguments, message):
    with pytest.raises(InputError, match=message):
        PerformanceConverter().decode(outputs, **arguments)


def test_arguments_make_the_same_converter():
    converter = PerformanceConverter(2, steps_per_bar=72, chords=True, instruments=3, events=100)
    again = PerformanceConverter(**converter.arguments())
    assert again.arguments() == converter.arguments()
    assert (again.steps, again.window_steps, again.control_depth) == (300, 144, 49)
    with pytest.raises(InputError, match="instruments, events: expected at least 1 and 3"):
        PerformanceConverter(instruments=0)


def test_a_real_song_comes_back_but_for_its_velocities():
    song = midi_io.midi_file_to_note_sequence(str(shared_path("data/music/pop909/001.mid")))
    bars = 96 // next(windows(song, 1, 1, steps_per_quarter=24)).total_quantized_steps
    converter = PerformanceConverter()
    compared = 0
    for window in windows(song, bars, bars, steps_per_quarter=24):
        try:
            example = converter.encode(window, allow_silence=False)
        except Unsuitable as error:
            assert error.reason in (reasons.TOO_MANY_EVENTS, reasons.SILENT)  # noqa: PT017
            continue
        decoded = converter.decode(example.outputs, tempo=song.tempos[0].qpm)
        assert _onsets(decoded) == _onsets(window)
        compared += 1
    assert compared > 20


def _onsets(notes: NoteSequence):
    return sorted((n.quantized_start_step, n.pitch) for n in quantised(notes, 24).notes)
