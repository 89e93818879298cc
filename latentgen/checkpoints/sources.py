"""What people name as a source: a path, an address, a published model; on this machine at last."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urljoin

from latentgen.checkpoints.download import Progress, cache_folder, download, file_name, is_address
from latentgen.checkpoints.published import find_published
from latentgen.errors import FileError

FILES = (".tar", ".tgz", ".tar.gz", ".zip", ".json")
MANIFESTS = ("weights_manifest.json", "model.json", "manifest.json")  # of deeplearn.js the last
DESCRIPTIONS = ("config.json", "converter.json")
MOST_FILES = 1000


@dataclass(frozen=True)
class Source:
    """Files on this machine, and what is known of them from elsewhere.

    Attributes:
        path: a file or folder.
        config: the configuration's name.
        member: the folder in an archive of several models.
    """

    path: Path
    config: str | None = None
    member: str | None = None


def find_source(
    name: str | os.PathLike, sha256: str | None = None, progress: Progress | None = None
) -> Source:
    """The files of a path, an http(s) address or a published model's name, fetched if need be.

    An address that ends in none of `FILES` is that of a folder in which a web page would find
    one of `MANIFESTS`, which may be named too.

    Raises:
        InputError: there is no such path or name.
        FileError: it cannot be fetched; see `download`.
    """
    if Path(name).exists() or Path(f"{name}.index").exists():  # the prefix of a checkpoint
        return Source(Path(name))
    if not is_address(name):
        model = find_published(str(name))
        found = find_source(model.address, sha256, progress)
        return replace(found, config=model.config, member=model.member)
    address = str(name)
    if file_name(address) in MANIFESTS:
        address = urljoin(address, ".")
    elif address.split("?")[0].endswith(FILES):
        return Source(download(address, sha256=sha256, progress=progress))
    return Source(_fetch_folder(address.rstrip("/") + "/", progress))


def _fetch_folder(address: str, progress: Progress | None) -> Path:
    """What a web page would fetch: descriptions, the manifest and the files that it lists."""
    folder = cache_folder(address)
    manifest = _first(address, MANIFESTS, folder)
    if manifest is None:
        raise FileError(
            f"{address}: expected a file ({', '.join(FILES)}) or a folder with "
            f"{' or '.join(MANIFESTS)}, found neither"
        )
    _first(address, DESCRIPTIONS, folder)
    for name in _listed(folder / manifest):
        download(urljoin(address, name), folder / name, progress=progress)
    return folder


def _first(address: str, names: tuple[str, ...], folder: Path) -> str | None:
    """The first of some files that is there."""
    for name in names:
        try:
            download(urljoin(address, name), folder / name)
        except FileError as error:
            if "answered 40" not in str(error):  # 403 is how Google's storage says no such file
                raise
        else:
            return name
    return None


def _listed(manifest: Path) -> list[str]:
    """The files that a manifest lists, which must be plain names: they become ours."""
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        if isinstance(content, dict) and "weightsManifest" in content:  # model.json
            content = content["weightsManifest"]
        if isinstance(content, dict):
            names = [entry["filename"] for entry in content.values()]
        else:
            names = [name for group in content for name in group["paths"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileError(f"{manifest}: expected a list of files: {error!r}") from None
    plain = all(isinstance(name, str) and Path(name).name == name for name in names)
    if not plain or len(names) > MOST_FILES:
        raise FileError(f"{manifest}: expected at most {MOST_FILES} plain names, found others")
    return list(dict.fromkeys(names))
