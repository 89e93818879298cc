"""Musical time of a NoteSequence: quarters, seconds and grid steps of notes in either form.

Notes are quantised relative to the tempo, quantised absolutely, or in seconds. Of quantised notes
the steps count; where their seconds say the same, but for what quantisation rounded off, *times as
played* are those, so that a window cut from a performance keeps its feel. Tempo changes are
followed; before the first tempo it is 120 quarters a minute, as MIDI has it. Nothing here changes
the sequence that it is given.
"""

from typing import NamedTuple

import numpy as np
from note_seq import NoteSequence

from latentgen.errors import InputError

STEPS_PER_QUARTER = 4  # the grid that unquantised notes are put on: sixteenths


class Grid(NamedTuple):
    """Notes on a grid, in the order of their starts, then of their pitches.

    Attributes:
        starts, ends: integer steps (notes,), ends exclusive and after the start.
        pitches: MIDI pitches (notes,).
        is_drum: whether a note is a drum's (notes,), bool.
        steps_per_quarter: the sequence's own where it is quantised, else 4.
    """

    starts: np.ndarray
    ends: np.ndarray
    pitches: np.ndarray
    is_drum: np.ndarray
    steps_per_quarter: int

    def only(self, which: np.ndarray) -> "Grid":
        """The notes for which the mask (notes,) is true."""
        starts, ends, pitches, is_drum = (values[which] for values in self[:4])
        return Grid(starts, ends, pitches, is_drum, self.steps_per_quarter)


def on_grid(notes: NoteSequence) -> Grid:
    """The notes on their own grid if they are quantised relative to the tempo, else on sixteenths.

    Notes in seconds are rounded as `note_seq.quantize_note_sequence(notes, 4)` does, which is why
    a rule gives the same answer before and after quantisation; unlike it, tempo may change.
    """
    resolution = notes.quantization_info.steps_per_quarter
    if resolution:
        first, last = _steps(notes)
    else:
        resolution = STEPS_PER_QUARTER
        first, last = (to_quarters(notes, time) * resolution for time in _own_seconds(notes))
        first, last = _round(first), _round(last)
    last = np.maximum(last, first + 1)
    pitches = np.array([note.pitch for note in notes.notes], int)
    is_drum = np.array([note.is_drum for note in notes.notes], bool)
    order = np.lexsort((pitches, first))
    return Grid(first[order], last[order], pitches[order], is_drum[order], resolution)


def in_quarters(notes: NoteSequence) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends (notes,) in quarters, as played, in the sequence's order."""
    resolution = notes.quantization_info.steps_per_quarter
    if resolution and not _seconds_agree(notes):
        starts, ends = _steps(notes)
        return starts / resolution, ends / resolution
    starts, ends = _own_seconds(notes)
    return to_quarters(notes, starts), to_quarters(notes, ends)


def in_seconds(notes: NoteSequence) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends (notes,) in seconds, as played, in the sequence's order."""
    resolution = notes.quantization_info.steps_per_quarter
    if resolution and not _seconds_agree(notes):
        starts, ends = _steps(notes)
        return to_seconds(notes, starts / resolution), to_seconds(notes, ends / resolution)
    return _own_seconds(notes)


def total_quarters(notes: NoteSequence) -> float:
    """How long the sequence is: its stated length or the end of its last note, if that is later.

    Rounded to the grid, so that a performer's late last note does not begin another bar.
    """
    resolution = notes.quantization_info.steps_per_quarter
    if resolution:
        stated = notes.total_quantized_steps / resolution
    else:
        per_second = notes.quantization_info.steps_per_second
        seconds = notes.total_quantized_steps / per_second if per_second else notes.total_time
        stated = float(to_quarters(notes, np.array([seconds]))[0])
    resolution = resolution or STEPS_PER_QUARTER
    ends = on_grid(notes).ends
    return max(int(_round(stated * resolution)), int(ends.max(initial=0))) / resolution


def to_quarters(notes: NoteSequence, seconds: np.ndarray) -> np.ndarray:
    """Times in seconds → quarters from the beginning, following the sequence's tempos."""
    times, quarters, rates = tempo_map(notes)
    piece = (np.searchsorted(times, seconds, side="right") - 1).clip(0)
    return quarters[piece] + (seconds - times[piece]) * rates[piece]


def to_seconds(notes: NoteSequence, quarters: np.ndarray) -> np.ndarray:
    """Quarters from the beginning → seconds, following the sequence's tempos."""
    times, starts, rates = tempo_map(notes)
    piece = (np.searchsorted(starts, quarters, side="right") - 1).clip(0)
    return times[piece] + (quarters - starts[piece]) / rates[piece]


def tempo_map(notes: NoteSequence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the tempo is set: in seconds, in quarters, and the quarters a second from there on.

    Three arrays (tempos,), of which the first begins with 0.

    Raises:
        InputError: a tempo that is not positive.
    """
    tempos = sorted((max(tempo.time, 0.0), tempo.qpm) for tempo in notes.tempos)
    if not tempos or tempos[0][0] > 0:
        tempos.insert(0, (0.0, 120.0))
    times, rates = np.array(tempos).T
    if not (rates > 0).all():
        raise InputError(
            f"notes: expected tempos above 0 quarters a minute, received {rates.min():g}"
        )
    rates = rates / 60
    quarters = np.concatenate([[0.0], np.cumsum(np.diff(times) * rates[:-1])])
    return times, quarters, rates


def _steps(notes: NoteSequence) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.array([note.quantized_start_step for note in notes.notes], int),
        np.array([note.quantized_end_step for note in notes.notes], int),
    )


def _own_seconds(notes: NoteSequence) -> tuple[np.ndarray, np.ndarray]:
    per_second = notes.quantization_info.steps_per_second
    if per_second:
        starts, ends = _steps(notes)
        return starts / per_second, ends / per_second
    return (
        np.array([note.start_time for note in notes.notes], float),
        np.array([note.end_time for note in notes.notes], float),
    )


def _seconds_agree(notes: NoteSequence) -> bool:
    """Whether quantising a quantised sequence's seconds would give its steps."""
    starts, ends = _own_seconds(notes)
    if not (ends > starts).all():
        return False  # seconds were never set
    played = to_quarters(notes, starts) * notes.quantization_info.steps_per_quarter
    return bool((np.abs(played - _steps(notes)[0]) <= 0.5 + 1e-6).all())


def _round(steps: np.ndarray | float) -> np.ndarray:
    """To the nearest step, halves upwards: what note-seq does."""
    return np.floor(np.asarray(steps) + 0.5).astype(int)
