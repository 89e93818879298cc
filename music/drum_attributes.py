"""Measured attributes of a drum pattern: labels to learn constraints from, rewards, and judges.

Each rule is a function from a `NoteSequence` to one finite float, in every case: without drums it
is 0. Only drum notes that are one of the nine drums of `latentgen.music.kit` count; a drum struck
twice on one grid step is one *hit*. The notes may be in seconds or quantised, in any meter, as in
`latentgen.music.attributes`. *Beats* are the meter's: four in 4/4, two in 6/8.
"""

import numpy as np
from note_seq import NoteSequence

from latentgen.music.kit import CLOSED_HI_HAT, KICK, OPEN_HI_HAT, SNARE, drums
from latentgen.music.meter import bars, longuet_higgins_lee
from latentgen.music.timing import on_grid


def hit_density(notes: NoteSequence) -> float:
    """Hits a bar, of all drums together; empty bars count. At least 0."""
    steps, _, _ = _hits(notes)
    return len(steps) / len(bars(notes)) if len(steps) else 0.0


def hi_hat_share(notes: NoteSequence) -> float:
    """The share of hits that are on the hi-hat, closed or open. Range [0, 1]."""
    _, struck, _ = _hits(notes)
    return float(np.isin(struck, (CLOSED_HI_HAT, OPEN_HI_HAT)).mean()) if len(struck) else 0.0


def kick_on_beat(notes: NoteSequence) -> float:
    """The share of beats that have a kick. Range [0, 1]: 1 is four on the floor."""
    beats = [beat for bar in bars(notes) for beat in bar.beats]
    return _share_struck(notes, beats, KICK)


def backbeat(notes: NoteSequence) -> float:
    """The share of backbeats that have a snare. Range [0, 1]: 1 is the pattern of most rock.

    Backbeats are a bar's second, fourth, … beats, or all but the first if their number is odd
    (2 and 3 in 3/4). Bars of one beat have none.
    """
    beats = [
        beat
        for bar in bars(notes)
        for beat in (bar.beats[1:] if len(bar.beats) % 2 else bar.beats[1::2])
    ]
    return _share_struck(notes, beats, SNARE)


def drum_syncopation(notes: NoteSequence) -> float:
    """How syncopated kick and snare together are: Longuet-Higgins and Lee's measure a bar.

    At least 0: kick and snare in turn on the beats have 0, a kick on the last sixteenth of a 4/4
    bar with nothing on the next downbeat has 4. What other drums play does not matter: hi-hats
    and cymbals keep the time against which kick and snare are syncopated. See
    `latentgen.music.meter.longuet_higgins_lee`.
    """
    steps, struck, resolution = _hits(notes)
    measures = bars(notes)
    total = longuet_higgins_lee(steps[np.isin(struck, (KICK, SNARE))], measures, resolution)
    return total / len(measures) if measures else 0.0


DRUM_STATISTICS = (hit_density, hi_hat_share, kick_on_beat, backbeat, drum_syncopation)


def _hits(notes: NoteSequence) -> tuple[np.ndarray, np.ndarray, int]:
    """The steps and the drums of all hits (hits,), and the steps in a quarter."""
    grid = on_grid(notes)
    grid = grid.only(grid.is_drum)
    hits = np.stack([grid.starts, drums(grid.pitches)], axis=1)
    hits = np.unique(hits[hits[:, 1] >= 0], axis=0)
    return hits[:, 0], hits[:, 1], grid.steps_per_quarter


def _share_struck(notes: NoteSequence, beats: list[float], drum: int) -> float:
    """The share of `beats` (in quarters) at which a drum is struck; 0 without beats."""
    steps, struck, resolution = _hits(notes)
    places = np.floor(np.array(beats) * resolution + 0.5).astype(int)
    return float(np.isin(places, steps[struck == drum]).mean()) if beats else 0.0
