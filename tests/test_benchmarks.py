"""Every benchmark runs, with tiny sizes; what it measures is not looked at."""

import os
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
        ("constraints", ["Latent constraints from 24 labels"]),
        ("gpu", ["GPU: SketchVAE"]),
        ("oracle", ["Synthetic oracle: time", "Synthetic oracle: random weights"]),
        ("discrete", ["Scheduled sampling: its optimum", "Generalized Jensen-Shannon: one"]),
        ("professor_forcing", ["Professor forcing: cycles"]),
        ("translation", ["Translation: letters reversed"]),
        ("transport", ["Transport: 3 cosine problems", "Time: 3 problems"]),
        ("music", ["Decoding: cat-mel", "Training step: cat-mel", "Sixteen bars: hierdec"]),
        (
            "music_constraints",
            ["Zero-shot constraints on melodies: 2", "Constraints on melodies from 24 labels"],
        ),
    ],
)
def test_a_benchmark_prints_its_table(name, titles):
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--tiny"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    for title in titles:
        table = result.stdout.partition(title)[2]
        assert "---" in table, result.stdout
        assert "nan" not in table.lower()


def test_an_unknown_benchmark_is_refused():
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks", "speed"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "expected one of generation" in result.stderr
