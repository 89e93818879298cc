"""Every benchmark runs, with tiny sizes; what it measures is not looked at."""

import runpy
import subprocess
import sys

import pytest

from tests.shared import REPOSITORY


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("generation", ["Generation: SketchVAE", "Early exit: untrained"]),
        ("training_step", ["Training step: SketchVAE"]),
        ("export", ["Exported SavedModels", "Processor time"]),
        ("constraints", ["Latent constraints from 24 labels"]),
        ("oracle", ["Synthetic oracle: time", "Synthetic oracle: random weights"]),
        ("discrete", ["Scheduled sampling: its optimum", "Generalized Jensen-Shannon: one"]),
        ("professor_forcing", ["Professor forcing: cycles"]),
        ("text", ["Text: a grammar", "orders 2 to 5"]),
        (
            "text_constraints",
            ["70 labels: sentences written", "sentences changed", "Length and tense by rule"],
        ),
        ("translation", ["Translation: letters reversed"]),
        ("serving", ["Serving: load"]),
        ("transport", ["Transport: 3 cosine problems", "Time: 3 problems"]),
        ("music", ["Decoding: cat-mel", "Training step: cat-mel", "Sixteen bars: hierdec"]),
        (
            "music_constraints",
            ["Zero-shot constraints on melodies: 2", "Constraints on melodies from 24 labels"],
        ),
    ],
)
def test_a_benchmark_prints_its_table(name, titles, monkeypatch, capsys):
    scripts = REPOSITORY / "benchmarks"
    monkeypatch.syspath_prepend(str(scripts))  # as Python does for a script
    monkeypatch.setattr(sys, "argv", [name, "--tiny"])
    runpy.run_path(str(scripts / f"{name}.py"), run_name="__main__")
    check(capsys.readouterr().out, titles)


@pytest.mark.slow
def test_the_benchmark_that_chooses_its_backend():
    result = benchmarks("gpu", "--tiny")
    assert result.returncode == 0, result.stderr[-2000:]
    check(result.stdout, ["GPU: SketchVAE"])


def check(said, titles):
    for title in titles:
        table = said.partition(title)[2]
        assert "---" in table, said
        assert "nan" not in table.lower()


def benchmarks(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_an_unknown_benchmark_is_refused():
    result = benchmarks("speed")
    assert result.returncode == 2
    assert "expected one of generation" in result.stderr
