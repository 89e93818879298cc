"""Chords and keys as controls."""

import numpy as np
import pytest
from note_seq import NoteSequence, TriadChordOneHotEncoding, midi_io

from latentgen.errors import InputError
from latentgen.music import Unsuitable, reasons
from latentgen.music.converters import (
    ChordControls,
    KeyControls,
    MelodyConverter,
    TrioConverter,
    infer_harmony,
)
from latentgen.music.reading.windows import CHORD_SYMBOL, quantised, windows
from tests.music.converters.passages import passage
from tests.shared import shared_path

Key = NoteSequence.KeySignature


def chorale(*chords, seconds=2.0):
    """Whole-bar triads, as (root pitch, third, fifth)."""
    notes = passage()
    for bar, pitches in enumerate(chords):
        for pitch in pitches:
            notes.notes.add(
                pitch=pitch, velocity=80, start_time=bar * seconds, end_time=(bar + 1) * seconds
            )
    notes.total_time = len(chords) * seconds
    return notes


def annotated(*symbols):
    """A bar of silence with (step, symbol)."""
    notes = passage((60, 0, 16))
    for step, symbol in symbols:
        notes.text_annotations.add(time=step / 8, text=symbol, annotation_type=CHORD_SYMBOL)
    return quantised(notes)


def test_the_49_chord_classes():
    given = "N.C. C C# B Cm Bm Caug Baug Cdim Bdim G7 Am/E"
    rows = ChordControls().from_symbols(given, 12)
    assert rows.shape == (12, 49)
    assert rows.argmax(axis=1).tolist() == [0, 1, 2, 12, 13, 24, 25, 36, 37, 48, 8, 22]


def test_symbols_are_spread_over_the_steps():
    rows = ChordControls().from_symbols(["C", "Am", "F", "G"], 32)
    assert rows.argmax(axis=1).tolist() == [1] * 8 + [22] * 8 + [6] * 8 + [8] * 8


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        ("", "received 0"),
        ("C F G", "divides 32 steps, received 3"),
        ("C H", "expected triads such as"),
        ("C Gsus4", "unknown chord: 'Gsus4'"),
    ],
)
def test_symbols_that_are_none_are_refused(symbols, message):
    with pytest.raises(InputError, match=message):
        ChordControls().from_symbols(symbols, 32)


def test_a_symbol_holds_until_the_next_and_before_the_first_is_none():
    rows = ChordControls().encode(annotated((4, "Am"), (12, "G7")))
    assert rows.argmax(axis=1).tolist() == [0] * 4 + [22] * 8 + [8] * 4


def test_a_symbol_that_is_no_triad_is_unsuitable():
    with pytest.raises(Unsuitable) as error:
        ChordControls().encode(annotated((0, "C5")))
    assert error.value.reason == reasons.UNKNOWN_CHORD


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ({"key": 7}, 7),
        ({"key": 9, "mode": Key.MINOR}, 0),
        ({"key": 2, "mode": Key.DORIAN}, 0),
        ({"key": 3, "mode": Key.MINOR}, 6),
    ],
)
def test_a_mode_is_in_the_major_key_of_its_signature(signature, expected):
    notes = passage((60, 0, 16))
    notes.key_signatures.add(**signature)
    rows = KeyControls().encode(quantised(notes))
    assert rows.shape == (16, 12)
    assert set(rows.argmax(axis=1)) == {expected}


def test_keys_change_where_they_are_written_and_the_first_holds_before():
    notes = passage((60, 0, 16))
    notes.key_signatures.add(key=2, time=1.0)
    notes.key_signatures.add(key=5, time=1.5)
    rows = KeyControls().encode(quantised(notes))
    assert rows.argmax(axis=1).tolist() == [2] * 12 + [5] * 4


@pytest.mark.parametrize(
    ("name", "expected"),
    [("C", 0), ("F#", 6), ("Bb major", 10), ("Am", 0), ("C minor", 3), ("Ebm", 6), ("D minor", 5)],
)
def test_key_names(name, expected):
    assert KeyControls().from_name(name, 3).argmax(axis=1).tolist() == [expected] * 3


@pytest.mark.parametrize("name", ["", "H", "c", "Cdim", "C dorian", "N.C.", "Cm minor x"])
def test_names_of_no_key_are_refused(name):
    with pytest.raises(InputError, match="key: expected a name such as"):
        KeyControls().from_name(name, 3)


