import gzip

import numpy as np
import pytest

from latentgen.errors import FileError, InputError
from latentgen.music.converters import DrumConverter, MelodyConverter
from latentgen.music.data import MusicBatches
from latentgen.music.reading.records import read_header, read_records, write_records
from tests.music.test_data import collection

pytest.importorskip("tensorflow")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "train.tfrecord"
    write_records(path, collection(10))
    return path


def batches(dataset):
    return [{name: array.numpy() for name, array in batch.items()} for (batch,) in dataset]


def test_what_is_written_is_read(path):
    read = batches(read_records(path, MelodyConverter(bars=1), batch_size=4))
    expected = [batch for (batch,) in MusicBatches(collection(10), batch_size=4).once()]
    assert len(read) == 3
    for ours, theirs in zip(read, expected, strict=True):
        assert set(ours) == set(theirs) == {"sequence", "length"}
        for name, array in theirs.items():
            np.testing.assert_array_equal(ours[name], array)
            assert ours[name].dtype == array.dtype


@pytest.mark.parametrize(
    ("converter", "lowest"),
    [
        (DrumConverter(bars=1), 35),
        (MelodyConverter(bars=1, chords=True, key=True), 60),
    ],
)
def test_inputs_and_controls(tmp_path, converter, lowest):
    music = collection(3, converter, lowest)
    write_records(tmp_path / "a", music)
    (read,) = batches(read_records(tmp_path / "a", converter))
    (expected,) = [batch for (batch,) in MusicBatches(music).once()]
    assert set(read) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(read[name], array)


def test_lengths_of_segments_and_real_numbers(tmp_path):
    music = collection(3)
    lengths = np.arange(24, dtype="int32").reshape(3, 8)
    values = np.random.default_rng(0).normal(size=music.outputs.shape).astype("float32")
    for name, array in (("lengths", lengths), ("outputs", values)):
        object.__setattr__(music, name, array)
    write_records(tmp_path / "a", music)
    (read,) = batches(read_records(tmp_path / "a", music.converter))
    np.testing.assert_array_equal(read["length"], lengths)
    np.testing.assert_array_equal(read["sequence"], values)


def test_order(path):
    def notes(**options):
        dataset = read_records(path, MelodyConverter(bars=1), batch_size=4, **options).take(3)
        found = [batch["sequence"][:, 0].argmax(axis=-1) + 19 for batch in batches(dataset)]
        return np.concatenate(found).tolist()

    assert notes() == list(range(60, 70))
    shuffled = notes(seed=1)
    assert shuffled != notes()
    assert sorted(shuffled) == notes()
    assert shuffled == notes(seed=1)
    assert notes(repeat=True) == [*range(60, 70), 60, 61]


def test_fewer_examples_than_a_batch(path):
    dataset = read_records(path, MelodyConverter(bars=1), batch_size=64, repeat=True)
    assert next(iter(dataset))[0]["sequence"].shape == (64, 16, 90)


def test_one_hots_are_small(path):
    assert path.stat().st_size < collection(10).outputs.nbytes / 10


def test_another_converter_is_refused(path):
    assert read_header(path)["examples"] == 10
    for other in (MelodyConverter(bars=2), MelodyConverter(bars=1, key=True), DrumConverter()):
        with pytest.raises(InputError, match="with this converter"):
            read_records(path, other)


def test_other_files_are_refused(tmp_path, path):
    converter = MelodyConverter(bars=1)
    whole = path.read_bytes()
    other = tmp_path / "other"
    for data in (b"", b"hello", whole[:40], gzip.compress(b"hello"), gzip.compress(b"")):
        other.write_bytes(data)
        with pytest.raises(FileError, match="other: expected"):
            read_records(other, converter)
    with pytest.raises(FileError, match="received none"):
        read_records(tmp_path / "none", converter)


def test_no_examples_and_a_failed_write_leave_what_was_there(path):
    before = path.read_bytes()
    with pytest.raises(InputError, match="at least one"):
        write_records(path, collection(2).take(np.array([], int)))
    broken = collection(2)
    object.__setattr__(broken, "positions", np.array([]))
    with pytest.raises(IndexError):
        write_records(path, broken)
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1
