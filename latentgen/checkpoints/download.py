"""Files from http(s) addresses: with progress, resumed where they broke off, and checked."""

import base64
import contextlib
import hashlib
import http.client
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from latentgen.errors import FileError, InputError

CHUNK = 1 << 20
SECONDS = 30.0  # without a byte, after which a server is given up
MOST_BYTES = 16 << 30  # the largest of Magenta's files has 2 GB

Progress = Callable[[int, int | None], None]
"""(bytes so far, bytes in all or None where the server does not say)."""


def is_address(source: object) -> bool:
    """Whether a source is an http(s) address, not a path."""
    return str(source).startswith(("http://", "https://"))


def cache_folder(address: str) -> Path:
    """Where what an address has is kept: in $XDG_CACHE_HOME/latentgen or ~/.cache/latentgen."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "latentgen" / hashlib.sha256(address.encode()).hexdigest()[:16]


def file_name(address: str) -> str:
    """The last part of an address's path, as the name of a file."""
    name = Path(unquote(urlsplit(address).path)).name
    return name if name.strip(".") else "download"


def download(
    address: str,
    target: str | os.PathLike | None = None,
    sha256: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """The file at an address, fetched unless it is there already.

    A broken-off download is gone on with, if the server still has the same file (its ETag or date
    says so). What arrives is compared with `sha256`, with the length that the server states and
    with the MD5 sum that Google's storage states.

    Args:
        address: http:// or https://
        target: the file to write; one in `cache_folder(address)` if None.
        sha256: what the file must be, in hexadecimal digits.
        progress: called now and then.

    Raises:
        FileError: it cannot be fetched, breaks off, is too large or is not what it should be.
    """
    if not is_address(address):
        raise InputError(f"address: expected http:// or https://, received {address!r}")
    target = Path(target) if target else cache_folder(address) / file_name(address)
    part = target.with_name(f"{target.name}.part")
    mark = target.with_name(f"{target.name}.mark")
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        headers = _fetch(address, part, mark, progress or (lambda done, total: None))
        stated = _stated_md5(headers)
        if stated and _digest(part, "md5") != stated:
            part.unlink()
            mark.unlink(missing_ok=True)
            raise FileError(f"{address}: expected the MD5 sum {stated}, received another file")
        os.replace(part, target)
        mark.unlink(missing_ok=True)
    if sha256 and _digest(target, "sha256") != sha256.lower():
        found = _digest(target, "sha256")
        target.unlink()
        raise FileError(f"{address}: expected the SHA-256 sum {sha256}, received {found}")
    return target


def sha256_of(path: Path) -> str:
    """The SHA-256 sum of a file, in hexadecimal digits."""
    return _digest(path, "sha256")


def _digest(path: Path, kind: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def _fetch(address: str, part: Path, mark: Path, progress: Progress) -> http.client.HTTPMessage:
    """Appends to `part` what it lacks; `mark` says of which version of the file it is a part."""
    request = urllib.request.Request(address, headers={"User-Agent": "latentgen"})
    known = part.stat().st_size if part.exists() and mark.exists() else 0
    if known:
        request.add_header("Range", f"bytes={known}-")
        request.add_header("If-Range", mark.read_text())
    with _errors(address), urllib.request.urlopen(request, timeout=SECONDS) as response:
        headers = response.headers
        goes_on = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if goes_on and not headers.get("Content-Range", "").startswith(f"bytes {known}-"):
            raise FileError(f"{address}: expected the rest of the file, received another part")
        done = known if goes_on else 0
        length = headers.get("Content-Length")
        total = done + int(length) if length is not None else None
        _check_room(address, part.parent, (total or 0) - done, total or 0)
        mark.unlink(missing_ok=True)
        # Only a strong mark tells one version from another, byte for byte.
        version = headers.get("ETag") or headers.get("Last-Modified")
        if version and not version.startswith("W/"):
            mark.write_text(version)
        with open(part, "ab" if goes_on else "wb") as file:
            done = _copy(address, response, file, done, total, progress)
    if total is not None and done != total:
        raise FileError(
            f"{address}: broke off after {done:,} of {total:,} bytes; run the same again, which "
            "goes on from there"
        )
    return headers


def _copy(
    address: str,
    response: BinaryIO,
    file: BinaryIO,
    done: int,
    total: int | None,
    progress: Progress,
) -> int:
    progress(done, total)
    while chunk := response.read(CHUNK):
        done += file.write(chunk)
        if done > MOST_BYTES:
            raise FileError(f"{address}: expected at most {MOST_BYTES:,} bytes, received more")
        progress(done, total)
    return done


def _check_room(address: str, folder: Path, missing: int, total: int) -> None:
    if total > MOST_BYTES:
        raise FileError(f"{address}: expected at most {MOST_BYTES:,} bytes, it has {total:,}")
    free = shutil.disk_usage(folder).free
    if missing > free:
        raise FileError(f"{folder}: expected room for {missing:,} bytes, has {free:,}")


@contextlib.contextmanager
def _errors(address: str) -> Iterator[None]:
    """What can go wrong on the way, as one line."""
    try:
        yield
    except urllib.error.HTTPError as error:
        raise FileError(f"{address}: the server answered {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise FileError(f"{address}: no answer: {error.reason}; is there a network?") from None
    except http.client.IncompleteRead as error:
        raise FileError(f"{address}: broke off; run the same again, which goes on") from error
    except (TimeoutError, ConnectionError) as error:
        raise FileError(
            f"{address}: broke off ({error}); run the same again, which goes on from there"
        ) from None


def _stated_md5(headers: http.client.HTTPMessage) -> str | None:
    """The MD5 sum of the whole file, as storage.googleapis.com states it."""
    for value in headers.get_all("x-goog-hash") or ():
        for item in value.split(","):
            kind, _, digest = item.strip().partition("=")
            if kind == "md5":
                return base64.b64decode(digest).hex()
    return None
