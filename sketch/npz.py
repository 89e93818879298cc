"""sketch-rnn's .npz data sets: stroke-3 arrays under the keys train, valid and test.

The published files hold *pickled* object arrays, and unpickling can run any code. They are read
here by an unpickler that knows three names (an array, its type, and Latin-1 text of Python 2) and
builds arrays from them by itself: no function that a file names is ever called.
"""

import io
import math
import os
import pickle
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latentgen.errors import FileError, InputError
from latentgen.files import atomic_file
from latentgen.sketch.strokes import check_drawing, to_stroke3

SPLITS = ("train", "valid", "test")
# The largest published file (QuickDraw's full.npz of a category) unpacks to some 200 MB, and
# drawings compress about threefold: beyond these a file is a bomb, not a data set.
MAX_BYTES = 2**30
MAX_RATIO = 100


def read_npz(*paths: str | os.PathLike) -> dict[str, list[np.ndarray]]:
    """Reads one or several sketch-rnn files, joined split by split in the order given.

    Args:
        paths: the .npz files.

    Returns:
        {"train": drawings, "valid": …, "test": …}, each drawing float32 (points, 3) in the
        file's units; a split that no file has is an empty list.

    Raises:
        FileError: a file is missing, no .npz, damaged, without any of the three keys, absurdly
            large, or holds anything but drawings.
    """
    if not paths:
        raise InputError("paths: expected at least one .npz file, received none")
    splits: dict[str, list[np.ndarray]] = {split: [] for split in SPLITS}
    for path in map(Path, paths):
        try:
            for split, drawings in _read(path).items():
                splits[split] += drawings
        except OSError as error:
            raise FileError(
                f"{path}: expected a readable .npz file, {error.strerror or error}"
            ) from error
        except (_Refused, InputError, zipfile.BadZipFile, zlib.error, MemoryError) as error:
            raise FileError(
                f"{path}: expected a sketch-rnn .npz file, received {error or 'too much'}"
            ) from error
    return splits


def read_npy(path: str | os.PathLike) -> list[np.ndarray]:
    """Reads one .npy file: a stroke-3 or stroke-5 array, several of one length, or an object array.

    Args:
        path: the file; shape (points, 3 or 5), (drawings, points, 3 or 5), or objects of the first.

    Returns:
        drawings, each float32 (points, 3).

    Raises:
        FileError: the file is missing, no .npy, damaged, or holds anything but drawings.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _Refused(f"more than {MAX_BYTES} bytes")
        items = _arrays("the file", path.read_bytes())
        return [
            to_stroke3(item) if item.shape[-1:] == (5,) else check_drawing(item, allow_empty=False)
            for item in items
        ]
    except OSError as error:
        raise FileError(f"{path}: expected a readable .npy file, {error.strerror}") from error
    except (_Refused, InputError) as error:
        raise FileError(
            f"{path}: expected stroke-3 or stroke-5 arrays, received {error}"
        ) from error


def write_npz(path: str | os.PathLike, splits: Mapping[str, Sequence[Any]]) -> None:
    """Writes drawings as a data set that Magenta's sketch_rnn and QuickDraw tools read.

    Whole offsets become int16, as published; others float32.

    Args:
        path: the .npz file; what stood there is replaced only by a finished file.
        splits: drawings (points, 3) under 'train', 'valid' and 'test'; what is missing is written
            empty, because Magenta's loader asks for all three.

    Raises:
        InputError: another key, no drawing at all, or something that is no drawing.
    """
    unknown = set(splits) - set(SPLITS)
    if unknown or not any(len(drawings) for drawings in splits.values()):
        raise InputError(
            f"splits: expected drawings under {', '.join(SPLITS)}, "
            f"received {sorted(map(str, unknown)) or 'none'}"
        )
    with atomic_file(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as z:
        for split in SPLITS:
            z.writestr(f"{split}.npy", _object_npy(split, splits.get(split, ())))


def _object_npy(split: str, drawings: Sequence[Any]) -> bytes:
    """The bytes of an .npy file with an object array of drawings."""
    array = np.empty(len(drawings), dtype=object)
    for i, drawing in enumerate(drawings):
        array[i] = _narrowest(check_drawing(drawing, f"{split}[{i}]", allow_empty=False))
    file = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(file, header)
    # NumPy 2 names its own module, which NumPy 1 (Magenta's) does not have; NumPy 2 knows both.
    # The name is the first thing in the pickle, and later uses refer back to it.
    ours, theirs = b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"
    return file.getvalue() + pickle.dumps(array, protocol=2).replace(ours, theirs, 1)


def _narrowest(drawing: np.ndarray) -> np.ndarray:
    """int16 where that loses nothing."""
    whole = drawing.astype(np.int16, casting="unsafe") if np.abs(drawing).max() < 2**15 else drawing
    return whole if (whole == drawing).all() else drawing


class _Refused(Exception):
    """What a file holds that it should not."""


def _read(path: Path) -> dict[str, list[np.ndarray]]:
    """The drawings of one file by split."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        splits = [split for split in SPLITS if split in members]
        if not splits:
            raise _Refused(f"the keys {sorted(members)[:5]} and not one of {', '.join(SPLITS)}")
        size = sum(members[split].file_size for split in splits)
        packed = path.stat().st_size  # what the archive says of it need not be true
        if size > MAX_BYTES or size > MAX_RATIO * max(packed, 2**16):
            raise _Refused(f"{packed} bytes that claim to unpack to {size}")
        try:
            return {
                split: [
                    check_drawing(item, f"{split}[{i}]", allow_empty=False)
                    for i, item in enumerate(_arrays(split, archive.read(members[split])))
                ]
                for split in splits
            }
        except (NotImplementedError, RuntimeError, EOFError) as error:
            raise _Refused(str(error)) from error  # a compression unknown, a password


