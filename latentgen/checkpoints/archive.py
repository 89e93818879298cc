"""Archives of checkpoints: Magenta distributes them as .tar (MusicVAE) and .zip (Sketch-RNN)."""

import contextlib
import gzip
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from latentgen.checkpoints.tf1 import DATA, INDEX
from latentgen.errors import FileError, InputError

# Weights hardly compress, an optimiser's zeros do: what unpacks to more than this is no checkpoint.
MAX_RATIO, ALLOWANCE = 32, 64 << 20  # times the archive's size, and bytes beside
MAX_MEMBERS = 100_000
CHUNK = 1 << 20
GZIP, USTAR, USTAR_AT = b"\x1f\x8b", b"ustar", 257


@dataclass(frozen=True)
class Member:
    """A plain file of an archive: where it lies in it, its size, and how to read it."""

    path: PurePosixPath
    size: int
    open: Callable[[], IO[bytes]]


class _Stream(gzip.GzipFile):
    """A compressed stream that gives little at a time: a .tar's header may claim any size."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= CHUNK:
            raise OSError(f"a header of {size} bytes")
        return super().read(size)


def is_archive(path: str | os.PathLike) -> bool:
    """Whether a file is a .zip, a .tar or a .tar.gz, whatever its name."""
    with open(path, "rb") as file:
        start = file.read(USTAR_AT + len(USTAR))
    return start.startswith(GZIP) or start.endswith(USTAR) or zipfile.is_zipfile(path)


@contextlib.contextmanager
def unpacked(path: str | os.PathLike, member: str | None = None) -> Iterator[Path]:
    """The prefix of one checkpoint of an archive, in a temporary folder of its own.

    Of several checkpoints in one folder the first is taken, as Magenta does. The folder holds
    nothing but the checkpoint's files and the .json beside it.

    Args:
        path: .tar, .tar.gz, .tgz or .zip.
        member: the folder in it, or the end of its path, where it holds several models.

    Raises:
        FileError: damaged, hostile (links, paths that lead outside, sizes without bound), or
            without a checkpoint.
        InputError: several models and no `member`, or one that is not there; says what is.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            with _opened(path) as found:
                chosen, prefix = _chosen(path, _checked(path, found), member)
                for file in chosen:
                    with file.open() as source, open(Path(folder) / file.path.name, "wb") as target:
                        shutil.copyfileobj(source, target, CHUNK)
        except FileError:
            raise
        # An encrypted .zip is a RuntimeError, one of an unknown method a NotImplementedError.
        except (
            OSError,
            EOFError,
            tarfile.TarError,
            zipfile.BadZipFile,
            zlib.error,
            RuntimeError,
        ) as e:
            raise FileError(f"{path}: expected an archive, could not read it: {e}") from None
        yield Path(folder) / prefix


@contextlib.contextmanager
def _opened(path: str | os.PathLike) -> Iterator[Iterator[Member]]:
    """The plain files of an archive."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield _of_zip(path, archive)
        return
    with open(path, "rb") as file:
        compressed = file.read(len(GZIP)) == GZIP
        file.seek(0)
        stream = _Stream(fileobj=file) if compressed else file
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            yield _of_tar(path, tar)


def _checked(path: str | os.PathLike, found: Iterable[Member]) -> list[Member]:
    """All files of an archive; a FileError if one lies outside, or all together are too large."""
    bound = MAX_RATIO * os.path.getsize(path) + ALLOWANCE
    members, total = [], 0
    for member in found:
        if ".." in member.path.parts or member.path.is_absolute() or "\\" in str(member.path):
            raise FileError(f"{path}: expected paths inside the archive, found {member.path}")
        total += member.size
        members.append(member)
        if len(members) > MAX_MEMBERS or total > bound:
            raise FileError(
                f"{path}: expected an archive of weights, found one that unpacks to more than "
                f"{bound} bytes or {MAX_MEMBERS} files"
            )
    return members


def _of_zip(path: str | os.PathLike, archive: zipfile.ZipFile) -> Iterator[Member]:
    for info in archive.infolist():
        mode = stat.S_IFMT(info.external_attr >> 16)  # 0 where the system has no modes
        if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise FileError(f"{path}: expected plain files, found a link: {info.filename}")
        if not info.is_dir():
            yield Member(
                PurePosixPath(info.filename),
                info.file_size,
                partial(archive.open, info),
            )


def _of_tar(path: str | os.PathLike, archive: tarfile.TarFile) -> Iterator[Member]:
    for info in archive:
        if not (info.isreg() or info.isdir()) or info.issparse():
            raise FileError(f"{path}: expected plain files, found a link or such: {info.name}")
        if info.isreg():
            yield Member(
                PurePosixPath(info.name),
                info.size,
                partial(cast(Callable[..., IO[bytes]], archive.extractfile), info),
            )


def _chosen(
    path: str | os.PathLike, members: Sequence[Member], wanted: str | None
) -> tuple[list[Member], str]:
    """The files of one checkpoint, and the name of its prefix."""
    found = [m for m in members if m.path.name.endswith(INDEX) and not m.path.name.startswith("._")]
    folders = list(dict.fromkeys(m.path.parent for m in found))
    if not folders:
        raise FileError(f"{path}: expected an archive with a checkpoint (*{INDEX}), found none")
    here = ", ".join(str(folder) for folder in folders)
    if wanted is not None:
        end = PurePosixPath(wanted).parts
        folders = [f for f in folders if f.parts == end] or [
            f for f in folders if end and f.parts[-len(end) :] == end
        ]
    if len(folders) != 1:
        received = "none" if wanted is None else repr(wanted)
        raise InputError(f"member: expected one of {here}; received {received}")
    name = next(m.path.name for m in found if m.path.parent == folders[0]).removesuffix(INDEX)
    files = [
        m
        for m in members
        if m.path.parent == folders[0]
        and (m.path.suffix == ".json" or DATA.sub(INDEX, m.path.name) == name + INDEX)
    ]
    return files, name
