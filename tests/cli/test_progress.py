"""What a person sees while waiting, on a terminal and in a log."""

import pytest

from latentgen.cli import progress
from latentgen.cli.progress import progress_bar, waiting


def test_a_log_gets_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    with progress_bar("Training", 2) as advance:
        advance(1, "loss 3.5")
    assert capsys.readouterr().out == "Training: 1 of 2 loss 3.5\n"


def test_a_log_is_not_filled(capsys):
    with progress_bar("Training", 1000) as advance, waiting("Opening"):
        for step in range(1000):
            advance(step)
    assert capsys.readouterr().out == ""


def test_a_terminal_gets_a_bar_with_a_time_estimate(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bar("Training", 4) as advance:
        advance(2, "loss 3.5")
    shown = capsys.readouterr().out
    assert "2/4" in shown
    assert "left" in shown
    assert "loss 3.5" in shown


def test_what_went_wrong_below_a_bar_is_raised():
    with pytest.raises(ZeroDivisionError), progress_bar("Training", 4):
        1 / 0  # noqa: B018
