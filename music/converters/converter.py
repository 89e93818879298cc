"""What every converter is: notes of a window ↔ arrays of a fixed encoding."""

import abc
import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from note_seq import STANDARD_PPQ, NoteSequence, sequences_lib

from latentgen.errors import InputError
from latentgen.music import reasons
from latentgen.music.converters.controls import ChordControls, KeyControls
from latentgen.music.errors import Unsuitable
from latentgen.music.reading.windows import quantised, steps_per_bar


@dataclass(frozen=True)
class Example:
    """One window as arrays.

    Attributes:
        inputs: (T, input_depth), what the encoder reads.
        outputs: (T, output_depth), what the decoder writes.
        controls: (T, control_depth), what both are conditioned on; of no columns where nothing is.
        length: T, or int32 (segments,) where a converter pads the segments of its steps.
    """

    inputs: np.ndarray
    outputs: np.ndarray
    controls: np.ndarray
    length: int | np.ndarray


class Converter(abc.ABC):
    """Base class. A subclass states its encoding and has `_encode`, `_decode` and `_missing`.

    Each constructor argument is an attribute of the same name.

    What a model emits need not be what notes are encoded to: a note-off where nothing sounds, say.
    Such outputs are decoded to what they sound like, and `encode(decode(outputs))` is the one
    *canonical* form of all outputs that sound the same; each converter says which that is. Every
    decoding encodes again, silence included.

    Args:
        bars: bars of a window.
        steps_per_bar: steps of a bar: 16 is 4/4 at 4 steps a quarter, 12 is 3/4 or 6/8.
        steps_per_quarter: quantisation.
        chords: whether the chord is a control.
        key: whether the key is a control, after the chord.

    Attributes:
        input_depth, output_depth, control_depth: columns; control_depth is 0 without controls.
        steps: T, the rows of an example.
        window_steps: quantised steps of a window; equals `steps` but for performances.
    """

    input_depth: int
    output_depth: int

    def __init__(
        self,
        bars: int = 2,
        steps_per_bar: int = 16,
        steps_per_quarter: int = 4,
        chords: bool = False,
        key: bool = False,
    ):
        for name, value in (
            ("bars", bars),
            ("steps_per_bar", steps_per_bar),
            ("steps_per_quarter", steps_per_quarter),
        ):
            if value < 1:
                raise InputError(f"{name}: expected at least 1, received {value}")
        if 16 * steps_per_bar % steps_per_quarter:
            raise InputError(
                "steps_per_bar: expected the length of a meter of up to 64ths, received "
                f"{steps_per_bar} steps of which {steps_per_quarter} are a quarter"
            )
        self.bars = bars
        self.steps_per_bar = steps_per_bar
        self.steps_per_quarter = steps_per_quarter
        self.chords = chords
        self.key = key
        self.window_steps = self.steps = bars * steps_per_bar
        self._controls: list[ChordControls | KeyControls] = []
        if chords:
            self._controls.append(ChordControls())
        if key:
            self._controls.append(KeyControls())
        self.control_depth = sum(control.depth for control in self._controls)

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, plain values; the class's name says the rest."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def encode(self, window: NoteSequence, allow_silence: bool = True) -> Example:
        """The arrays of a window.

        Args:
            window: of `windows`, quantised with this converter's `steps_per_quarter` to exactly
                `window_steps` steps; or notes that are not quantised: those may end earlier,
                because files do not keep the silence after the last note, and their last notes may
                sound on, to be cut as `windows` cuts them.
            allow_silence: whether a window is taken that lacks what a model should learn (notes;
                for a trio, one of its parts). Decodings may lack them; data should not.

        Raises:
            Unsuitable: a window of another meter or length, or notes that cannot be represented.
            InputError: the window is quantised in another way.
        """
        window = self._fit(window)
        example = self._encode(window, self._encode_controls(window))
        if not allow_silence and (reason := self._missing(example.outputs)):
            raise Unsuitable(reason)
        return example

    def decode(
        self,
        outputs: np.ndarray,
        *,
        controls: np.ndarray | None = None,
        tempo: float = 120.0,
        program: int | None = None,
        velocity: int = 80,
    ) -> NoteSequence:
        """The notes of one example's outputs, in seconds, with tempo and time signature.

        Of meters whose bars have as many steps the simplest is stated: 3/4, not 6/8.

        Args:
            outputs: (T', output_depth): one-hots or probabilities, of which the largest counts, or
                what the converter says; `total_time` is that of T' steps.
            controls: (T', control_depth), written as chord symbols and key signatures.
            tempo: quarter notes a minute.
            program: General MIDI program, from 0, of the (first) part that is not drums; without it
                what the converter states.
            velocity: 1 to 127, where the encoding has no velocities.

        Raises:
            InputError: an array of another shape or with NaN, or a value out of its range.
        """
        outputs = self._check(outputs, "outputs", self.output_depth)
        if not 0 < tempo < math.inf:
            raise InputError(f"tempo: expected a positive number, received {tempo}")
        if program is not None and not 0 <= program <= 127:
            raise InputError(f"program: expected 0 to 127, received {program}")
        if not 1 <= velocity <= 127:
            raise InputError(f"velocity: expected 1 to 127, received {velocity}")
        step = 60.0 / tempo / self.steps_per_quarter  # seconds
        notes = NoteSequence(ticks_per_quarter=STANDARD_PPQ, total_time=len(outputs) * step)
        notes.tempos.add(qpm=tempo)
        numerator, denominator = self._time_signature()
        notes.time_signatures.add(numerator=numerator, denominator=denominator)
        self._decode(outputs, notes, step, program, velocity)
        if controls is not None:
            controls = self._check(controls, "controls", self.control_depth)
            if len(controls) != len(outputs):
                raise InputError(
                    f"controls: expected {len(outputs)} rows, as many as outputs, "
                    f"received {len(controls)}"
                )
            self._write_controls(notes, controls, self._positions(outputs), step)
        return notes

    @abc.abstractmethod
    def _encode(self, window: NoteSequence, controls: np.ndarray) -> Example:
        """The example of a quantised window of `window_steps` steps and the controls of each."""

    @abc.abstractmethod
    def _decode(
        self,
        outputs: np.ndarray,
        notes: NoteSequence,
        step: float,
        program: int | None,
        velocity: int,
    ) -> None:
        """Adds the notes to `notes`; a step lasts `step` seconds."""

    @abc.abstractmethod
    def _missing(self, outputs: np.ndarray) -> str | None:
        """The reason why data of these outputs teaches nothing, if so."""

    def _positions(self, outputs: np.ndarray) -> np.ndarray:
        """The window's step of each row, from which its control is; -1 for a row of no step."""
        return np.arange(len(outputs))

    def _encode_controls(self, window: NoteSequence) -> np.ndarray:
        none = np.zeros((self.window_steps, 0), bool)
        return np.concatenate(
            [none, *(control.encode(window) for control in self._controls)], axis=-1
        )

    def _write_controls(
        self, notes: NoteSequence, controls: np.ndarray, positions: np.ndarray, step: float
    ) -> None:
        order = np.argsort(positions, kind="stable")
        order = order[positions[order] >= 0]
        column = 0
        for control in self._controls:
            part = controls[order, column : column + control.depth]
            control.write(notes, part, (positions[order] * step).tolist())
            column += control.depth

    def _fit(self, window: NoteSequence) -> NoteSequence:
        """The window, quantised, at exactly `window_steps` steps."""
        cut = sequences_lib.is_quantized_sequence(window)
        window = quantised(window, self.steps_per_quarter)
        bar, steps, expected = (
            steps_per_bar(window),
            window.total_quantized_steps,
            self.window_steps,
        )
        if expected % bar:
            raise Unsuitable(
                reasons.OTHER_METER, f"bars of {bar} steps, not of {self.steps_per_bar}"
            )
        if cut and steps != expected:
            reason = reasons.TOO_LONG if steps > expected else reasons.TOO_SHORT
            raise Unsuitable(reason, f"{steps} steps, not {expected}")
        if not cut:
            if any(note.quantized_start_step >= expected for note in window.notes):
                raise Unsuitable(reasons.TOO_LONG, f"notes that start after {expected} steps")
            window.total_quantized_steps = expected
        return window

    def _time_signature(self) -> tuple[int, int]:
        quarters = Fraction(self.steps_per_bar, self.steps_per_quarter)
        denominator = max(4, 4 * quarters.denominator)
        return int(quarters * denominator / 4), denominator

    def _check(self, array: np.ndarray | Sequence[Any], name: str, depth: int) -> np.ndarray:
        array = np.asarray(array)
        if array.ndim != 2 or array.shape[1] != depth or array.dtype.kind not in "bfiu":
            raise InputError(
                f"{name}: expected numbers of shape (steps, {depth}), received shape {array.shape} "
                f"of {array.dtype}; give one example, without the batch"
            )
        if not np.isfinite(array).all():
            raise InputError(f"{name}: expected finite numbers, received NaN or infinity")
        return array
