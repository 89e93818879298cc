"""Windows of whole bars, cut from a quantised NoteSequence in any meter.

Steps are note-seq's: a quarter note has `steps_per_quarter` of them, and a bar as many as its meter
says (16 in 4/4, 12 in 3/4 and 6/8, 8 in 2/4, at 4 steps a quarter).
"""

import bisect
import math
from collections.abc import Iterable, Iterator
from typing import Any

from note_seq import NoteSequence, sequences_lib

from latentgen.errors import InputError
from latentgen.music import reasons
from latentgen.music.errors import Unsuitable

# 100,000 bars of 4/4 are more than two days of music: a file that claims them is damaged.
MAX_BARS = 100_000
CHORD_SYMBOL = NoteSequence.TextAnnotation.CHORD_SYMBOL


def windows(
    notes: NoteSequence, bars: int, hop_bars: int, steps_per_quarter: int = 4
) -> Iterator[NoteSequence]:
    """Windows of `bars` bars, every `hop_bars` bars, silent ones included.

    Where the time signature or the tempo changes, the sequence is split first, as
    `note_seq.split_note_sequence_on_time_changes` does, and bars are counted from there. A last
    bar that is not full counts as a bar; a section of fewer than `bars` bars gives no window.

    Args:
        notes: not quantised, or quantised with `steps_per_quarter`; it is not changed.
        bars: length of a window, in bars of the section's own meter.
        hop_bars: from the start of one window to the start of the next.
        steps_per_quarter: quantisation.

    Yields:
        Quantised sequences shifted to start at step 0, `total_quantized_steps` being the window's
        steps, with tempo, time signature, track names, chord symbols and key signatures; what was
        in force before the window is stated at its start. A note belongs to the window it starts
        in, and is cut at the window's end; one that sounds from before is left out: both as
        note-seq cuts. Times in seconds keep their deviation from the grid, so that a note that was
        played early on the first step starts up to half a step before 0.

    Raises:
        InputError: `bars`, `hop_bars` or `steps_per_quarter` below 1.
        Unsuitable: after the windows of all other sections, for the first section that cannot be
            quantised or has no whole number of steps in a bar.
    """
    for name, value in (("bars", bars), ("hop_bars", hop_bars)):
        if value < 1:
            raise InputError(f"{name}: expected at least 1, received {value}")
    refused = None
    for section in _sections(notes):
        try:
            yield from _cut(quantised(section, steps_per_quarter), bars, hop_bars)
        except Unsuitable as error:
            refused = refused or error
    if refused:
        raise refused


def quantised(notes: NoteSequence, steps_per_quarter: int = 4) -> NoteSequence:
    """`notes` if it is quantised that way already, else a quantised copy (note-seq's rounding).

    Raises:
        InputError: quantised in another way.
        Unsuitable: a change of tempo or time signature, or values that no music has.
    """
    if steps_per_quarter < 1:
        raise InputError(f"steps_per_quarter: expected at least 1, received {steps_per_quarter}")
    if sequences_lib.is_quantized_sequence(notes):
        received = notes.quantization_info.steps_per_quarter
        if received != steps_per_quarter:
            raise InputError(
                f"notes: expected {steps_per_quarter} steps a quarter, received {received}; "
                "give notes that are not quantised"
            )
        return notes
    if any(not 0 < tempo.qpm < math.inf for tempo in notes.tempos):
        raise Unsuitable(reasons.DAMAGED, "a tempo that is not a positive number")
    if not all(
        math.isfinite(n.start_time) and n.start_time <= n.end_time < math.inf for n in notes.notes
    ):
        raise Unsuitable(reasons.DAMAGED, "a note that ends before it starts, or never")
    try:
        return sequences_lib.quantize_note_sequence(notes, steps_per_quarter)
    except sequences_lib.MultipleTimeSignatureError as error:
        raise Unsuitable(reasons.TIME_SIGNATURE_CHANGE, str(error)) from error
    except sequences_lib.MultipleTempoError as error:
        raise Unsuitable(reasons.TEMPO_CHANGE, str(error)) from error
    except sequences_lib.BadTimeSignatureError as error:
        raise Unsuitable(reasons.BAD_TIME_SIGNATURE, str(error)) from error
    except sequences_lib.NegativeTimeError as error:
        raise Unsuitable(reasons.NEGATIVE_TIME, str(error)) from error
    except (OverflowError, ValueError) as error:  # steps beyond what the format can hold
        raise Unsuitable(reasons.DAMAGED, str(error)) from error


