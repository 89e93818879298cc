"""What a label can be, and how labels become numbers.

An attribute is binary (True/False, 0/1), categorical (strings) or continuous (other numbers). In a
*condition* vector, what the networks see, an attribute takes one place a class (one-hot; all zero
where it is unknown or not asked for), or two places if continuous: the standardised value and a 1
that says it is known. Conditions have shape (n, sum of widths).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentgen.errors import InputError

KINDS = ("binary", "categorical", "continuous")
FEWEST_OF_A_CLASS = 4
FEWEST_MEASURED = 8


@dataclass(frozen=True)
class Attribute:
    """One attribute. `classes` are its values if discrete; `mean`, `scale` its moments if not."""

    name: str
    kind: str
    classes: tuple[Any, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    @property
    def width(self) -> int:
        """How many places it takes in a condition."""
        return len(self.classes) or 2

    @property
    def size(self) -> int:
        """How many numbers its predictor states: a logit a class, or one value."""
        return len(self.classes) or 1

    def encode(self, values: Any) -> np.ndarray:
        """Values (n,) -> class index, or standardised value, as float64 (n,); NaN where unknown."""
        codes = np.full(len(values), np.nan)
        for row, value in enumerate(values):
            if _unknown(value):
                continue
            if self.kind == "continuous":
                codes[row] = (_number(self.name, value) - self.mean) / self.scale
            elif value not in self.classes:
                raise InputError(
                    f"attribute {self.name!r} expected one of {_listed(self.classes)}, received "
                    f"{value!r}; pass one of these, or None where it is unknown"
                )
            else:
                codes[row] = self.classes.index(value)
        return codes

    def condition(self, codes: np.ndarray) -> np.ndarray:
        """Codes (n,) as `encode` gives them -> their places in a condition, float32 (n, width)."""
        known = ~np.isnan(codes)
        filled = np.where(known, codes, 0.0)
        if self.kind == "continuous":
            return np.stack([filled, known], axis=1).astype("float32")
        return (np.eye(self.width)[filled.astype(int)] * known[:, None]).astype("float32")


def read_labels(labels: Any, rows: int) -> dict[str, np.ndarray]:
    """A mapping of names to values (or a structured array) -> object arrays of length `rows`."""
    if isinstance(labels, np.ndarray) and labels.dtype.names:
        labels = {name: labels[name] for name in labels.dtype.names}
    if not isinstance(labels, Mapping):
        raise InputError(
            "labels expected a mapping of attribute names to arrays, such as {'cat': [True, ...]}, "
            f"received {type(labels).__name__}; give every attribute a name"
        )
    read = {}
    for name, values in labels.items():
        array = np.empty(len(values), dtype=object)
        array[:] = [v.item() if isinstance(v, np.generic) else v for v in values]
        if len(array) != rows:
            raise InputError(
                f"labels of {name!r} expected {rows} values, one a row of z, received "
                f"{len(array)}; mark the unknown ones None or NaN"
            )
        read[str(name)] = array
    return read


def infer_attribute(name: str, values: np.ndarray, kind: str | Sequence[Any] | None) -> Attribute:
    """The attribute that these labels (n,) teach; `kind` states what would otherwise be guessed.

    Args:
        name: its name.
        values: labels, None or NaN where unknown.
        kind: one of KINDS, or the classes themselves, or None to guess from the values.

    Raises:
        InputError: one class only, too few labels of a class, or values that do not fit the kind.
    """
    known = [value for value in values if not _unknown(value)]
    classes: tuple[Any, ...] = ()
    if kind is not None and not isinstance(kind, str):
        classes, kind = tuple(kind), "categorical"
    if kind is None:
        texts = any(isinstance(value, str) for value in known)
        kind = "categorical" if texts else "binary" if set(known) <= {0, 1} else "continuous"
    if kind not in KINDS:
        raise InputError(
            f"attribute {name!r} expected a kind of {', '.join(KINDS)}, received {kind!r}; "
            "or pass the list of its classes"
        )
    if kind == "continuous":
        numbers = np.array([_number(name, value) for value in known])
        if len(numbers) < FEWEST_MEASURED or np.ptp(numbers) == 0:
            raise InputError(
                f"attribute {name!r} expected at least {FEWEST_MEASURED} different numbers, "
                f"received {len(numbers)} labels with {len(set(known))} values; label more"
            )
        return Attribute(name, kind, mean=float(numbers.mean()), scale=float(numbers.std()))
    if not classes:
        classes = (False, True) if kind == "binary" else tuple(sorted(set(known), key=str))
    attribute = Attribute(name, kind, classes)
    codes = attribute.encode(values)
    counts = [int((codes == index).sum()) for index in range(len(classes))]
    if len(classes) < 2 or min(counts) < FEWEST_OF_A_CLASS:
        found = ", ".join(f"{count} of {c!r}" for c, count in zip(classes, counts, strict=True))
        raise InputError(
            f"attribute {name!r} expected two or more classes with at least {FEWEST_OF_A_CLASS} "
            f"labels each, received {found or 'none'}; label more examples"
        )
    return attribute


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _number(name: str, value: Any) -> float:
    if isinstance(value, str) or not np.isfinite(float(value)):
        raise InputError(f"attribute {name!r} expected a finite number, received {value!r}")
    return float(value)


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(repr(value) for value in values)
