"""A call: rows for one signature, checked, so that those of several people can be joined.

Every row of every signature is independent of the rows around it, if it has its own temperature,
strength and seed: a seed s for all rows is, row by row, the pairs (s, 0), (s, 1), …; a seed s_k for
each row is the pairs (s_k, 0). So calls are joined by their rows, padded to a power of two, that
few shapes are compiled, and answered by the rows that are theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentgen.export.serving.description import Description
from latentgen.export.serving.refusal import bad, shown
from latentgen.export.serving.signatures import CONTROL, COUNTS, SCALARS, TARGETS, Signature

LONGEST_SENTENCE = 10_000  # bytes
HIGHEST = {"temperature": 100.0, "strength": 100.0}


@dataclass(frozen=True)
class Call:
    """Inputs of one signature: arrays with the same number of rows, or `n`, in their place."""

    signature: str
    rows: int
    inputs: dict[str, np.ndarray]

    @property
    def shape(self) -> tuple[Any, ...]:
        """Calls of equal shape can be joined; one that says how many steps to go stays alone."""
        if "steps" in self.inputs:
            return (self.signature, id(self))
        return (self.signature, *((name, a.shape[1:]) for name, a in self.inputs.items()))


def make_call(
    name: str,
    inputs: dict[str, np.ndarray],
    signature: Signature,
    description: Description,
    most_rows: int,
) -> Call:
    """Checks what the arrays mean, and gives each row its own temperature, strength and seed.

    Args:
        inputs: of the types and shapes that the signature states.
        most_rows: that one call may have.

    Raises:
        Refusal: 400: too many rows, numbers of rows that differ, a value out of its range.
    """
    count = next((k for k in COUNTS if k in inputs), None)
    if count:
        rows = int(inputs[count])
        if rows < 1:
            raise bad(f"{count}: expected 1 or more, received {rows}")
    else:
        first = next((a for k, a in inputs.items() if k not in (*SCALARS, TARGETS, CONTROL)), None)
        if first is None or first.ndim == 0:
            raise bad("expected rows, received one value")
        rows = len(first)
    if rows > most_rows:
        raise bad(f"expected at most {most_rows} rows at once, received {rows}; ask several times")
    # The pieces at the two ends of an interpolation are no rows of its result.
    checked = {
        key: _by_row(key, array, rows, description)
        if key in (*SCALARS, TARGETS)
        else _checked(key, array, None if "steps" in inputs else rows)
        for key, array in inputs.items()
    }
    lengths, pieces = checked.get("length"), [a for a in checked.values() if a.ndim == 3]
    if lengths is not None and pieces:
        most = min(pieces[0].shape[1], description.max_length)
        if not ((lengths >= 1) & (lengths <= most)).all():
            raise bad(f"length: expected 1 to {most}, received {shown(lengths.tolist())}")
    return Call(name, rows, checked)


def _by_row(name: str, array: np.ndarray, rows: int, description: Description) -> np.ndarray:
    """temperature, strength: (n,); seed: (n, 2); targets: (n, A)."""
    if name == TARGETS:
        expected = len(description.attributes)
        if array.shape not in ((expected,), (rows, expected)):
            raise bad(
                f"targets: expected shape ({rows}, {expected}) or ({expected},), "
                f"received {array.shape}"
            )
        array = np.broadcast_to(array, (rows, expected))
        _check_targets(array, description)
        return array
    if name == "seed":
        if array.shape not in ((), (rows,), (rows, 2)):
            raise bad(f"seed: expected one, or one for each of {rows}, received {array.shape}")
        if (array < 0).any():
            raise bad(f"seed: expected 0 or more, received {array.min()}")
        if array.shape == ():
            return np.stack([np.full(rows, array), np.arange(rows)], axis=1).astype("int32")
        return array if array.ndim == 2 else np.stack([array, 0 * array], axis=1)
    if array.shape not in ((), (rows,)):
        raise bad(f"{name}: expected one, or one for each of {rows}, received {array.shape}")
    if not ((array >= 0) & (array <= HIGHEST[name])).all():
        wrong = array[~((array >= 0) & (array <= HIGHEST[name]))].flat[0]
        raise bad(f"{name}: expected 0 to {HIGHEST[name]:g}, received {wrong:g}")
    return np.broadcast_to(array, (rows,))


def _check_targets(targets: np.ndarray, description: Description) -> None:
    for attribute, column in zip(description.attributes, targets.T, strict=True):
        if not attribute.classes:
            continue
        asked = column[~np.isnan(column)]
        wrong = asked[(asked != np.trunc(asked)) | (asked < 0) | (asked >= len(attribute.classes))]
        if len(wrong):
            raise bad(
                f"targets: attribute {attribute.name!r} expected the number of a class, "
                f"0 to {len(attribute.classes) - 1}, received {wrong[0]:g}"
            )


def _checked(name: str, array: np.ndarray, rows: int | None) -> np.ndarray:
    if name in COUNTS:
        return array
    if name == CONTROL:
        if array.ndim not in (2, 3):
            raise bad(f"control: expected shape (T, C) or (n, T, C), received {array.shape}")
        if array.ndim == 2 and rows is not None:
            array = np.broadcast_to(array, (rows, *array.shape))
    if rows is not None and (array.ndim == 0 or len(array) != rows):
        raise bad(f"{name}: expected {rows} rows as before, received shape {array.shape}")
    if array.dtype == object:
        longest = max(array.flat, key=len)
        if len(longest) > LONGEST_SENTENCE:
            raise bad(
                f"{name}: expected at most {LONGEST_SENTENCE} bytes, received {shown(longest, 30)}"
            )
    return array


def joined(calls: Sequence[Call]) -> dict[str, np.ndarray]:
    """The inputs of several calls of one shape, padded by repeating the last row."""
    if "steps" in calls[0].inputs:
        return calls[0].inputs
    rows = sum(call.rows for call in calls)
    padded = 1 << (rows - 1).bit_length()
    result: dict[str, np.ndarray] = {}
    for name in calls[0].inputs:
        if name in COUNTS:
            result[name] = np.asarray(padded, "int32")
            continue
        arrays = [call.inputs[name] for call in calls]
        result[name] = np.concatenate([*arrays, np.repeat(arrays[-1][-1:], padded - rows, axis=0)])
    return result


def parted(outputs: dict[str, np.ndarray], calls: Sequence[Call]) -> list[dict[str, np.ndarray]]:
    """The rows of each call."""
    results, start = [], 0
    for call in calls:
        results.append({name: a[start : start + call.rows] for name, a in outputs.items()})
        start += call.rows
    return results
