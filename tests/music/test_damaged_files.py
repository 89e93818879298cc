"""A thousand damaged files through the folder reader: each is counted, none ends the run."""

import numpy as np

from latentgen.music.converters import MelodyConverter
from latentgen.music.reading.collection import read_collection
from latentgen.music.reading.files import MusicFileError, read_notes
from tests.music.songs import ABC, MUSICXML, SCALE, mxl_bytes, write_song

REASONS = {
    "cannot be opened",
    "damaged file",
    "empty file",
    "no notes",
    "not music",
    "not supported",
    "too large",
    "too long",
    "too slow",
}

NUMBERS = [b"0", b"7", b"-1", b"64", b"1000", b"99999999999", b"0.001", b"1e300", b"nan"]


def damaged(data, generator):
    """Bytes changed, cut out, cut off or repeated, a few at once."""
    data = bytearray(data)
    for _ in range(generator.integers(1, 4)):
        if not data:
            break
        at, end = sorted(generator.integers(0, len(data), 2).tolist())
        how = generator.integers(8)
        if how == 0:  # a bit
            data[at] ^= 1 << int(generator.integers(8))
        elif how == 1:  # some bytes
            for place in generator.integers(0, len(data), 8).tolist():
                data[place] = int(generator.integers(256))
        elif how == 2:
            del data[at:]
        elif how == 3:
            del data[at : min(end, at + 20)]
        elif how == 4:
            data[at:at] = data[at : min(end, at + 200)] * int(generator.integers(1, 4))
        elif how == 5:
            data[at : at + 8] = b"\xff" * 8
        else:  # a number of a text, which leaves its form whole
            places = [place for place, byte in enumerate(data) if 48 <= byte <= 57]
            if places:
                place = int(generator.choice(places))
                data[place : place + 1] = generator.choice(NUMBERS)
    return bytes(data)


def write_damaged(folder, count):
    """Damaged files of all kinds, some empty, some under another kind's name; their number."""
    generator = np.random.default_rng(5)
    song = write_song(folder / "song.mid", SCALE * 2, program=5)
    sound = {
        ".mid": song.read_bytes(),
        ".xml": MUSICXML.encode(),
        ".mxl": mxl_bytes(MUSICXML.encode()),
        ".abc": ABC.encode(),
    }
    song.unlink()
    suffixes = list(sound)
    for number in range(count):
        suffix = suffixes[number % 4]
        data = b"" if number % 50 == 0 else damaged(sound[suffix], generator)
        name = suffixes[int(generator.integers(4))] if number % 10 == 0 else suffix
        (folder / f"{number:04}{name}").write_bytes(data)
    return count


def test_a_thousand_damaged_files(tmp_path):
    count = write_damaged(tmp_path, 1000)
    write_song(tmp_path / "whole.mid", [90, 40] * 4)
    collection = read_collection(tmp_path, MelodyConverter(bars=2), workers=2, seconds=30)
    report = collection.report
    assert report.files_found == count + 1
    assert report.files_taken + report.files_refused.total() == report.files_found
    assert report.files_refused.total() > 400
    # Not "crashed", nor "too slow": the reader itself has seen what is wrong with each.
    assert set(report.files_refused) <= REASONS - {"too slow"}
    assert report.files_refused["empty file"] >= 20
    assert len(report.messages) == report.files_refused.total()
    assert set(report.tunes_refused) <= REASONS
    assert collection.sources[-1] == "whole.mid"
    assert report.windows_taken > 50
    assert collection.outputs.sum(axis=-1).all()  # one class in every step


def test_every_cut_of_a_file_is_read_or_refused(tmp_path):
    song = write_song(tmp_path / "song.mid").read_bytes()
    found = set()
    for data in (song, MUSICXML.encode(), mxl_bytes(MUSICXML.encode()), ABC.encode()):
        for length in range(0, len(data), 7):
            path = tmp_path / "cut"
            path.write_bytes(data[:length])
            try:
                found |= {len(notes.notes) > 0 for notes in read_notes(path)}
            except MusicFileError as error:
                found.add(error.reason)
    assert found <= REASONS | {True}
    assert {True, "damaged file", "empty file", "not music"} <= found
