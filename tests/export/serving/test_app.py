"""The service's addresses, driven over a loopback port by a client that knows nothing of them."""

import json
import threading
import time

import numpy as np
import pytest
import requests
import uvicorn

from latentgen.export.serving.app import make_app
from latentgen.export.serving.edge import digest
from latentgen.export.serving.service import Limits, Service
from tests.export.serving.fakes import LATENT, InProcess, write_version


class Running:
    """A service on a free port, and its parts."""

    def __init__(self, folders, limits=None, key=None):
        self.replicas = InProcess(folders)
        self.service = Service(self.replicas, limits or Limits(rows=8, watch=0.05, body=20_000))
        config = uvicorn.Config(
            make_app(self.service, key), port=0, log_level="error", lifespan="on"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        until = time.monotonic() + 20
        while not (self.server.started and self.service.ready) and time.monotonic() < until:
            time.sleep(0.02)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(10)

    def get(self, path, **options):
        return requests.get(self.address + path, timeout=20, **options)

    def post(self, path, document=None, **options):
        return requests.post(self.address + path, json=document, timeout=20, **options)

    def predict(self, document, name="cats"):
        return self.post(f"/v1/models/{name}:predict", document)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_version(folder / "cats", 1)
    write_version(folder / "words", 3, domain="text", attributes=[])
    write_version(folder / "tunes", 1, domain="music", attributes=[])
    with Running({name: folder / name for name in ("cats", "words", "tunes")}) as running:
        yield running


def decode(rows=1, **changes):
    inputs = {"z": [[0.5] * LATENT] * rows, "temperature": 0.5, "seed": 3}
    return {"signature_name": "decode", "inputs": inputs | changes}


def refused(response, code, *words):
    """Asserts that a client is told what is wrong, in one line."""
    assert response.status_code == code, response.text
    assert response.headers["content-type"] == "application/json"
    told = response.json()
    assert list(told) == ["error"]
    assert "\n" not in told["error"]
    assert "Traceback" not in response.text
    for word in words:
        assert word in told["error"]


def test_columns_and_rows_give_the_same_drawing(running):
    columns = running.predict(decode(seed=[3]))
    row = {"z": [0.5] * LATENT, "temperature": 0.5, "seed": 3}
    rows = running.predict({"signature_name": "decode", "instances": [row]})
    assert columns.headers["x-model-version"] == "1"
    outputs, predictions = columns.json()["outputs"], rows.json()["predictions"]
    assert predictions == [{name: values[0] for name, values in outputs.items()}]
    assert np.shape(outputs["strokes"]) == (1, 6, 3)


def test_one_output_stands_alone_as_tensorflow_serving_has_it(running):
    asked = {"z": [[1.0] * LATENT], "targets": [None, 1, float("nan")], "strength": 0.5}
    body = json.dumps({"signature_name": "constrain", "inputs": asked})
    response = running.post("/v1/models/cats/versions/1:predict", data=body)
    assert response.json() == {"outputs": [[1.5] * LATENT]}
    texts = {"signature_name": "encode", "instances": ["ab", {"b64": "w6k="}]}
    found = running.predict(texts, "words").json()["predictions"]
    assert [row["mean"][0] for row in found] == [2, 2]  # é is two bytes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"z": [[0.5] * 5]}, ["z: expected shape (n, 4), received (1, 5)"]),
        (
            {"z": [[0.5, 1, float("nan"), 1]]},
            ["z: expected finite numbers, received nan at [0, 2]"],
        ),
        ({"z": [[0.5, 1, 1e39, 1]]}, ["finite"]),
        ({"z": [[0.5, 1, 1, 1], [1]]}, ["equal length"]),
        ({"z": [["a", 1, 1, 1]]}, ["numbers", "'a'"]),
        ({"z": [[True] * LATENT]}, ["numbers", "True"]),
        ({"z": None}, ["numbers", "None"]),
        ({"z": []}, ["at least one row"]),
        ({"z": [[0.5] * LATENT] * 9}, ["at most 8 rows"]),
        ({"z": [[1e7] * LATENT]}, ["not finite"]),
        ({"temperature": -1}, ["temperature: expected 0 to 100, received -1"]),
        ({"temperature": [1, 2]}, ["temperature", "(2,)"]),
        ({"seed": 2**31}, ["seed: expected whole numbers"]),
        ({"seed": 0.5}, ["seed: expected whole numbers"]),
        ({"seed": -1}, ["seed: expected 0 or more"]),
        ({"seed": 13}, ["luck"]),
        ({"sead": 1}, ["'sead' too"]),
    ],
)
def test_a_client_is_told_what_is_wrong(running, changes, words):
    response = running.post("/v1/models/cats:predict", data=json.dumps(decode(**changes)))
    refused(response, 400, *words)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", ["JSON", "line 1"]),
        (b"\xff", ["JSON"]),
        (b"[" * 5000, ["JSON"]),
        (b"[]", ["object"]),
        (b"{}", ["one of 'instances' and 'inputs'"]),
        (b'{"signature_name": 3, "inputs": {}}', ["signature_name"]),
        (b'{"signature_name": "dekode", "inputs": {}}', ["'dekode'", "decode"]),
        (b'{"inputs": {}}', ["serving_default", "decode"]),
        (b'{"signature_name": "decode", "inputs": {"z": 1}}', ["no 'temperature'"]),
        (b'{"signature_name": "decode", "inputs": 3}', ["object"]),
        (b'{"signature_name": "decode", "instances": [{"z": 1}, 2]}', ["same inputs"]),
        (b'{"signature_name": "sample", "instances": [{"n": 2}]}', ["'inputs'", "n is one number"]),
        (b'{"signature_name": "encode", "inputs": {"strokes": 1, "length": 2}}', ["(n, T, 3)"]),
    ],
)
def test_a_body_that_is_no_request_is_refused(running, body, words):
    refused(running.post("/v1/models/cats:predict", data=body), 400, *words)


