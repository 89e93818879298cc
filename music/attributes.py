"""Measured attributes of a passage: labels to learn constraints from, rewards, and judges.

Each rule is a function from a `NoteSequence` to one finite float (`most_likely_key`: to a name), in
every case: without notes, or with one, it has the value it states. The notes may be in seconds,
with any tempos and meters, or quantised: times are read on the grid of sixteenths (on the notes'
own grid where they are quantised), so the answer does not depend on which. Rules on pitch leave
drums out; the others count every note. *The line* is the highest of the notes that begin together.
Names are MidiTok's where it has the attribute (note density, note duration, repetition).
"""

import itertools
from collections.abc import Callable, Collection, Iterable

import numpy as np
from note_seq import NoteSequence

from latentgen.errors import InputError
from latentgen.music.keys import find_key, key_name, pitch_classes
from latentgen.music.meter import bar_and_position, bars, longuet_higgins_lee
from latentgen.music.timing import Grid, on_grid

Rule = Callable[[NoteSequence], float]


def number_of_notes(notes: NoteSequence) -> float:
    """How many notes there are, drums included. A count, 0 without notes."""
    return float(len(notes.notes))


def note_density(notes: NoteSequence) -> float:
    """Notes a bar, drums included; empty bars count, up to the sequence's end. 0 without notes."""
    return len(notes.notes) / len(bars(notes)) if notes.notes else 0.0


def pitch_range(notes: NoteSequence) -> float:
    """Semitones from the lowest note to the highest. 0 for fewer than two notes."""
    pitches = _pitched(notes).pitches
    return float(np.ptp(pitches)) if len(pitches) else 0.0


def mean_pitch(notes: NoteSequence) -> float:
    """The mean MIDI pitch, each note counting once; middle C is 60. 0 without notes."""
    pitches = _pitched(notes).pitches
    return float(pitches.mean()) if len(pitches) else 0.0


def share_in_key(notes: NoteSequence, key: str) -> float:
    """The share of notes in a major or natural minor key. Range [0, 1], 0 without notes.

    Args:
        notes: the passage.
        key: such as "C major", "A-flat major", "Ab major", "F# minor".

    Raises:
        InputError: not the name of a key.
    """
    return share_in_pitch_classes(notes, pitch_classes(key))


def share_in_pitch_classes(notes: NoteSequence, pitch_classes: Collection[int]) -> float:
    """The share of notes with one of the pitch classes (C is 0). Range [0, 1], 0 without notes."""
    return _share(_pitched(notes).pitches % 12, pitch_classes, below=12)


def share_in_pitches(notes: NoteSequence, pitches: Collection[int]) -> float:
    """The share of notes with one of the MIDI pitches. Range [0, 1], 0 without notes.

    `share_in_pitches(notes, range(60, 72))` is the share within the octave above middle C.
    """
    return _share(_pitched(notes).pitches, pitches, below=128)


def most_likely_key(notes: NoteSequence) -> str:
    """The key the notes are most likely in, such as "C major" or "F-sharp minor"; or "none".

    Krumhansl and Schmuckler's algorithm on how long each pitch class sounds, see
    `latentgen.music.keys.find_key`. "none" without notes or if all twelve sound equally long. Few
    pitches say little: one alone is taken for the fifth of a minor key.
    """
    grid = _pitched(notes)
    sounding = np.bincount(grid.pitches % 12, grid.ends - grid.starts, minlength=12)
    return key_name(*find_key(sounding)) if np.ptp(sounding) > 0 else "none"


def key_agreement(notes: NoteSequence) -> float:
    """The share of notes in the most likely key. Range [0, 1], 0 where there is none."""
    key = most_likely_key(notes)
    return share_in_key(notes, key) if key != "none" else 0.0


def interval_size(notes: NoteSequence) -> float:
    """The mean size in semitones of the line's steps and leaps; repeats count. 0 below two notes.

    Steps of a major scale have 1.7, arpeggios about 4.
    """
    _, pitches = _line(notes)
    return float(np.abs(np.diff(pitches)).mean()) if len(pitches) > 1 else 0.0


