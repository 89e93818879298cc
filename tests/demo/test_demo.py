"""The demonstration tells its whole story, at a tiny setting."""

import functools
import re
from html.parser import HTMLParser

import keras
import numpy as np
import pytest

from latentgen.constraints import LatentConstraints
from latentgen.demo import music_story, rule_story, run, story, text_story
from latentgen.demo.music_page import write_music_page
from latentgen.demo.music_wishes import MELODY_PAIRS, MELODY_WISHES, in_c_major
from latentgen.demo.rule_story import RuleWish
from latentgen.music import DrumConverter, MelodyConverter, MusicVAE
from latentgen.music.model import MusicModel
from latentgen.text import TextVAE, Words, number_of_words
from latentgen.text.model import TextModel
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
    for name, value in (("ROUNDS", 1), ("TURNS", 3)):
        monkeypatch.setattr(rule_story, name, value)
    for module in (music_story, text_story):
        monkeypatch.setattr(module, "QUESTIONS", 60)
    for module in (story, rule_story):
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

    wishes = tuple(RuleWish(f"odd{k}", f"odd (rule {k})", odd) for k in range(2))
    for name in ("MELODY", "DRUM"):
        monkeypatch.setattr(music_story, f"{name}_WISHES", wishes)
        monkeypatch.setattr(music_story, f"{name}_PAIRS", (("odd0", "odd1"),))
    text = TextVAE(Words.learn(["some words and others"]), 4, 6, [5], [8], max_length=9)
    text.reference = Posterior(z, 0.5 + 0 * z)
    text.save_preset(folder / "coco")
    monkeypatch.setattr(TextModel, "PRESETS", folder)
    # Greedy, an untrained model says the same of all z.
    monkeypatch.setattr(text_story, "DECODING", {"temperature": 1.0})

    def even(sentence):
        return number_of_words(sentence) % 2 == 0

    monkeypatch.setattr(
        text_story, "WISHES", tuple(RuleWish(f"e{k}", "even", even) for k in (0, 1))
    )
    monkeypatch.setattr(text_story, "PAIRS", (("e0", "e1"),))


@pytest.mark.slow
def test_the_story_of_drawings_alone(tmp_path, monkeypatch, capsys, quickly):
    for model in (MusicModel, TextModel):
        monkeypatch.setattr(model, "PRESETS", tmp_path)
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
    assert "No preset coco" in said


@pytest.mark.slow
def test_the_story_of_music_and_text(tmp_path, monkeypatch, capsys, quickly, presets):
    empty = story.Story(1, [], seconds={"learning": 1.0})
    monkeypatch.setattr(story, "tell", lambda seed, console: (empty, None))
    monkeypatch.setattr(
        story,
        "write",
        lambda folder, told, constraints, there: story.write_page(
            folder / "index.html", told, there
        ),
    )
    run(tmp_path / "out", seed=1)
    page = tags(tmp_path / "out" / "music.html")
    assert page.links == ["index.html", "text.html"]
    assert tags(tmp_path / "out" / "index.html").links == ["music.html", "text.html"]
    text = tags(tmp_path / "out" / "text.html")
    assert text.links == ["index.html", "music.html"]
    assert text.counts["li"] == 8 * 2 + 6 + 4
    assert text.counts["del"] == 2 * 2  # what was changed, above what became of it
    # unasked, real, two wishes and a pair, originals and two changes, of two each; 6 and 4 points
    assert page.counts["figure"] == 2 * (8 * 2 + 6 + 4)
    assert page.counts["script"] == 1
    text = (tmp_path / "out" / "music.html").read_text()
    assert re.search(r"\d+% → \d+%", text)
    assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg", "", text)
    said = capsys.readouterr().out
    assert "held-out AUC" in said
    assert "density" in said


def melodies():
    vae = MusicVAE(MelodyConverter(), 4, [8], [8])
    return music_story.make_take(vae, "melody_2bar", MELODY_WISHES, MELODY_PAIRS, seed=0)


def test_a_page_of_what_little_was_played(tmp_path):
    take = melodies()
    for part in (take.unasked, take.realistic, take.sweep, take.path, take.originals):
        part.append(melody(SCALE))
    take.sweep *= len(rule_story.STRENGTHS)
    write_music_page(tmp_path / "music.html", [take], seed=0, there=["music.html"])
    page = tags(tmp_path / "music.html")
    assert page.counts["figure"] == 4 + len(rule_story.STRENGTHS)
    assert not page.links


def test_a_melody_of_three_notes_is_in_no_key():
    assert in_c_major(melody(SCALE))
    assert not in_c_major(melody(SCALE[:3]))
    assert not in_c_major(melody([pitch + 1 for pitch in SCALE]))


def test_several_wishes_together():
    take = melodies()
    passages = [melody(SCALE), melody([pitch + 12 for pitch in SCALE])]
    assert take.holds(["in_c", "high"], passages).tolist() == [False, True]
    assert take.title(["in_c", "high"]) == "in C major and high"


def test_captions_that_obey():
    rules = {wish.name: wish.holds for wish in text_story.WISHES}
    cat, rider = "Two cats sit.", "A man is riding his motorcycle down a very long street."
    assert [name for name, holds in rules.items() if holds(cat)] == ["short", "cat", "nobody"]
    assert [name for name, holds in rules.items() if holds(rider)] == ["long", "motorcycle"]
    assert not any(holds("") for holds in rules.values())
