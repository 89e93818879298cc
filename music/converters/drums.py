"""Drum patterns ↔ which of 9 kinds of drum (or 61 drums) start in a step (`DrumsConverter`)."""

from collections.abc import Iterable

import numpy as np
from note_seq import NoteSequence
from note_seq.drums_encoder_decoder import DEFAULT_DRUM_TYPE_PITCHES

from latentgen.errors import InputError
from latentgen.music import reasons
from latentgen.music.converters.controls import one_hot
from latentgen.music.converters.converter import Converter, Example

DRUM_INSTRUMENT = 9  # General MIDI's channel 10
NUM_DRUMS = 9

# MIDI pitches of the kinds, in order: kick, snare, closed hi-hat, open hi-hat, low tom, mid tom,
# high tom, crash, ride. A kind is decoded to its first pitch.
GENERAL_KIT: tuple[tuple[int, ...], ...] = tuple(tuple(kind) for kind in DEFAULT_DRUM_TYPE_PITCHES)
# Every drum of General MIDI by itself: 61 classes, in the order of the 9 kinds.
# note-seq has since moved 43 and 58 to other kinds and added Roland's 22 and 26; Magenta's models
# were trained with the order that is written here.
FULL_KIT: tuple[tuple[int, ...], ...] = tuple(
    (pitch,)
    for kind in (
        (36, 35),
        (38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85),
        (42, 44, 54, 68, 69, 70, 71, 73, 78, 80),
        (46, 67, 72, 74, 79, 81),
        (45, 29, 41, 61, 64, 84),
        (48, 47, 60, 63, 77, 86, 87),
        (50, 30, 43, 62, 76, 83),
        (49, 55, 57, 58),
        (51, 52, 53, 59, 82),
    )
    for pitch in kind
)


class DrumConverter(Converter):
    """Drums: a roll of 9 kinds in, one class of 512 (or the roll) out.

    *Kinds* are `GENERAL_KIT`; with `full` each of General MIDI's 61 drums is its own kind, and the
    output is a roll. *Input*: a column a kind, 1 where one of its drums starts, and a last column
    that is 1 where none does: 10 (62). *Output*: one-hot over 2⁹ = 512 classes, the class being
    Σ 2^kind over the kinds that start; or with `roll_output` the 9 (61) columns themselves, where a
    value above ½ is a hit.

    *Which notes*: those marked as drums, with a velocity; pitches of no kind are left out, and how
    long a drum lasts is not represented: a decoded drum lasts one step.

    *Canonical*: every output is; it encodes to itself.

    Raises (encode):
        Unsuitable: no drums (if not allowed).
    """

    def __init__(
        self,
        bars: int = 2,
        steps_per_bar: int = 16,
        steps_per_quarter: int = 4,
        full: bool = False,
        roll_output: bool = False,
    ):
        super().__init__(bars, steps_per_bar, steps_per_quarter)
        if full and not roll_output:
            raise InputError(
                "roll_output: expected True with a full kit, whose 2⁶¹ classes are many"
            )
        self.full, self.roll_output = full, roll_output
        self.kit = FULL_KIT if full else GENERAL_KIT
        self.input_depth = len(self.kit) + 1
        self.output_depth = len(self.kit) if roll_output else 2 ** len(self.kit)

    def _encode(self, window: NoteSequence, controls: np.ndarray) -> Example:
        roll = drum_roll(window.notes, self.steps, self.kit)
        inputs = np.concatenate([roll, ~roll.any(axis=-1, keepdims=True)], axis=-1)
        outputs = roll if self.roll_output else one_hot(combinations(roll), self.output_depth)
        return Example(inputs, outputs, controls, self.steps)

    def _decode(
        self,
        outputs: np.ndarray,
        notes: NoteSequence,
        step: float,
        program: int | None,
        velocity: int,
    ) -> None:
        roll = outputs > 0.5 if self.roll_output else to_roll(outputs.argmax(axis=-1))
        add_drums(notes, roll, self.kit, step, velocity)

    def _missing(self, outputs: np.ndarray) -> str | None:
        hits = outputs.any() if self.roll_output else outputs[:, 1:].any()
        return None if hits else reasons.NO_DRUMS


def drum_roll(
    notes: Iterable[NoteSequence.Note], steps: int, kit: tuple[tuple[int, ...], ...] = GENERAL_KIT
) -> np.ndarray:
    """bool (steps, kinds) of quantised notes: whether a drum of the kind starts in the step."""
    kinds = {pitch: kind for kind, pitches in enumerate(kit) for pitch in pitches}
    roll = np.zeros((steps, len(kit)), bool)
    for note in notes:
        if note.is_drum and note.velocity and note.quantized_start_step < steps:
            kind = kinds.get(note.pitch)
            if kind is not None:
                roll[note.quantized_start_step, kind] = True
    return roll


def combinations(roll: np.ndarray) -> np.ndarray:
    """Roll (steps, 9) → classes (steps,) of 512, Σ 2^kind; `note_seq.MultiDrumOneHotEncoding`."""
    return roll @ (1 << np.arange(NUM_DRUMS))


def to_roll(classes: np.ndarray) -> np.ndarray:
    """Classes (steps,) of 512 → roll, bool (steps, 9)."""
    return (classes[:, np.newaxis] >> np.arange(NUM_DRUMS) & 1).astype(bool)


def add_drums(
    notes: NoteSequence,
    roll: np.ndarray,
    kit: tuple[tuple[int, ...], ...],
    step: float,
    velocity: int,
) -> None:
    """Adds a note of one step, the first pitch of its kind, for each hit of a roll."""
    for at, kind in np.argwhere(roll).tolist():
        notes.notes.add(
            pitch=kit[kind][0],
            velocity=velocity,
            start_time=at * step,
            end_time=(at + 1) * step,
            instrument=DRUM_INSTRUMENT,
            is_drum=True,
        )
