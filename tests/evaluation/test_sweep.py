"""Temperature sweeps: each temperature drawn once, kept, read again and drawn."""

import numpy as np
import pytest

from latentgen.errors import FileError, InputError
from latentgen.evaluation.sweep import (
    Sweep,
    read_published_sweep,
    read_sweep,
    temperature_sweep,
)
from latentgen.evaluation.sweep_figure import COLOURS, draw_sweep
from tests.shared import shared_path

SWEEP = Sweep((0.5, 1.0, 2.0), {"quality": (1.0, 1.5, 3.0), "diversity": (9.0, 8.0, 7.5)})


def test_each_temperature_is_drawn_once_and_measured_by_every_metric():
    drawn = []

    def generate(temperature):
        drawn.append(temperature)
        return np.random.default_rng(0).normal(scale=temperature, size=1000)

    found = temperature_sweep(generate, {"spread": np.std, "mean": np.mean}, [2.0, 0.5, 1])
    assert drawn == [0.5, 1.0, 2.0] == list(found.temperatures)
    low, one, high = found.values["spread"]
    assert (low, high) == pytest.approx((0.5 * one, 2 * one))
    assert set(found.values) == {"spread", "mean"}
    assert "spread" in str(found).splitlines()[0]
    assert len(str(found).splitlines()) == 4


def test_a_sweep_is_read_as_it_was_saved(tmp_path):
    odd = Sweep((0.1, 1 / 3), {"a, b": (np.pi, -1e-300), "c": (np.inf, 2.0)})
    for sweep in (SWEEP, odd):
        sweep.save(tmp_path / "sweep.csv")
        assert read_sweep(tmp_path / "sweep.csv") == sweep


@pytest.mark.parametrize(
    "text", ["", "temperature,a\n", "a,b\n1,2\n", "temperature,a\n1\n", "temperature,a\nx,1\n"]
)
def test_other_files_are_no_sweep(tmp_path, text):
    (tmp_path / "sweep.csv").write_text(text)
    with pytest.raises(FileError, match=r"expected a table that Sweep\.save wrote"):
        read_sweep(tmp_path / "sweep.csv")


def test_no_file_is_no_sweep(tmp_path):
    with pytest.raises(FileError, match=r"expected a table that Sweep\.save wrote"):
        read_sweep(tmp_path / "none.csv")


def test_published_curves_are_joined_by_step(tmp_path):
    """Their step is 100 α, and α is one over the temperature."""
    head = "Wall time,Step,Value\n"
    (tmp_path / "a.csv").write_text(head + "1,100,3.0\n1,100,4.0\n1,200,2.0\n1,300,1.0\n")
    (tmp_path / "b.csv").write_text(head + "1,50,0.5\n1,100,8.0\n1,200,9.0\n1,300,nan\n")
    found = read_published_sweep({"lm": tmp_path / "a.csv", "rlm": tmp_path / "b.csv"})
    assert found == Sweep((0.5, 1.0), {"lm": (2.0, 4.0), "rlm": (9.0, 8.0)})
    with pytest.raises(FileError, match="expected columns Step and Value"):
        read_published_sweep({"lm": tmp_path / "none.csv"})
    (tmp_path / "b.csv").write_text(head + "1,70,0.5\n")
    with pytest.raises(FileError, match="steps in common, found none"):
        read_published_sweep({"lm": tmp_path / "a.csv", "rlm": tmp_path / "b.csv"})


@pytest.mark.shared
def test_the_papers_own_curve_trades_quality_for_diversity():
    folder = shared_path("reference/language_gans_falling_short")
    found = read_published_sweep(
        {
            "NLL_oracle": folder / "oracle__mle_cvot_oracle.csv",
            "NLL_test": folder / "oracle__mle_cvot_test.csv",
        }
    )
    assert 1.0 in found.temperatures
    assert np.corrcoef(found.temperatures, found.values["NLL_oracle"])[0, 1] > 0.95
    assert found.values["NLL_test"][0] > found.values["NLL_test"][-1]


@pytest.mark.parametrize(
    ("metrics", "temperatures"), [({}, [1.0]), ({"a": len}, []), ({"a": len}, [1, 1.0])]
)
def test_nothing_to_sweep_is_refused(metrics, temperatures):
    with pytest.raises(InputError, match="expected a metric or more, and different temperatures"):
        temperature_sweep(lambda t: "", metrics, temperatures)


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
def test_temperatures_are_numbers_above_zero(temperature):
    with pytest.raises(InputError, match="temperatures above 0"):
        temperature_sweep(lambda t: "", {"a": len}, [0.5, temperature])


def test_the_figure_names_every_curve_and_the_temperatures(tmp_path):
    curves = {f"method {k}": SWEEP for k in range(len(COLOURS) + 2)}
    broken = Sweep((0.5, 1.0), {"quality": (1.0, np.nan), "diversity": (2.0, np.inf)})
    draw_sweep(
        curves | {"broken": broken},
        tmp_path / "sweep.svg",
        "quality",
        "diversity",
        x_label="quality, nats",
        published={"of others": SWEEP},
    )
    text = (tmp_path / "sweep.svg").read_text()
    for written in (*curves, "broken", "of others", "quality, nats", "diversity", "0.5", "2"):
        assert f"<!-- {written} -->" in text
    for colour in COLOURS:
        assert colour.lower() in text.lower()


def test_the_figure_needs_curves_with_both_metrics(tmp_path):
    for curves, message in (
        ({}, "curves: expected a method's sweep or more"),
        ({"ours": Sweep((1.0,), {"quality": (1.0,)})}, "ours: expected the metrics"),
        (
            {"ours": Sweep((1.0,), {"quality": (1.0,), "diversity": (np.nan,)})},
            "ours: expected finite values",
        ),
    ):
        with pytest.raises(InputError, match=message):
            draw_sweep(curves, tmp_path / "sweep.png", "quality", "diversity")
    assert not list(tmp_path.iterdir())
