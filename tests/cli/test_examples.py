"""Every command that the help, the README and docs show is run, on tiny models, in few steps."""

import os
import re
import shlex

import pytest

from latentgen.checkpoints.published import Published
from latentgen.cli.main import main
from tests.cli.test_main import COMMANDS, run
from tests.shared import REPOSITORY

TINY = {
    "sketch": {
        "train": ["--steps", "1", "--batch-size", "2"],
        "evaluate": ["--preset", "my-model", "--split", "train"],
        "sample": ["--preset", "my-model", "-n", "2"],
        "reconstruct": ["--preset", "my-model", "-n", "2"],
        "interpolate": ["--preset", "my-model", "--steps", "2"],
        "constrain": ["--preset", "my-model", "-n", "2", "--temperature", "1", "--turns", "1"],
    },
    "music": {
        "train": ["--steps", "1", "--batch", "2"],
        "evaluate": ["--split", "train"],
        "sample": ["-n", "2"],
        "continue": ["-n", "2"],
        "reconstruct": ["-n", "2"],
        "interpolate": ["--steps", "2"],
        "constrain": ["-n", "2", "--temperature", "1", "--turns", "1"],
    },
    "text": {
        "train": ["--steps", "1", "--batch", "2"],
        "evaluate": ["--split", "train"],
        "sample": ["-n", "2"],
        "continue": ["-n", "2"],
        "reconstruct": ["-n", "2"],
        "interpolate": ["--steps", "2"],
        "constrain": ["-n", "2", "--temperature", "1", "--turns", "1"],
    },
}
PRESETS = {"sketch": "my-model", "music": "my-music", "text": "my-text"}
SHIPPED = {
    "quickdraw": "my-model",
    "melody_2bar": "my-music",
    "drums_2bar": "my-drums",
    "coco": "my-text",
}


def from_help():
    for command in COMMANDS.values():
        yield from re.findall(r"latentgen [^\[\n]+", command.epilog)


def from_pages():
    for page in (REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            for line in block.splitlines():
                if line.startswith("latentgen "):
                    yield line.partition(" #")[0].strip()


def without_shipped(argument):
    """An argument with a tiny model in place of a shipped one."""
    model, equals, rest = argument.partition("=")
    return SHIPPED.get(model, model) + equals + rest


@pytest.fixture
def no_network(monkeypatch):
    """Published models are the ones on the desk."""

    def find(name):
        return Published(name, "sheep.gen.json" if "sketch_rnn" in name else "my-run", "tiny")

    monkeypatch.setattr("latentgen.checkpoints.sources.find_published", find)


@pytest.mark.parametrize("line", sorted({*from_help(), *from_pages()}))
def test_example(line, desk, quick_rules, no_network, capsys, monkeypatch):
    command, *arguments = shlex.split(line)
    if arguments[0] in ("demo", "serve"):
        pytest.skip("tests/demo runs the demonstration, tests/export/serving the service")
    domain = arguments[0]
    if domain == "export":
        arguments = [without_shipped(argument) for argument in arguments]
        if "web" in arguments:  # without what would be fetched
            monkeypatch.setattr("latentgen.export.web.build.write_runtime", lambda *_: None)
    if domain in TINY:
        arguments += TINY[domain][arguments[1]]
        if "--preset" not in arguments and arguments[1] != "train":
            arguments += ["--preset", PRESETS[domain]]
    before = {path.name for path in desk.iterdir()}
    if "--out" in arguments:  # an example may write what another one reads
        before.discard(arguments[arguments.index("--out") + 1])
        arguments += ["--overwrite"]
    assert command == "latentgen"
    if "stablehlo" in arguments:  # of JAX, which Keras has to be imported with
        done = run(*arguments, env=os.environ | {"KERAS_BACKEND": "jax"})
        assert done.returncode == 0, done.stderr
    else:
        assert main(arguments) == 0, capsys.readouterr().err
    if "--out" in arguments:
        assert {path.name for path in desk.iterdir()} - before
