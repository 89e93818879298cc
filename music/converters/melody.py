"""A single line of notes ↔ one of 90 classes a step (Magenta's `OneHotMelodyConverter`)."""

import itertools
from collections.abc import Iterable

import numpy as np
from note_seq import Melody, NoteSequence

from latentgen.music import reasons
from latentgen.music.converters.controls import one_hot
from latentgen.music.converters.converter import Converter, Example
from latentgen.music.errors import Unsuitable

MIN_PITCH, MAX_PITCH = 21, 108  # the piano's keys
NO_EVENT, NOTE_OFF, FIRST_PITCH = 0, 1, 2
NUM_CLASSES = FIRST_PITCH + MAX_PITCH - MIN_PITCH + 1  # 90


class MelodyConverter(Converter):
    """Melodies: 90 classes for input and output, those of `note_seq.MelodyOneHotEncoding(21, 109)`.

    Class 0 is no event (what sounds goes on, silence too), 1 a note-off, 2 + pitch − 21 the start
    of a note of that pitch. A note lasts until the next start, a note-off or the window's end.

    *Which notes*: all that are not drums and have a velocity, of any instrument, as one line. Where
    notes overlap, the one that starts later ends the earlier, as in note-seq.

    *Canonical*: a note-off stands only where a note is sounding, and not in a step where a note
    starts: any other note-off of a model is the same as no event.

    Args:
        top_line: of notes that start in the same step take the highest (Magenta's default), rather
            than refuse the window as polyphonic.
        others: see `Converter`.

    Raises (encode):
        Unsuitable: polyphonic; out of range, a pitch outside 21 to 108; silent (if not allowed).
    """

    input_depth = output_depth = NUM_CLASSES

    def __init__(
        self,
        bars: int = 2,
        steps_per_bar: int = 16,
        steps_per_quarter: int = 4,
        chords: bool = False,
        key: bool = False,
        top_line: bool = False,
    ):
        super().__init__(bars, steps_per_bar, steps_per_quarter, chords, key)
        self.top_line = top_line

    def _encode(self, window: NoteSequence, controls: np.ndarray) -> Example:
        line = [note for note in window.notes if not note.is_drum]
        rows = one_hot(melody_classes(line, self.steps, self.top_line), NUM_CLASSES)
        return Example(rows, rows, controls, self.steps)

    def _decode(
        self,
        outputs: np.ndarray,
        notes: NoteSequence,
        step: float,
        program: int | None,
        velocity: int,
    ) -> None:
        add_melody(notes, outputs.argmax(axis=-1), step, velocity, program or 0)

    def _missing(self, outputs: np.ndarray) -> str | None:
        return None if outputs[:, FIRST_PITCH:].any() else reasons.SILENT


def melody_classes(
    notes: Iterable[NoteSequence.Note], steps: int, top_line: bool = False
) -> np.ndarray:
    """The classes (steps,) of quantised notes as one line; raises as `MelodyConverter.encode`."""
    classes = np.full(steps, NO_EVENT)
    line: dict[int, tuple[int, int]] = {}  # start → end, pitch
    for note in sorted(notes, key=lambda note: -note.pitch):
        start = note.quantized_start_step
        if not note.velocity or start >= steps:
            continue
        if start not in line:
            line[start] = (note.quantized_end_step, note.pitch)
        elif not top_line:
            raise Unsuitable(reasons.POLYPHONIC)
    for start, following in itertools.pairwise([*sorted(line), steps]):
        end, pitch = line[start]
        if not MIN_PITCH <= pitch <= MAX_PITCH:
            raise Unsuitable(reasons.OUT_OF_RANGE, f"pitch {pitch}")
        classes[start] = FIRST_PITCH + pitch - MIN_PITCH
        if end < following:
            classes[end] = NOTE_OFF
    return classes


def add_melody(
    notes: NoteSequence,
    classes: np.ndarray,
    step: float,
    velocity: int,
    program: int,
    instrument: int = 0,
) -> None:
    """Adds the notes that `classes` (steps,) stand for; `step` in seconds."""
    events = np.where(classes < FIRST_PITCH, classes - 2, classes - FIRST_PITCH + MIN_PITCH)
    melody = Melody(events=events.tolist(), steps_per_quarter=1)
    line = melody.to_sequence(velocity, instrument, program, qpm=60.0 / step)
    notes.notes.extend(line.notes)
