"""Variables of a model in one .npz: plain arrays under their names, never code."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latentgen.errors import CheckpointError, FileError
from latentgen.files import atomic_file


def write_variables(
    path: str | os.PathLike, variables: Sequence, dtype: str | None = None, **extra: int
) -> None:
    """Writes variables (and a few integers beside them) to an .npz, atomically.

    Args:
        path: the file.
        variables: Keras variables; stored as `<index>:<path>`.
        dtype: 'float16' halves a preset; None keeps each variable's own, exactly.
        **extra: integers to store beside them, such as the epoch.
    """
    arrays: dict[str, Any] = {name: np.asarray(v) for name, v in _named(variables).items()}
    if dtype is not None:
        arrays = {
            name: _cast(name, a, dtype, path) if a.dtype.kind == "f" else a
            for name, a in arrays.items()
        }
    arrays |= {f"extra:{name}": np.asarray(value) for name, value in extra.items()}
    with atomic_file(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)


def read_variables(path: str | os.PathLike, variables: Sequence) -> dict[str, int]:
    """Assigns what `write_variables` wrote to the same variables, all of them or none.

    Returns:
        The integers stored beside them.

    Raises:
        FileError: the file is missing or damaged.
        CheckpointError: it belongs to another model; says what is missing, extra or misshapen.
    """
    arrays = read_arrays(Path(path))
    extra = {k.removeprefix("extra:"): v for k, v in arrays.items() if k.startswith("extra:")}
    arrays = {_unnumbered(k): v for k, v in arrays.items() if not k.startswith("extra:")}
    targets = _named(variables)
    problems = [f"missing {name}" for name in targets if name not in arrays]
    problems += [f"extra {name}" for name in arrays if name not in targets]
    problems += [
        f"{name} has shape {arrays[name].shape}, expected {tuple(v.shape)}"
        for name, v in targets.items()
        if name in arrays and arrays[name].shape != tuple(v.shape)
    ]
    if problems:
        shown = "; ".join(problems[:3])
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise CheckpointError(
            f"{path}: these weights belong to another model: {shown}{more}. "
            "Load them into a model with the configuration they were saved with."
        )
    for name, value in extra.items():
        if value.shape or value.dtype.kind not in "iu":
            raise CheckpointError(f"{path}: expected numbers, one integer in {name}; found {value}")
    # All are converted before the first is assigned: a model is never half loaded.
    values = {name: _cast(name, arrays[name], v.dtype, path) for name, v in targets.items()}
    for name, variable in targets.items():
        variable.assign(values[name])
    return {name: int(value) for name, value in extra.items()}


def _cast(name: str, array: np.ndarray, dtype: str, path: str | os.PathLike) -> np.ndarray:
    """The array in another type; CheckpointError unless it is all finite numbers in both."""
    if array.dtype.kind not in "biuf":
        raise CheckpointError(f"{path}: expected numbers, found {array.dtype} in {name}")
    if not np.isfinite(array).all():
        raise CheckpointError(f"{path}: expected finite weights, found NaN or infinity in {name}")
    with np.errstate(over="ignore"):
        result = array.astype(dtype)
    if not np.isfinite(result).all():
        raise CheckpointError(f"{path}: the values of {name} are too large for {dtype}")
    return result


def _named(variables: Sequence) -> dict:
    """Variables by place and path."""
    return {f"{index:04d}:{_unnumbered(v.path)}": v for index, v in enumerate(variables)}


def _unnumbered(path: str) -> str:
    """A path as of the first object. Keras numbers the second one of a class in a process, and
    everything in it ('sketch_vae_1/step', and of its optimiser 'adam/critic_1_kernel_momentum'):
    the numbers say nothing and are left out."""
    return re.sub(r"_[0-9]+(?=[/_]|$)", "", path)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an .npz of plain arrays; FileError if it is anything else."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise FileError(f"{path}: expected a file with weights, found none") from None
    except Exception as error:  # zipfile, zlib and NumPy raise nearly anything on damaged bytes
        raise FileError(
            f"{path}: expected an .npz of plain arrays, could not read it: {error}"
        ) from None
