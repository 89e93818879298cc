"""What a model is conditioned on at every step: the chord (49 classes) and the key (12).

Both are Magenta's controls; with both, a step's control is the chord's one-hot and then the key's.

- Chord: `note_seq.TriadChordOneHotEncoding`. 0 is "N.C." (no chord, also what stands before the
  first chord symbol), 1 + root a major triad, 13 + root minor, 25 + root augmented, 37 + root
  diminished; root 0 is C. What a symbol says beyond the triad (7, /bass) is not represented.
- Key: the pitch class of the major key with that signature, 0 is C: A minor is 0 as C major is,
  which is also what note-seq infers. (Magenta takes a key signature's tonic whatever its mode; none
  of its 23 configurations is conditioned on the key.)
"""

from collections.abc import Sequence

import numpy as np
from note_seq import (
    NO_CHORD,
    ChordEncodingError,
    ChordSymbolError,
    NoteSequence,
    TriadChordOneHotEncoding,
    chord_inference,
    chords_lib,
)

from latentgen.errors import InputError
from latentgen.music import reasons
from latentgen.music.errors import Unsuitable
from latentgen.music.reading.windows import CHORD_SYMBOL, quantised, seconds_per_step

NUM_CHORDS = 49
NUM_KEYS = 12
# Semitones from the major key with the same signature up to the tonic of the mode.
_TONICS = {
    NoteSequence.KeySignature.MINOR: 9,
    NoteSequence.KeySignature.MIXOLYDIAN: 7,
    NoteSequence.KeySignature.DORIAN: 2,
    NoteSequence.KeySignature.PHRYGIAN: 4,
    NoteSequence.KeySignature.LYDIAN: 5,
    NoteSequence.KeySignature.LOCRIAN: 11,
}


def one_hot(classes: np.ndarray | Sequence[int], depth: int) -> np.ndarray:
    """Classes (steps,) → bool (steps, depth)."""
    rows = np.zeros((len(classes), depth), bool)
    rows[np.arange(len(classes)), classes] = True
    return rows


def infer_harmony(notes: NoteSequence, steps_per_quarter: int = 4) -> NoteSequence:
    """A quantised copy with chord symbols and key signatures, in place of those it had.

    `note_seq.infer_chords_for_sequence`: one or two chords a bar. It looks at all instruments and
    takes a second or so a song: do it once, before a song is cut into windows or parts.

    Raises:
        Unsuitable: no chords; no notes, or a meter other than 2/2, 2/4, 3/4, 4/4 and 6/8.
    """
    copy = NoteSequence()
    copy.CopyFrom(quantised(notes, steps_per_quarter))
    others = [a for a in copy.text_annotations if a.annotation_type != CHORD_SYMBOL]
    del copy.text_annotations[:]
    copy.text_annotations.extend(others)
    if not any(not note.is_drum for note in copy.notes):
        raise Unsuitable(reasons.NO_CHORDS, "no notes to infer chords from")
    try:
        chord_inference.infer_chords_for_sequence(copy, add_key_signatures=True)
    except chord_inference.ChordInferenceError as error:
        raise Unsuitable(reasons.NO_CHORDS, str(error)) from error
    for annotation in copy.text_annotations:
        if annotation.annotation_type == CHORD_SYMBOL:
            annotation.quantized_step = round(annotation.time / seconds_per_step(copy))
    return copy


