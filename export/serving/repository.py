"""Versions of a model on disk: a folder of numbered folders, as TensorFlow Serving reads them."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from latentgen.errors import FileError, InputError


def model_folders(folders: Iterable[str | os.PathLike]) -> dict[str, Path]:
    """The models to serve by name, which is their folder's.

    Raises:
        FileError: no such folder, or none in it whose name is a number.
        InputError: two folders of one name, or a name that no address can have.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        path = Path(folder).absolute()
        if not path.is_dir():
            raise FileError(f"{folder}: expected the folder of an exported model, found none")
        if not versions(path):
            raise FileError(
                f"{folder}: expected a folder for each version, such as {path.name}/1, found none; "
                "make one with latentgen export"
            )
        if path.name in found:
            raise InputError(f"{folder}: expected names that differ, received two of {path.name!r}")
        if not set(path.name) <= _OF_A_NAME or path.name.startswith("."):
            raise InputError(
                f"{folder}: expected a name of letters, digits, '-', '_' and '.', "
                f"received {path.name!r}; rename the folder"
            )
        found[path.name] = path
    if not found:
        raise InputError("expected the folder of an exported model, received none")
    return found


_OF_A_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def versions(folder: Path) -> dict[int, str]:
    """Each version's fingerprint: two are equal if no file changed in between.

    A folder that vanishes meanwhile is none; one that is being written is there, and changes.
    """
    found = {}
    try:
        numbered = [path for path in folder.iterdir() if path.name.isascii()]
    except OSError:
        return {}
    for path in numbered:
        # "01" would be a second name of version 1.
        if path.name.isdecimal() and str(int(path.name)) == path.name and path.is_dir():
            found[int(path.name)] = _fingerprint(path)
    return found


def _fingerprint(folder: Path) -> str:
    """A digest of the names, sizes and times of all files below."""
    lines = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            try:
                status = os.stat(path)
            except OSError:  # removed since
                continue
            lines.append(f"{os.path.relpath(path, folder)} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
