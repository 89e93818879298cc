"""Weights in an .npz: exact, all or nothing, and nothing but plain arrays."""

import pickle
import zipfile

import keras
import numpy as np
import pytest

from latentgen.checkpoints.variables import read_variables, write_variables
from latentgen.errors import CheckpointError, FileError


def variables(seed=0):
    generator = np.random.default_rng(seed)
    return [
        keras.Variable(generator.normal(size=(3, 2)).astype("float32"), name="kernel"),
        keras.Variable(generator.normal(size=(2,)).astype("float32"), name="bias"),
        keras.Variable(np.int32(seed), dtype="int32", trainable=False, name="step"),
    ]


def arrays(variables):
    return [np.array(v) for v in variables]


def stored(path):
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def unchanged(path, error, match):
    """Reading `path` raises, and no variable has been touched."""
    own = variables(seed=1)
    before = arrays(own)
    with pytest.raises(error, match=match):
        read_variables(path, own)
    for old, new in zip(before, arrays(own), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.fixture
def path(tmp_path):
    target = tmp_path / "weights.npz"
    write_variables(target, variables(seed=7), epoch=3)
    return target


def test_round_trip_is_exact_and_returns_the_integers(path):
    own = variables(seed=1)
    assert read_variables(path, own) == {"epoch": 3}
    for ours, theirs in zip(arrays(own), arrays(variables(seed=7)), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


def test_an_optimiser_of_the_second_such_model_in_a_process_reads_the_firsts(tmp_path):
    def moments(name):
        layer = keras.layers.Dense(2, name=name)
        layer.build((None, 3))
        optimizer = keras.optimizers.Adam()
        optimizer.build(layer.trainable_variables)
        return optimizer.variables

    first = moments("critic_width")
    assert any("critic_width_kernel_momentum" in v.path for v in first)
    write_variables(tmp_path / "first.npz", first)
    read_variables(tmp_path / "first.npz", moments("critic_1_width"))
    write_variables(tmp_path / "second.npz", moments("critic_1_width"))
    read_variables(tmp_path / "second.npz", first)


def test_half_precision_halves_numbers_and_leaves_integers(tmp_path):
    path = tmp_path / "weights.npz"
    write_variables(path, variables(seed=70000), "float16")
    own = variables(seed=1)
    read_variables(path, own)
    kernel, _, step = arrays(variables(seed=70000))
    np.testing.assert_array_equal(arrays(own)[0], kernel.astype("float16").astype("float32"))
    assert int(own[2]) == int(step) == 70000
    assert stored(path)["0000:kernel"].dtype == np.float16


def test_weights_beyond_half_precision_are_not_written_as_infinity(tmp_path):
    path = tmp_path / "weights.npz"
    path.write_text("old")
    with pytest.raises(CheckpointError, match=r"kernel.*float16"):
        write_variables(
            path, [keras.Variable(np.array([1e6], "float32"), name="kernel")], "float16"
        )
    assert path.read_text() == "old"


def test_missing_file(tmp_path):
    unchanged(tmp_path / "none.npz", FileError, "expected a file with weights, found none")


@pytest.mark.parametrize("size", [0, 10, 200, -1])
def test_truncated_file(path, size):
    path.write_bytes(path.read_bytes()[:size])
    unchanged(path, FileError, "could not read it")


def test_every_damaged_byte_is_refused_or_harmless(path):
    """No flipped byte gets a foreign exception or half the weights through."""
    good = path.read_bytes()
    expected = arrays(variables(seed=7))
    for position in range(0, len(good), 3):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0xFF]) + good[position + 1 :])
        own = variables(seed=1)
        before = arrays(own)
        try:
            read_variables(path, own)
        except (FileError, CheckpointError):
            after = before
        else:
            after = expected  # a byte that says nothing about the content
        for ours, theirs in zip(arrays(own), after, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_directory_and_text_and_a_single_array(tmp_path):
    unchanged(tmp_path, FileError, "could not read it")
    text = tmp_path / "text.npz"
    text.write_text("no weights here")
    unchanged(text, FileError, "could not read it")
    with open(tmp_path / "one.npz", "wb") as file:
        np.save(file, np.zeros(3))
    unchanged(tmp_path / "one.npz", FileError, "could not read it")


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was run",))


def test_pickles_are_never_run(tmp_path):
    path = tmp_path / "weights.npz"
    np.savez(path, **{"0000:kernel": np.array([Bomb()], dtype=object)}, allow_pickle=True)
    unchanged(path, FileError, "could not read it")
    path.write_bytes(pickle.dumps(Bomb()))
    unchanged(path, FileError, "could not read it")


def test_a_header_that_promises_terabytes(tmp_path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }"
    header = header.ljust(117) + b"\n"
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    path = tmp_path / "weights.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("0000:kernel.npy", member)
    unchanged(path, FileError, "could not read it")


def rewritten(path, **changes):
    content = stored(path) | changes
    np.savez(path, **{k: v for k, v in content.items() if v is not None})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"0001:bias": None}, "another model: missing 0001:bias"),
        ({"0003:more": np.zeros(2)}, "another model: extra 0003:more"),
        ({"0000:kernel": np.zeros((2, 3))}, r"0000:kernel has shape \(2, 3\), expected \(3, 2\)"),
        ({"0000:kernel": np.full((3, 2), np.nan)}, "finite weights, found NaN or infinity"),
        ({"0001:bias": np.array([1.0, np.inf])}, "finite weights, found NaN or infinity"),
        ({"0001:bias": np.array(["a", "b"])}, "expected numbers"),
        ({"0001:bias": np.array([1 + 2j, 0])}, "expected numbers"),
        ({"0002:step": np.array(np.nan)}, "finite weights"),
        ({"extra:epoch": np.zeros(3)}, "expected numbers"),
        ({"extra:epoch": np.array("three")}, "expected numbers"),
    ],
)
def test_foreign_and_poisoned_weights(path, changes, message):
    rewritten(path, **changes)
    unchanged(path, CheckpointError, message)


def test_many_differences_are_counted_not_listed(path):
    own = [keras.Variable(np.zeros(2), name=f"v{k}") for k in range(6)]
    with pytest.raises(CheckpointError, match=r"and 6 more\. Load them into a model"):
        read_variables(path, own)