class ChordControls:
    """Chord symbols ↔ one-hots over 49 classes, a row a step."""

    depth = NUM_CHORDS

    def encode(self, window: NoteSequence) -> np.ndarray:
        """bool (steps, 49) of a quantised window; inferred from its notes if it has no symbol.

        Raises:
            Unsuitable: no chords (see `infer_harmony`; silence is "N.C."), or a symbol that is not
                one of the four triads ("Csus4", "C5").
        """
        symbols = [a for a in window.text_annotations if a.annotation_type == CHORD_SYMBOL]
        if not symbols and any(not note.is_drum for note in window.notes):
            window = infer_harmony(window, window.quantization_info.steps_per_quarter)
            symbols = [a for a in window.text_annotations if a.annotation_type == CHORD_SYMBOL]
        classes = np.zeros(window.total_quantized_steps, np.int64)
        for symbol in sorted(symbols, key=lambda a: a.time):
            classes[symbol.quantized_step :] = _chord_class(symbol.text)
        return one_hot(classes, NUM_CHORDS)

    def from_symbols(self, symbols: str | Sequence[str], steps: int) -> np.ndarray:
        """bool (steps, 49): chord symbols such as "C Am F G", spread evenly over the steps.

        Raises:
            InputError: no symbol, one that is no triad, or a number that does not divide `steps`.
        """
        names = symbols.split() if isinstance(symbols, str) else list(symbols)
        if not names or steps % len(names):
            raise InputError(
                f"chords: expected a number of symbols that divides {steps} steps, "
                f"received {len(names)}; repeat a symbol to hold it"
            )
        try:
            classes = [_chord_class(name) for name in names]
        except Unsuitable as error:
            raise InputError(
                f"chords: expected triads such as C, F#m, Bbaug, Bdim, G7, or {NO_CHORD}; {error}"
            ) from error
        return one_hot(np.repeat(classes, steps // len(names)), NUM_CHORDS)

    def write(self, notes: NoteSequence, rows: np.ndarray, times: Sequence[float]) -> None:
        """Adds the chord symbols of `rows` (events, 49) to `notes`, where they change."""
        encoding = TriadChordOneHotEncoding()
        symbols = [encoding.decode_event(index) for index in rows.argmax(axis=-1)]
        chords_lib.add_chords_to_sequence(notes, symbols, times)


class KeyControls:
    """Key signatures ↔ one-hots over 12 classes, a row a step."""

    depth = NUM_KEYS

    def encode(self, window: NoteSequence) -> np.ndarray:
        """bool (steps, 12) of a quantised window; inferred from its notes if it states no key.

        Before the first key signature stands the first, as in note-seq.

        Raises:
            Unsuitable: no key.
        """
        if not window.key_signatures:
            try:
                window = infer_harmony(window, window.quantization_info.steps_per_quarter)
            except Unsuitable as error:
                raise Unsuitable(reasons.NO_KEY, str(error)) from error
        keys = sorted(window.key_signatures, key=lambda key: key.time)
        classes = np.full(window.total_quantized_steps, _key_class(keys[0]))
        for key in keys[1:]:
            classes[round(key.time / seconds_per_step(window)) :] = _key_class(key)
        return one_hot(classes, NUM_KEYS)

    def from_name(self, name: str, steps: int) -> np.ndarray:
        """bool (steps, 12): one key for all steps, such as "C", "F#", "Am" or "C minor".

        Raises:
            InputError: not the name of a major or minor key.
        """
        tonic, _, mode = name.strip().partition(" ")
        try:
            chord = _chord_class(tonic + "m" if mode == "minor" else tonic) - 1
        except Unsuitable:
            chord = -1
        if not 0 <= chord < 2 * NUM_KEYS or mode not in ("", "major", "minor"):
            raise InputError(
                f"key: expected a name such as C, F#, Am or C minor, received {name!r}"
            )
        key = chord if chord < NUM_KEYS else (chord + 3) % NUM_KEYS
        return one_hot([key] * steps, NUM_KEYS)

    def write(self, notes: NoteSequence, rows: np.ndarray, times: Sequence[float]) -> None:
        """Adds the key signatures of `rows` (events, 12) to `notes`, where they change."""
        chords_lib.add_keys_to_sequence(notes, rows.argmax(axis=-1).tolist(), times)


def _chord_class(symbol: str) -> int:
    try:
        return TriadChordOneHotEncoding().encode_event(symbol)
    except (ChordSymbolError, ChordEncodingError) as error:
        raise Unsuitable(reasons.UNKNOWN_CHORD, repr(symbol)) from error


def _key_class(signature: NoteSequence.KeySignature) -> int:
    return (signature.key - _TONICS.get(signature.mode, 0)) % NUM_KEYS
