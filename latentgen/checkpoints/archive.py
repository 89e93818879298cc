"""Archives of checkpoints: Magenta distributes them as .tar (MusicVAE) and .zip (Sketch-RNN)."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def unpacked(path: str | os.PathLike, member: str | None = None) -> Iterator[Path]:
    """A temporary folder with the files of one model of an archive.

    Args:
        path: .tar, .tar.gz, .tgz or .zip.
        member: the folder in it, where it holds several models.

    Raises:
        FileError: damaged, hostile (links, paths that lead outside, sizes without bound), without
            a checkpoint, or with several and no `member`; says what is there.
    """
    raise NotImplementedError
    yield
