import csv

import numpy as np
import pytest

from latentgen.errors import FileError, InputError
from latentgen.music.converters import DrumConverter, MelodyConverter, PerformanceConverter
from latentgen.music.reading.collection import Report, groove_splits, read_collection
from latentgen.music.reading.examples import music_files
from latentgen.music.reading.files import write_midi
from tests.music.songs import ABC, MUSICXML, SCALE, melody, write_song
from tests.shared import shared_path


def read(folder, converter=None, **options):
    return read_collection(folder, converter or MelodyConverter(bars=2), workers=0, **options)


def starts(outputs):
    """Pitches that start in an example, in order."""
    classes = outputs.argmax(axis=-1)
    return (classes[classes >= 2] + 19).tolist()


@pytest.fixture
def folder(tmp_path):
    """Three pieces of two bars, one of four, a tune book, and a file that is none."""
    write_song(tmp_path / "b.mid")
    write_song(tmp_path / "deep" / "A.MID", SCALE[::-1])
    write_song(tmp_path / "c.mid", (*SCALE, *SCALE[::-1]))  # of bars of a.mid and b.mid
    (tmp_path / "d.xml").write_text(MUSICXML)
    (tmp_path / "e.abc").write_text(ABC)
    (tmp_path / "broken.mid").write_bytes(b"MThd, it says")
    (tmp_path / "notes.txt").write_text("not looked at")
    return tmp_path


