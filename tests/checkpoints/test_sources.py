"""Sources as people name them: paths, addresses of files and of web pages' folders, names."""

import functools
import http.server
import json
import threading

import pytest

from latentgen.checkpoints import published
from latentgen.checkpoints.sources import find_source
from latentgen.errors import FileError, InputError


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder that is served, its address, and an empty cache."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_path_is_itself(tmp_path):
    assert find_source(tmp_path).path == tmp_path
    (tmp_path / "vector-3.index").touch()
    assert find_source(tmp_path / "vector-3").path == tmp_path / "vector-3"


def test_neither_path_nor_name():
    with pytest.raises(InputError, match="expected a file, a folder, an address or"):
        find_source("no-such-thing")


def test_an_address_of_a_file(site):
    folder, address = site
    (folder / "a.tar").write_bytes(b"123")
    assert find_source(f"{address}/a.tar?generation=1").path.read_bytes() == b"123"


def test_a_published_name(site, monkeypatch):
    folder, address = site
    monkeypatch.setattr(published, "MUSIC", address)
    (folder / "cat-mel_2bar_big.tar").write_bytes(b"123")
    found = find_source("magenta/cat-mel_2bar_big")
    assert found.path.read_bytes() == b"123"
    assert found.config == "cat-mel_2bar_big"
    monkeypatch.setattr(published, "SKETCH_ZIP", f"{address}/a.zip")
    (folder / "a.zip").write_bytes(b"456")
    assert find_source("magenta/sketch_rnn/owl/lstm").member == "owl/lstm"


@pytest.mark.parametrize(
    ("name", "manifest"),
    [
        ("weights_manifest.json", [{"paths": ["a-1", "a-2"], "weights": []}, {"paths": ["a-1"]}]),
        ("model.json", {"weightsManifest": [{"paths": ["a-1", "a-2"]}]}),
        ("manifest.json", {"x": {"filename": "a-1"}, "y": {"filename": "a-2"}}),
    ],
)
def test_a_folder_of_a_web_page(site, name, manifest):
    folder, address = site
    (folder / name).write_text(json.dumps(manifest))
    (folder / "converter.json").write_text("{}")
    for file in ("a-1", "a-2", "other"):
        (folder / file).write_text(file)
    found = find_source(address).path
    assert find_source(f"{address}/{name}").path == found
    assert {path.name for path in found.iterdir()} == {name, "converter.json", "a-1", "a-2"}


def test_a_folder_without_a_model(site):
    with pytest.raises(FileError, match="found neither"):
        find_source(site[1])


@pytest.mark.parametrize(
    "manifest",
    [
        [{"paths": ["../../a"]}],
        [{"paths": ["/etc/passwd"]}],
        [{"paths": [3]}],
        [{"paths": [str(k) for k in range(2000)]}],
        {"x": {"filename": "http://elsewhere/a"}},
        "text",
        3,
        {"x": {}},
    ],
)
def test_manifests_of_strangers(site, tmp_path, manifest):
    folder, address = site
    (folder / "weights_manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(FileError, match="expected"):
        find_source(address)
    assert {path.name for path in (tmp_path / "cache").rglob("*.*")} <= {"weights_manifest.json"}
