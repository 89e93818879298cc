"""Music made regular before it is cut into windows: one tempo, and bars that fill a converter's."""

from fractions import Fraction

import numpy as np
from note_seq import NoteSequence

from latentgen.music.timing import to_quarters

_TIMED = (
    "time_signatures",
    "key_signatures",
    "text_annotations",
    "pitch_bends",
    "control_changes",
    "section_annotations",
)


def at_one_tempo(notes: NoteSequence) -> NoteSequence:
    """The same music at its mean tempo, each note at the same place of its bar.

    Files state a tempo for every beat where a score follows a recording (all of POP909's kind), and
    note_seq would cut the music at each. Grids count quarters, so nothing of it is lost to them.

    Args:
        notes: in seconds; it is not changed, and returned as it is if its tempo does not change.
    """
    if len({tempo.qpm for tempo in notes.tempos}) <= 1 and all(t.time <= 0 for t in notes.tempos):
        return notes
    even = NoteSequence()
    even.CopyFrom(notes)
    end = max([notes.total_time, *(note.end_time for note in notes.notes)])
    quarters = float(to_quarters(notes, np.array([end]))[0])
    qpm = 60 * quarters / end if quarters else 120.0
    del even.tempos[:]
    even.tempos.add(qpm=qpm)

    def moved(seconds: list[float]) -> list[float]:
        return (to_quarters(notes, np.array(seconds)) * 60 / qpm).tolist()

    starts, ends = (moved([getattr(n, t) for n in notes.notes]) for t in ("start_time", "end_time"))
    for note, start, stop in zip(even.notes, starts, ends, strict=True):
        note.start_time, note.end_time = start, stop
    for events in (getattr(even, name) for name in _TIMED):
        for event, at in zip(events, moved([event.time for event in events]), strict=True):
            event.time = at
    even.total_time = moved([end])[0]
    return even


def in_longer_bars(notes: NoteSequence, quarters: Fraction) -> NoteSequence:
    """The same music with short bars counted together: two of 2/4 are one of 4/4.

    Only bars of which several fill one of the wanted length, and only where whole ones are filled
    up to the next change of meter, so that a pickup stays one. Most files of POP909 state 1/4.

    Args:
        notes: in seconds at one tempo; it is not changed.
        quarters: the wanted length of a bar.
    """
    longer = NoteSequence()
    longer.CopyFrom(notes)
    qpm = notes.tempos[0].qpm if notes.tempos else 120.0
    signatures = sorted(longer.time_signatures, key=lambda signature: signature.time)
    for index, signature in enumerate(signatures):
        times = quarters / Fraction(4 * signature.numerator, signature.denominator)
        if times.denominator > 1 or times == 1:
            continue
        if index + 1 < len(signatures):
            bars = (signatures[index + 1].time - signature.time) * qpm / 60 / float(quarters)
            if bars < 0.5 or abs(bars - round(bars)) > 1e-3:
                continue
        signature.numerator *= int(times)
    return longer
