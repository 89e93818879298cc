"""Which models a site shows, and where its runtime comes from."""

import base64
import gzip
import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from latentgen.errors import FileError, InputError
from latentgen.export.web import runtime
from latentgen.export.web.build import facts, write_site
from latentgen.music import MusicVAE
from latentgen.music.converters import DrumConverter, MelodyConverter
from latentgen.sketch import SketchDecoder, SketchVAE

WASM = b"\0asm of this test"


def package(folder: Path, version: str = runtime.VERSION) -> Path:
    """A package with what is needed of onnxruntime-web, unpacked."""
    for name, inner in runtime.FILES.items():
        (folder / inner).parent.mkdir(parents=True, exist_ok=True)
        (folder / inner).write_bytes(WASM if name == runtime.WASM else name.encode())
    (folder / runtime.CARD).write_text(json.dumps({"version": version, "license": "MIT"}))
    return folder


def tarball(folder: Path, path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, "package")
    return path


@pytest.fixture
def drawings() -> SketchVAE:
    return SketchVAE(3, encoder_units=4, decoder_units=4, mixtures=2, max_length=5, scale=7.0)


def test_the_runtime_of_a_folder(tmp_path):
    (tmp_path / "out").mkdir()
    runtime.write_runtime(tmp_path / "out", package(tmp_path / "package"))
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {*runtime.FILES, f"{runtime.WASM}.gz"} - {runtime.WASM}
    packed = (tmp_path / "out" / f"{runtime.WASM}.gz").read_bytes()
    assert gzip.decompress(packed) == WASM
    (tmp_path / "package" / "dist" / "ort.wasm.min.mjs").unlink()
    with pytest.raises(FileError, match=r"ort\.wasm\.min\.mjs: expected a file of onnxruntime-web"):
        runtime.write_runtime(tmp_path / "out", tmp_path / "package")


def test_another_version_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"expected onnxruntime-web 1.* received 0\.1"):
        runtime.write_runtime(tmp_path, package(tmp_path / "package", version="0.1"))


def test_another_tarball_is_refused(tmp_path):
    other = tarball(package(tmp_path / "package"), tmp_path / "ort.tgz")
    with pytest.raises(FileError, match=r"with the integrity sha512-.* received sha512-"):
        runtime.write_runtime(tmp_path, other)
    with pytest.raises(FileError, match=r"expected the tarball .* found none"):
        runtime.write_runtime(tmp_path, tmp_path / "none.tgz")


def test_the_right_tarball_is_taken(tmp_path, monkeypatch):
    right = tarball(package(tmp_path / "package"), tmp_path / "ort.tgz")
    digest = hashlib.sha512(right.read_bytes()).digest()
    monkeypatch.setattr(runtime, "INTEGRITY", f"sha512-{base64.b64encode(digest).decode()}")
    (tmp_path / "out").mkdir()
    runtime.write_runtime(tmp_path / "out", right)
    assert (tmp_path / "out" / "ort.wasm.min.mjs").read_bytes() == b"ort.wasm.min.mjs"


def test_without_a_network_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/")
    with pytest.raises(
        FileError, match=r"127.0.0.1:9/onnxruntime-web/.*give its tarball or folder"
    ):
        runtime.write_runtime(tmp_path)


def test_the_registry_is_npms_own(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"):
        monkeypatch.delenv(name, raising=False)
    assert runtime.registry() == "https://registry.npmjs.org"
    (tmp_path / ".npmrc").write_text("fund=false\nregistry = https://mirror.example/npm/\n")
    assert runtime.registry() == "https://mirror.example/npm"
    monkeypatch.setenv("npm_config_registry", "http://other.example")
    assert runtime.registry() == "http://other.example"


def test_what_the_page_is_told(drawings):
    told = facts(drawings, None, "farm")
    assert (told["kind"], told["folder"]) == ("sketch", "models/farm")
    assert told["arguments"]["scale"] == 7.0
    assert (told["latent_size"], told["noise_size"], told["max_length"]) == (3, 4, 5)
    assert told["points"] == 0
    tune = facts(MusicVAE(MelodyConverter(bars=1), 3, (4,), (4,)), None, "tune")
    assert (tune["kind"], tune["arguments"]["converter"]["steps_per_bar"]) == ("melody", 16)


def test_what_the_page_cannot_show(drawings, tmp_path):
    site = tmp_path / "site"
    with pytest.raises(InputError, match="expected one or more, of different names"):
        write_site([], site)
    with pytest.raises(InputError, match=r"different names, received \['a', 'a'\]"):
        write_site([(drawings, None, "a"), (drawings, None, "a")], site)
    with pytest.raises(InputError, match=r"expected names of letters.* received '../x'"):
        write_site([(drawings, None, "../x")], site)
    full = MusicVAE(DrumConverter(bars=1, full=True, roll_output=True), 3, (4,), (4,))
    with pytest.raises(InputError, match=r"melodies or nine drums.* received DrumConverter"):
        write_site([(full, None, "full")], site)
    with pytest.raises(InputError, match="received Decoder with no z"):
        write_site([(SketchDecoder(4, max_length=5), None, "pen")], site)
    assert not site.exists()
