"""Small pieces of music and files of them, for tests."""

import io
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

from note_seq import NoteSequence

from latentgen.music.reading.files import write_midi

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def melody(
    pitches: Sequence[int],
    quarters: float = 1.0,
    qpm: float = 120.0,
    meter: tuple[int, int] = (4, 4),
    program: int = 0,
    is_drum: bool = False,
) -> NoteSequence:
    """Notes of equal length one after the other."""
    notes = NoteSequence(ticks_per_quarter=220)
    notes.tempos.add(qpm=qpm)
    notes.time_signatures.add(numerator=meter[0], denominator=meter[1])
    length = quarters * 60 / qpm
    for place, pitch in enumerate(pitches):
        notes.notes.add(
            pitch=pitch,
            velocity=80,
            start_time=place * length,
            end_time=(place + 1) * length,
            program=program,
            is_drum=is_drum,
            instrument=9 if is_drum else 0,
        )
    notes.total_time = len(pitches) * length
    return notes


def write_song(path: Path, pitches: Sequence[int] = SCALE, **options) -> Path:
    """A MIDI file of `melody`."""
    write_midi(path, melody(pitches, **options))
    return path


def midi_bytes(track: bytes, ticks_per_quarter: int = 480) -> bytes:
    """A MIDI file of one track, its events given as they stand in it."""
    header = struct.pack(">4sLhhh", b"MThd", 6, 0, 1, ticks_per_quarter)
    return header + struct.pack(">4sL", b"MTrk", len(track)) + track


MUSICXML = """<?xml version="1.0" encoding="UTF-8"?>
<score-partwise version="3.1">
  <part-list><score-part id="P1"><part-name>Flute</part-name></score-part></part-list>
  <part id="P1">
    <measure number="1">
      <attributes><divisions>4</divisions>
        <key><fifths>-3</fifths><mode>minor</mode></key>
        <time><beats>4</beats><beat-type>4</beat-type></time></attributes>
      <direction><sound tempo="90"/></direction>
      <harmony><root><root-step>C</root-step></root><kind>minor</kind></harmony>
      <note><pitch><step>C</step><octave>5</octave></pitch><duration>12</duration>
        <voice>1</voice><type>half</type><dot/></note>
      <note><pitch><step>E</step><alter>-1</alter><octave>5</octave></pitch><duration>4</duration>
        <tie type="start"/><voice>1</voice><type>quarter</type></note>
    </measure>
    <measure number="2">
      <note><pitch><step>E</step><alter>-1</alter><octave>5</octave></pitch><duration>8</duration>
        <tie type="stop"/><voice>1</voice><type>half</type></note>
      <note><pitch><step>G</step><octave>4</octave></pitch><duration>8</duration>
        <voice>1</voice><type>half</type></note>
    </measure>
  </part>
</score-partwise>
"""

ABC = """M:4/4
L:1/4

X:1
T:Scale
K:C
CDEF|GABc|

X:2
T:Down
K:G
Q:1/4=90
gfed|cBAG|

X:3
T:In chords
K:C
[CEG]4|
"""


def mxl_bytes(score: bytes, name: str = "score.xml") -> bytes:
    """A compressed MusicXML file."""
    container = (
        "<container><rootfiles>"
        f'<rootfile full-path="{name}" media-type="application/vnd.recordare.musicxml+xml"/>'
        "</rootfiles></container>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", container)
        archive.writestr(name, score)
    return file.getvalue()
