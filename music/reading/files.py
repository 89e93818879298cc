"""Reading music files (MIDI, MusicXML, ABC) through note_seq, and writing MIDI.

What a file is shows in its content, never in its name. Files come from anywhere: whatever is wrong
with one becomes a `MusicFileError` with a short reason, within bounds of memory and length.
"""

import io
import math
import os
import re
import time
import warnings
from pathlib import Path

import mido
import pretty_midi
from note_seq import NoteSequence, abc_parser, midi_io

from latentgen.errors import FileError, InputError
from latentgen.files import atomic_file
from latentgen.music.errors import Unsuitable
from latentgen.music.reading.abc_text import simplify_tune
from latentgen.music.reading.musicxml import MAX_SCORE_BYTES, keep_notes, parse_musicxml

SUFFIXES = (".mid", ".midi", ".xml", ".musicxml", ".mxl", ".abc")
MAX_BYTES = {"MIDI": 4_000_000, "MusicXML": MAX_SCORE_BYTES, "ABC": 4_000_000}
MAX_TICKS = 10**7  # pretty_midi makes a table of all ticks
MAX_SECONDS = 6 * 3600.0
QPM_RANGE = (3.0, 2000.0)  # MIDI cannot say less than 3.6
MAX_PARSING_SECONDS = 60.0  # of the one part of mido that a few bytes can keep busy for ever


class MusicFileError(FileError):
    """A music file, or one tune of it, that is not taken.

    Attributes:
        reason: a few words that reports count by, such as 'damaged file' or 'not music'.
    """

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple:
        return type(self), (self.reason, str(self))


def read_notes(path: str | os.PathLike) -> list[NoteSequence]:
    """The pieces of a file: one of a MIDI or MusicXML file, any number of an ABC tune book.

    Tunes of a tune book that cannot be read are left out; `read_tunes` says which.

    Args:
        path: .mid, .midi, .xml, .musicxml, .mxl or .abc; the content decides which it is.

    Returns:
        Unquantised sequences in seconds, notes of no length left out, `filename` being the
        file's name, `id` a tune's number in its book, from 1. Repeats of ABC are written once.

    Raises:
        MusicFileError: nothing in the file can be read; it is damaged, empty, not music, too
            large or too long.
    """
    tunes, refused = read_tunes(path)
    if not tunes:
        raise refused[0]
    return tunes


def read_tunes(path: str | os.PathLike) -> tuple[list[NoteSequence], list[MusicFileError]]:
    """As `read_notes`, with the tunes of an ABC tune book that are not taken, and why.

    Raises:
        MusicFileError: the file cannot be opened, or is not music.
    """
    path = Path(path)
    data = _bytes(path)
    tunes: list[NoteSequence] = []
    refused: list[MusicFileError] = []
    for number, (text, kind) in enumerate(_parts(path, data), start=1):
        of = f", tune {number}" if kind == "ABC" else ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pretty_midi's, of events on unusual tracks
                notes = _checked(_PARSERS[kind](text))
        except Unsuitable as error:
            refused.append(MusicFileError(error.reason, f"{path}{of}: {error}; leave it out"))
        # The parsers raise whatever comes: IndexError, struct.error, AttributeError, …
        except Exception as error:
            what = f"{type(error).__name__}: {error}".rstrip(": ")[:200]
            refused.append(
                MusicFileError(
                    "damaged file",
                    f"{path}{of}: expected {kind} as note_seq reads it, received what it cannot "
                    f"read ({what}); fetch it again or leave it out",
                )
            )
        else:
            notes.filename = path.name
            notes.id = str(number) if kind == "ABC" else ""
            tunes.append(notes)
    return tunes, refused


def write_midi(path: str | os.PathLike, notes: NoteSequence) -> None:
    """Writes a MIDI file; what stood there is replaced only by a finished file.

    Args:
        path: the file.
        notes: in seconds (unquantised), with tempos, programs and drums.

    Raises:
        InputError: not a sequence of notes in seconds that MIDI can hold.
    """
    if not isinstance(notes, NoteSequence):
        raise InputError(f"notes: expected a NoteSequence, received a {type(notes).__name__}")
    copy = NoteSequence()
    copy.CopyFrom(notes)
    if any(not 0 <= note.start_time <= note.end_time < math.inf for note in copy.notes):
        raise InputError("notes: expected times in seconds, starts before ends, received others")
    _number_instruments(copy)
    try:
        midi = midi_io.note_sequence_to_pretty_midi(copy)
        with atomic_file(path) as temporary:
            midi.write(str(temporary))
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise InputError(
            f"notes: expected pitches, velocities, tempos and meters as MIDI has them, "
            f"received others ({error})"
        ) from error


def _bytes(path: Path) -> bytes:
    """All of a file that is not absurdly large."""
    try:
        with path.open("rb") as file:
            data = file.read(max(MAX_BYTES.values()) + 1)
    except OSError as error:
        raise MusicFileError(
            "cannot be opened", f"{path}: expected a readable file, {error.strerror}"
        ) from error
    if not data:
        raise MusicFileError("empty file", f"{path}: expected music, received an empty file")
    return data


