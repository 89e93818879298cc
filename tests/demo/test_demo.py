"""The demonstration tells its whole story, at a tiny setting."""

import functools
from html.parser import HTMLParser

import keras
import pytest

from latentgen.constraints import LatentConstraints
from latentgen.demo import run, story


class Tags(HTMLParser):
    """Counts tags, and fails on one that is closed out of order."""

    VOID = frozenset({"meta", "br", "path"})

    def __init__(self):
        super().__init__()
        self.open, self.counts = [], {}

    def handle_starttag(self, tag, attributes):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.mark.slow
def test_the_story(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(story, "EACH", 2)
    monkeypatch.setattr(story, "SAMPLES", 2)
    quickly = functools.partialmethod(LatentConstraints.fit, turns=3)
    monkeypatch.setattr(LatentConstraints, "fit", quickly)
    run(tmp_path / "out", seed=1)
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"index.html", "demo.png", "drawing.gif", "constraints.npz"}
    page = (tmp_path / "out" / "index.html").read_text()
    tags = Tags()
    tags.feed(page)
    assert tags.open == ["html"] or tags.open == []
    assert tags.counts["h2"] == 6
    assert tags.counts["svg"] > 6 * 6
    methods = 6 if keras.backend.backend() == "tensorflow" else 5
    assert tags.counts["tr"] == 1 + methods
    said = capsys.readouterr().out
    assert "held-out AUC" in said
    assert "actor" in said
