"""The demonstration tells its whole story, at a tiny setting."""

import functools
import re
from html.parser import HTMLParser

import keras
import numpy as np
import pytest

from latentgen.constraints import LatentConstraints
from latentgen.demo import music_story, run, story
from latentgen.demo.music_page import write_music_page
from latentgen.demo.music_wishes import MELODY_WISHES, MusicWish, in_c_major
from latentgen.music import DrumConverter, MelodyConverter, MusicVAE
from latentgen.music.model import MusicModel
from latentgen.vae import Posterior
from tests.music.songs import SCALE, melody


class Tags(HTMLParser):
    """Counts tags, and fails on one that is closed out of order."""

    VOID = frozenset({"meta", "br", "path", "line", "rect"})

    def __init__(self):
        super().__init__()
        self.open, self.counts, self.links = [], {}, []

    def handle_starttag(self, tag, attributes):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.links += [value for name, value in attributes if name == "href"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def tags(page):
    found = Tags()
    found.feed(page.read_text())
    assert found.open in (["html"], [])
    return found


@pytest.fixture
def quickly(monkeypatch):
    fit = functools.partialmethod(LatentConstraints.fit, turns=3)
    monkeypatch.setattr(LatentConstraints, "fit", fit)
    for name, value in (("QUESTIONS", 60), ("ROUNDS", 1), ("TURNS", 3)):
        monkeypatch.setattr(music_story, name, value)
    for module in (story, music_story):
        monkeypatch.setattr(module, "EACH", 2)
        monkeypatch.setattr(module, "SAMPLES", 2)


@pytest.fixture
def presets(tmp_path, monkeypatch):
    """Tiny models in place of the shipped ones, and rules that they follow half of the time."""
    folder = tmp_path / "presets"
    for name, converter in (("melody_2bar", MelodyConverter()), ("drums_2bar", DrumConverter())):
        vae = MusicVAE(converter, 4, [8], [8])
        z = np.random.default_rng(0).standard_normal((40, 4)).astype("float32")
        vae.reference = Posterior(z, 0.5 + 0 * z)
        vae.save_preset(folder / name)
    monkeypatch.setattr(MusicModel, "PRESETS", folder)

    def odd(notes):
        return len(notes.notes) % 2 == 1

    wishes = tuple(MusicWish(f"odd{k}", f"odd (rule {k})", odd) for k in range(2))
    for name in ("MELODY", "DRUM"):
        monkeypatch.setattr(music_story, f"{name}_WISHES", wishes)
        monkeypatch.setattr(music_story, f"{name}_PAIRS", (("odd0", "odd1"),))


@pytest.mark.slow
def test_the_story_without_music(tmp_path, monkeypatch, capsys, quickly):
    monkeypatch.setattr(MusicModel, "PRESETS", tmp_path)
    run(tmp_path / "out", seed=1)
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"index.html", "demo.png", "drawing.gif", "constraints.npz"}
    page = tags(tmp_path / "out" / "index.html")
    assert page.counts["h2"] == 6
    assert page.counts["svg"] > 6 * 6
    methods = 7 if keras.backend.backend() == "tensorflow" else 6
    assert page.counts["tr"] == 1 + methods
    assert not page.links
    said = capsys.readouterr().out
    assert "held-out AUC" in said
    assert "actor" in said
    assert "No preset melody_2bar" in said


@pytest.mark.slow
def test_the_story_of_music(tmp_path, monkeypatch, capsys, quickly, presets):
    empty = story.Story(1, [], seconds={"learning": 1.0})
    monkeypatch.setattr(story, "tell", lambda seed, console: (empty, None))
    monkeypatch.setattr(
        story,
        "write",
        lambda folder, told, constraints, with_music: story.write_page(
            folder / "index.html", told, with_music
        ),
    )
    run(tmp_path / "out", seed=1)
    page = tags(tmp_path / "out" / "music.html")
    assert page.links == ["index.html"]
    assert tags(tmp_path / "out" / "index.html").links == ["music.html"]
    # unasked, real, two wishes and a pair, originals and two changes, of two each; 6 and 4 points
    assert page.counts["figure"] == 2 * (8 * 2 + 6 + 4)
    assert page.counts["script"] == 1
    text = (tmp_path / "out" / "music.html").read_text()
    assert re.search(r"\d+% → \d+%", text)
    assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg", "", text)
    said = capsys.readouterr().out
    assert "held-out AUC" in said
    assert "density" in said


def test_a_page_of_what_little_was_played(tmp_path):
    take = music_story.Take("melody_2bar", MELODY_WISHES, (("in_c", "high"),))
    for part in (take.unasked, take.realistic, take.sweep, take.path, take.originals):
        part.append(melody(SCALE))
    take.sweep *= len(music_story.STRENGTHS)
    write_music_page(tmp_path / "music.html", [take], seed=0)
    assert tags(tmp_path / "music.html").counts["figure"] == 4 + len(music_story.STRENGTHS)


def test_a_melody_of_three_notes_is_in_no_key():
    assert in_c_major(melody(SCALE))
    assert not in_c_major(melody(SCALE[:3]))
    assert not in_c_major(melody([pitch + 1 for pitch in SCALE]))


def test_several_wishes_together():
    take = music_story.Take("melody_2bar", MELODY_WISHES, (("in_c", "high"),))
    passages = [melody(SCALE), melody([pitch + 12 for pitch in SCALE])]
    assert take.holds(["in_c", "high"], passages).tolist() == [False, True]
    assert take.title(["in_c", "high"]) == "in C major and high"