def _arrays(name: str, npy: bytes) -> list[np.ndarray]:
    """The bytes of an .npy file → numeric arrays, one for each drawing."""
    file = io.BytesIO(npy)
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        else:
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(file)
    # NumPy evaluates the header as a literal, which fails in many ways.
    except Exception as error:
        raise _Refused(f"no array under {name!r} ({type(error).__name__})") from error
    rest = file.read()
    if dtype.hasobject:
        return _unpickle(name, rest)
    if dtype.kind not in "iuf" or math.prod(shape) * dtype.itemsize != len(rest):
        raise _Refused(f"an array of type {dtype} and shape {shape} in {len(rest)} bytes")
    array = _ndarray(shape, dtype, fortran, rest)
    return list(array) if array.ndim > 2 else [array]


def _unpickle(name: str, data: bytes) -> list[np.ndarray]:
    """A pickled one-dimensional object array → its items, all of them numeric arrays."""
    try:
        array = _Unpickler(io.BytesIO(data), encoding="latin1").load()
    except _Refused:
        raise
    # A damaged or hostile pickle may fail in any way; whatever it is, the file is at fault.
    except Exception as error:
        raise _Refused(f"damaged data under {name!r} ({type(error).__name__})") from error
    items = array.value if isinstance(array, _Array) else None
    if not isinstance(items, list):
        raise _Refused(f"no array of drawings under {name!r}")
    drawings = [
        item.value
        for item in items
        if isinstance(item, _Array) and isinstance(item.value, np.ndarray)
    ]
    if len(drawings) < len(items):
        raise _Refused(f"something other than arrays of numbers under {name!r}")
    return drawings


class _Dtype:
    """Stands in for numpy.dtype: only its name and byte order are taken from a file."""

    def __init__(self, name: str, *_: Any):
        self.name = str(name)
        self.order = "="

    def __setstate__(self, state: tuple) -> None:
        self.order = str(state[1]).replace("|", "=")

    def numpy(self) -> np.dtype:
        if self.name[:1] not in "iufb" or len(self.name) != 2 or self.order not in "<>=":
            raise _Refused(f"an array of type {self.name!r}")
        return np.dtype(self.name).newbyteorder(self.order)  # type: ignore[arg-type]


class _Array:
    """Stands in for numpy.ndarray: `value` is a numeric array or the list of an object array's."""

    value: np.ndarray | list | None = None

    def __init__(self, *_: Any):
        pass

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, data = state
        if not isinstance(dtype, _Dtype) or not all(type(n) is int and n >= 0 for n in shape):
            raise _Refused("an array without a shape or type")
        if isinstance(data, list):
            self.value = data
            return
        data = data.encode("latin1") if isinstance(data, str) else data
        if math.prod(shape) * dtype.numpy().itemsize != len(data):
            raise _Refused(f"an array of shape {shape} in {len(data)} bytes")
        self.value = _ndarray(shape, dtype.numpy(), fortran, data)


def _ndarray(shape: tuple, dtype: np.dtype, fortran: bool, data: bytes) -> np.ndarray:
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _latin1(text: str, *_: Any) -> bytes:
    return text.encode("latin1")


_STAND_INS = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("_codecs", "encode"): _latin1,  # how Python 3 writes bytes for Python 2
}


# The unpickler written in Python: the one in C reserves memory for any number that a file names.
class _Unpickler(pickle._Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise _Refused(f"code: it asks for {module}.{name}, which is no array") from None
