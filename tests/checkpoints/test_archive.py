"""Archives of checkpoints: one model's files unpacked; hostile archives refused."""

import gzip
import io
import stat
import tarfile
import zipfile

import pytest

from latentgen.checkpoints import archive
from latentgen.checkpoints.archive import is_archive, unpacked
from latentgen.errors import FileError, InputError

FILES = {
    "checkpoint": b"",
    "vector-3.index": b"index",
    "vector-3.data-00000-of-00001": b"data",
    "model_config.json": b"{}",
    "notes.txt": b"no",
}
CHECKPOINT = {"vector-3.index", "vector-3.data-00000-of-00001", "model_config.json"}


def write(path, files):
    """A .zip, .tar or .tgz of names and bytes."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture(params=["a.tar", "a.tgz", "a.zip"])
def path(request, tmp_path):
    return tmp_path / request.param


@pytest.mark.parametrize("inside", ["", "./", "sketch_rnn/owl/"])
def test_one_model(path, inside):
    write(path, {inside + name: content for name, content in FILES.items()})
    assert is_archive(path)
    with unpacked(path) as prefix:
        assert prefix.name == "vector-3"
        assert {file.name for file in prefix.parent.iterdir()} == CHECKPOINT
        assert prefix.with_name("vector-3.index").read_bytes() == b"index"
    assert not prefix.parent.exists()


def test_one_of_several_models(path):
    folders = ("rnn/owl/lstm", "rnn/owl/layer_norm", "rnn/cat/lstm")
    write(path, {f"{folder}/{n}": c for folder in folders for n, c in FILES.items()})
    for member in ("rnn/owl/layer_norm", "owl/layer_norm", "layer_norm", "layer_norm/"):
        with unpacked(path, member) as prefix:
            assert prefix.name == "vector-3"
    for member in (None, "lstm", "dog", ""):
        with pytest.raises(InputError, match="expected one of rnn/owl/lstm, rnn/owl/layer_norm"):
            unpacked(path, member).__enter__()


def test_the_first_checkpoint_of_a_folder(path):
    more = {"._vector-9.index": b"", "vector-5.index": b"", "vector-5.data-00000-of-00001": b""}
    write(path, {"._a.index": b"", **FILES, **more})
    with unpacked(path) as prefix:
        assert {file.name for file in prefix.parent.iterdir()} == CHECKPOINT


def test_no_checkpoint(path):
    write(path, {"song.mid": b"MThd"})
    with pytest.raises(FileError, match="archive with a checkpoint"):
        unpacked(path).__enter__()


@pytest.mark.parametrize(
    "name", ["../evil.index", "a/../../evil.index", "/evil.index", "a\\b.index"]
)
def test_paths_that_lead_outside(path, name):
    write(path, FILES | {name: b"evil"})
    with pytest.raises(FileError, match="inside the archive"):
        unpacked(path).__enter__()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_in_a_tar(tmp_path, kind):
    path = write(tmp_path / "a.tar", FILES)
    with tarfile.open(path, "a") as archive:
        info = tarfile.TarInfo("link.index")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(FileError, match=r"link.*link.index"):
        unpacked(path).__enter__()


def test_links_in_a_zip(tmp_path):
    path = write(tmp_path / "a.zip", FILES)
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("link.index")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(FileError, match=r"link.*link.index"):
        unpacked(path).__enter__()


def test_more_than_an_archive_of_weights_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "ALLOWANCE", 1000)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.index", bytes(1_000_000))
    with pytest.raises(FileError, match="unpacks to more than"):
        unpacked(path).__enter__()
    path = tmp_path / "bomb.tgz"
    write(path, {"a.index": bytes(1_000_000)})
    with pytest.raises(FileError, match="unpacks to more than"):
        unpacked(path).__enter__()
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    with pytest.raises(FileError, match="3 files"):
        unpacked(write(tmp_path / "many.tar", FILES)).__enter__()


def test_a_header_that_claims_gigabytes(tmp_path):
    """A .tar's long names are read as a whole: of a compressed one they may be of any size."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    path = tmp_path / "bomb.tar.gz"
    with gzip.open(path, "wb") as file:
        file.write(info.tobuf())
        file.write(bytes(1 << 24))
    with pytest.raises(FileError, match="header of"):
        unpacked(path).__enter__()


def test_sizes_that_only_the_header_has(tmp_path):
    info = tarfile.TarInfo("a.index")
    info.size = 1 << 40
    path = tmp_path / "a.tar"
    path.write_bytes(info.tobuf() + bytes(10_240))
    with pytest.raises(FileError, match="unpacks to more than"):
        unpacked(path).__enter__()


def test_damaged_archives(path):
    """What is cut off is refused, or at a member's end opens as what is left of it."""
    sound = write(path, FILES).read_bytes()
    refused = 0
    for keep in range(1, len(sound), len(sound) // 30):
        path.write_bytes(sound[:keep])
        try:
            with unpacked(path) as prefix:
                left = {file.name: file.read_bytes() for file in prefix.parent.iterdir()}
        except FileError:
            refused += 1
        else:
            assert left.items() <= FILES.items()
    assert refused >= 5


def test_no_archive(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(b"no archive")
    assert not is_archive(path)
    with pytest.raises(FileError, match="could not read it"):
        unpacked(path).__enter__()


def test_an_encrypted_or_unknown_zip(tmp_path):
    path = write(tmp_path / "a.zip", FILES)
    content = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag of encryption
        place = content.find(signature)
        while place >= 0:
            content[place + at] |= 1
            place = content.find(signature, place + 1)
    path.write_bytes(content)
    with pytest.raises(FileError, match="could not read it"):
        unpacked(path).__enter__()
