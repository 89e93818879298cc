"""deeplearn.js exports: manifest.json with names and shapes, and one raw file a variable."""

import math
import os
from pathlib import Path

import numpy as np

from latentgen.checkpoints.plain_json import read_json
from latentgen.errors import FileError

MANIFEST = "manifest.json"
DTYPE = np.dtype("<f4")


def read_manifest(folder: str | os.PathLike) -> tuple[dict[str, np.ndarray], list[str]]:
    """Variables by name, float32, and the names of those whose files are not there.

    Raises:
        FileError: no manifest, a damaged one, a file of another size than its shape says, or one
            with NaN in it.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    listed = read_json(path)
    try:
        entries = {
            name: (entry["filename"], tuple(entry["shape"])) for name, entry in listed.items()
        }
        files = [file for file, _ in entries.values()]
        if any(not isinstance(file, str) or Path(file).name != file for file in files):
            raise ValueError("expected plain file names")
        if len(set(files)) != len(files):
            raise ValueError("expected each file once, found one twice")
        if any(type(n) is not int or n < 1 for _, shape in entries.values() for n in shape):
            raise ValueError("expected shapes of whole numbers")
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise FileError(f"{path}: expected names and shapes: {error}") from None
    found = {name: entry for name, entry in entries.items() if (folder / entry[0]).is_file()}
    for file, shape in found.values():
        # The file's size decides, not what the manifest claims: that may be terabytes.
        expected, size = math.prod(shape) * DTYPE.itemsize, (folder / file).stat().st_size
        if size != expected:
            raise FileError(
                f"{folder / file}: expected {expected} bytes for shape {shape}, found {size}"
            )
    tensors = {}
    for name, (file, shape) in found.items():
        values = np.fromfile(folder / file, DTYPE, math.prod(shape)).astype("float32")
        if values.size != math.prod(shape) or not np.isfinite(values).all():
            raise FileError(f"{folder / file}: expected finite numbers, found NaN or infinity")
        tensors[name] = values.reshape(shape)
    return tensors, [name for name in entries if name not in found]
