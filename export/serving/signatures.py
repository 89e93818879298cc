"""What a signature takes and gives, and JSON values read as such arrays."""

import base64
import binascii
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentgen.export.serving.refusal import bad, shown

DTYPES: dict[str, Any] = {
    "float32": np.float32,
    "int32": np.int32,
    "int64": np.int64,
    "string": object,
}
SCALARS = ("temperature", "strength", "seed")
"""Inputs that a row may have its own of, or all rows one."""
COUNTS = ("n", "steps")
"""Inputs that say how many rows there will be."""
CONTROL = "control"
"""What all rows go by, or each row."""
TARGETS = "targets"
"""What is asked for; NaN where nothing is."""


@dataclass(frozen=True)
class Tensor:
    """An input or output: its type, of DTYPES, and its shape; None for a size, or all, unknown."""

    dtype: str
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True)
class Signature:
    """Named inputs and outputs."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]


def read_tensor(name: str, value: Any, tensor: Tensor) -> np.ndarray:
    """A JSON value as the array that an input takes.

    A number for `targets` may be null or NaN, which both mean that nothing is asked.

    Raises:
        Refusal: 400: rows of unequal length, another shape or type, NaN, infinity.
    """
    array = _strings(name, value) if tensor.dtype == "string" else _numbers(name, value, tensor)
    _check_shape(name, array.shape, tensor.shape)
    return array


def _numbers(name: str, value: Any, tensor: Tensor) -> np.ndarray:
    if name == TARGETS:
        value = _filled(value)
    try:
        raw = np.asarray(value)
    except (ValueError, OverflowError, RecursionError):
        raise bad(f"{name}: expected numbers in rows of equal length") from None
    if raw.size == 0 and raw.ndim:
        raise bad(f"{name}: expected at least one row, received none")
    if raw.dtype.kind not in "iuf":
        raise bad(f"{name}: expected numbers, received {_culprit(value)}")
    dtype = DTYPES[tensor.dtype]
    if tensor.dtype == "float32":
        with np.errstate(over="ignore"):
            array = raw.astype(dtype)
        wrong = np.isinf(array) if name == TARGETS else ~np.isfinite(array)
        if wrong.any():
            where = tuple(int(index) for index in np.argwhere(wrong)[0])
            at = f" at {list(where)}" if where else ""
            raise bad(f"{name}: expected finite numbers, received {raw[where]}{at}")
        return array
    limits = np.iinfo(dtype)
    whole = raw if raw.dtype.kind in "iu" else np.trunc(raw)
    if not np.array_equal(raw, whole) or raw.min() < limits.min or raw.max() > limits.max:
        raise bad(f"{name}: expected whole numbers of {tensor.dtype}, received {shown(value)}")
    return raw.astype(dtype)


def _filled(value: Any) -> Any:
    """The same with NaN for null."""
    if isinstance(value, list):
        return [_filled(each) for each in value] if len(value) < 100_000 else value
    return math.nan if value is None else value


def _strings(name: str, value: Any) -> np.ndarray:
    if isinstance(value, list):
        texts = np.empty(len(value), dtype=object)
        for row, each in enumerate(value):
            texts[row] = _text(name, each)
        if not len(texts):
            raise bad(f"{name}: expected at least one row, received none")
        return texts
    array = np.empty((), dtype=object)
    array[()] = _text(name, value)
    return array


def _text(name: str, value: Any) -> bytes:
    """A string, or the bytes of {"b64": …}; text must be UTF-8 that a person may have written."""
    if isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str):
        try:
            text = base64.b64decode(value["b64"], validate=True)
            text.decode("utf-8")
            return text
        except (binascii.Error, ValueError):
            raise bad(f"{name}: expected base64 of UTF-8, received {shown(value)}") from None
    if not isinstance(value, str):
        raise bad(f"{name}: expected a string in every row, received {_culprit(value)}")
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair
        raise bad(f"{name}: expected Unicode, received {shown(value)}") from None


def _check_shape(
    name: str, received: tuple[int, ...], expected: tuple[int | None, ...] | None
) -> None:
    if expected is None:
        return
    fits = len(received) == len(expected) and all(
        size in (None, is_) for size, is_ in zip(expected, received, strict=True)
    )
    if not fits:
        raise bad(f"{name}: expected shape {in_words(expected)}, received {in_words(received)}")


def in_words(shape: tuple[int | None, ...]) -> str:
    """(n, 64) for (None, 64)."""
    sizes = ["nT"[at > 0] if size is None else str(size) for at, size in enumerate(shape)]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def _culprit(value: Any) -> str:
    """The first thing in nested lists that is no number."""
    while isinstance(value, list) and value:
        value = next((v for v in value if not _is_number(v)), value[0])
    return shown(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
