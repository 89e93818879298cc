"""Downloads from a server on this machine that breaks off, changes its mind and lies."""

import base64
import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from latentgen.checkpoints.download import cache_folder, download, file_name, is_address
from latentgen.errors import FileError, InputError

CONTENT = np.random.default_rng(0).bytes(3_000_000)


@dataclass
class Server:
    """What the server says, and what it was asked."""

    address: str = ""
    content: bytes = CONTENT
    etag: str = '"one"'
    most: int = len(CONTENT)  # bytes of an answer, after which it hangs up
    md5: str = ""
    ranges: bool = True
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            told.asked.append(self.headers.get("Range"))
            if not self.path.startswith("/model"):
                self.send_error(404)
                return
            start, same = 0, self.headers.get("If-Range") == told.etag
            if told.ranges and same and told.asked[-1]:
                start = int(told.asked[-1].removeprefix("bytes=").removesuffix("-"))
                self.send_response(206)
                last = len(told.content) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(told.content) - start))
            self.send_header("ETag", told.etag)
            if told.md5:
                self.send_header("x-goog-hash", f"crc32c=AAAAAA==,md5={told.md5}")
            self.end_headers()
            self.wfile.write(told.content[start : start + told.most])

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        told.address = f"http://127.0.0.1:{running.server_port}/model.tar?token=1"
        yield told
        running.shutdown()


def test_a_file_is_fetched_once(server, tmp_path):
    seen: list[tuple[int, int | None]] = []
    path = download(
        server.address, tmp_path / "model.tar", progress=lambda *told: seen.append(told)
    )
    assert path.name == "model.tar"
    assert path.read_bytes() == CONTENT
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert download(server.address, tmp_path / "model.tar") == path
    assert len(server.asked) == 1


def test_a_broken_download_is_gone_on_with(server, tmp_path):
    server.most = 2_000_000
    with pytest.raises(FileError, match="broke off"):
        download(server.address, tmp_path / "model.tar")
    assert download(server.address, tmp_path / "model.tar").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=2000000-"]


def test_a_file_that_changed_meanwhile_is_fetched_anew(server, tmp_path):
    server.most = 2_000_000
    with pytest.raises(FileError, match="broke off"):
        download(server.address, tmp_path / "model.tar")
    server.content, server.etag, server.most = CONTENT[::-1], '"two"', len(CONTENT)
    assert download(server.address, tmp_path / "model.tar").read_bytes() == CONTENT[::-1]


def test_a_server_without_ranges(server, tmp_path):
    server.most, server.ranges = 2_000_000, False
    with pytest.raises(FileError, match="broke off"):
        download(server.address, tmp_path / "model.tar")
    server.most = len(CONTENT)
    assert download(server.address, tmp_path / "model.tar").read_bytes() == CONTENT


def test_sums_are_compared(server, tmp_path):
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    server.md5 = base64.b64encode(hashlib.md5(CONTENT).digest()).decode()
    path = download(server.address, tmp_path / "model.tar", sha256)
    with pytest.raises(FileError, match="SHA-256"):
        download(server.address, tmp_path / "model.tar", "0" * 64)
    assert not path.exists()
    server.content = CONTENT[::-1]
    with pytest.raises(FileError, match="MD5"):
        download(server.address, tmp_path / "model.tar", sha256)
    assert not list(tmp_path.rglob("model.tar*"))


def test_what_is_not_there(server, tmp_path):
    with pytest.raises(FileError, match="404"):
        download(server.address.replace("/model", "/nothing"), tmp_path / "a")
    with pytest.raises(FileError, match="no answer"):
        download("http://127.0.0.1:1/model.tar", tmp_path / "a")


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://a/b", "model.tar"])
def test_other_addresses_are_refused(address, tmp_path):
    assert not is_address(address)
    with pytest.raises(InputError, match="http"):
        download(address, tmp_path / "a")


def test_the_cache(server, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = download(server.address)
    assert path.parent == cache_folder(server.address)
    assert path.parent.parent == tmp_path / "latentgen"
    assert path.name == "model.tar"
    assert cache_folder("http://a/b.tar") != cache_folder("http://c/b.tar")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://a/b/c.tar?x=1#y", "c.tar"),
        ("http://a", "download"),
        ("http://a/%2e%2e", "download"),
        ("http://a/b%2f..%2fc.tar", "c.tar"),
    ],
)
def test_names_of_files(address, name):
    assert file_name(address) == name
