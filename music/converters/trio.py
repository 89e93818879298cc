"""Melody, bass and drums ↔ three one-hots side by side: 90 + 90 + 512 (`TrioConverter`)."""

from collections import Counter

import numpy as np
from note_seq import NoteSequence

from latentgen.errors import InputError
from latentgen.music import reasons
from latentgen.music.converters.controls import one_hot
from latentgen.music.converters.converter import Converter, Example
from latentgen.music.converters.drums import (
    GENERAL_KIT,
    NUM_DRUMS,
    add_drums,
    combinations,
    drum_roll,
    to_roll,
)
from latentgen.music.converters.melody import (
    FIRST_PITCH,
    NUM_CLASSES,
    add_melody,
    melody_classes,
)

# General MIDI programs, from 0: pianos, chromatic percussion, organs and guitars; basses.
MELODY_PROGRAMS = range(0, 32)
BASS_PROGRAMS = range(32, 40)
BASS_PROGRAM = 33  # electric bass (finger): what the bass is decoded to
BASS_INSTRUMENT = 1


class TrioConverter(Converter):
    """Trios: columns 0–89 the melody, 90–179 the bass, 180–691 the drums; input equals output.

    Melody and bass are in the classes of `MelodyConverter`, the drums in the 512 of
    `DrumConverter`.

    *Which notes*: melody, programs 0 to 31; bass, 32 to 39; drums, what is marked as drums; other
    programs are left out, as Magenta does. Of several instruments of a kind the one with most notes
    in the window is taken, of equals the one with the lowest number. (Magenta makes an example of
    every combination.) All drums count, whatever their instrument.

    *Canonical*: as for melodies (a note-off where something sounds) and drums (everything).

    Args:
        top_line: as for melodies, for melody and bass.
        others: see `Converter`.

    Raises (encode):
        Unsuitable: polyphonic; out of range; no melody, no bass or no drums (if not allowed).
    """

    input_depth = output_depth = 2 * NUM_CLASSES + 2**NUM_DRUMS  # 692

    def __init__(
        self,
        bars: int = 16,
        steps_per_bar: int = 16,
        steps_per_quarter: int = 4,
        chords: bool = False,
        key: bool = False,
        top_line: bool = False,
    ):
        super().__init__(bars, steps_per_bar, steps_per_quarter, chords, key)
        self.top_line = top_line

    def _encode(self, window: NoteSequence, controls: np.ndarray) -> Example:
        parts = [
            one_hot(melody_classes(_part(window, programs), self.steps, self.top_line), NUM_CLASSES)
            for programs in (MELODY_PROGRAMS, BASS_PROGRAMS)
        ]
        roll = drum_roll(window.notes, self.steps)
        rows = np.concatenate([*parts, one_hot(combinations(roll), 2**NUM_DRUMS)], axis=-1)
        return Example(rows, rows, controls, self.steps)

    def _decode(
        self,
        outputs: np.ndarray,
        notes: NoteSequence,
        step: float,
        program: int | None,
        velocity: int,
    ) -> None:
        if program is not None and program not in MELODY_PROGRAMS:
            raise InputError(f"program: expected a melody's, 0 to 31, received {program}")
        melody, bass, drums = (part.argmax(axis=-1) for part in split(outputs))
        add_melody(notes, melody, step, velocity, program or 0)
        add_melody(notes, bass, step, velocity, BASS_PROGRAM, BASS_INSTRUMENT)
        add_drums(notes, to_roll(drums), GENERAL_KIT, step, velocity)

    def _missing(self, outputs: np.ndarray) -> str | None:
        melody, bass, drums = split(outputs)
        if not melody[:, FIRST_PITCH:].any():
            return reasons.NO_MELODY
        if not bass[:, FIRST_PITCH:].any():
            return reasons.NO_BASS
        return None if drums[:, 1:].any() else reasons.NO_DRUMS


def split(outputs: np.ndarray) -> list[np.ndarray]:
    """(…, 692) → melody (…, 90), bass (…, 90), drums (…, 512)."""
    return np.split(outputs, [NUM_CLASSES, 2 * NUM_CLASSES], axis=-1)


def _part(window: NoteSequence, programs: range) -> list[NoteSequence.Note]:
    notes = [
        note
        for note in window.notes
        if note.program in programs and not note.is_drum and note.velocity
    ]
    sizes = Counter(note.instrument for note in notes)
    chosen = min(sizes, key=lambda instrument: (-sizes[instrument], instrument), default=None)
    return [note for note in notes if note.instrument == chosen]
