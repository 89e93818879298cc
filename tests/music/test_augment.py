import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.music.augment import (
    pitch_columns,
    stretch,
    transposable,
    transpose,
    transpose_examples,
    transpose_melody,
)
from latentgen.music.converters import DrumConverter, MelodyConverter, TrioConverter
from latentgen.music.errors import Unsuitable
from latentgen.music.reading.windows import CHORD_SYMBOL
from tests.music.songs import SCALE, melody


def song(pitches=SCALE):
    notes = melody(pitches)
    notes.notes.extend(melody([36, 42], is_drum=True).notes)
    notes.text_annotations.add(text="Am", annotation_type=CHORD_SYMBOL)
    notes.key_signatures.add(key=9, mode=1)
    notes.total_time += 3.0
    return notes


class TestTranspose:
    def test_moves_all_but_drums(self):
        notes = song()
        before = notes.SerializeToString()
        moved = transpose(notes, -3)
        assert [n.pitch for n in moved.notes if not n.is_drum] == [p - 3 for p in SCALE]
        assert [n.pitch for n in moved.notes if n.is_drum] == [36, 42]
        assert moved.text_annotations[0].text in ("F#m", "Gbm")
        assert moved.key_signatures[0].key == 6
        assert moved.total_time == notes.total_time
        assert notes.SerializeToString() == before

    def test_refuses_what_leaves_the_range(self):
        with pytest.raises(Unsuitable) as caught:
            transpose(song(), 56)
        assert caught.value.reason == "out of range"
        with pytest.raises(Unsuitable):
            transpose(song(), -1, lowest=60)
        assert transpose(song([60]), -1, lowest=59)

    def test_refuses_chords_nobody_can_read(self):
        notes = song()
        notes.text_annotations[0].text = "H%"
        with pytest.raises(Unsuitable) as caught:
            transpose(notes, 1)
        assert caught.value.reason == "unknown chord"


class TestStretch:
    def test_seconds_grow_and_bars_stay(self):
        notes = song()
        slow = stretch(notes, 1.5)
        assert slow.notes[1].start_time == pytest.approx(0.75)
        assert slow.tempos[0].qpm == pytest.approx(80)
        converter = MelodyConverter(bars=2)
        np.testing.assert_array_equal(
            converter.encode(melody(SCALE)).outputs,
            converter.encode(stretch(melody(SCALE), 1.1)).outputs,
        )

    def test_a_tempo_that_is_not_stated_is_stretched_too(self):
        notes = melody(SCALE)
        del notes.tempos[:]
        assert stretch(notes, 2.0).tempos[0].qpm == pytest.approx(60)

    @pytest.mark.parametrize("factor", [0, -1, float("nan"), float("inf")])
    def test_factors(self, factor):
        with pytest.raises(InputError, match="factor"):
            stretch(song(), factor)

    def test_quantised_notes_have_no_seconds(self):
        notes = song()
        notes.quantization_info.steps_per_quarter = 4
        with pytest.raises(InputError, match="quantised"):
            stretch(notes, 1.1)


class TestTokens:
    def test_melody_classes_agree_with_notes(self):
        converter = MelodyConverter(bars=2)
        notes = melody(SCALE, quarters=0.75)
        classes = converter.encode(notes).outputs.argmax(axis=-1).astype("uint8")
        moved = converter.encode(transpose(notes, 4)).outputs.argmax(axis=-1)
        result = transpose_melody(classes, 4)
        np.testing.assert_array_equal(result, moved)
        assert result.dtype == classes.dtype

    def test_melody_range(self):
        assert transpose_melody(np.array([89, 0, 1]), 0).tolist() == [89, 0, 1]
        with pytest.raises(InputError, match="piano"):
            transpose_melody(np.array([89, 0]), 1)
        with pytest.raises(InputError, match="piano"):
            transpose_melody(np.array([2, 0]), -1)
        with pytest.raises(InputError, match="0 to 89"):
            transpose_melody(np.array([90]), 0)

    def test_examples_agree_with_notes(self):
        converter = MelodyConverter(bars=2, chords=True, key=True)
        notes = melody(SCALE)
        notes.text_annotations.add(text="F", annotation_type=CHORD_SYMBOL)
        notes.text_annotations.add(time=2.0, text="Bdim", annotation_type=CHORD_SYMBOL)
        notes.key_signatures.add(key=11)
        columns = pitch_columns(converter)
        semitones = [-5, 0, 3]
        expected = [converter.encode(transpose(notes, s)) for s in semitones]
        example = converter.encode(notes)
        outputs = transpose_examples(
            np.stack([example.outputs] * 3), np.array(semitones), columns.pitches
        )
        controls = transpose_examples(
            np.stack([example.controls] * 3), np.array(semitones), circles=columns.circles
        )
        np.testing.assert_array_equal(outputs, np.stack([e.outputs for e in expected]))
        np.testing.assert_array_equal(controls, np.stack([e.controls for e in expected]))

    def test_trios_move_melody_and_bass_and_leave_drums(self):
        converter = TrioConverter(bars=2)
        notes = song()
        notes.notes.extend(melody([30, 40], program=33).notes)
        for note in notes.notes[-2:]:
            note.instrument = 1
        columns = pitch_columns(converter)
        moved = transpose_examples(
            converter.encode(notes).outputs[np.newaxis], np.array([2]), columns.pitches
        )
        np.testing.assert_array_equal(moved[0], converter.encode(transpose(notes, 2)).outputs)
        down, up = transposable(converter.encode(notes).outputs[np.newaxis], columns)
        assert (down.tolist(), up.tolist()) == ([21 - 30], [108 - 72])

    def test_how_far(self):
        columns = pitch_columns(MelodyConverter())
        rows = np.zeros((3, 4, 90), bool)
        rows[:, :, 0] = True
        rows[1, 0, 2] = rows[2, 1, 88] = rows[2, 2, 5] = True
        down, up = transposable(rows, columns)
        assert down.tolist() == [-127, 0, -3]
        assert up.tolist() == [127, 87, 1]

    def test_drums_have_no_pitches(self):
        with pytest.raises(InputError, match="DrumConverter"):
            pitch_columns(DrumConverter())
