"""Drums with dynamics and timing ↔ hits, velocities, offsets of 9 kinds (`GrooveConverter`)."""

from collections.abc import Sequence

import numpy as np
from note_seq import NoteSequence

from latentgen.errors import InputError
from latentgen.music import reasons
from latentgen.music.converters.converter import Converter, Example
from latentgen.music.converters.drums import DRUM_INSTRUMENT, GENERAL_KIT, NUM_DRUMS
from latentgen.music.reading.windows import seconds_per_step

# The kinds as the drum kit of the Groove data (a Roland TD-11) numbers them: Magenta's.
ROLAND_KIT: tuple[tuple[int, ...], ...] = (
    (36,),
    (38, 37, 40),
    (42, 22, 44),
    (46, 26),
    (43, 58),
    (47, 45),
    (50, 48),
    (49, 52, 55, 57),
    (51, 53, 59),
)
OPEN_HI_HAT = 3
# A hit half a step late would be a hit of the next step that is half a step early.
MAX_OFFSET = 0.99


class GrooveConverter(Converter):
    """Grooves: 27 columns, 9 hits, 9 velocities, 9 offsets; Magenta's GrooVAE (arXiv 1905.06118).

    Per step and kind of drum: hit 0 or 1; velocity / 127; offset, the step's time less the time the
    drum was played, in half steps: 1 is half a step early, −1 half a step late. Velocity and offset
    are 0 where nothing is hit. Kinds are those of `DrumConverter`, numbered as Roland's kit does
    (`ROLAND_KIT`); pitches unknown to it as General MIDI's kinds.

    *Which notes*: those marked as drums, with a velocity; of several of a kind in a step the
    loudest, as in Magenta. Time is measured in seconds: give windows of sequences that were not
    moved to the grid.

    *Decoding*: a hit above ½; velocities are rounded to MIDI's and at least 1, offsets limited to
    ±0.99; a drum lasts one step. *Canonical*: outputs that are so already, are 0 where nothing is
    hit, and whose first step is not early (nothing is played before time 0); they encode to
    themselves to within float32.

    The encoder's *input* is the output, but for:

    Args:
        humanize: velocities and offsets 0: the model learns to play a score.
        tap: the loudest hit of each step alone, as an open hi-hat: the model learns to make a
            groove of a tapped rhythm.
        fixed_velocities: velocities 0.
        add: kinds (0 to 8; 2 is the closed hi-hat) left out: the model learns to add them.
        hits_as_controls: the 9 hits as control.
        others: see `Converter`.

    Raises (encode):
        Unsuitable: no drums (if not allowed).
    """

    input_depth = output_depth = 3 * NUM_DRUMS  # 27

    def __init__(
        self,
        bars: int = 2,
        steps_per_bar: int = 16,
        steps_per_quarter: int = 4,
        humanize: bool = False,
        tap: bool = False,
        fixed_velocities: bool = False,
        add: Sequence[int] = (),
        hits_as_controls: bool = False,
    ):
        super().__init__(bars, steps_per_bar, steps_per_quarter)
        if not set(add) <= set(range(NUM_DRUMS)):
            raise InputError(f"add: expected kinds of drum, 0 to 8, received {list(add)}")
        self.humanize, self.tap, self.fixed_velocities = humanize, tap, fixed_velocities
        self.add = list(add)
        self.hits_as_controls = hits_as_controls
        self.control_depth = NUM_DRUMS if hits_as_controls else 0
        self._kinds = {
            pitch: kind
            for kit in (GENERAL_KIT, ROLAND_KIT)
            for kind, pitches in enumerate(kit)
            for pitch in pitches
        }

    def _encode(self, window: NoteSequence, controls: np.ndarray) -> Example:
        outputs = np.zeros((self.steps, 3, NUM_DRUMS), np.float32)
        step = seconds_per_step(window)
        for note in sorted(window.notes, key=lambda note: -note.velocity):
            kind, at = self._kinds.get(note.pitch), note.quantized_start_step
            if not note.is_drum or not note.velocity or kind is None or at >= self.steps:
                continue
            if not outputs[at, 0, kind]:  # else one as loud or louder stands there
                offset = 2 * (at - note.start_time / step)
                outputs[at, :, kind] = 1, note.velocity / 127, offset
        inputs = self._input(outputs).reshape(self.steps, -1)
        if self.hits_as_controls:
            controls = outputs[:, 0] > 0
        return Example(inputs, outputs.reshape(self.steps, -1), controls, self.steps)

    def _input(self, outputs: np.ndarray) -> np.ndarray:
        inputs = outputs.copy()  # (T, 3, 9)
        if self.tap:
            loudest = outputs[:, 1].argmax(axis=-1)
            inputs[:] = 0
            inputs[:, :, OPEN_HI_HAT] = outputs[np.arange(self.steps), :, loudest]
        if self.humanize:
            inputs[:, 1:] = 0
        if self.fixed_velocities:
            inputs[:, 1] = 0
        inputs[:, :, self.add] = 0
        return inputs

    def _decode(
        self,
        outputs: np.ndarray,
        notes: NoteSequence,
        step: float,
        program: int | None,
        velocity: int,
    ) -> None:
        hits, velocities, offsets = np.split(outputs.astype(np.float64), 3, axis=-1)  # (T', 9)
        velocities = np.clip(np.round(velocities * 127), 1, 127).astype(int)
        starts = np.arange(len(outputs))[:, None] - np.clip(offsets, -MAX_OFFSET, MAX_OFFSET) / 2
        starts = np.maximum(starts, 0) * step
        for at, kind in np.argwhere(hits > 0.5).tolist():
            notes.notes.add(
                pitch=ROLAND_KIT[kind][0],
                velocity=velocities[at, kind],
                start_time=starts[at, kind],
                end_time=min(starts[at, kind] + step, notes.total_time),
                instrument=DRUM_INSTRUMENT,
                is_drum=True,
            )

    def _missing(self, outputs: np.ndarray) -> str | None:
        return None if outputs[:, :NUM_DRUMS].any() else reasons.NO_DRUMS


def drop_hits(inputs: np.ndarray, max_probability: float, rng: np.random.Generator) -> np.ndarray:
    """Inputs with hits left out at random, quiet ones sooner: Magenta's note dropout, for training.

    One example's probability is uniform in [0, max_probability]; a hit's is that × (1 − velocity),
    but at least × 0.2.

    Args:
        inputs: (…, T, 27), one example or a batch.
        max_probability: 0 to 1.
        rng: where the chances come from.

    Returns:
        A new array; the outputs keep all hits.
    """
    if not 0 <= max_probability <= 1:
        raise InputError(f"max_probability: expected 0 to 1, received {max_probability}")
    velocities = inputs[..., NUM_DRUMS : 2 * NUM_DRUMS]
    probability = rng.uniform(0, max_probability, (*inputs.shape[:-2], 1, 1))
    kept = rng.random(velocities.shape) >= np.maximum(0.2, 1 - velocities) * probability
    return inputs * np.concatenate([kept] * 3, axis=-1)