def steps_per_bar(notes: NoteSequence) -> int:
    """Steps in a bar of a quantised sequence; `Unsuitable` (other meter) if no whole number."""
    steps = sequences_lib.steps_per_bar_in_quantized_sequence(notes)
    if steps % 1 or steps < 1:
        signature = notes.time_signatures[0]
        raise Unsuitable(
            reasons.OTHER_METER,
            f"a bar of {signature.numerator}/{signature.denominator} has {steps:g} steps",
        )
    return int(steps)


def seconds_per_step(notes: NoteSequence) -> float:
    """Seconds that a step of a quantised sequence lasts."""
    return 60.0 / notes.tempos[0].qpm / notes.quantization_info.steps_per_quarter


def _sections(notes: NoteSequence) -> list[NoteSequence]:
    if sequences_lib.is_quantized_sequence(notes):
        return [notes]
    end = max((note.end_time for note in notes.notes), default=0.0)
    if end > notes.total_time:  # note-seq looks for changes before total_time only
        copy = NoteSequence()
        copy.CopyFrom(notes)
        copy.total_time = end
        notes = copy
    return sequences_lib.split_note_sequence_on_time_changes(notes)


def _cut(notes: NoteSequence, bars: int, hop_bars: int) -> Iterator[NoteSequence]:
    bar = steps_per_bar(notes)
    total_bars = -(-notes.total_quantized_steps // bar)
    if total_bars > MAX_BARS:
        raise Unsuitable(reasons.DAMAGED, f"{total_bars} bars")
    ordered = sorted(notes.notes, key=lambda note: note.quantized_start_step)
    starts = [note.quantized_start_step for note in ordered]
    per_second = 1 / seconds_per_step(notes)
    chords = _by_step(
        (annotation.quantized_step, annotation)
        for annotation in notes.text_annotations
        if annotation.annotation_type == CHORD_SYMBOL
    )
    keys = _by_step(
        (sequences_lib.quantize_to_step(key.time, per_second), key) for key in notes.key_signatures
    )
    frame = NoteSequence()
    frame.CopyFrom(notes)
    for field in (
        "notes",
        "text_annotations",
        "key_signatures",
        "pitch_bends",
        "control_changes",
        "section_annotations",
        "section_groups",
        "subsequence_info",
    ):
        frame.ClearField(field)
    frame.total_quantized_steps = bars * bar
    frame.total_time = bars * bar / per_second

    for first in range(0, (total_bars - bars) * bar + 1, hop_bars * bar):
        end, shift = first + bars * bar, first / per_second
        window = NoteSequence()
        window.CopyFrom(frame)
        inside = ordered[bisect.bisect_left(starts, first) : bisect.bisect_left(starts, end)]
        window.notes.extend(inside)
        for note in window.notes:
            note.quantized_start_step -= first
            note.start_time -= shift
            note.end_time = min(note.end_time - shift, window.total_time)
            note.quantized_end_step = min(note.quantized_end_step - first, bars * bar)
        for step, annotation in _in_force(chords, first, end):
            chord = window.text_annotations.add()
            chord.CopyFrom(annotation)
            chord.quantized_step, chord.time = step - first, (step - first) / per_second
        for step, signature in _in_force(keys, first, end):
            key = window.key_signatures.add()
            key.CopyFrom(signature)
            key.time = (step - first) / per_second
        yield window


def _by_step(events: Iterable[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """Events in order of time; of several on one step the last."""
    return list(dict(sorted(events, key=lambda event: event[1].time)).items())


def _in_force(events: list[tuple[int, Any]], first: int, end: int) -> Iterator[tuple[int, Any]]:
    """Events of the steps [first, end), begun by the one in force at `first`."""
    steps = [step for step, _ in events]
    at = bisect.bisect_right(steps, first)
    if at:
        yield first, events[at - 1][1]
    yield from events[at : bisect.bisect_left(steps, end)]
