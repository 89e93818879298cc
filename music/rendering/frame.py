"""The scales of piano rolls: which times, pitches and drums are shown, and where."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from note_seq import NoteSequence

from latentgen.music.kit import KIT, drums
from latentgen.music.meter import bars, end_of

MIN_SPAN = 17  # semitones shown at least
EMPTY = (57, 74)  # pitches shown where there are none
LANE = 1.7  # height of a drum's lane, in semitones


class Frame(NamedTuple):
    """The scales of a roll.

    Attributes:
        width, height: of the roll, labels included, in CSS pixels.
        quarters: where the time axis ends; it begins with 0.
        pitches: the lowest and the highest pitch shown, or None for drums alone.
        lanes: the drums shown (indices into `kit.KIT`), from the bottom up.
    """

    width: float
    height: float
    quarters: float
    pitches: tuple[int, int] | None
    lanes: tuple[int, ...]

    @property
    def left(self) -> float:
        """Where time begins: to the right of the labels."""
        return 64.0 if self.lanes else 24.0

    @property
    def row(self) -> float:
        """The height of a semitone."""
        low, high = self.pitches or (0, -1)
        return self.height / (high - low + 1 + LANE * len(self.lanes))

    def x(self, quarter: float) -> float:
        """Where a time is drawn."""
        return self.left + quarter / self.quarters * (self.width - self.left)

    def pitch_y(self, pitch: float) -> float:
        """The upper edge of a pitch's row."""
        return (self.pitches[1] - pitch) * self.row if self.pitches else 0.0

    def lane_y(self, drum: int) -> float:
        """The upper edge of a drum's lane."""
        return self.height - (self.lanes.index(drum) + 1) * LANE * self.row


def frame(
    passages: Sequence[NoteSequence], width: float | None = None, height: float | None = None
) -> Frame:
    """Scales that show all of the passages.

    Args:
        passages: those that should share them; without any, an empty bar is shown.
        width, height: of one roll in CSS pixels; without them 400 (960 if longer than five bars of
            4/4) times 140 (more for drums below pitched notes, and for more than four octaves).
    """
    ends, pitched, struck = [], [np.empty(0, int)], [np.empty(0, int)]
    for notes in passages:
        ends.append(end_of(bars(notes)))
        pitches = np.array([note.pitch for note in notes.notes], int)
        is_drum = np.array([note.is_drum for note in notes.notes], bool)
        pitched.append(pitches[~is_drum])
        struck.append(drums(pitches[is_drum]))
    found = np.concatenate(pitched)
    kit = {int(drum) for drum in np.concatenate(struck)}
    # The lanes up to what a small kit has are always there: silence is part of a pattern.
    lanes = tuple(d for d in range(len(KIT)) if d in kit or (kit and d < 3))
    shown: tuple[int, int] | None = EMPTY
    if len(found):
        middle, half = (found.min() + found.max()) / 2, (MIN_SPAN - 1) / 2
        shown = (
            int(min(found.min() - 1, math.ceil(middle - half))),
            int(max(found.max() + 1, math.floor(middle + half))),
        )
    elif lanes:
        shown = None
    quarters = max(ends, default=0.0) or 4.0
    rows = (shown[1] - shown[0] + 1 if shown else 0) + LANE * len(lanes)
    return Frame(
        width or (400.0 if quarters <= 20 else 960.0),
        height or max(140.0, (3.0 if not lanes or not shown else 5.0) * rows),
        quarters,
        shown,
        lanes,
    )
