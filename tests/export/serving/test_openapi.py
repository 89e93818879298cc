"""The service against its own description: whatever it allows is answered, and never by a 5xx."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from latentgen.export.serving.service import Limits
from tests.export.serving.fakes import write_version
from tests.export.serving.test_app import Running


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_version(folder / "cats", 1)
    write_version(folder / "words", 2, domain="text", attributes=[])
    folders = {name: folder / name for name in ("cats", "words")}
    with Running(folders, Limits(rows=8, wait=0, watch=0.05, body=20_000)) as running:
        yield running


def test_the_description_names_what_there_is(running):
    document = running.get("/openapi.json").json()
    assert document["openapi"].startswith("3.")
    path = document["paths"]["/v1/models/{name}:predict"]["post"]
    assert path["parameters"][0]["schema"]["enum"] == ["cats", "words"]
    assert {"400", "404", "413", "429", "503", "504"} <= set(path["responses"])
    assert "422" not in path["responses"]
    examples = document["components"]["schemas"]["Predict"]["examples"]
    for example in examples[:3]:
        assert running.predict(example).status_code == 200


def operations(running):
    schema = schemathesis.openapi.from_url(running.address + "/openapi.json")
    return [found.ok() for found in schema.get_all_operations()]


def ask(operation, mode):
    """The statuses of what is drawn from an operation's description, or from outside of it."""
    codes = set()

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case):
        response = case.call()
        told = f"{case.method} {response.request.url} {case.body!r}: {response.content[:300]!r}"
        assert response.status_code < 500, told
        if response.status_code >= 400:
            assert list(response.json()) == ["error"], told
            assert "\n" not in response.json()["error"], told
        codes.add(response.status_code)

    check()
    return codes


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_whatever_is_asked_the_service_does_not_fail(running, mode):
    for operation in operations(running):
        # What takes nothing cannot be asked wrongly.
        if mode is GenerationMode.POSITIVE or "{" in operation.label:
            assert ask(operation, mode)
