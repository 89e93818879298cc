"""Transposition and stretching: of notes, and of examples that are encoded already.

Drums have no pitch and stay as they are.
"""

import math
from typing import NamedTuple

import numpy as np
from note_seq import ChordSymbolError, NoteSequence, sequences_lib

from latentgen.errors import InputError
from latentgen.music import reasons
from latentgen.music.converters.converter import Converter
from latentgen.music.converters.melody import FIRST_PITCH, NUM_CLASSES, MelodyConverter
from latentgen.music.converters.trio import TrioConverter
from latentgen.music.errors import Unsuitable


def transpose(
    notes: NoteSequence, semitones: int, lowest: int = 0, highest: int = 127
) -> NoteSequence:
    """The notes, chord symbols and keys so many semitones higher.

    Args:
        notes: quantised or not; it is not changed.
        semitones: negative for lower.
        lowest, highest: MIDI pitches that notes may have.

    Raises:
        Unsuitable: a note would leave the range, or a chord symbol cannot be read.
    """
    pitches = [note.pitch + semitones for note in notes.notes if not note.is_drum]
    if pitches and not lowest <= min(pitches) <= max(pitches) <= highest:
        raise Unsuitable(
            reasons.OUT_OF_RANGE,
            f"pitches {min(pitches)} to {max(pitches)} after {semitones:+d} semitones",
        )
    try:
        moved, _ = sequences_lib.transpose_note_sequence(notes, semitones)
    except ChordSymbolError as error:
        raise Unsuitable(reasons.UNKNOWN_CHORD, str(error)) from error
    moved.total_time = notes.total_time  # which note_seq cuts to the last note's end
    return moved


def stretch(notes: NoteSequence, factor: float) -> NoteSequence:
    """The notes slower by a factor, their tempo too: bars stay, seconds grow.

    Only encodings of absolute time (performances) see a difference.

    Args:
        notes: in seconds; it is not changed.
        factor: above 1 is slower.

    Raises:
        InputError: the notes are quantised, or the factor is not positive.
    """
    if not 0 < factor < math.inf:
        raise InputError(f"factor: expected a positive number, received {factor}")
    if sequences_lib.is_quantized_sequence(notes):
        raise InputError("notes: expected times in seconds, received quantised notes")
    copy = NoteSequence()
    copy.CopyFrom(notes)
    if not any(tempo.time <= 0 for tempo in copy.tempos):
        copy.tempos.add(qpm=120.0)  # what no tempo means must be said to be stretched
    return sequences_lib.stretch_note_sequence(copy, factor, in_place=True)


def transpose_melody(classes: np.ndarray, semitones: int) -> np.ndarray:
    """Melody classes (…,) of `MelodyConverter`, integers, so many semitones higher.

    Raises:
        InputError: a class outside 0 to 89, or a note that would leave the range.

    Example:
        >>> transpose_melody(np.array([41, 0, 1]), 2).tolist()
        [43, 0, 1]
    """
    classes = np.asarray(classes)
    if classes.dtype.kind not in "iu" or not ((classes >= 0) & (classes < NUM_CLASSES)).all():
        raise InputError(f"classes: expected integers from 0 to {NUM_CLASSES - 1}, received others")
    starts = classes >= FIRST_PITCH
    moved = np.where(starts, classes.astype("int64") + semitones, classes)
    if not ((moved[starts] >= FIRST_PITCH) & (moved[starts] < NUM_CLASSES)).all():
        raise InputError(
            f"semitones: expected a transposition that stays on the piano, received {semitones:+d}"
        )
    return moved.astype(classes.dtype)


class PitchColumns(NamedTuple):
    """Which columns of a converter's arrays are pitches, as (first, one after the last).

    Attributes:
        pitches: of inputs and outputs, in steps of a semitone.
        circles: of controls, twelve each, after the last of which comes the first.
    """

    pitches: tuple[tuple[int, int], ...]
    circles: tuple[tuple[int, int], ...]


def pitch_columns(converter: Converter) -> PitchColumns:
    """The columns that transposition moves.

    Raises:
        InputError: notes of this converter have to be transposed before they are encoded.
    """
    if isinstance(converter, MelodyConverter):
        pitches: tuple[tuple[int, int], ...] = ((FIRST_PITCH, NUM_CLASSES),)
    elif isinstance(converter, TrioConverter):
        pitches = ((FIRST_PITCH, NUM_CLASSES), (NUM_CLASSES + FIRST_PITCH, 2 * NUM_CLASSES))
    else:
        raise InputError(
            f"transpose: expected a MelodyConverter or a TrioConverter, received a "
            f"{type(converter).__name__}; give `transpositions` to read_collection"
        )
    chords = tuple((start, start + 12) for start in range(1, 49, 12)) if converter.chords else ()
    after = 49 if converter.chords else 0
    return PitchColumns(pitches, chords + (((after, after + 12),) if converter.key else ()))


def transposable(outputs: np.ndarray, columns: PitchColumns) -> tuple[np.ndarray, np.ndarray]:
    """How many semitones examples (n, T, D) can go down, as numbers ≤ 0 (n,), and up (n,)."""
    used: np.ndarray = np.any(outputs, axis=1)  # (n, D)
    down = np.full(len(used), -127)
    up = np.full(len(used), 127)
    for first, end in columns.pitches:
        block = used[:, first:end]
        heard = block.any(axis=1)
        down = np.where(heard, np.maximum(down, -block.argmax(axis=1)), down)
        up = np.where(heard, np.minimum(up, block[:, ::-1].argmax(axis=1)), up)
    return down, up


def transpose_examples(
    arrays: np.ndarray,
    semitones: np.ndarray,
    pitches: tuple[tuple[int, int], ...] = (),
    circles: tuple[tuple[int, int], ...] = (),
) -> np.ndarray:
    """Arrays (n, T, D) with the columns of example i moved by semitones[i] (n,).

    Pitches that leave their columns are lost: keep to `transposable`.
    """
    moved = arrays.copy()
    for row, source, shift in zip(moved, arrays, semitones.tolist(), strict=True):
        for first, end in pitches:
            block = np.zeros_like(source[:, first:end])
            if shift >= 0:
                block[:, shift:] = source[:, first : max(first, end - shift)]
            else:
                block[:, :shift] = source[:, first - shift : end]
            row[:, first:end] = block
        for first, end in circles:
            row[:, first:end] = np.roll(source[:, first:end], shift, axis=-1)
    return moved