@pytest.mark.parametrize("converter", [MelodyConverter, TrioConverter])
@pytest.mark.parametrize(("chords", "key"), [(True, False), (False, True), (True, True)])
def test_every_control_is_written_and_read_again(converter, chords, key):
    """Magenta's decoding without a key loses the last 12 chords, from B flat diminished on."""
    converter = converter(bars=4, chords=chords, key=key)
    assert converter.control_depth == 49 * chords + 12 * key
    rng = np.random.default_rng(0)
    silence = np.zeros((64, converter.output_depth))
    for first in (0, 16, 32, 33):
        harmony = np.arange(first, first + 16).repeat(4)
        parts = []
        if chords:
            parts.append(np.eye(49)[harmony])
        if key:
            parts.append(np.eye(12)[rng.integers(0, 12, 8).repeat(8)])
        controls = np.concatenate(parts, axis=1)
        notes = converter.decode(silence, controls=controls, tempo=float(rng.uniform(30, 240)))
        np.testing.assert_array_equal(converter.encode(notes).controls, controls)


def test_decoded_chords_are_note_seqs_symbols():
    converter = MelodyConverter(bars=1, chords=True)
    encoding = TriadChordOneHotEncoding()
    for chord in range(49):
        controls = np.eye(49)[[chord] * 16]
        (symbol,) = converter.decode(np.zeros((16, 90)), controls=controls).text_annotations
        assert symbol.text == encoding.decode_event(chord)
        assert symbol.annotation_type == CHORD_SYMBOL


def test_harmony_is_inferred_from_the_notes():
    c, f, g = (48, 52, 55), (53, 57, 60), (55, 59, 62)
    notes = chorale(c, f, g, c)
    before = notes.SerializeToString(deterministic=True)
    harmony = infer_harmony(notes)
    assert notes.SerializeToString(deterministic=True) == before
    chords = [(a.quantized_step, a.text) for a in harmony.text_annotations]
    assert chords == [(0, "C"), (16, "F"), (32, "G"), (48, "C")]
    assert [key.key for key in harmony.key_signatures] == [0]
    cut = list(windows(harmony, 2, 2))
    assert ChordControls().encode(cut[1]).argmax(axis=1).tolist() == [8] * 16 + [1] * 16


def test_a_window_without_chords_or_key_gets_inferred_ones():
    (window,) = windows(chorale((45, 48, 52), (50, 53, 57)), 2, 2)
    before = window.SerializeToString(deterministic=True)
    converter = MelodyConverter(bars=2, chords=True, key=True, top_line=True)
    controls = converter.encode(window).controls
    assert controls[:, :49].argmax(axis=1).tolist() == [22] * 16 + [15] * 16
    assert controls[:, 49:].sum() == 32
    assert window.SerializeToString(deterministic=True) == before


def test_the_chord_of_silence_is_none():
    controls = MelodyConverter(chords=True).encode(passage()).controls
    assert controls[:, 0].all()


@pytest.mark.parametrize(
    ("arguments", "reason", "notes"),
    [
        ({"chords": True}, reasons.NO_CHORDS, passage((60, 0, 20), meter=(5, 4))),
        ({"key": True}, reasons.NO_KEY, passage((60, 0, 20), meter=(5, 4))),
        ({"key": True}, reasons.NO_KEY, passage()),
    ],
)
def test_what_cannot_be_inferred_is_unsuitable(arguments, reason, notes):
    bar = notes.time_signatures[0].numerator * 4
    with pytest.raises(Unsuitable) as error:
        MelodyConverter(bars=1, steps_per_bar=bar, **arguments).encode(notes)
    assert error.value.reason == reason


def test_a_real_song_has_the_key_it_is_in():
    song = midi_io.midi_file_to_note_sequence(str(shared_path("data/music/pop909/001.mid")))
    harmony = infer_harmony(song)
    assert [key.key for key in harmony.key_signatures] == [6]
    melody = NoteSequence()
    melody.CopyFrom(harmony)
    line = [note for note in harmony.notes if note.instrument == 0]
    del melody.notes[:]
    melody.notes.extend(line)
    bars = 32 // next(windows(melody, 1, 1)).total_quantized_steps
    converter = MelodyConverter(chords=True, key=True, top_line=True)
    chords = set()
    for window in windows(melody, bars, bars):
        controls = converter.encode(window).controls
        assert set(controls[:, 49:].argmax(axis=1)) == {6}
        chords |= set(controls[:, :49].argmax(axis=1))
    assert len(chords) > 4
