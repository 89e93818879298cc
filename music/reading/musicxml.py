"""MusicXML through note_seq, with what its reader leaves out: ties, minor keys, bounds of size."""

import io
import re
import xml.etree.ElementTree as ET
import zipfile

from note_seq import NoteSequence, musicxml_parser, musicxml_reader

from latentgen.music.errors import Unsuitable

MAX_SCORE_BYTES = 32_000_000  # uncompressed


def parse_musicxml(data: bytes) -> NoteSequence:
    """The notes of a score, compressed (.mxl) or not.

    Raises:
        Unsuitable: too large, or not a score by part.
        Exception: whatever note_seq and the standard library raise at a damaged one.
    """
    if data.startswith(b"PK"):
        data = _unzipped(data)
    # Entities are how a few bytes become gigabytes; MusicXML has no use for its own.
    if any("<!ENTITY".encode(code) in data for code in ("ascii", "utf-16-le", "utf-16-be")):
        raise Unsuitable("damaged file", "XML that declares entities")
    root = ET.fromstring(data)
    if root.tag == "score-timewise":
        raise Unsuitable("not supported", "MusicXML by time; save it by part (score-partwise)")
    if root.tag != "score-partwise":
        raise Unsuitable("not music", f"XML of another kind, <{root.tag}>")
    document = _Document(root)
    sequence = musicxml_reader.musicxml_to_sequence_proto(document)
    # note_seq calls every key major: 'minor' is looked for in the element, not in its text.
    for key, source in zip(sequence.key_signatures, document.get_key_signatures(), strict=True):
        if source.xml_key is not None and source.xml_key.findtext("mode") == "minor":
            key.key, key.mode = (key.key + 9) % 12, key.MINOR
    _join_tied(sequence, document)
    return sequence


class _Document(musicxml_parser.MusicXMLDocument):
    """note_seq's document of a parsed tree: it would open files itself and unzip without limit."""

    @staticmethod
    def _get_score(filename: ET.Element) -> ET.Element:
        return filename


def _unzipped(data: bytes) -> bytes:
    """The score in an .mxl archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        scores = [n for n in names if re.search(r"\.(xml|musicxml)$", n) and "META-INF" not in n]
        if "META-INF/container.xml" in names:
            with archive.open("META-INF/container.xml") as file:
                container = re.search(rb'full-path\s*=\s*["\']([^"\']+)', file.read(100_000))
            scores = [container[1].decode()] if container else scores
        if not scores:
            raise Unsuitable("not music", "an archive without a score")
        with archive.open(scores[0]) as file:
            score = file.read(MAX_SCORE_BYTES + 1)
    if len(score) > MAX_SCORE_BYTES:
        raise Unsuitable("too large", f"an archive of over {MAX_SCORE_BYTES:,} bytes")
    return score


def _join_tied(sequence: NoteSequence, document: _Document) -> None:
    """Makes tied notes one: note_seq begins a note again at every tie."""
    written = [
        note
        for part in document.parts
        for measure in part.measures
        for note in measure.notes
        if not note.is_rest
    ]
    held: dict[tuple[int, int], NoteSequence.Note] = {}
    kept = []
    for note, source in zip(sequence.notes, written, strict=True):
        ties = {tie.get("type") for tie in source.xml_note.findall("tie")}
        place = note.part, note.pitch
        before = held.pop(place, None)
        joins = before is not None and abs(before.end_time - note.start_time) < 1e-6
        if "stop" in ties and before is not None and joins:
            before.end_time = note.end_time
        else:
            before = note
            kept.append(note)
        if "start" in ties:
            held[place] = before
    keep_notes(sequence, kept)


def keep_notes(sequence: NoteSequence, notes: list[NoteSequence.Note]) -> None:
    """Leaves only the given ones of a sequence's notes."""
    if len(notes) < len(sequence.notes):
        copies = [NoteSequence.Note.FromString(note.SerializeToString()) for note in notes]
        del sequence.notes[:]
        sequence.notes.extend(copies)
