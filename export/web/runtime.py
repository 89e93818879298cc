"""What runs ONNX in a browser: onnxruntime-web of the npm registry, one pinned version of it.

Of its 20 MB the module, its loader and the plain WebAssembly are needed, which is kept packed. The
version is the one of recent years whose WebAssembly is smallest.
"""

import base64
import gzip
import hashlib
import json
import os
import tarfile
from pathlib import Path

from latentgen.checkpoints.download import download
from latentgen.errors import FileError

VERSION = "1.22.0"
INTEGRITY = (  # as the registry states it
    "sha512-Ud/+EBo6mhuaQWt/OjaOk0iNWjXqJoeeMFr6xQEERZdIZH2O"
    "WpGzuujz7lfuOBjUa6TEE/sc4nb7Da5dNL34fg=="
)
REGISTRY = "https://registry.npmjs.org"

WASM = "ort-wasm-simd-threaded.wasm"
CARD = "package.json"  # states the licence
FILES = {
    **{name: f"dist/{name}" for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", WASM)},
    CARD: CARD,
}


def write_runtime(folder: Path, source: str | os.PathLike | None = None) -> None:
    """Writes the runtime's files to a folder, the WebAssembly packed with gzip.

    Args:
        folder: an empty one.
        source: the package at hand, its tarball or a folder it was unpacked to (as
            node_modules/onnxruntime-web); without it the registry's, kept in the user's cache.

    Raises:
        FileError: no network, another package than the pinned one, or a file that is missing.
    """
    path = Path(source) if source is not None else _fetched()
    read = _of_folder if path.is_dir() else _of_tarball
    for name, content in read(path).items():
        if name == WASM:  # without a time, so that the same is the same
            name, content = f"{WASM}.gz", gzip.compress(content, mtime=0)
        (folder / name).write_bytes(content)


def registry() -> str:
    """The npm registry's address: of npm's variable, of the user's .npmrc, or npm's own."""
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"):
        if os.environ.get(name):
            return os.environ[name].rstrip("/")
    settings = Path.home() / ".npmrc"
    for line in settings.read_text().splitlines() if settings.exists() else ():
        key, _, value = line.partition("=")
        if key.strip() == "registry":
            return value.strip().rstrip("/")
    return REGISTRY


def _fetched() -> Path:
    address = f"{registry()}/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
    try:
        path = download(address)
    except FileError as error:
        raise FileError(
            f"{error}; the page needs onnxruntime-web {VERSION}: give its tarball or folder as "
            "`runtime` where there is no network"
        ) from None
    try:
        _check(path)
    except FileError:
        path.unlink()
        raise
    return path


def _check(path: Path) -> None:
    with open(path, "rb") as file:
        found = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
    if f"sha512-{found}" != INTEGRITY:
        raise FileError(
            f"{path}: expected onnxruntime-web {VERSION} with the integrity {INTEGRITY}, "
            f"received sha512-{found}"
        )


def _of_tarball(path: Path) -> dict[str, bytes]:
    if not path.exists():
        raise FileError(f"{path}: expected the tarball of onnxruntime-web {VERSION}, found none")
    _check(path)
    with tarfile.open(path) as archive:
        members = {name: archive.extractfile(f"package/{inner}") for name, inner in FILES.items()}
        return {name: member.read() for name, member in members.items() if member is not None}


def _of_folder(path: Path) -> dict[str, bytes]:
    found = {}
    for name, inner in FILES.items():
        file = path / inner
        if not file.exists():
            raise FileError(f"{file}: expected a file of onnxruntime-web {VERSION}, found none")
        found[name] = file.read_bytes()
    version = json.loads(found[CARD]).get("version")
    if version != VERSION:
        raise FileError(f"{path}: expected onnxruntime-web {VERSION}, received {version}")
    return found
