import csv
import importlib.util

import numpy as np
import pytest

from latentgen.errors import FileError, InputError
from latentgen.music.converters import DrumConverter, GrooveConverter, MelodyConverter
from latentgen.music.reading.collection import read_collection
from latentgen.splits import split_of
from tests.music.songs import SCALE, melody, write_song

tfds = pytest.importorskip("tensorflow_datasets")
tfds_builder = pytest.importorskip("latentgen.music.reading.tfds_builder")


def config(folder, converter=None, **options):
    converter = converter or MelodyConverter(bars=2)
    return tfds_builder.MusicConfig(converter=converter, folder=folder, workers=0, **options)


def prepared(builder_class, tmp_path, configuration):
    builder = builder_class(data_dir=tmp_path / "data", config=configuration)
    builder.download_and_prepare()
    return builder


def examples(builder, split):
    return sorted(
        tfds.as_numpy(builder.as_dataset(split=split)),
        key=lambda e: (e["source"], int(e["position"])),
    )


@pytest.fixture
def folder(tmp_path):
    """Songs of every split, each with a melody of its own."""
    folder = tmp_path / "songs"
    wanted = {"train": 3, "valid": 2, "test": 2}
    number = 0
    while any(wanted.values()):
        name = f"{number}.mid"
        if wanted[split_of(name)]:
            wanted[split_of(name)] -= 1
            write_song(folder / name, [40 + number % 40, *SCALE[1:], *SCALE])
        number += 1
    return folder


def test_a_folder_gives_what_read_collection_gives(tmp_path, folder):
    builder = prepared(tfds_builder.MusicFolder, tmp_path, config(folder))
    assert set(builder.info.splits) == {"train", "valid", "test"}
    collection = read_collection(folder, MelodyConverter(bars=2), workers=0)
    for split in builder.info.splits:
        expected = collection.part(split)
        found = examples(builder, split)
        assert [e["source"].decode() for e in found] == expected.sources.tolist()
        for example, outputs in zip(found, expected.outputs, strict=True):
            assert set(example) == {"outputs", "length", "source", "position"}
            np.testing.assert_array_equal(example["outputs"], outputs)
            assert example["length"] == 32


def test_inputs_and_controls(tmp_path, folder):
    for song in folder.iterdir():
        write_song(song, [36, 38, 42, 46] * 2, is_drum=True)
    converter = GrooveConverter(bars=2, humanize=True, hits_as_controls=True)
    builder = prepared(tfds_builder.MusicFolder, tmp_path, config(folder, converter))
    (split,) = builder.info.splits  # all songs are one, which is kept once
    (example,) = examples(builder, split)
    assert example["outputs"].shape == example["inputs"].shape == (32, 27)
    assert example["outputs"].dtype == np.float32
    assert example["outputs"][:, 9:].any()
    assert not example["inputs"][:, 9:].any()
    assert example["controls"].shape == (32, 9)


def test_groove_has_its_own_splits(tmp_path):
    folder = tmp_path / "groove"
    parts = {"a": "train", "b": "validation", "c": "test"}
    for number, name in enumerate(parts):
        write_song(folder / "d1" / f"{name}.mid", [36, 42 + 4 * number] * 4, is_drum=True)
    with (folder / "info.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["midi_filename", "split"])
        table.writerows([f"d1/{name}.mid", split] for name, split in parts.items())
    builder = prepared(tfds_builder.Groove, tmp_path, config(folder, DrumConverter(bars=2)))
    for split, name in (("train", "a"), ("valid", "b"), ("test", "c")):
        (example,) = examples(builder, split)
        assert example["source"].decode() == f"d1/{name}.mid"
        assert example["outputs"].shape == (32, 512)
        assert example["inputs"].shape == (32, 10)


def test_pop909_takes_melodies_and_no_other_versions(tmp_path):
    from latentgen.music.reading.files import write_midi

    notes = melody(SCALE)
    other = melody([40, 43] * 4)
    for note in other.notes:
        note.instrument = 1
    notes.notes.extend(other.notes)
    for number, name in enumerate(("MELODY", "PIANO")):
        notes.instrument_infos.add(instrument=number, name=name)
    write_midi(tmp_path / "pop" / "001" / "001.mid", notes)
    write_song(tmp_path / "pop" / "001" / "versions" / "001-v1.mid", SCALE[::-1])
    builder = prepared(tfds_builder.POP909, tmp_path, config(tmp_path / "pop"))
    (split,) = builder.info.splits
    (example,) = examples(builder, split)
    classes = example["outputs"].argmax(axis=-1)
    assert (classes[::4] + 19).tolist() == list(SCALE)


def test_configurations_that_differ_have_names_that_differ(tmp_path):
    configurations = [
        config(tmp_path),
        config(tmp_path / "other"),
        config(tmp_path, tracks="melody"),
        config(tmp_path, hop_bars=1),
        config(tmp_path, min_notes=2),
        config(tmp_path, MelodyConverter(bars=2, key=True)),
        config(tmp_path, DrumConverter(bars=2)),
    ]
    assert len({c.name for c in configurations}) == len(configurations)
    assert configurations[0].name == config(tmp_path).name


def test_errors(tmp_path):
    with pytest.raises(InputError, match="converter: expected"):
        config(tmp_path, "melody")
    with pytest.raises(InputError, match="MusicConfig"):
        tfds_builder.MusicFolder(data_dir=tmp_path)
    (tmp_path / "songs").mkdir()
    with pytest.raises(InputError, match="folder: expected"):
        prepared(tfds_builder.MusicFolder, tmp_path, config(None))
    write_song(tmp_path / "songs" / "short.mid", [60])
    with pytest.raises(FileError, match="too short"):
        prepared(tfds_builder.MusicFolder, tmp_path, config(tmp_path / "songs"))


@pytest.mark.skipif(
    importlib.util.find_spec("apache_beam") is None,
    reason="needs Apache Beam: pip install 'latentgen[beam]'",
)
def test_beam_gives_what_a_folder_gives(tmp_path, folder):
    import apache_beam as beam

    from latentgen.music.reading.beam_pipeline import MusicFolderBeam

    (folder / "broken.mid").write_bytes(b"MThd, it says")
    configuration = config(folder)
    small = prepared(tfds_builder.MusicFolder, tmp_path, configuration)
    large = MusicFolderBeam(data_dir=tmp_path / "data", config=configuration)
    options = beam.options.pipeline_options.PipelineOptions(["--runner=DirectRunner"])
    large.download_and_prepare(download_config=tfds.download.DownloadConfig(beam_options=options))
    assert set(large.info.splits) == {"train", "valid", "test"}
    for split in large.info.splits:
        for ours, theirs in zip(examples(large, split), examples(small, split), strict=True):
            assert set(ours) == set(theirs)
            for name, value in theirs.items():
                np.testing.assert_array_equal(ours[name], value)


def test_without_beam_it_is_said(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delitem(sys.modules, "latentgen.music.reading.beam_pipeline", raising=False)
    with pytest.raises(ImportError, match=r"latentgen\[beam\]"):
        importlib.import_module("latentgen.music.reading.beam_pipeline")
