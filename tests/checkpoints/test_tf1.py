"""TF1 checkpoints: written and read back, found in folders, damaged and hostile ones refused."""

import random
import shutil

import numpy as np
import pytest

from latentgen.checkpoints.tf1 import find_checkpoint, read_checkpoint, write_checkpoint
from latentgen.checkpoints.tf1_index import MAGIC, read_index
from latentgen.errors import FileError, InputError

TENSORS = {
    "decoder/kernel": np.arange(6, dtype="float32").reshape(2, 3),
    "decoder/none": np.zeros((0, 4), "float32"),
    "global_step": np.int64(7),
    "half": np.float16([0.5]),
}


@pytest.fixture
def folder(tmp_path):
    write_checkpoint(TENSORS, tmp_path / "run" / "model.ckpt-7")
    return tmp_path / "run"


def test_what_is_written_is_read_back(folder):
    names = {"checkpoint", "model.ckpt-7.index", "model.ckpt-7.data-00000-of-00001"}
    assert {path.name for path in folder.iterdir()} == names
    for name in ("", "model.ckpt-7", *(names - {"checkpoint"})):
        read = read_checkpoint(folder / name)
        assert read.keys() == TENSORS.keys()
        for key, value in TENSORS.items():
            assert read[key].dtype == value.dtype
            np.testing.assert_array_equal(read[key], value)
    assert read_checkpoint(folder, lambda name: name == "half").keys() == {"half"}
    with pytest.raises(InputError, match="at least one"):
        write_checkpoint({}, folder / "none")


def test_tensorflow_reads_what_is_written(folder):
    import tensorflow as tf

    assert tf.train.latest_checkpoint(str(folder)) == str(folder / "model.ckpt-7")
    reader = tf.train.load_checkpoint(str(folder))
    np.testing.assert_array_equal(reader.get_tensor("decoder/kernel"), TENSORS["decoder/kernel"])


def test_the_index_says_where_values_lie(folder):
    entries, shards = read_index(folder / "model.ckpt-7.index")
    assert shards == 1
    assert {name: entry.shape for name, entry in entries.items()} == {
        name: np.shape(value) for name, value in TENSORS.items()
    }
    assert entries["decoder/kernel"].size == 24


def test_the_checkpoint_of_a_folder(folder):
    for step in (9, 10):
        write_checkpoint({"a": np.float32(step)}, folder / f"model.ckpt-{step}")
    assert find_checkpoint(folder).name == "model.ckpt-10"
    state = folder / "checkpoint"
    state.write_text('model_checkpoint_path: "/data/somebody/run/model.ckpt-9"\n')
    assert find_checkpoint(folder).name == "model.ckpt-9"
    state.write_text('model_checkpoint_path: "C:\\\\run\\\\model.ckpt-7"\n')
    assert find_checkpoint(folder).name == "model.ckpt-7"
    state.write_text('model_checkpoint_path: "model.ckpt-11"\n')
    assert find_checkpoint(folder).name == "model.ckpt-10"
    state.unlink()
    assert find_checkpoint(folder).name == "model.ckpt-10"


def test_a_run_of_music_vae_train(folder):
    folder.rename(folder.parent / "train")
    assert find_checkpoint(folder.parent) == folder.parent / "train" / "model.ckpt-7"


def test_folders_without_a_step(tmp_path):
    write_checkpoint(TENSORS, tmp_path / "mel.ckpt")
    (tmp_path / "checkpoint").unlink()
    assert find_checkpoint(tmp_path).name == "mel.ckpt"
    write_checkpoint(TENSORS, tmp_path / "drums.ckpt")
    (tmp_path / "checkpoint").unlink()
    with pytest.raises(FileError, match=r"found drums.ckpt, mel.ckpt: name one"):
        find_checkpoint(tmp_path)


def test_nothing_there(tmp_path):
    with pytest.raises(FileError, match="folder with a checkpoint"):
        read_checkpoint(tmp_path)
    with pytest.raises(FileError, match=r"model.ckpt-3.index, found none"):
        read_checkpoint(tmp_path / "model.ckpt-3")
    (tmp_path / "a.index").write_bytes(b"")
    with pytest.raises(FileError, match="no footer"):
        read_checkpoint(tmp_path / "a")


def test_values_that_are_missing_or_cut_off(folder):
    data = folder / "model.ckpt-7.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(FileError, match="cut off"):
        read_checkpoint(folder)
    data.unlink()
    with pytest.raises(FileError, match=r"data-00000-of-00001: expected the values"):
        read_checkpoint(folder)


