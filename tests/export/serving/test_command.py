"""`latentgen serve` itself: Ray, several processes, signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests

from latentgen.cli.main import main
from latentgen.export.serving import main as serving_main
from tests.export.serving.fakes import LATENT, write_version
from tests.export.serving.saved import write_saved_model


def free_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


def refused(capsys, *arguments):
    assert main(["serve", *map(str, arguments)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    return said


def test_what_cannot_be_served_is_refused_before_ray_starts(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(serving_main, "serve", lambda *_, **__: pytest.fail("it was started"))
    write_version(tmp_path / "cats", 1)
    assert "found none" in refused(capsys, tmp_path / "dogs")
    assert "two of 'cats'" in refused(capsys, tmp_path / "cats", tmp_path / "cats")
    (tmp_path / "key").write_text(" \n")
    key = tmp_path / "key"
    assert "expected a key" in refused(capsys, tmp_path / "cats", "--api-key-file", key)
    assert "no-key" in refused(capsys, tmp_path / "cats", "--api-key-file", tmp_path / "no-key")
    assert "--port" in refused(capsys, tmp_path / "cats", "--port", 0)


def test_without_the_extra_it_says_what_to_install(tmp_path, capsys, monkeypatch):
    write_version(tmp_path / "cats", 1)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install" in refused(capsys, tmp_path / "cats")


def test_the_key_is_kept_as_a_digest_and_taken_from_the_environment(tmp_path, capsys, monkeypatch):
    write_version(tmp_path / "cats", 1)
    (tmp_path / "key").write_text("secret\n")
    seen = []
    monkeypatch.setattr(serving_main, "serve", lambda *_, **options: seen.append(options["key"]))
    monkeypatch.setenv("LATENTGEN_API_KEY", "secret")
    assert main(["serve", str(tmp_path / "cats")]) == 0
    assert "LATENTGEN_API_KEY" not in os.environ
    assert main(["serve", str(tmp_path / "cats"), "--api-key-file", str(tmp_path / "key")]) == 0
    assert main(["serve", str(tmp_path / "cats"), "--host", "0.0.0.0"]) == 0
    assert seen[0] == seen[1] != "secret"
    assert seen[2] is None
    assert "warning" in capsys.readouterr().err


def test_an_address_that_is_taken_is_refused_before_ray_starts(tmp_path, capsys):
    write_version(tmp_path / "cats", 1)
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        place.listen()
        port = place.getsockname()[1]
        assert f"--port {port}" in refused(capsys, tmp_path / "cats", "--port", port)


@pytest.mark.slow
def test_it_serves_swaps_a_version_and_ends_when_it_is_told(tmp_path):
    write_saved_model(tmp_path / "cats", 1)
    write_saved_model(tmp_path / "later", 2)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-c", "from latentgen.cli.main import run; run()", "serve",
         str(tmp_path / "cats"), "--port", str(port), "--max-batch", "4"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout.readline().startswith(f"Serving cats at {address}")
        asked = {"z": [[0.5] * LATENT], "temperature": 0.5, "seed": 3}
        body = {"signature_name": "decode", "inputs": asked}
        seen, stop = [], threading.Event()

        def ask():
            with requests.Session() as session:
                while not stop.is_set():
                    answer = session.post(
                        f"{address}/v1/models/cats:predict", json=body, timeout=60
                    )
                    drawn = answer.json()["outputs"]["strokes"][0][0][0]
                    seen.append((answer.status_code, answer.headers["x-model-version"], drawn))

        thread = threading.Thread(target=ask)
        thread.start()
        (tmp_path / "later" / "2").rename(tmp_path / "cats" / "2")
        until = time.monotonic() + 120
        while not (seen and seen[-1][1] == "2") and thread.is_alive() and time.monotonic() < until:
            time.sleep(0.1)
        wrong = requests.post(f"{address}/v1/models/cats:predict", json={"inputs": 1}, timeout=60)
        assert wrong.status_code == 400
        picture = requests.get(f"{address}/v1/models/cats/sample.svg?n=2", timeout=60)
        assert picture.content.startswith(b"<svg")
        assert requests.get(f"{address}/readyz", timeout=60).status_code == 200
        stop.set()
        thread.join()
        assert {code for code, _, _ in seen} == {200}
        assert {(version, drawn) for _, version, drawn in seen} == {("1", 1.0), ("2", 2.0)}
    finally:
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=120)
    assert process.returncode == 0, logged
    assert "Traceback" not in logged
    lines = [json.loads(line) for line in logged.splitlines()]
    assert {"version loaded", "request"} <= {line["event"] for line in lines}
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{address}/healthz", timeout=5)