class TestReadCollection:
    def test_examples(self, folder):
        collection = read(folder)
        assert collection.outputs.shape == (4, 32, 90)
        assert collection.outputs.dtype == bool
        assert collection.inputs is None  # a melody's are its outputs
        assert collection.controls is None
        assert collection.sources.tolist() == ["b.mid", "c.mid", "d.xml", "e.abc#2"]
        assert collection.positions.tolist() == [0, 1, 0, 0]
        assert collection.lengths.tolist() == [32] * 4
        assert starts(collection.outputs[0]) == list(SCALE)
        assert starts(collection.outputs[2]) == [72, 75, 67]

    def test_report(self, folder):
        report = read(folder).report
        assert (report.files_found, report.files_taken) == (6, 5)
        assert report.files_refused == {"damaged file": 1}
        assert report.tunes_refused == {"not supported": 1}
        assert (report.windows_taken, report.duplicates) == (4, 3)
        assert report.windows_refused.total() == 0
        assert "broken.mid" in report.messages["broken.mid"]
        text = str(report)
        for line in ("6 found, 5 taken, 1 not", "1   damaged file", "4 taken, 3 repeat"):
            assert line in text

    def test_a_duplicate_stands_at_its_first_place(self, folder):
        (folder / "b.mid").rename(folder / "z.mid")
        sources = read(folder).sources.tolist()
        assert sources == ["c.mid", "c.mid", "d.xml", "e.abc#2"]

    def test_the_number_of_workers_changes_nothing(self, folder):
        done = []
        alone = read(folder)
        many = read_collection(folder, MelodyConverter(bars=2), workers=2, progress=done.append)
        for field in ("outputs", "lengths", "sources", "positions", "splits"):
            np.testing.assert_array_equal(getattr(alone, field), getattr(many, field))
        assert alone.report == many.report
        assert done == pytest.approx(np.arange(1, 7) / 6)

    def test_hop(self, folder):
        collection = read(folder / "c.mid", hop_bars=1)
        assert collection.positions.tolist() == [0, 1, 2]
        assert starts(collection.outputs[1]) == [67, 69, 71, 72, 72, 71, 69, 67]

    def test_windows_that_are_not_taken_are_counted(self, tmp_path):
        chord = melody(SCALE)
        chord.notes.add(pitch=40, velocity=80, start_time=0, end_time=1)
        write_midi(tmp_path / "chord.mid", chord)
        write_song(tmp_path / "short.mid", SCALE[:4])
        write_song(tmp_path / "high.mid", [120] * 8)
        write_song(tmp_path / "sparse.mid", [60], quarters=8)
        write_song(tmp_path / "gap.mid", [60, *[62] * 3], quarters=8)
        report = read(tmp_path, min_notes=2).report
        assert report.windows_refused == {
            "polyphonic": 1,
            "too short": 1,
            "out of range": 1,
            "too few notes": 5,
        }

    def test_meters(self, tmp_path):
        write_song(tmp_path / "waltz.mid", SCALE[:6], meter=(3, 4))
        write_song(tmp_path / "march.mid", SCALE, meter=(2, 4))
        assert read(tmp_path).sources.tolist() == ["march.mid"]
        in_three = read(tmp_path, MelodyConverter(bars=2, steps_per_bar=12))
        assert in_three.sources.tolist() == ["waltz.mid"]
        assert in_three.outputs.shape == (1, 24, 90)

    def test_a_pickup_stays_before_its_bar(self, tmp_path):
        notes = melody((50, *SCALE), meter=(1, 4))
        notes.time_signatures.add(time=0.5, numerator=4, denominator=4)
        write_midi(tmp_path / "a.mid", notes)
        assert [starts(outputs) for outputs in read(tmp_path).outputs] == [list(SCALE)]

    def test_without_a_meter_it_is_four_quarters(self, tmp_path):
        notes = melody(SCALE)
        del notes.time_signatures[:]
        write_midi(tmp_path / "a.mid", notes)
        assert len(read(tmp_path)) == 1

    def test_a_changing_tempo_keeps_the_windows(self, tmp_path):
        notes = melody(SCALE, qpm=120)
        for bar, note in enumerate(notes.notes[3:], start=1):
            note.start_time += 0.2 * (bar - 1)  # each quarter from the fourth on lasts 0.7 s
            note.end_time += 0.2 * bar
        notes.tempos.add(time=1.5, qpm=60 / 0.7)
        notes.total_time = notes.notes[-1].end_time
        write_midi(tmp_path / "a.mid", notes)
        collection = read(tmp_path)
        assert len(collection) == 1
        classes = collection.outputs[0].argmax(axis=-1)
        np.testing.assert_array_equal(np.flatnonzero(classes >= 2), np.arange(0, 32, 4))

    @pytest.mark.parametrize("tracks", ["melody", ("MELODY",), 40, (40, 3)])
    def test_tracks(self, tmp_path, tracks):
        self.write_band(tmp_path / "band.mid")
        collection = read(tmp_path, tracks=tracks)
        assert [starts(outputs) for outputs in collection.outputs] == [list(SCALE)]
        assert read(tmp_path).report.windows_refused == {"polyphonic": 1}

    def test_each_track(self, tmp_path):
        self.write_band(tmp_path / "band.mid")
        collection = read(tmp_path, tracks="each")
        assert [starts(o) for o in collection.outputs] == [list(SCALE), [p - 24 for p in SCALE]]
        assert collection.report.windows_refused == {"silent": 1}  # a melody of drums

    def test_drums(self, tmp_path):
        self.write_band(tmp_path / "band.mid")
        collection = read(tmp_path, DrumConverter(bars=2), tracks="drums")
        assert collection.outputs.shape == (1, 32, 512)
        assert collection.inputs.shape == (1, 32, 10)

    def test_files_without_the_track(self, folder):
        report = read(folder, tracks="drums").report
        assert report.files_refused == {"no such track": 5, "damaged file": 1}
        assert report.windows_taken == 0

    def test_an_empty_result_has_the_shapes_of_others(self, folder):
        collection = read(folder, DrumConverter(bars=2))
        assert collection.outputs.shape == (0, 32, 512)
        assert len(collection.part("train")) == 0

    def test_transposed(self, folder):
        collection = read(folder / "b.mid", transpositions=(-1, 0, 100))
        assert [starts(o)[0] for o in collection.outputs] == [59, 60]
        assert collection.report.windows_refused == {"out of range": 1}

    def test_performances_hear_the_pedal(self, tmp_path):
        notes = melody(SCALE[:4], quarters=0.5)
        for time, value in ((0.0, 127), (1.5, 0)):
            notes.control_changes.add(time=time, control_number=64, control_value=value)
        write_midi(tmp_path / "a.mid", notes)
        converter = PerformanceConverter()
        (outputs,) = read(tmp_path, converter).outputs
        played = converter.decode(outputs)
        assert {round(note.end_time, 2) for note in played.notes} == {1.5}
        assert read(tmp_path, converter).lengths.shape == (1, 8)

    def test_chords_are_inferred_where_a_file_has_none(self, folder):
        collection = read(folder, MelodyConverter(bars=2, chords=True, key=True))
        assert collection.controls.shape == (4, 32, 61)
        symbols = dict(zip(collection.sources, collection.controls[:, 0].argmax(-1), strict=True))
        assert symbols["d.xml"] == 13  # C minor, as it states
        assert symbols["b.mid"] != 0  # C to F: some chord
        assert collection.controls[0, :, 49:].argmax(axis=-1).tolist() == [0] * 32  # in C

    @staticmethod
    def write_band(path):
        notes = melody(SCALE, program=40)
        for instrument, other in enumerate(
            (melody([p - 24 for p in SCALE], program=32), melody([36] * 8, is_drum=True)), start=1
        ):
            for note in other.notes:
                note.instrument = instrument
            notes.notes.extend(other.notes)
        for number, name in enumerate(("Melody", "Bass", "Kit")):
            notes.instrument_infos.add(instrument=number, name=name)
        write_midi(path, notes)


