"""The README's Python does what it says."""

import functools
import re

import pytest

from latentgen import LatentConstraints
from tests.shared import REPOSITORY

TEXT = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def test_it_opens_with_a_picture_and_the_two_commands():
    picture = re.search(r"!\[[^\]]+\]\(([^)]+)\)", TEXT)
    assert picture is not None
    assert 0 < picture.start() < TEXT.index("make demo") < TEXT.index("make test")
    assert TEXT.index("make test") < TEXT.index("```python")
    assert (REPOSITORY / picture[1]).is_file()


def test_ten_lines_are_ten_lines():
    assert len([line for line in BLOCKS[0].splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize("block", BLOCKS)
def test_python(block, tmp_path, monkeypatch):
    for name, fewer in (("fit", {"turns": 5}), ("fit_reward", {"samples": 200, "turns": 5})):
        quickly = functools.partialmethod(getattr(LatentConstraints, name), **fewer)
        monkeypatch.setattr(LatentConstraints, name, quickly)
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})
    written = re.findall(r"write_\w+\(\"([^\"]+)\"", block)
    assert written
    assert all((tmp_path / name).stat().st_size > 0 for name in written)
