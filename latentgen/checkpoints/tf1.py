"""TF1 checkpoints (Saver V2: `.index` and `.data-00000-of-00001`), read and written."""

import os
from collections.abc import Mapping

import numpy as np


def read_checkpoint(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The variables of a checkpoint by name.

    Args:
        path: a prefix (`…/vector-25`), one of its files, or a folder, of which the file
            `checkpoint` names the prefix, or the highest step does.

    Raises:
        FileError: there is none, a part of it is missing, or it is damaged.
    """
    raise NotImplementedError


def write_checkpoint(tensors: Mapping[str, np.ndarray], prefix: str | os.PathLike) -> None:
    """Writes variables as a checkpoint, and the file `checkpoint` that names it, atomically."""
    raise NotImplementedError
