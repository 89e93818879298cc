"""Bad input of every kind: a typed error of one line that names the file, nothing destroyed."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from latentgen.errors import FileError, InputError
from latentgen.sketch import strokes
from latentgen.sketch.formats import read_drawings
from latentgen.sketch.render import picture

GOOD_LINE = b'{"word":"cat","key_id":"1","recognized":true,"drawing":[[[1,2],[3,4]]]}\n'
SVG = '<svg xmlns="http://www.w3.org/2000/svg">'
LAUGHS = (
    '<!DOCTYPE svg [<!ENTITY a "lol">'
    + "".join(
        f'<!ENTITY {name} "{("&" + before + ";") * 10}">'
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + f"]>{SVG}<text>&i;</text></svg>"
)
SECRET = f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>{SVG}<text>&x;</text></svg>'


def objects(*items: object) -> np.ndarray:
    array = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        array[i] = item
    return array


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def claims(shape: tuple) -> bytes:
    file = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


GOOD = np.array([[1, 2, 0], [3, 4, 1]], np.int16)
GOOD_NPZ = npz(train=objects(GOOD))


def drawing(text: str) -> bytes:
    return GOOD_LINE.replace(b"[[[1,2],[3,4]]]", text.encode())


BAD_FILES: dict[str, tuple[str, bytes]] = {
    "ndjson: empty": ("a.ndjson", b""),
    "ndjson: truncated": ("a.ndjson", GOOD_LINE + GOOD_LINE[:40]),
    "ndjson: binary": ("a.ndjson", bytes(range(256)) * 4),
    "ndjson: not UTF-8": ("a.ndjson", GOOD_LINE.replace(b"cat", b"\xff\xfe")),
    "ndjson: UTF-16": ("a.ndjson", GOOD_LINE.decode().encode("utf-16")),
    "ndjson: a list": ("a.ndjson", b"[1, 2]\n"),
    "ndjson: a number": ("a.ndjson", b"5\n"),
    "ndjson: no drawing": ("a.ndjson", GOOD_LINE.replace(b"drawing", b"strokes")),
    "ndjson: no word": ("a.ndjson", GOOD_LINE.replace(b"word", b"name")),
    "ndjson: drawing without strokes": ("a.ndjson", drawing("[]")),
    "ndjson: stroke without points": ("a.ndjson", drawing("[[[],[]]]")),
    "ndjson: unequal lengths": ("a.ndjson", drawing("[[[1,2],[3]]]")),
    "ndjson: one axis": ("a.ndjson", drawing("[[[1,2]]]")),
    "ndjson: NaN": ("a.ndjson", drawing("[[[1,NaN],[3,4]]]")),
    "ndjson: infinity": ("a.ndjson", drawing("[[[1,-Infinity],[3,4]]]")),
    "ndjson: beyond float64": ("a.ndjson", drawing("[[[1,1e999],[3,4]]]")),
    "ndjson: huge": ("a.ndjson", drawing("[[[1,2],[3,1e7]]]")),
    "ndjson: endless digits": ("a.ndjson", drawing(f"[[[1,{'9' * 5000}],[3,4]]]")),
    "ndjson: text": ("a.ndjson", drawing('[[[1,"2"],[3,4]]]')),
    "ndjson: null": ("a.ndjson", drawing("[[[1,null],[3,4]]]")),
    "ndjson: nested too deep": ("a.ndjson", b"[" * 200_000),
    "npz: empty": ("a.npz", b""),
    "npz: no zip": ("a.npz", b"this is no archive at all"),
    "npz: truncated": ("a.npz", GOOD_NPZ[: len(GOOD_NPZ) // 2]),
    "npz: damaged": ("a.npz", GOOD_NPZ[:60] + b"\0\0\0\0" + GOOD_NPZ[64:]),
    "npz: wrong keys": ("a.npz", npz(data=objects(GOOD))),
    "npz: a zip without arrays": ("a.npz", zipped("train.npy", b"hello")),
    "npz: of text": ("a.npz", npz(train=np.array(["a", "b"]))),
    "npz: of strings": ("a.npz", npz(train=objects("a", "b"))),
    "npz: of complex numbers": ("a.npz", npz(train=objects(GOOD.astype(complex)))),
    "npz: of truth values": ("a.npz", npz(train=objects(GOOD.astype(bool)))),
    "npz: of dates": ("a.npz", npz(train=objects(GOOD.astype("M8[s]")))),
    "npz: NaN": ("a.npz", npz(train=objects(GOOD * np.nan))),
    "npz: wrong shape": ("a.npz", npz(train=objects(GOOD[:, :2]))),
    "npz: flat": ("a.npz", npz(train=objects(GOOD[:, 0]))),
    "npz: drawing without points": ("a.npz", npz(train=objects(GOOD[:0]))),
    "npz: pen of 7": ("a.npz", npz(train=objects(GOOD * 7))),
    "npz: huge": ("a.npz", npz(train=objects(GOOD.astype(float) * [1e8, 1, 1]))),
    "npz: claims too much": ("a.npz", zipped("train.npy", claims((10**9, 9, 3)))),
    "npz: negative shape": ("a.npz", zipped("train.npy", claims((-1, 3)))),
    "npy: empty": ("a.npy", b""),
    "npy: truncated": ("a.npy", npy(GOOD)[:-3]),
    "npy: binary": ("a.npy", struct.pack("100d", *range(100))),
    "npy: version of the future": ("a.npy", b"\x93NUMPY\x09\x00" + npy(GOOD)[8:]),
    "npy: header that is code": ("a.npy", npy(GOOD).replace(b"False", b"exit()")),
    "npy: infinity": ("a.npy", npy(GOOD + np.inf)),
    "npy: four columns": ("a.npy", npy(np.zeros((3, 4)))),
    "npy: probabilities": ("a.npy", npy(np.full((3, 5), 0.2) * [1, 1, 1, 1, 0])),
    "npy: claims too much": ("a.npy", claims((10**12, 3))),
    "npy: one number": ("a.npy", npy(np.array(5.0))),
    "svg: empty": ("a.svg", b""),
    "svg: truncated": ("a.svg", f'{SVG}<path d="M0 0L1 1"/>'.encode()),
    "svg: binary": ("a.svg", bytes(range(256))),
    "svg: entity bomb": ("a.svg", LAUGHS.encode()),
    "svg: entity of a file": ("a.svg", SECRET.encode()),
    "svg: without any path": ("a.svg", f"{SVG}<text>cat</text></svg>".encode()),
    "svg: HTML": ("a.svg", b"<html><body/></html>"),
    "svg: unknown encoding": ("a.svg", b'<?xml version="1.0" encoding="klingon"?>' + SVG.encode()),
    "svg: NaN": ("a.svg", f'{SVG}<polyline points="0,0 nan,nan"/></svg>'.encode()),
    "svg: huge": ("a.svg", f'{SVG}<line x1="0" x2="1e8"/></svg>'.encode()),
    "svg: refers to itself": ("a.svg", f'{SVG}<use id="a" href="#a"/></svg>'.encode()),
    "unknown ending": ("a.txt", b"cat"),
    "no ending": ("a", b"cat"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_one_clear_error(tmp_path: Path, kind: str):
    name, content = BAD_FILES[kind]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileError) as caught:
        read_drawings(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "expected" in message
    assert len(message.splitlines()) == 1
    assert len(message) < len(str(path)) + 300
    assert "root:" not in message
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_missing_files_and_empty_folders(tmp_path: Path):
    for path in (tmp_path, tmp_path / "nothing.npz", tmp_path / "nothing"):
        with pytest.raises(FileError) as caught:
            read_drawings(path)
        assert str(caught.value).startswith(f"{path}: expected")
        assert len(str(caught.value).splitlines()) == 1


def test_a_bad_file_in_a_folder_is_named(tmp_path: Path):
    (tmp_path / "a.ndjson").write_bytes(GOOD_LINE)
    (tmp_path / "b.ndjson").write_bytes(GOOD_LINE + b"oops\n")
    with pytest.raises(FileError, match=r"b\.ndjson: line 2: expected a JSON object"):
        read_drawings(tmp_path)


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self) -> tuple[Callable, tuple]:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
def test_a_malicious_pickle_does_not_run(tmp_path: Path, name: str):
    trace, path = tmp_path / "ran", tmp_path / name
    array = objects(GOOD, Evil(trace))
    path.write_bytes(npz(train=array) if name.endswith("z") else npy(array))
    # The file is truly malicious: NumPy, told to trust it, runs it.
    np.load(path, allow_pickle=True)["train" if name.endswith("z") else ...]
    assert trace.exists()
    trace.unlink()
    with pytest.raises(FileError, match=r"code: it asks for pathlib\S*\.") as caught:
        read_drawings(path)
    assert len(str(caught.value).splitlines()) == 1
    assert not trace.exists()
    path.write_bytes(pickle.dumps(Evil(trace)))
    with pytest.raises(FileError):
        read_drawings(path)
    assert not trace.exists()


BAD_DRAWINGS: dict[str, object] = {
    "NaN": [[np.nan, 0, 1]],
    "infinity": [[0, -np.inf, 1]],
    "pen of 2": [[0, 0, 2]],
    "pen between": [[0, 0, 0.5]],
    "two columns": [[0, 0]],
    "stroke-5": [[0, 0, 1, 0, 0]],
    "one dimension": [1, 2, 1],
    "three dimensions": [[[0, 0, 1]]],
    "ragged": [[0, 0, 1], [0, 0]],
    "text": [["0", "0", "1"]],
    "objects": [[None, 0, 1]],
    "complex": [[1j, 0, 1]],
    "huge offset": [[2e6, 0, 1]],
    "huge position": [[9e5, 0, 0], [9e5, 0, 1]],
    "no array": "cat",
    "nothing": None,
    "a dictionary": {"dx": 1},
}


@pytest.mark.parametrize("kind", BAD_DRAWINGS)
def test_a_bad_drawing_is_one_clear_error(kind: str):
    for function in (
        strokes.check_drawing,
        strokes.to_stroke5,
        strokes.to_lines,
        strokes.simplify,
        lambda d: strokes.normalise(d, 1.0),
        lambda d: strokes.normalising_scale([d]),
        lambda d: picture([d]),
    ):
        with pytest.raises(InputError) as caught:
            function(BAD_DRAWINGS[kind])
        assert "expected" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: strokes.normalise([[1, 1, 1]], 0.0),
        lambda: strokes.normalise([[1, 1, 1]], float("nan")),
        lambda: strokes.normalising_scale([]),
        lambda: strokes.normalising_scale([[[0, 0, 1]]]),
        lambda: strokes.simplify([[1, 1, 1]], tolerance=-1),
        lambda: strokes.simplify([[1, 1, 1]], tolerance=float("nan")),
        lambda: strokes.augment([[1, 1, 1]], np.random.default_rng(0), scale=1.5),
        lambda: strokes.augment([[1, 1, 1]], np.random.default_rng(0), drop=-0.1),
        lambda: strokes.to_stroke3([[0, 0, 1, 1, 0]]),
        lambda: strokes.to_stroke3([[np.nan, 0, 1, 0, 0]]),
        lambda: strokes.to_stroke3([[0, 0, 1]]),
        lambda: strokes.from_lines([[[0, 0, 0]]]),
        lambda: strokes.check_drawing(np.zeros((0, 3)), allow_empty=False),
    ],
)
def test_bad_arguments(call: Callable):
    with pytest.raises(InputError, match="expected"):
        call()


@pytest.mark.parametrize("name", ["a.ndjson", "a.npz", "a.svg", "a.png", "a.gif"])
def test_one_point_drawings_are_legal_everywhere(tmp_path: Path, name: str):
    from latentgen.sketch.formats import write_drawings

    write_drawings(tmp_path / name, np.array([[3, 4, 1]]))
    if name[-3:] not in ("png", "gif"):
        (again,) = read_drawings(tmp_path / name)
        assert again.tolist() == [[3, 4, 1]]
