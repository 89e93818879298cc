"""Where a version of an exported model lies, as TensorFlow Serving expects it: MODEL/1, MODEL/2."""

import os
from pathlib import Path

from latentgen.errors import InputError


def version_folder(folder: str | os.PathLike, version: int | None, overwrite: bool) -> Path:
    """Where a version of a model is to lie; without a number, one above the newest.

    Raises:
        InputError: a folder with something else in it, or a version that exists and is not to be
            overwritten.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: expected a new folder, received a file")
    names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    others = [name for name in names if not (name.isdigit() or name.startswith("."))]
    if others:
        raise InputError(
            f"{folder}: expected a new folder or one of exported versions, found {others[0]!r} "
            "in it; give another"
        )
    if version is None:
        return folder / str(1 + max((int(name) for name in names if name.isdigit()), default=0))
    if version < 0:
        raise InputError(f"version: expected 0 or more, received {version}")
    target = folder / str(version)
    if target.exists() and not overwrite:
        raise InputError(f"{target} exists: overwrite it, or leave the version to be the next one")
    return target
