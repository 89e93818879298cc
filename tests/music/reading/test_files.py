import pickle

import numpy as np
import pytest
from note_seq import NoteSequence

from latentgen.errors import FileError, InputError
from latentgen.music.reading import files
from latentgen.music.reading.files import MusicFileError, read_notes, read_tunes, write_midi
from tests.music.songs import ABC, MUSICXML, SCALE, melody, midi_bytes, mxl_bytes, write_song
from tests.shared import shared_path

NOTE = b"\x00\x90\x3c\x40\x83\x60\x80\x3c\x40"  # a quarter note of middle C at 480 ticks
END = b"\x00\xff\x2f\x00"


def pitches(notes):
    return [note.pitch for note in notes.notes]


def quarters(notes):
    """Lengths of the notes in quarters."""
    qpm = notes.tempos[0].qpm if notes.tempos else 120.0
    return [round((note.end_time - note.start_time) * qpm / 60, 4) for note in notes.notes]


def reason(path):
    with pytest.raises(MusicFileError) as caught:
        read_notes(path)
    assert str(path) in str(caught.value)
    return caught.value.reason


def write(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


class TestMidi:
    def test_what_is_written_is_read(self, tmp_path):
        notes = melody(SCALE, qpm=100, meter=(3, 4), program=24)
        write_midi(tmp_path / "a.mid", notes)
        (back,) = read_notes(tmp_path / "a.mid")
        assert pitches(back) == list(SCALE)
        assert {note.program for note in back.notes} == {24}
        np.testing.assert_allclose(quarters(back), 1.0, atol=0.01)
        assert back.tempos[0].qpm == pytest.approx(100, abs=0.01)
        assert (back.time_signatures[0].numerator, back.time_signatures[0].denominator) == (3, 4)
        assert back.filename == "a.mid"

    def test_several_programs_of_one_instrument_number_are_all_written(self, tmp_path):
        notes = melody(SCALE)
        for other in (melody([40], program=33), melody([36, 38], is_drum=True)):
            notes.notes.extend(other.notes)
        for note in notes.notes:
            note.instrument = 0
        write_midi(tmp_path / "a.mid", notes)
        (back,) = read_notes(tmp_path / "a.mid")
        found = {(note.program, note.is_drum) for note in back.notes}
        assert found == {(0, False), (33, False), (0, True)}
        assert len(back.notes) == len(SCALE) + 3

    def test_writing_leaves_the_notes_as_they_are(self, tmp_path):
        notes = melody(SCALE)
        before = notes.SerializeToString()
        write_midi(tmp_path / "a.mid", notes)
        assert notes.SerializeToString() == before

    @pytest.mark.parametrize("field", ["pitch", "velocity"])
    def test_a_failed_write_leaves_what_was_there(self, tmp_path, field):
        path = write_song(tmp_path / "a.mid")
        before = path.read_bytes()
        notes = melody(SCALE)
        setattr(notes.notes[0], field, 300)
        with pytest.raises(InputError, match="notes: expected"):
            write_midi(path, notes)
        assert path.read_bytes() == before
        assert [p.name for p in tmp_path.iterdir()] == ["a.mid"]

    def test_notes_that_end_before_they_start_are_not_written(self, tmp_path):
        notes = NoteSequence()
        notes.notes.add(pitch=60, velocity=80, start_time=1.0, end_time=0.5)
        with pytest.raises(InputError, match="starts before ends"):
            write_midi(tmp_path / "a.mid", notes)
        with pytest.raises(InputError, match="received a list"):
            write_midi(tmp_path / "a.mid", [notes])

    def test_a_file_too_long_is_refused_before_its_ticks_are_laid_out(self, tmp_path):
        far = b"\xff\xff\xff\x7f\x90\x3c\x40\x01\x80\x3c\x40"  # after 2²⁸ ticks
        assert reason(write(tmp_path / "a.mid", midi_bytes(NOTE + far + END))) == "too long"

    def test_hours_in_few_ticks_are_too_long(self, tmp_path):
        slowest = b"\x00\xff\x51\x03\xff\xff\xff"
        long = b"\x00\x90\x3c\x40\xff\x7f\x80\x3c\x40"  # 16,383 ticks, each a quarter of 16.8 s
        data = midi_bytes(slowest + long + END, ticks_per_quarter=1)
        assert reason(write(tmp_path / "a.mid", data)) == "too long"

    @pytest.mark.parametrize("microseconds", [0, 1])
    def test_impossible_tempos_are_damage(self, tmp_path, microseconds):
        tempo = b"\x00\xff\x51\x03" + microseconds.to_bytes(3, "big")
        data = midi_bytes(tempo + NOTE + END)
        assert reason(write(tmp_path / "a.mid", data)) == "damaged file"

    def test_time_in_film_frames_is_not_supported(self, tmp_path):
        data = midi_bytes(NOTE + END, ticks_per_quarter=-6120)
        assert reason(write(tmp_path / "a.mid", data)) == "not supported"

    def test_no_notes(self, tmp_path):
        assert reason(write(tmp_path / "a.mid", midi_bytes(END))) == "no notes"
        assert reason(write(tmp_path / "b.mid", midi_bytes(b""))) == "no notes"

    def test_a_number_without_end_is_given_up(self, tmp_path, monkeypatch):
        monkeypatch.setattr(files, "MAX_PARSING_SECONDS", 0.05)
        data = midi_bytes(b"\xff" * 300_000 + NOTE + END)
        assert reason(write(tmp_path / "a.mid", data)) == "too slow"

    def test_too_many_bytes(self, tmp_path):
        data = midi_bytes(NOTE + END) + b"\0" * files.MAX_BYTES["MIDI"]
        assert reason(write(tmp_path / "a.mid", data)) == "too large"


class TestMusicXml:
    def test_notes_key_meter_tempo_and_chords(self, tmp_path):
        (notes,) = read_notes(write(tmp_path / "a.musicxml", MUSICXML))
        assert pitches(notes) == [72, 75, 67]
        assert quarters(notes) == [3, 3, 2]  # the E flat is tied over the bar
        assert notes.tempos[0].qpm == 90
        key = notes.key_signatures[0]
        assert (key.key, key.mode) == (key.C, key.MINOR)
        assert [t.text for t in notes.text_annotations] == ["Cm"]
        assert notes.part_infos[0].name == "Flute"

    def test_a_tie_without_its_first_note_begins_one(self, tmp_path):
        data = MUSICXML.replace('<tie type="start"/>', "")
        (notes,) = read_notes(write(tmp_path / "a.xml", data))
        assert pitches(notes) == [72, 75, 75, 67]

    def test_compressed(self, tmp_path):
        (notes,) = read_notes(write(tmp_path / "a.mxl", mxl_bytes(MUSICXML.encode())))
        assert pitches(notes) == [72, 75, 67]

    def test_utf_16(self, tmp_path):
        data = MUSICXML.replace("UTF-8", "UTF-16").encode("utf-16")
        (notes,) = read_notes(write(tmp_path / "a.xml", data))
        assert len(notes.notes) == 3

    def test_an_archive_that_grows_without_end_is_not_unpacked(self, tmp_path):
        bomb = mxl_bytes(b"<score-partwise>" + b" " * 40_000_000)
        assert len(bomb) < 100_000
        assert reason(write(tmp_path / "a.mxl", bomb)) == "too large"

    def test_entities_are_not_expanded(self, tmp_path):
        laughs = '<!DOCTYPE s [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
        data = MUSICXML.replace("<score-partwise", laughs + "<score-partwise").replace(
            "Flute", "&b;"
        )
        assert reason(write(tmp_path / "a.xml", data)) == "damaged file"

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("score-partwise", "score-timewise", "not supported"),
            ("score-partwise", "svg", "not music"),
            ("</part>", "", "damaged file"),
            ("<divisions>4", "<divisions>0", "damaged file"),
            ("<octave>4", "<octave>40", "damaged file"),
            ('tempo="90"', 'tempo="nan"', "damaged file"),
            ('tempo="90"', 'tempo="1e-9"', "too long"),
            ("<duration>8", "<duration>-80", "damaged file"),
            ("<duration>8", "<duration>" + "9" * 400, "damaged file"),
            ("<beats>4", "<beats>0", "damaged file"),
        ],
    )
    def test_damage(self, tmp_path, old, new, expected):
        assert old in MUSICXML
        assert reason(write(tmp_path / "a.xml", MUSICXML.replace(old, new))) == expected

    def test_an_archive_without_a_score(self, tmp_path):
        data = mxl_bytes(b"hello", name="a.txt").replace(
            b"META-INF/container", b"META-INF/konteiner"
        )
        assert reason(write(tmp_path / "a.mxl", data)) in ("not music", "damaged file")