def _parts(path: Path, data: bytes) -> list[tuple[bytes, str]]:
    """What to parse, and as what: the tunes of a tune book, or the whole file."""
    kind = _kind(data)
    if kind is None:
        raise MusicFileError(
            "not music",
            f"{path}: expected MIDI, MusicXML or ABC, received a file beginning with {data[:12]!r}",
        )
    if len(data) > MAX_BYTES[kind]:
        raise MusicFileError(
            "too large",
            f"{path}: expected {kind} of at most {MAX_BYTES[kind]:,} bytes, received more",
        )
    if kind != "ABC":
        return [(data, kind)]
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    # A tune goes from its X: to an empty line; what stands between tunes is prose.
    head, *tunes = re.split(rb"(?m)^(?=X:)", data)
    common = b"".join(line + b"\n" for line in re.findall(rb"(?m)^[MLQ]:.*$", head))
    return [(common + re.split(rb"\n[ \t]*\n", tune)[0], kind) for tune in tunes]


def _kind(data: bytes) -> str | None:
    """'MIDI', 'MusicXML' or 'ABC'; None for anything else."""
    if data.startswith(b"MThd"):
        return "MIDI"
    start = data[:400].replace(b"\0", b"").lstrip(b"\xff\xfe\xef\xbb\xbf \t\r\n")
    if data.startswith(b"PK\x03\x04") or start.startswith(b"<"):
        return "MusicXML"
    return "ABC" if re.search(rb"(?m)^X:", data) and b"\0" not in data else None


def _midi(data: bytes) -> NoteSequence:
    midi = mido.MidiFile(file=_Reader(data))
    midi.tracks = [track for track in midi.tracks if track]  # pretty_midi fails on an empty one
    if not midi.tracks:
        raise Unsuitable("no notes", "a MIDI file without tracks")
    if midi.ticks_per_beat <= 0:
        raise Unsuitable("not supported", f"MIDI with {midi.ticks_per_beat} ticks a quarter")
    ticks = max(sum(event.time for event in track) for track in midi.tracks)
    if ticks > MAX_TICKS:
        raise Unsuitable("too long", f"MIDI of {ticks} ticks, at most {MAX_TICKS} are read")
    return midi_io.midi_to_note_sequence(pretty_midi.PrettyMIDI(mido_object=midi))


class _Reader(io.BytesIO):
    """Stops mido, which reads a number of any length in time that grows with its square."""

    def __init__(self, data: bytes):
        super().__init__(data)
        self.deadline = time.monotonic() + MAX_PARSING_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        if time.monotonic() > self.deadline:
            raise Unsuitable("too slow", f"MIDI that takes over {MAX_PARSING_SECONDS:g} s to read")
        return super().read(size)


def _abc(data: bytes) -> NoteSequence:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # of most older collections
    plain, roles = simplify_tune(text)
    sequence = abc_parser.ABCTune(plain.splitlines()).note_sequence
    kept: list[NoteSequence.Note] = []
    for note, role in zip(sequence.notes, roles, strict=True):
        if role == "tied":
            kept[-1].end_time = note.end_time
        elif role == "note":
            kept.append(note)
    keep_notes(sequence, kept)
    return sequence


_PARSERS = {"MIDI": _midi, "MusicXML": parse_musicxml, "ABC": _abc}


def _checked(sequence: NoteSequence) -> NoteSequence:
    """The sequence, with notes that sound; `Unsuitable` if there are none or no music has them."""
    for note in sequence.notes:
        if not 0 <= note.start_time <= note.end_time < math.inf:
            raise Unsuitable("damaged file", f"a note from {note.start_time} to {note.end_time} s")
        if not (0 <= note.pitch <= 127 and 0 <= note.velocity <= 127):
            raise Unsuitable("damaged file", f"pitch {note.pitch}, velocity {note.velocity}")
    keep_notes(sequence, [note for note in sequence.notes if note.start_time < note.end_time])
    if not sequence.notes:
        raise Unsuitable("no notes", "nothing that sounds")
    sequence.total_time = max(sequence.total_time, *(note.end_time for note in sequence.notes))
    if not sequence.total_time <= MAX_SECONDS:
        raise Unsuitable("too long", f"{sequence.total_time:g} seconds, at most {MAX_SECONDS:g}")
    for tempo in sequence.tempos:
        if not (QPM_RANGE[0] <= tempo.qpm <= QPM_RANGE[1] and 0 <= tempo.time < math.inf):
            raise Unsuitable("damaged file", f"a tempo of {tempo.qpm:g} quarters a minute")
    for meter in sequence.time_signatures:
        if meter.numerator < 1 or meter.denominator < 1:
            raise Unsuitable("damaged file", f"a meter {meter.numerator}/{meter.denominator}")
    return sequence


def _number_instruments(sequence: NoteSequence) -> None:
    """Gives each pair of instrument and program a number of its own.

    note_seq writes only the last program of instrument 0, and loses the notes of the others.
    """
    numbers: dict[tuple[int, int, bool], int] = {}
    names = {info.instrument: info.name for info in sequence.instrument_infos}
    del sequence.instrument_infos[:]
    for event in [*sequence.notes, *sequence.pitch_bends, *sequence.control_changes]:
        old, key = event.instrument, (event.instrument, event.program, event.is_drum)
        if key not in numbers:
            numbers[key] = len(numbers)
            if old in names:
                sequence.instrument_infos.add(instrument=numbers[key], name=names[old])
        event.instrument = numbers[key]