def test_damaged_bytes_are_refused(folder):
    """Either nothing was read of what changed, or a FileError says so; nothing else happens."""
    rng = random.Random(0)
    for suffix in (".index", ".data-00000-of-00001"):
        path = folder / f"model.ckpt-7{suffix}"
        sound = path.read_bytes()
        for k in range(60):
            bytes_ = bytearray(sound)
            if k % 3 == 0:
                del bytes_[rng.randrange(len(bytes_)) :]
            else:
                for _ in range(k % 3):
                    bytes_[rng.randrange(len(bytes_))] ^= 1 << rng.randrange(8)
            path.write_bytes(bytes_)
            try:
                read = read_checkpoint(folder)
            except FileError:
                continue
            for name, value in TENSORS.items():
                np.testing.assert_array_equal(read[name], value)
        path.write_bytes(sound)


def varint(number):
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes([*encoded, number])


def block(items):
    data = b"".join(varint(0) + varint(len(k)) + varint(len(v)) + k + v for k, v in items)
    return data + (0).to_bytes(4, "little") + (1).to_bytes(4, "little")


def index_with(entry, shards=1):
    """The bytes of an index with an entry 'x', its checksums left out."""
    from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleHeaderProto

    header = BundleHeaderProto(num_shards=shards).SerializeToString()
    values = block([(b"", header), (b"x", entry)])
    blocks = block([(b"y", varint(0) + varint(len(values)))])
    at = len(values) + 5
    footer = varint(0) + varint(0) + varint(at) + varint(len(blocks))
    return values + bytes(5) + blocks + bytes(5) + footer.ljust(40, b"\0") + MAGIC


def entry(shape, size=16, dtype=1, **fields):
    from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto

    result = BundleEntryProto(dtype=dtype, size=size, **fields)
    for dimension in shape:
        result.shape.dim.add(size=dimension)
    return result.SerializeToString()


def hostile():
    yield "a shape of terabytes", entry([1 << 20, 1 << 20], 1 << 42), "cut off"
    yield "a shape that its size is not", entry([1 << 30]), "cannot be of 16 bytes"
    yield "a negative dimension", entry([-4, -1]), "shape"
    yield "a shape beyond numbers", entry([1 << 40, 1 << 40]), "cannot be of"
    yield "a shape of many dimensions", entry([1] * 300, 4), "shape"
    yield "text", entry([4], dtype=7), "not of numbers"
    yield "no type", entry([4], dtype=999), "not of numbers"
    yield "another file", entry([4], shard_id=7), "cut off"
    yield "beyond the file", entry([4], offset=1 << 40), "cut off"
    yield "before the file", entry([4], offset=-8), "cannot be of"
    yield "no entry", b"\xff" * 5, "damaged"


@pytest.mark.parametrize(("entry", "reason"), [pytest.param(e, r, id=n) for n, e, r in hostile()])
def test_a_hostile_index_is_refused_before_tensorflow_sees_it(tmp_path, monkeypatch, entry, reason):
    """TensorFlow would end the process at some of these, and allocate what others claim."""
    import tensorflow as tf

    (tmp_path / "x.index").write_bytes(index_with(entry))
    (tmp_path / "x.data-00000-of-00001").write_bytes(bytes(16))
    monkeypatch.delattr(tf.train, "load_checkpoint")
    with pytest.raises(FileError, match=reason):
        read_checkpoint(tmp_path)


def test_a_sound_index_of_this_kind_goes_on_to_tensorflow(tmp_path):
    (tmp_path / "x.index").write_bytes(index_with(entry([4])))
    (tmp_path / "x.data-00000-of-00001").write_bytes(bytes(16))
    assert read_index(tmp_path / "x.index")[0]["x"].shape == (4,)
    with pytest.raises(FileError, match="could not read it"):  # its checksums are wrong
        read_checkpoint(tmp_path)


def test_a_huge_index_is_not_read(tmp_path):
    with open(tmp_path / "x.index", "wb") as file:
        file.truncate(1 << 34)
    with pytest.raises(FileError, match="up to"):
        read_checkpoint(tmp_path)


def test_a_folder_is_written_over(folder):
    shutil.copytree(folder, folder.parent / "copy")
    write_checkpoint({"half": np.float16([1.5])}, folder / "model.ckpt-7")
    assert read_checkpoint(folder)["half"] == 1.5
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        p.name for p in (folder.parent / "copy").iterdir()
    )
