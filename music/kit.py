"""The nine drums that MIDI's percussion is reduced to, after Magenta's drum models."""

import numpy as np

from latentgen.music.converters.drums import GENERAL_KIT

KIT = (
    *("kick", "snare", "closed hi-hat", "open hi-hat"),
    *("low tom", "mid tom", "high tom", "crash", "ride"),
)
KICK, SNARE, CLOSED_HI_HAT, OPEN_HI_HAT, LOW_TOM, MID_TOM, HIGH_TOM, CRASH, RIDE = range(9)

_BY_PITCH = np.full(128, -1)
for _drum, _pitches in enumerate(GENERAL_KIT):
    _BY_PITCH[list(_pitches)] = _drum


def drums(pitches: np.ndarray) -> np.ndarray:
    """Percussion pitches (n,) → which drum of `KIT` each is (n,), -1 for none.

    >>> drums(np.array([36, 38, 42, 0])).tolist()
    [0, 1, 2, -1]
    """
    return _BY_PITCH[pitches]