class TestAbc:
    def test_the_tunes_of_a_book(self, tmp_path):
        path = write(tmp_path / "a.abc", ABC)
        tunes, refused = read_tunes(path)
        assert [pitches(tune) for tune in tunes] == [
            list(SCALE),
            [79, 78, 76, 74, 72, 71, 69, 67],
        ]
        assert [tune.id for tune in tunes] == ["1", "2"]
        assert [error.reason for error in refused] == ["not supported"]
        assert "tune 3" in str(refused[0])
        assert "chords" in str(refused[0])
        assert len(read_notes(path)) == 2

    def test_what_the_book_says_first_holds_for_each_tune(self, tmp_path):
        tunes, _ = read_tunes(write(tmp_path / "a.abc", ABC))
        assert quarters(tunes[0]) == [1] * 8
        assert tunes[1].tempos[0].qpm == 90

    @pytest.mark.parametrize(
        ("music", "sounds", "lengths"),
        [
            ("C2 z2 D2|", [60, 62], [2, 2]),
            ("C-C2|", [60], [3]),
            ("^C2-|C2 C2|", [61, 60], [4, 2]),
            ("(3CDE F2|", [60, 62, 64, 65], [2 / 3, 2 / 3, 2 / 3, 2]),
            ("C>D E<F|", [60, 62, 64, 65], [1.5, 0.5, 0.5, 1.5]),
            ("C3/2D/ E//F/4|", [60, 62, 64, 65], [1.5, 0.5, 0.25, 0.25]),
            ('|:"Am"CD|[1EF:|[2GA|]', [60, 62, 67, 69], [1, 1, 1, 1]),
            ("|:CD:|EF::GA:|", [60, 62, 64, 65, 67, 69], [1] * 6),
            ("{g}C!trill!D .E|", [60, 62, 64], [1, 1, 1]),
            ("C D|\nP:B\nw:la la\n[K:D]F C|", [60, 62, 66, 61], [1, 1, 1, 1]),
            ("CD|\nM:3/4\nEFG|", [60, 62, 64, 65, 67], [1] * 5),
        ],
    )
    def test_what_note_seq_alone_cannot_read(self, tmp_path, music, sounds, lengths):
        path = write(tmp_path / "a.abc", f"X:1\nL:1/4\nM:4/4\nK:C\n{music}\n")
        (notes,) = read_notes(path)
        assert pitches(notes) == sounds
        assert quarters(notes) == pytest.approx(lengths, abs=1e-3)

    def test_a_rest_takes_its_time(self, tmp_path):
        (notes,) = read_notes(write(tmp_path / "a.abc", "X:1\nL:1/4\nK:C\nCz2D|\n"))
        assert notes.notes[1].start_time == pytest.approx(1.5)

    def test_chord_symbols_are_kept(self, tmp_path):
        (notes,) = read_notes(write(tmp_path / "a.abc", 'X:1\nL:1/4\nK:C\n"Am"A2"G"G2|\n'))
        assert [(t.text, t.time) for t in notes.text_annotations] == [("Am", 0.0), ("G", 1.0)]

    @pytest.mark.parametrize(
        "music", ["C\x01D|", "C/0D|", "C99999D|", "[CE]2|", "C>>>>D|", "(0CDE|", "C0D|"]
    )
    def test_a_tune_that_is_damaged_is_refused(self, tmp_path, music):
        with pytest.raises(MusicFileError):
            read_notes(write(tmp_path / "a.abc", f"X:1\nL:1/4\nK:C\n{music}\n"))

    def test_a_chord_that_never_ends_does_not_hang(self, tmp_path):
        path = write(tmp_path / "a.abc", "X:1\nK:C\n[" + "C22D22" * 60 + " |\n")
        assert reason(path) == "not supported"

    def test_a_tune_without_a_key_is_refused(self, tmp_path):
        assert reason(write(tmp_path / "a.abc", "X:1\nT:No key\nCDEF|\n")) == "damaged file"

    @pytest.mark.shared
    def test_nottingham(self):
        path = shared_path("data/music/nottingham/abc/jigs.abc")
        tunes, refused = read_tunes(path)
        assert len(tunes) >= 330
        assert len(refused) <= 10