def test_targets_and_lengths_are_checked_by_what_the_model_knows(running):
    def sampled(**changes):
        inputs = {"n": 2, "targets": [1, 0, 2.5], "strength": 1, "temperature": 0, "seed": 0}
        document = {"signature_name": "sample_constrained", "inputs": inputs | changes}
        return running.predict(document)

    assert len(sampled().json()["outputs"]["z"]) == 2
    refused(sampled(targets=[2, 0, 0]), 400, "'round'", "0 to 1")
    refused(sampled(targets=[0.5, 0, 0]), 400, "'round'")
    refused(sampled(targets=[1, 0]), 400, "(2, 3)")
    refused(sampled(n=0), 400, "n: expected 1 or more")
    refused(sampled(n=10**6), 400, "at most 8 rows")
    pieces = {"strokes": [[[0.0, 0.0, 1.0]]], "length": [2]}
    refused(
        running.predict({"signature_name": "encode", "inputs": pieces}), 400, "length", "1 to 1"
    )


def test_what_does_not_exist_is_404(running):
    refused(running.predict({}, "dogs"), 400)
    refused(running.predict(decode(), "dogs"), 404, "'dogs'", "cats")
    refused(running.post("/v1/models/cats/versions/7:predict", decode()), 404, "7")
    refused(running.post("/v1/models/cats/versions/x:predict", decode()), 404, "number")
    refused(running.get("/v1/models/cats/versions/7"), 404)
    refused(running.get("/v1/models/cats/sample.gif"), 404, "sample.svg")
    refused(running.get("/v1/models/words/sample.png"), 404, "sample.txt")
    refused(running.get("/nowhere"), 404, "/openapi.json")
    refused(running.get("/v1/models/cats:predict"), 404)
    refused(requests.delete(running.address + "/v1/models/cats", timeout=20), 405, "DELETE")


