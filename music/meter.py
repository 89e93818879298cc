"""Bars, beats and the strength of positions in them, in any meter.

A bar of n/d is n beats of a d-th each; of n/3 beats of three d-ths each where n is 6, 9, 12 …
(compound meters: 6/8 has two beats). A bar is divided into its beats by the prime factors of their
number, the smallest first, a compound beat into three, and everything below into halves.
"""

from typing import NamedTuple

import numpy as np
from note_seq import NoteSequence

from latentgen.errors import InputError
from latentgen.music.timing import STEPS_PER_QUARTER, to_quarters, total_quarters

MAX_BARS = 100_000


class Bar(NamedTuple):
    """A bar: where it begins and how long it is, in quarters, and its meter."""

    start: float
    length: float
    numerator: int
    denominator: int

    @property
    def beats(self) -> np.ndarray:
        """Where its beats fall, in quarters from the beginning of the sequence."""
        beat = 4 / self.denominator * (3 if _is_compound(self.numerator) else 1)
        return np.arange(self.start, self.start + self.length - 1e-6, beat)


def bars(notes: NoteSequence) -> list[Bar]:
    """The bars up to the end of the sequence, the last one whole; none if it has no length.

    Where the meter changes a new bar begins. Before the first time signature the meter is 4/4.

    Raises:
        InputError: a meter that is not positive, or more than a hundred thousand bars.
    """
    resolution = notes.quantization_info.steps_per_quarter or STEPS_PER_QUARTER
    meters: dict[float, tuple[int, int]] = {0.0: (4, 4)}
    for signature in sorted(notes.time_signatures, key=lambda s: s.time):
        if signature.numerator < 1 or signature.denominator < 1:
            raise InputError(
                f"notes: expected a meter such as 4/4, "
                f"received {signature.numerator}/{signature.denominator}"
            )
        quarter = float(to_quarters(notes, np.array([max(signature.time, 0.0)]))[0])
        quarter = round(quarter * resolution) / resolution
        meters[quarter] = (signature.numerator, signature.denominator)
    end = total_quarters(notes)
    changes = [*meters, np.inf]
    found: list[Bar] = []
    for start, change, (numerator, denominator) in zip(
        changes[:-1], changes[1:], meters.values(), strict=True
    ):
        length = 4 * numerator / denominator
        until = min(end, change)
        if (until - start) / length > MAX_BARS:
            raise InputError(
                f"notes: expected at most {MAX_BARS} bars, received {end:g} quarters in "
                f"{numerator}/{denominator}; cut the sequence"
            )
        for index in range(max(0, int(np.ceil((until - start) / length - 1e-6)))):
            place = start + index * length
            found.append(Bar(place, min(length, change - place), numerator, denominator))
    return found


def end_of(bars: list[Bar]) -> float:
    """Where the last bar ends, in quarters; 0 without bars."""
    return bars[-1].start + bars[-1].length if bars else 0.0


def bar_and_position(bars: list[Bar], quarters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which bar each time (n,) in quarters falls into, and how far into it, in quarters."""
    starts = np.array([bar.start for bar in bars])
    index = (np.searchsorted(starts, quarters + 1e-6, side="right") - 1).clip(0)
    return index, quarters - starts[index]


def strengths(bar: Bar, steps_per_quarter: int) -> np.ndarray:
    """The strength of each grid step of a bar: 0 the downbeat, -1 the next level, and so on.

    >>> strengths(Bar(0, 4, 4, 4), 2).tolist()
    [0, -3, -2, -3, -1, -3, -2, -3]
    >>> strengths(Bar(0, 3, 6, 8), 2).tolist()
    [0, -2, -2, -1, -2, -2]
    """
    steps = np.arange(int(np.ceil(bar.length * steps_per_quarter - 1e-6)))
    unit = 4 * bar.numerator / bar.denominator * steps_per_quarter
    result = np.full(len(steps), 0)
    unplaced = np.ones(len(steps), bool)
    for level, parts in enumerate([1, *_divisions(bar.numerator), *[2] * 32]):
        unit /= parts
        distance = np.abs(steps - np.round(steps / unit) * unit)
        on_level = unplaced & (distance < 1e-6)
        result[on_level] = -level
        unplaced &= ~on_level
        if not unplaced.any() or unit < 1:
            result[unplaced] = -level - 1
            break
    return result


def longuet_higgins_lee(onsets: np.ndarray, bars: list[Bar], steps_per_quarter: int) -> float:
    """How syncopated a rhythm is: the sum over its notes, 0 for none.

    A note is syncopated where a stronger position passes without another before the next note
    (or the end) comes: held or silent makes no difference. It then counts by how many levels that
    position is stronger than its own (Longuet-Higgins, Lee 1984; Fitch, Rosenfeld 2007). The
    rhythm is not taken to repeat.

    Args:
        onsets: grid steps (n,) at which something begins; repeated ones count once.
        bars: of the sequence.
        steps_per_quarter: of the grid.
    """
    if not len(onsets) or not bars:
        return 0.0
    strength = np.concatenate([strengths(bar, steps_per_quarter) for bar in bars])
    onsets = np.unique(onsets)
    onsets = onsets[onsets < len(strength)]
    total = 0
    for onset, following in zip(onsets, [*onsets[1:], len(strength)], strict=True):
        passed = strength[onset + 1 : following]
        total += max(0, int(passed.max(initial=strength[onset])) - int(strength[onset]))
    return float(total)


def _is_compound(numerator: int) -> bool:
    return numerator > 3 and numerator % 3 == 0


def _divisions(numerator: int) -> list[int]:
    """Into how many parts a bar is divided, level by level, down to what the meter counts."""
    compound = _is_compound(numerator)
    left, factors, prime = numerator // 3 if compound else numerator, [], 2
    while left > 1:
        while left % prime == 0:
            factors.append(prime)
            left //= prime
        prime += 1
    return [*factors, 3] if compound else factors