def test_the_content_decides_not_the_name(tmp_path):
    song = write_song(tmp_path / "a.mid").rename(tmp_path / "a.abc")
    assert pitches(read_notes(song)[0]) == list(SCALE)
    assert len(read_notes(write(tmp_path / "b.mid", ABC))) == 2
    assert len(read_notes(write(tmp_path / "c.mid", mxl_bytes(MUSICXML.encode())))) == 1


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty file"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "not music"),
        (b"Dear diary,\nnothing.", "not music"),
        (b"MThd", "damaged file"),
        (midi_bytes(NOTE + END)[:-9], "damaged file"),
        (b"PK\x03\x04 and then nothing", "damaged file"),
        (b"<html><body>404</body></html>", "not music"),
    ],
)
def test_what_is_no_music(tmp_path, data, expected):
    assert reason(write(tmp_path / "a.mid", data)) == expected


def test_missing_files(tmp_path):
    assert reason(tmp_path / "none.mid") == "cannot be opened"
    assert reason(tmp_path) == "cannot be opened"


def test_errors_are_file_errors_and_travel_between_processes():
    error = MusicFileError("damaged file", "a.mid: expected …")
    assert isinstance(error, FileError)
    again = pickle.loads(pickle.dumps(error))
    assert (again.reason, str(again)) == (error.reason, str(error))
