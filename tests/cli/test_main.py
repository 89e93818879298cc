"""The command line as a whole: help, start-up, and how errors look."""

import subprocess
import sys

import pytest
import typer

from latentgen.cli.main import app, main

HEAVY = (
    *("keras", "tensorflow", "jax", "torch", "scipy", "sklearn", "matplotlib", "PIL", "note_seq"),
    "sentencepiece",
)


def commands(command, path=()):
    """(path, command) of every command under one."""
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, child in command.commands.items():
        yield from commands(child, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", "from latentgen.cli.main import run; run()", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


def one_line(stderr):
    """Asserts that an error was told in exactly one line, and returns it."""
    assert stderr.startswith("error: ")
    assert stderr.endswith("\n")
    assert stderr.count("\n") == 1
    return stderr


def test_the_verbs():
    verbs = {"train", "evaluate", "sample", "reconstruct", "interpolate", "constrain"}
    each = {(domain, verb) for domain in ("sketch", "music", "text") for verb in verbs}
    others = {("demo",), ("import",), ("export",), ("serve",), ("presets",)}
    others |= {("music", "continue"), ("text", "continue")}
    assert set(COMMANDS) == others | each


@pytest.mark.parametrize("path", [(), ("sketch",), ("music",), ("text",), *COMMANDS], ids=" ".join)
def test_help(path, capsys):
    assert main([*path, "--help"]) == 0
    assert capsys.readouterr().out.count("latentgen") > 0


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_examples_and_a_seed(path):
    command = COMMANDS[path]
    assert f"latentgen {' '.join(path)}" in command.epilog
    assert command.help
    without = (("presets",), ("import",), ("export",), ("serve",))
    assert path in without or "seed" in [option.name for option in command.params]


@pytest.mark.parametrize("arguments", [["--help"], ["sketch", "sample", "--help"], ["--version"]])
def test_nothing_heavy_is_imported_for_help(arguments):
    program = (
        "import sys; from latentgen.cli.main import main; code = main(sys.argv[1:]);"
        f"sys.stderr.write(' '.join(m for m in {HEAVY} if m in sys.modules)); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_command_the_help_is_shown(capsys):
    assert main([]) == 0
    assert "sketch" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sing"], "sing"),
        (["sketch", "sing"], "sing"),
        (["sketch", "sample", "--sing"], "--sing"),
        (["sketch", "sample", "-n", "0"], "--count"),
        (["sketch", "sample", "-n", "many"], "--count"),
        (["sketch", "sample", "--temperature", "-1"], "--temperature"),
        (["sketch", "sample", "--temperature", "nan"], "--temperature"),
        (["sketch", "sample", "--seed", "-1"], "--seed"),
        (["sketch", "sample", "--out", "sheet.bmp"], ".png"),
        (["sketch", "sample", "--out", "sheet"], ".png"),
        (["sketch", "sample", "--out", "quickdraw"], ".png"),
        (["sketch", "reconstruct", "nothing.svg"], "nothing.svg"),
        (["sketch", "reconstruct", "my-cats"], "my-cats"),
        (["sketch", "interpolate", "cat.svg"], "SECOND"),
        (["sketch", "interpolate", "cat.svg", "pig.svg", "--steps", "1"], "--steps"),
        (["sketch", "interpolate", "cat.svg", "cats.ndjson:999"], "from 0 to 23"),
        (["sketch", "train", "cats.npz"], "--out"),
        (["sketch", "train", "nothing.npz", "--out", "new"], "nothing.npz"),
        (["sketch", "train", "quickdraw", "--categories", "cow", "--out", "new"], "cow"),
        (["sketch", "train", "cats.npz", "--out", "my-cats"], "--overwrite"),
        (["sketch", "train", "cats.npz", "--out", "new", "--preset-size", "huge"], "small"),
        (["sketch", "evaluate", "cats.npz", "--split", "rest"], "train"),
        (["demo", "--out", "my-cats"], "--overwrite"),
        (["sketch", "constrain", "cats.ndjson", "--save", "learnt.png"], ".npz"),
        (["sketch", "constrain", "cats.ndjson", "--save", "few.npz"], "another --save"),
        (["export", "my-cats"], "--out"),
        (["export", "nothing", "--out", "new"], "nothing"),
        (["export", "my-cats", "--out", "my-model"], "README.md"),
        (["export", "my-cats", "--out", "cat.svg"], "file"),
        (["export", "my-cats", "my-music", "--out", "new"], "one model"),
        (["export", "my-cats", "--format", "onnx", "--no-xla", "--out", "new"], "--no-xla"),
        (["export", "my-cats", "--format", "onnx", "--out", "my-model"], "--overwrite"),
        (["export", "my-cats", "--runtime", "ort", "--out", "new"], "--format web"),
        (["export", "my-cats", "--method", "hmc", "--out", "new"], "density"),
        (
            ["export", "my-cats", "my-music", "-c", "few.npz", "--format", "web", "--out", "new"],
            "MODEL=FILE",
        ),
        (["export", "my-cats", "-c", "nothing.npz", "--out", "new"], "nothing.npz"),
        (["export", "my-cats", "-c", "other.npz", "--out", "new"], "latent size 4"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_told_in_one_line(arguments, message, desk, capsys):
    before = sorted(path.name for path in desk.iterdir())
    assert main(arguments) == 2
    assert message.lower() in one_line(capsys.readouterr().err).lower()
    assert sorted(path.name for path in desk.iterdir()) == before


def test_an_error_after_the_backend_was_loaded_is_one_line_too(tmp_path):
    done = run("sketch", "sample", "--preset", "nothing", cwd=tmp_path)
    assert done.returncode == 2
    assert "nothing" in one_line(done.stderr)
    assert done.stdout == ""


def test_debug_shows_where_an_error_was_raised(tmp_path):
    done = run("sketch", "reconstruct", "nothing.svg", "--debug", cwd=tmp_path)
    assert "Traceback" in done.stderr
    assert "nothing.svg" in done.stderr


def test_an_interruption_is_told_in_one_line(monkeypatch, capsys):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr("latentgen.cli.presets.list_presets", interrupt)
    assert main(["presets"]) == 2
    assert "interrupted" in one_line(capsys.readouterr().err)


def test_presets_are_listed_with_what_they_are(monkeypatch, capsys, belongings):
    monkeypatch.setattr(
        "latentgen.checkpoints.presets.shipped_presets", lambda folder: [belongings / "my-cats"]
    )
    assert main(["presets"]) == 0
    shown = capsys.readouterr().out
    assert "my-cats" in shown
    assert "learnt nothing" in shown
