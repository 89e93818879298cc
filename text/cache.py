"""Arrays that are written once, a part at a time, and mapped into memory from then on."""

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from latentgen.errors import FileError
from latentgen.files import atomic_folder

_FACTS = "corpus.json"


def is_cached(folder: str | os.PathLike, key: str) -> bool:
    """Whether a folder holds what was made of `key`.

    Raises:
        FileError: it holds other things, which a cache would replace; or a damaged cache.
    """
    folder = Path(folder)
    if folder.exists() and not (folder / _FACTS).is_file():
        raise FileError(f"{folder}: expected a cache or no folder yet, received something else")
    return folder.exists() and _stored(folder)["key"] == key


def write_cache(
    folder: str | os.PathLike,
    key: str,
    parts: Iterable[Mapping[str, np.ndarray]],
    facts: Callable[[], dict[str, Any]],
) -> None:
    """Writes parts of arrays (n,) one behind the other; one part at a time is held in memory.

    Args:
        folder: the cache; an older one is replaced only by a finished one.
        key: what it is made of.
        parts: of each array by name, always of one type.
        facts: what `read_cache` gives back beside the arrays, asked when all parts are written.
    """
    with atomic_folder(folder) as temporary, contextlib.ExitStack() as stack:
        files: dict[str, IO[bytes]] = {}
        types: dict[str, np.dtype] = {}
        counts: dict[str, int] = {}
        for part in parts:
            for name, content in part.items():
                if name not in files:
                    files[name] = stack.enter_context((temporary / f"{name}.npy").open("wb"))
                    types[name], counts[name] = content.dtype, 0
                    _header(files[name], content.dtype, 0)
                files[name].write(content.tobytes())
                counts[name] += len(content)
        for name, file in files.items():
            file.seek(0)
            _header(file, types[name], counts[name])
        (temporary / _FACTS).write_text(json.dumps({"key": key, "facts": facts()}))


def read_cache(folder: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of a cache, mapped into memory, and the facts.

    Raises:
        FileError: no cache, or a damaged one.
    """
    try:
        files = sorted(Path(folder).glob("*.npy"))
        return {f.stem: np.load(f, mmap_mode="r") for f in files}, _stored(Path(folder))["facts"]
    except (OSError, ValueError) as error:
        raise _damaged(Path(folder), error) from None


def _stored(folder: Path) -> dict[str, Any]:
    try:
        stored = json.loads((folder / _FACTS).read_text())
        return {"key": stored["key"], "facts": dict(stored["facts"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from None


def _damaged(folder: Path, error: Exception) -> FileError:
    return FileError(f"{folder}: expected a cache, this one is damaged, remove it: {error}")


def _header(file: IO[bytes], dtype: np.dtype, count: int) -> None:
    """Writes a .npy header, to which numpy gives one size whatever the number of rows."""
    described = {"descr": dtype.str, "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, described)
