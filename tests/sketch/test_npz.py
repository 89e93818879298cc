"""sketch-rnn archives: published ones are read, NumPy reads ours, hostile ones run nothing."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentgen.errors import FileError, InputError
from latentgen.sketch.npz import read_npz, write_npz
from latentgen.sketch.strokes import normalising_scale
from tests.shared import shared_path

DRAWINGS = [
    np.array([[1, 2, 0], [3, -4, 1]], np.int16),
    np.array([[5, 6, 1]], np.int16),
    np.array([[1, 2, 0], [3, 4, 0], [0, 0, 1]], np.int16),
]


def object_array(items: list) -> np.ndarray:
    array = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        array[i] = item
    return array


def archive(path: Path, payload: bytes, shape: tuple = (1,), key: str = "train") -> Path:
    """An .npz whose object array is any pickle at all."""
    file = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(f"{key}.npy", file.getvalue() + payload)
    return path


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64, ">i4", np.uint8, np.float16])
@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_every_number_type_and_pickle_protocol(tmp_path: Path, dtype: Any, protocol: int):
    array = object_array([np.abs(d).astype(dtype) for d in DRAWINGS])
    path = archive(tmp_path / "a.npz", pickle.dumps(array, protocol), array.shape)
    got = read_npz(path)
    assert got["valid"] == []
    for a, b in zip(got["train"], DRAWINGS, strict=True):
        np.testing.assert_array_equal(a, np.abs(b))
        assert a.dtype == np.float32


def test_fortran_order_and_what_numpy_itself_saves(tmp_path: Path):
    array = object_array([np.asfortranarray(d) for d in DRAWINGS])
    np.savez_compressed(
        tmp_path / "a.npz", train=array, valid=array[:1], test=np.stack([DRAWINGS[0]] * 2)
    )
    got = read_npz(tmp_path / "a.npz")
    np.testing.assert_array_equal(got["train"][2], DRAWINGS[2])
    np.testing.assert_array_equal(got["valid"][0], DRAWINGS[0])
    np.testing.assert_array_equal(got["test"][1], DRAWINGS[0])  # a plain array of three dimensions


def test_several_files_are_joined_in_order(tmp_path: Path):
    write_npz(tmp_path / "a.npz", {"train": DRAWINGS[:1], "test": DRAWINGS[:2]})
    write_npz(tmp_path / "b.npz", {"train": DRAWINGS[1:]})
    got = read_npz(tmp_path / "a.npz", tmp_path / "b.npz")
    assert [len(got[split]) for split in ("train", "valid", "test")] == [3, 0, 2]
    for a, b in zip(got["train"], DRAWINGS, strict=True):
        np.testing.assert_array_equal(a, b)


def test_written_files_are_what_sketch_rnn_loads(tmp_path: Path):
    fractions = np.array([[0.1, 40000, 1]], np.float32)
    write_npz(tmp_path / "a.npz", {"train": DRAWINGS, "valid": [fractions]})
    # This is the line of Magenta's loader; the file is the test's own.
    loaded = np.load(tmp_path / "a.npz", allow_pickle=True, encoding="latin1")
    assert [d.dtype for d in loaded["train"]] == [np.int16] * 3
    np.testing.assert_array_equal(loaded["train"][0], DRAWINGS[0])
    np.testing.assert_array_equal(loaded["valid"][0], fractions)
    assert loaded["valid"].dtype == object
    assert len(loaded["test"]) == 0
    with zipfile.ZipFile(tmp_path / "a.npz") as z:
        assert b"numpy._core" not in z.read("train.npy")  # which NumPy 1 could not import


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "a.npz"
    write_npz(path, {"train": DRAWINGS})
    before = path.read_bytes()
    nan: list = [[[np.nan, 0, 1]]]
    bads: tuple[dict, ...] = ({"train": nan}, {"dev": DRAWINGS}, {"train": []}, {})
    for bad in bads:
        with pytest.raises(InputError):
            write_npz(path, bad)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


class Evil:
    """Runs a function when unpickled."""

    def __init__(self, function: object, *arguments: object):
        self.call: tuple = (function, arguments)

    def __reduce__(self) -> tuple:
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_code_in_an_archive_does_not_run(tmp_path: Path, protocol: int):
    trace = tmp_path / "ran"
    payloads: list = [
        Evil(Path.touch, trace),
        object_array([Evil(Path.touch, trace)]),
        object_array([DRAWINGS[0], [Evil(Path.touch, trace)]]),
        Evil(exec, f"open({str(trace)!r}, 'w')"),
        Evil(np.load, str(trace)),
        Evil(np.fromfile, str(trace)),
    ]
    for payload in payloads:
        path = archive(tmp_path / "evil.npz", pickle.dumps(payload, protocol))
        with pytest.raises(FileError, match=r"evil.npz: .* code: it asks for") as caught:
            read_npz(path)
        assert "\n" not in str(caught.value)
        assert not trace.exists()


def state(shape: object, dtype: object, data: object) -> bytes:
    """A pickled array of one array with a state of one's choice, in the words of pickle itself."""
    inner = pickle.dumps((1, shape, dtype, False, data), 2)[2:-1]
    create = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
    outer = b"(K\x01K\x01\x85cnumpy\ndtype\nU\x02O8\x85R\x89]" + create + inner + b"ba" + b"tb."
    return b"\x80\x02" + create + outer


