"""Small passages, and what every converter must do with what a model may emit."""

import numpy as np
from note_seq import NoteSequence, midi_io

from latentgen.music.converters import Converter


def passage(*notes, tempo=120.0, meter=(4, 4), steps_per_quarter=4, drums=False):
    """Notes given as (pitch, start, end) in steps, or with instrument and program as well."""
    step = 60 / tempo / steps_per_quarter
    sequence = NoteSequence()
    sequence.tempos.add(qpm=tempo)
    sequence.time_signatures.add(numerator=meter[0], denominator=meter[1])
    for pitch, start, end, *more in notes:
        instrument, program = more or (0, 0)
        sequence.notes.add(
            pitch=pitch,
            velocity=80,
            start_time=start * step,
            end_time=end * step,
            instrument=instrument,
            program=program,
            is_drum=drums,
        )
        sequence.total_time = max(sequence.total_time, end * step)
    return sequence


def audible(notes):
    """What can be heard of notes, in an order of its own."""
    return sorted(
        (n.pitch, round(n.start_time, 6), round(n.end_time, 6), n.velocity, n.program, n.is_drum)
        for n in notes.notes
    )


def assert_encodes_again(converter: Converter, outputs: np.ndarray, **arguments) -> np.ndarray:
    """Decodes, encodes and decodes again; the same is heard. Returns the canonical outputs."""
    notes = converter.decode(outputs, **arguments)
    example = converter.encode(notes)
    assert example.outputs.shape == (len(example.outputs), converter.output_depth)
    assert example.inputs.shape == (len(example.outputs), converter.input_depth)
    assert example.controls.shape == (len(example.outputs), converter.control_depth)
    again = converter.decode(example.outputs, **arguments)
    assert audible(again) == audible(notes)
    np.testing.assert_array_equal(converter.encode(again).outputs, example.outputs)
    return example.outputs


def through_midi(notes, folder):
    """The notes after they were written to a MIDI file and read again."""
    midi_io.sequence_proto_to_midi_file(notes, str(folder / "notes.mid"))
    return midi_io.midi_file_to_note_sequence(str(folder / "notes.mid"))