class TestSplits:
    def test_a_song_is_in_one_split(self, tmp_path):
        for number in range(60):
            write_song(
                tmp_path / f"{number}.mid", [40 + (number * 7 + i * i) % 60 for i in range(24)]
            )
        collection = read(tmp_path)
        by_song = {}
        for source, split in zip(collection.sources, collection.splits, strict=True):
            by_song.setdefault(source, set()).add(split)
        assert all(len(splits) == 1 for splits in by_song.values())
        assert {split for splits in by_song.values() for split in splits} == {
            "train",
            "valid",
            "test",
        }
        parts = [collection.part(split) for split in ("train", "valid", "test")]
        assert sum(map(len, parts)) == len(collection)
        assert set(parts[0].sources).isdisjoint(parts[1].sources)

    def test_given(self, folder):
        collection = read(folder, split={"c.mid": "test", "e.abc": "valid"})
        assert collection.report.files_refused == {"in no split": 4}
        assert collection.part("test").sources.tolist() == ["c.mid", "c.mid"]
        assert len(collection.part("train")) == 0

    def test_errors(self, folder):
        with pytest.raises(InputError, match="'validation'"):
            read(folder, split={"c.mid": "validation"})
        with pytest.raises(InputError, match="'dev'"):
            read(folder).part("dev")

    def test_groove(self, tmp_path):
        with (tmp_path / "info.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["drummer", "midi_filename", "split"])
            table.writerows([["1", "d1/a.mid", "train"], ["2", "d2/b.mid", "validation"]])
        assert groove_splits(tmp_path) == {"d1/a.mid": "train", "d2/b.mid": "valid"}
        (tmp_path / "info.csv").write_text("nothing,of,it\n1,2,3\n")
        with pytest.raises(FileError, match="midi_filename"):
            groove_splits(tmp_path)
        with pytest.raises(FileError, match=r"info\.csv"):
            groove_splits(tmp_path / "none")


class TestMusicFiles:
    def test_a_folder(self, folder):
        (folder / "._b.mid").write_bytes(b"what macOS leaves behind")
        expected = ["b.mid", "broken.mid", "c.mid", "d.xml", "deep/A.MID", "e.abc"]
        assert list(music_files(folder)) == expected

    def test_files(self, folder):
        files = [folder / "deep" / "A.MID", folder / "b.mid", folder / "b.mid"]
        assert list(music_files(files)) == ["b.mid", "deep/A.MID"]
        assert list(music_files(folder / "b.mid")) == ["b.mid"]

    def test_nothing(self, tmp_path):
        with pytest.raises(FileError, match="without any"):
            music_files(tmp_path)
        with pytest.raises(FileError, match="neither"):
            music_files(tmp_path / "none")
        with pytest.raises(FileError, match="received none"):
            music_files([])


@pytest.mark.parametrize(
    "options",
    [
        {"hop_bars": 0},
        {"tracks": 128},
        {"tracks": ()},
        {"tracks": " "},
        {"min_notes": 0},
        {"transpositions": ()},
        {"stretches": (0,)},
    ],
)
def test_arguments(folder, options):
    with pytest.raises(InputError, match=next(iter(options))):
        read(folder, **options)


def test_an_empty_report_is_a_table():
    assert "0 found" in str(Report())


@pytest.mark.shared
def test_pop909_in_bars_of_four():
    songs = shared_path("data/music/pop909")
    files = [songs / f"00{number}.mid" for number in range(1, 5)]
    collection = read(files, tracks="melody")
    # All four state 2/4, of which four bars are two of the converter's.
    assert {*collection.sources} == {file.name for file in files}
    assert len(collection) > 45
