"""deeplearn.js exports: manifest.json with names and shapes, and one raw file a variable."""

import json
import math
import os
from pathlib import Path

import numpy as np

from latentgen.errors import FileError

MANIFEST = "manifest.json"
DTYPE = np.dtype("<f4")


def read_manifest(folder: str | os.PathLike) -> tuple[dict[str, np.ndarray], list[str]]:
    """Variables by name, float32, and the names of those whose files are not there.

    Raises:
        FileError: no manifest, a damaged one, or a file of another size than its shape says.
    """
    folder = Path(folder)
    try:
        listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        entries = {
            name: (str(entry["filename"]), tuple(int(n) for n in entry["shape"]))
            for name, entry in listed.items()
        }
    except FileNotFoundError:
        raise FileError(f"{folder}: expected a folder with {MANIFEST}, found none") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileError(f"{folder / MANIFEST}: expected names and shapes: {error}") from None
    tensors, missing = {}, []
    for name, (filename, shape) in entries.items():
        path = folder / filename
        if Path(filename).name != filename or min(shape, default=1) < 0:
            raise FileError(f"{folder / MANIFEST}: expected plain file names, found {filename!r}")
        if not path.is_file():
            missing.append(name)
            continue
        # The file's size decides, not what the manifest claims: that may be terabytes.
        expected = math.prod(shape) * DTYPE.itemsize
        if path.stat().st_size != expected:
            raise FileError(
                f"{path}: expected {expected} bytes for shape {shape}, found {path.stat().st_size}"
            )
        tensors[name] = np.fromfile(path, DTYPE).reshape(shape).astype("float32")
    return tensors, missing
