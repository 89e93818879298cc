"""What docs/serving.md and the help show does what they say."""

import re
import shlex

import pytest
import requests

from latentgen.cli.main import main
from latentgen.cli.serving import EPILOG
from latentgen.export.serving import main as serving_main
from tests.export.serving.fakes import write_version
from tests.export.serving.test_app import Running
from tests.shared import REPOSITORY

TEXT = (REPOSITORY / "docs" / "serving.md").read_text(encoding="utf-8")
SHELL = "".join(re.findall(r"^```sh\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE))
COMMANDS = re.findall(r"latentgen serve [^\n#\[]+", EPILOG + SHELL)
PYTHON = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "cats"
    write_version(folder, 1)
    with Running({"cats": folder}) as running:
        yield running


def test_every_address_that_is_shown_answers(running):
    asked = [shlex.split(line) for line in SHELL.splitlines() if line.startswith("curl ")]
    assert len(asked) >= 4
    for _, address, *options in asked:
        address = address.replace("http://localhost:8501", running.address).replace("n=9", "n=8")
        if "-d" in options:
            response = requests.post(address, data=options[options.index("-d") + 1], timeout=20)
        else:
            response = requests.get(address, timeout=20)
        assert response.status_code == 200, response.text


@pytest.mark.parametrize("block", PYTHON)
def test_python(block, running):
    names = {}
    exec(block.replace("http://localhost:8501", running.address), names)
    # All are drawn with one seed, and each by a number of its own.
    assert len(names["again"]) == 4
    assert "strokes" in names["again"][0]


@pytest.mark.parametrize("line", sorted(set(COMMANDS)))
def test_commands(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("served/cats", "served/melodies", "shared/cats"):
        write_version(tmp_path / name, 1)
    (tmp_path / "key.txt").write_text("secret")
    seen = []
    monkeypatch.setattr(serving_main, "serve", lambda folders, *_, **__: seen.append(folders))
    assert main(shlex.split(line)[1:]) == 0
    assert "cats" in seen[0]


def test_every_option_is_told(capsys):
    assert main(["serve", "--help"]) == 0
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert {name for name in options if name not in TEXT} <= {"--port", "--debug"}
