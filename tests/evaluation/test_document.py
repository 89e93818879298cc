"""docs/evaluation.md: its program runs, and what it names is there."""

import re

from tests.shared import REPOSITORY

TEXT = (REPOSITORY / "docs" / "evaluation.md").read_text(encoding="utf-8")


def test_its_program_writes_a_table_and_a_figure(tmp_path, monkeypatch, capsys):
    (program,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    exec(compile(program, "evaluation.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[0].split() == [
        "temperature",
        "BLEU-3",
        "self-BLEU-3",
    ]
    assert (tmp_path / "captions.csv").stat().st_size > 50
    assert (tmp_path / "captions.png").stat().st_size > 10_000


def test_every_module_of_its_table_is_there():
    rows = [line.split("|")[2] for line in TEXT.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    files = {file.stem for file in (REPOSITORY / "latentgen" / "evaluation").glob("*.py")}
    assert len(named) > 8
    assert named <= files