def test_status_and_metadata_are_tensorflow_servings(running):
    assert running.get("/v1/models/words").json() == {
        "model_version_status": [
            {
                "version": "3",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    told = running.get("/v1/models/cats/versions/1/metadata").json()
    assert told["model_spec"] == {"name": "cats", "signature_name": "", "version": "1"}
    inputs = told["metadata"]["signature_def"]["signature_def"]["decode"]["inputs"]
    assert inputs["z"]["dtype"] == "DT_FLOAT"
    assert [dim["size"] for dim in inputs["z"]["tensor_shape"]["dim"]] == ["-1", "4"]
    assert inputs["seed"]["tensor_shape"]["unknown_rank"] is True


@pytest.mark.parametrize(
    ("address", "kind", "begins"),
    [
        ("cats/sample.svg?n=4&seed=2", "image/svg+xml", b"<svg"),
        ("cats/sample.png?round=yes&class=pig&size=2.5", "image/png", b"\x89PNG"),
        ("cats/versions/1/sample.json", "application/json", b"{"),
        ("words/sample.txt?n=3", "text/plain; charset=utf-8", "número".encode()),
        ("words/sample.json", "application/json", b"{"),
        ("tunes/sample.mid", "audio/midi", b"MThd"),
        ("tunes/sample.wav?tempo=240", "audio/wav", b"RIFF"),
        ("tunes/sample.svg?n=2", "image/svg+xml", b"<svg"),
        ("tunes/sample.json", "application/json", b"{"),
    ],
)
def test_a_prompt_is_answered_with_a_file(running, address, kind, begins):
    response = running.get(f"/v1/models/{address}")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == kind
    assert response.content.startswith(begins)


def test_a_prompt_in_the_body_is_the_one_in_the_address(running):
    address = "/v1/models/cats/sample.json?n=2&seed=5&round=yes&class=pig&strength=0.5"
    body = {"n": 2, "seed": 5, "strength": 0.5, "attributes": {"round": True, "class": "pig"}}
    got = running.get(address).json()
    assert got == running.post("/v1/models/cats/sample.json", body).json()
    assert got["asked"] == {"round": True, "class": "pig"}
    assert got != running.get(address.replace("seed=5", "seed=6")).json()
    assert len(got["pieces"]) == 2


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("furry=yes", ["'furry'", "round"]),
        ("round=maybe", ["'round'", "yes", "'maybe'"]),
        ("class=dog", ["cat", "'dog'"]),
        ("size=big", ["size", "'big'"]),
        ("size=nan", ["size"]),
        ("n=0", ["n: expected a whole number from 1 to 8"]),
        ("n=2.5", ["n: expected a whole number"]),
        ("n=1&n=2", ["one value"]),
        ("seed=x", ["seed"]),
        ("temperature=nan", ["temperature"]),
        ("strength=-1", ["strength"]),
        ("strength=inf", ["strength"]),
    ],
)
def test_a_prompt_that_cannot_be_is_refused(running, query, words):
    refused(running.get(f"/v1/models/cats/sample.svg?{query}"), 400, *words)


def test_a_prompts_body_is_read_strictly(running):
    for body, word in [
        ([], "object"),
        ({"m": 1}, "'m'"),
        ({"attributes": []}, "attributes"),
        ({"attributes": {"round": 3}}, "'round'"),
        ({"attributes": {"size": True}}, "'size'"),
        ({"n": True}, "n:"),
    ]:
        refused(running.post("/v1/models/cats/sample.svg", body), 400, word)
    refused(running.get("/v1/models/tunes/sample.mid?n=2"), 400, "expected 1")
    refused(running.get("/v1/models/words/sample.txt?mood=good"), 400, "no attributes")


def test_a_body_that_is_too_large_is_refused_stated_or_not(running):
    path = "/v1/models/cats:predict"
    refused(running.post(path, data=b" " * 30_000), 413, "20000 bytes")
    chunks = (b" " * 1000 for _ in range(30))
    refused(running.post(path, data=chunks), 413)


def test_the_models_say_what_they_can_be_asked(running):
    cats = running.get("/v1/models").json()["models"][0]
    assert cats["name"] == "cats"
    assert cats["attributes"][1] == {
        "name": "class",
        "kind": "categorical",
        "classes": ["cat", "pig"],
    }
    assert "sample.svg" in cats["samples"]


def test_metrics_count_what_was_answered(running):
    running.get("/v1/models/cats/sample.svg?n=99")
    running.get("/v1/models/" + "x" * 50)
    text = running.get("/metrics").text
    assert 'latentgen_requests_total{code="400",endpoint="sample.svg",model="cats"}' in text
    assert 'latentgen_batch_rows_count{model="cats",signature="decode"}' in text
    assert "latentgen_waiting_rows 0.0" in text
    assert "xxx" not in text  # a name that does not exist becomes no label


def test_a_fault_of_the_service_is_one_line_too(running, caplog):
    running.replicas.failure = RuntimeError("secret /path")
    try:
        response = running.predict(decode())
    finally:
        running.replicas.failure = None
    refused(response, 500)
    assert "secret" not in response.text
    assert any(record.exc_info for record in caplog.records)


def test_requests_need_the_key_and_probes_do_not(tmp_path):
    write_version(tmp_path / "cats", 1)
    with Running({"cats": tmp_path / "cats"}, key=digest(b"a secret")) as running:
        refused(running.get("/v1/models/cats"), 401, "API key")
        for shown, code in (("Bearer a", 401), ("Basic a secret", 401), ("Bearer a secret", 200)):
            given = {"authorization": shown}
            assert running.get("/v1/models/cats", headers=given).status_code == code
        assert running.get("/healthz").json() == {"status": "alive"}
        assert running.get("/readyz").status_code == 200
        refused(running.get("/metrics"), 401)


def test_what_waits_too_long_or_is_too_much_is_told_to_come_back(tmp_path):
    write_version(tmp_path / "cats", 1)
    limits = Limits(rows=2, wait=0, seconds=2, queue=4, watch=0.05)
    with Running({"cats": tmp_path / "cats"}, limits) as running:
        running.replicas.delay = 4.0
        codes = []

        def ask():
            response = running.predict(decode(rows=2))
            codes.append((response.status_code, response.headers.get("retry-after")))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for count, thread in enumerate(threads, start=1):
            thread.start()
            while running.service.in_flight < count and not codes:
                time.sleep(0.01)
        for thread in threads:
            thread.join()
        # One ran, two waited, and for the fourth there was no room.
        assert codes[0] == (429, "1")
        assert sorted(codes[1:], key=str) == [(503, "1"), (503, "1"), (504, None)]


def test_draining_answers_what_came_before(tmp_path):
    write_version(tmp_path / "cats", 1)
    with Running({"cats": tmp_path / "cats"}) as running:
        running.replicas.delay = 0.5
        answers = []
        thread = threading.Thread(target=lambda: answers.append(running.predict(decode())))
        thread.start()
        while not running.service.in_flight:
            time.sleep(0.01)
        running.service.draining = True
        refused(running.predict(decode()), 503, "stopping")
        refused(running.get("/readyz"), 503)
        assert running.get("/healthz").status_code == 200
        thread.join()
        assert answers[0].status_code == 200


def test_a_new_version_is_swapped_in_under_requests(tmp_path):
    write_version(tmp_path / "cats", 1)
    with Running({"cats": tmp_path / "cats"}) as running:
        seen, stop = [], threading.Event()

        def ask():
            while not stop.is_set():
                response = running.predict(decode())
                version = int(response.headers["x-model-version"])
                drawn = response.json()["outputs"]["strokes"][0][0][0]
                seen.append((response.status_code, version, drawn))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        write_version(tmp_path / "cats", 2)
        until = time.monotonic() + 10
        while (not seen or seen[-1][1] != 2) and time.monotonic() < until:
            time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join()
        assert {code for code, _, _ in seen} == {200}
        assert {version for _, version, _ in seen} == {1, 2}
        assert all(version == drawn for _, version, drawn in seen)