def contour(notes: NoteSequence) -> float:
    """How steadily the line rises (1) or falls (-1): correlation of onset and pitch, else 0.

    Range [-1, 1]. 0 for a line that stays on one pitch, an arch, or fewer than two notes.
    """
    starts, pitches = _line(notes)
    if len(pitches) < 2 or np.ptp(pitches) == 0:
        return 0.0
    return float(np.corrcoef(starts, pitches)[0, 1].clip(-1, 1))


def syncopation(notes: NoteSequence) -> float:
    """How syncopated the rhythm is: Longuet-Higgins and Lee's measure a bar. At least 0.

    Drums included; notes that begin together count once. See
    `latentgen.music.meter.longuet_higgins_lee`. 0 without notes, or where no stronger position
    passes without a note: a note on every beat has 0, one on the last eighth of a 4/4 bar that is
    held over the bar line has 3.
    """
    if not notes.notes:
        return 0.0
    grid, measures = on_grid(notes), bars(notes)
    total = longuet_higgins_lee(grid.starts, measures, grid.steps_per_quarter)
    return total / len(measures)


def note_duration(notes: NoteSequence) -> float:
    """The mean length of a note in quarters, drums included. 0 without notes."""
    grid = on_grid(notes)
    if not len(grid.starts):
        return 0.0
    return float((grid.ends - grid.starts).mean()) / grid.steps_per_quarter


def repetition(notes: NoteSequence) -> float:
    """How alike successive bars are. Range [0, 1]: 1 all the same, 0 none or a single bar.

    Of two bars: the notes (pitch and position in the bar) they have in common, over the notes
    that either has; the mean over all pairs of successive bars, those of two empty bars left out.
    Drums included.
    """
    grid, measures = on_grid(notes), bars(notes)
    contents: list[set[tuple[int, int]]] = [set() for _ in measures]
    if measures:
        places = bar_and_position(measures, grid.starts / grid.steps_per_quarter)
        steps = np.round(places[1] * grid.steps_per_quarter).astype(int)
        for bar, step, pitch in zip(places[0], steps, grid.pitches, strict=True):
            contents[bar].add((int(step), int(pitch)))
    alike = [
        len(one & other) / len(one | other)
        for one, other in itertools.pairwise(contents)
        if one | other
    ]
    return float(np.mean(alike)) if alike else 0.0


STATISTICS: tuple[Rule, ...] = (
    *(number_of_notes, note_density, note_duration, pitch_range, mean_pitch),
    *(interval_size, key_agreement, contour, syncopation, repetition),
)


def statistics(
    passages: Iterable[NoteSequence], rules: Iterable[Rule] = STATISTICS
) -> dict[str, float]:
    """The mean of each rule over passages, by the rule's name: one column of a table.

    Args:
        passages: at least one. Those without notes count with the values the rules state.
        rules: functions such as those of this module or of `drum_attributes`.

    Raises:
        InputError: no passage.
    """
    passages = list(passages)
    if not passages:
        raise InputError("passages: expected at least one NoteSequence, received none")
    return {
        rule.__name__: float(np.mean([rule(passage) for passage in passages])) for rule in rules
    }


def _pitched(notes: NoteSequence) -> Grid:
    grid = on_grid(notes)
    return grid.only(~grid.is_drum)


def _line(notes: NoteSequence) -> tuple[np.ndarray, np.ndarray]:
    """Steps at which pitched notes begin, and the highest pitch of each."""
    grid = _pitched(notes)
    last = np.diff(grid.starts, append=-1) != 0  # pitches rise within a step
    return grid.starts[last], grid.pitches[last]


def _share(values: np.ndarray, wanted: Collection[int], below: int) -> float:
    outside = [value for value in wanted if not 0 <= value < below]
    if outside:
        raise InputError(f"expected pitches from 0 to {below - 1}, received {outside[0]}")
    return float(np.isin(values, list(wanted)).mean()) if len(values) else 0.0
