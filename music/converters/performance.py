"""Several instruments with dynamics ↔ event tracks (`MultiInstrumentPerformanceConverter`)."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from note_seq import NoteSequence, PerformanceOneHotEncoding, performance_lib, sequences_lib

from latentgen.errors import InputError
from latentgen.music import reasons
from latentgen.music.converters.controls import NUM_CHORDS
from latentgen.music.converters.converter import Converter, Example
from latentgen.music.errors import Unsuitable

VELOCITY_BINS = 8
NUM_PROGRAMS = 129  # General MIDI's 128, and one that stands for drums
NO_STEP = -1


class PerformanceConverter(Converter):
    """Performances of up to 8 instruments, 64 events each: 490 classes, input equals output.

    Per track: a program, its events, an end; the rows after the end are zeros, and a track that is
    not there is an end alone. Tracks are sorted by program, drums last, equals by instrument
    number, and stand below each other: rows 64 i to 64 i + 63 are track i. `length` is int32 (8,),
    each with its end. At 24 steps a quarter the classes are

        0–127 note-on of a pitch, 128–255 note-off, 256–351 time shift of 1 to 96 steps,
        352–359 velocity of the notes that follow, in 8 bins of 16, 360–487 program, 488 drums,
        489 end

    as those of `note_seq.PerformanceOneHotEncoding`, then programs, then end. Time is the window's:
    each track's time shifts add up to it.

    *Which notes*: all with a velocity. Notes of one instrument number with several programs are
    several tracks. `note_seq.apply_sustain_control_changes` before cutting windows makes of a pedal
    what is heard, as Magenta does.

    *Decoding*: of several programs in a track the first counts, of none the piano; note-offs of
    what does not sound and notes without length are left out; what is not ended, or goes past the
    window, ends with it; of notes of one pitch that overlap the first to start is the first to end.
    *Canonical* is what `encode` gives: in a step note-offs and note-ons in the order in which their
    notes started and then by pitch; a velocity only before a note that changes it. Where a track
    would have more events than fit (one that was emitted without end, say) its last notes are left
    out of the decoding.

    Args:
        bars, steps_per_bar, steps_per_quarter: see `Converter`; in quarters of 24 steps.
        chords: the chord at each event's step as control; "N.C." at a program, at the end that of
            the event before.
        instruments: tracks.
        events: rows of a track, its program and end included.

    Raises (encode):
        Unsuitable: too many instruments; too many events; out of range, beyond MIDI's 0 to 127;
            silent (if not allowed).
    """

    def __init__(
        self,
        bars: int = 1,
        steps_per_bar: int = 96,
        steps_per_quarter: int = 24,
        chords: bool = False,
        instruments: int = 8,
        events: int = 64,
    ):
        super().__init__(bars, steps_per_bar, steps_per_quarter, chords)
        if instruments < 1 or events < 3:
            raise InputError(
                "instruments, events: expected at least 1 and 3, "
                f"received {instruments} and {events}"
            )
        self.instruments, self.events = instruments, events
        self.steps = instruments * events
        self._encoding = PerformanceOneHotEncoding(
            VELOCITY_BINS, performance_lib.DEFAULT_MAX_SHIFT_QUARTERS * steps_per_quarter
        )
        self.first_program = self._encoding.num_classes
        self.end = self.first_program + NUM_PROGRAMS
        self.input_depth = self.output_depth = self.end + 1

    def _encode(self, window: NoteSequence, controls: np.ndarray) -> Example:
        tracks = defaultdict(list)
        for note in window.notes:
            if max(note.pitch, note.velocity, note.program) > 127 or note.pitch < 0:
                raise Unsuitable(reasons.OUT_OF_RANGE, f"pitch {note.pitch}")
            if note.velocity and note.quantized_start_step < self.window_steps:
                program = NUM_PROGRAMS - 1 if note.is_drum else note.program
                tracks[program, note.instrument].append(note)
        if len(tracks) > self.instruments:
            raise Unsuitable(
                reasons.TOO_MANY_INSTRUMENTS, f"{len(tracks)}, not up to {self.instruments}"
            )
        outputs = np.zeros((self.instruments, self.events, self.output_depth), bool)
        lengths = np.ones(self.instruments, np.int32)
        outputs[len(tracks) :, 0, self.end] = True
        for i, (program, instrument) in enumerate(sorted(tracks)):
            track = self._track(tracks[program, instrument])
            lengths[i] = len(track) + 2
            if lengths[i] > self.events:
                raise Unsuitable(
                    reasons.TOO_MANY_EVENTS, f"{lengths[i]} in a track, not up to {self.events}"
                )
            classes = [
                self.first_program + program,
                *(self._encoding.encode_event(event) for event in track),
                self.end,
            ]
            outputs[i, np.arange(len(classes)), classes] = True
        rows = outputs.reshape(self.steps, -1)
        if self.chords:
            controls = self._place(controls, rows, lengths)
        else:
            controls = np.zeros((self.steps, 0), bool)
        return Example(rows, rows, controls, lengths)

    def _decode(
        self,
        outputs: np.ndarray,
        notes: NoteSequence,
        step: float,
        program: int | None,
        velocity: int,
    ) -> None:
        if program is not None:
            raise InputError(f"program: expected None, as tracks state theirs, received {program}")
        if len(outputs) != self.steps:
            raise InputError(
                f"outputs: expected {self.instruments} tracks of {self.events} rows, "
                f"received {len(outputs)} rows"
            )
        notes.total_time = self.window_steps * step
        tempo = notes.tempos[0].qpm
        bins = performance_lib.velocity_to_bin(velocity, VELOCITY_BINS)
        velocity = performance_lib.velocity_bin_to_velocity(bins, VELOCITY_BINS)
        for i, classes in enumerate(self._tracks(outputs)):
            programs = classes[classes >= self.first_program] - self.first_program
            kind = int(programs[0]) if len(programs) else 0
            is_drum = kind == NUM_PROGRAMS - 1
            performance = performance_lib.MetricPerformance(
                steps_per_quarter=self.steps_per_quarter,
                num_velocity_bins=VELOCITY_BINS,
                program=0 if is_drum else kind,
                is_drum=is_drum,
            )
            for event in classes[classes < self.first_program].tolist():
                performance.append(self._encoding.decode_event(event))
            performance.set_length(self.window_steps)
            track = performance.to_sequence(velocity, instrument=i, qpm=tempo)
            notes.notes.extend(self._fitting(track))

    def _missing(self, outputs: np.ndarray) -> str | None:
        return None if outputs[:, : self.first_program].any() else reasons.SILENT

    def _positions(self, outputs: np.ndarray) -> np.ndarray:
        positions = np.full((self.instruments, self.events), NO_STEP)
        for row, classes in zip(positions, self._tracks(outputs), strict=True):
            events = np.flatnonzero(classes < self.first_program)
            shifts = np.array([self._shift(event) for event in classes[events]], int)
            at = np.cumsum(shifts) - shifts  # the step before the event
            row[events] = np.where(at < self.window_steps, at, NO_STEP)
        return positions.reshape(-1)

    def _tracks(self, outputs: np.ndarray) -> Iterator[np.ndarray]:
        """The classes of each track, without the end and what follows it."""
        for classes in outputs.reshape(self.instruments, self.events, -1).argmax(axis=-1):
            ends = np.flatnonzero(classes == self.end)
            yield classes[: ends[0]] if len(ends) else classes

    def _shift(self, event: int) -> int:
        return self._encoding.event_to_num_steps(self._encoding.decode_event(event))

    def _track(self, notes: list[NoteSequence.Note]) -> performance_lib.MetricPerformance:
        """The events of quantised notes of one instrument, over the whole window."""
        track = NoteSequence()
        track.quantization_info.steps_per_quarter = self.steps_per_quarter
        by_pitch = defaultdict(list)
        for note in notes:
            by_pitch[note.pitch].append(note)
        for pitch, same in by_pitch.items():
            # note_seq's decoding ends first what started first: so does this.
            starts = sorted(same, key=lambda note: note.quantized_start_step)
            ends = sorted(note.quantized_end_step for note in same)
            for note, end in zip(starts, ends, strict=True):
                track.notes.add(
                    pitch=pitch,
                    velocity=note.velocity,
                    start_time=note.quantized_start_step,  # which note_seq sorts by
                    quantized_start_step=note.quantized_start_step,
                    quantized_end_step=min(end, self.window_steps),
                )
        performance = performance_lib.MetricPerformance(track, num_velocity_bins=VELOCITY_BINS)
        performance.set_length(self.window_steps)
        return performance

    def _fitting(self, track: NoteSequence) -> list[NoteSequence.Note]:
        """A track's notes in seconds, without the last ones if their events would not fit."""
        quantised = sequences_lib.quantize_note_sequence(track, self.steps_per_quarter)
        order = sorted(
            range(len(track.notes)),
            key=lambda i: (quantised.notes[i].quantized_start_step, track.notes[i].pitch),
        )
        while order and len(self._track([quantised.notes[i] for i in order])) + 2 > self.events:
            order.pop()
        return [track.notes[i] for i in order]

    def _place(self, controls: np.ndarray, outputs: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """The window's chords (window_steps, 49) at the rows of its tracks."""
        positions = self._positions(outputs).reshape(self.instruments, self.events)
        placed = np.zeros((self.instruments, self.events, NUM_CHORDS), bool)
        for rows, at, length in zip(placed, positions, lengths, strict=True):
            rows[0, 0] = True  # N.C.
            rows[1 : length - 1] = controls[at[1 : length - 1]]  # NO_STEP, the end: the last chord
            rows[length - 1] = rows[max(length - 2, 0)]
        return placed.reshape(self.steps, -1)