@pytest.mark.parametrize(
    "payload",
    [
        state((10**12, 3), np.dtype("f4"), b"0000"),
        state((-1, 3), np.dtype("f4"), b"0" * 12),
        state((1, 3), np.dtype("U1"), b"0" * 12),
        state((1, 3), np.dtype("O"), b"0" * 24),
        state((1, 3), None, b"0" * 12),
        state(None, np.dtype("f4"), b""),
        state((1, 3), np.dtype("f4"), 5),
        state((1, 3), np.dtype("f4"), [1, 2, 3]),
        b"\x80\x02r\xff\xff\xff\xff.",  # a memo index of four thousand million
        b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.",  # a string of as many bytes as there can be
        b"\x80\x02" + b"(" * 100_000 + b".",
        pickle.dumps(DRAWINGS),
        pickle.dumps(object_array([DRAWINGS, None])),
        pickle.dumps(object_array(["text"])),
        b"",
        b"no pickle",
    ],
)
def test_forged_arrays_are_refused(tmp_path: Path, payload: bytes):
    path = archive(tmp_path / "forged.npz", payload)
    with pytest.raises(FileError, match=r"forged\.npz: expected a sketch-rnn"):
        read_npz(path)


def test_the_forger_of_these_tests_can_also_make_a_sound_archive(tmp_path: Path):
    data = np.array([1, 2, 1], np.float32)
    path = archive(tmp_path / "sound.npz", state((1, 3), np.dtype("f4"), data.tobytes()))
    assert read_npz(path)["train"][0].tolist() == [[1, 2, 1]]


def test_bombs_are_refused_unopened(tmp_path: Path):
    path = archive(tmp_path / "bomb.npz", b"\0" * 2**26)
    assert path.stat().st_size < 2**17
    with pytest.raises(FileError, match="bytes that claim to unpack to 671"):
        read_npz(path)


def test_a_header_that_claims_too_much_is_refused(tmp_path: Path):
    file = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (10**12, 5, 3)}
    np.lib.format.write_array_header_1_0(file, header)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as z:
        z.writestr("train.npy", file.getvalue())
    with pytest.raises(FileError, match=r"shape .1000000000000, 5, 3."):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("name", "train", "scale"), [("aaron_sheep", 7400, 18.52), ("kanji.rdp200", 10358, 22.73)]
)
def test_published_files(name: str, train: int, scale: float):
    got = read_npz(shared_path(f"data/sketches/sketch_rnn_datasets/{name}.npz"))
    assert len(got["train"]) == train
    assert normalising_scale(got["train"]) == pytest.approx(scale, abs=0.01)
