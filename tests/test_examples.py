"""Every script in examples/ runs, at a tiny setting, and writes what it says."""

import csv
import json
import runpy
import sys

import numpy as np
import pytest

from latentgen.constraints import LatentConstraints
from latentgen.music import DrumConverter, MelodyConverter, MusicVAE
from latentgen.sketch import SketchClassifier, SketchVAE, read_labelled_drawings
from latentgen.text import TextVAE, Words
from latentgen.vae import Posterior
from tests.music.songs import write_song
from tests.shared import REPOSITORY

EXAMPLES = REPOSITORY / "examples"


@pytest.fixture
def run(monkeypatch, tmp_path):
    def run(script, *arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / script), run_name="__main__")

    return run


def test_all_are_tested():
    text = (REPOSITORY / "tests" / "test_examples.py").read_text()
    assert all(f'"{path.name}"' in text for path in EXAMPLES.glob("*.py"))


def test_seventy_labels(run, tmp_path, capsys):
    assert len((EXAMPLES / "seventy_labels.py").read_text().splitlines()) <= 60
    run("seventy_labels.py", "--out", "asked", "--turns", 3)
    assert "held-out AUC" in capsys.readouterr().out
    written = {path.name for path in (tmp_path / "asked").iterdir()}
    assert written == {"sheet.png", "cats.gif", "constraints.npz"}
    constraints = LatentConstraints.load(tmp_path / "asked" / "constraints.npz", 64)
    assert constraints.sample(2, {"cat": True}).shape == (2, 64)


def test_export(run, tmp_path):
    """On a tiny model, which the shipped labels teach nothing."""
    vae = SketchVAE(4, 5, "lstm", 8, mixtures=2, max_length=100, scale=40.0)
    z = np.random.default_rng(0).standard_normal((50, 4)).astype("float32")
    vae.reference = Posterior(z, 0.5 + 0 * z)
    vae.save_preset(tmp_path / "tiny")
    assert len((EXAMPLES / "export.py").read_text().splitlines()) <= 66
    run("export.py", "--preset", tmp_path / "tiny", "--out", "served/tiny", "--turns", 2)
    assert (tmp_path / "asked.png").stat().st_size > 0
    assert (tmp_path / "served" / "tiny" / "1" / "saved_model.pb").exists()


def test_train_preset(run, tmp_path):
    categories = runpy.run_path(str(EXAMPLES / "train_preset.py"))["CATEGORIES"]
    random = np.random.default_rng(0)
    (tmp_path / "data").mkdir()
    for category in categories:
        records = [
            {
                "word": category,
                "key_id": f"{category}{k}",
                "recognized": True,
                "drawing": random.integers(0, 255, (2, 2, 4)).tolist(),
            }
            for k in range(40)
        ]
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (tmp_path / "data" / f"{category}.ndjson").write_text(lines)
    run("train_preset.py", "data", "--out", "presets", "--run", "run", "--steps", 1, "--epochs", 1)
    vae = SketchVAE.from_preset(tmp_path / "presets" / "quickdraw")
    assert len(vae.sample(2, length=5)) == 2
    assert len(vae.reference.mean) > 200
    assert "CC BY 4.0" in (tmp_path / "presets" / "quickdraw" / "README.md").read_text()
    judge = SketchClassifier.from_preset(tmp_path / "presets" / "quickdraw-judge")
    assert judge.categories == list(categories)


def test_make_labelled(run, tmp_path):
    run("make_labelled.py", "--out", "labelled", "--candidates", 64)
    drawings, labels = read_labelled_drawings(tmp_path / "labelled")
    assert set(map(len, labels.values())) == {len(drawings)}
    assert {True, False} <= set(labels["wide"])


def test_the_shipped_labelled_set_is_seventy_labels_a_wish():
    folder = REPOSITORY / "sketch" / "presets" / "quickdraw" / "labelled"
    with open(folder / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for name in set(rows[0]) - {"file", "index"}:
        words = [row[name] for row in rows]
        assert (words.count("yes"), words.count("no")) == (35, 35), name


@pytest.mark.parametrize("script", ["melodies.py", "drums.py"])
def test_music(run, script, tmp_path, capsys):
    """On a tiny model: it plays few notes, so that the rules sometimes hold."""
    drums = script == "drums.py"
    vae = MusicVAE(DrumConverter() if drums else MelodyConverter(), 4, [8], [8, 8])
    # Kicks and hi-hats, alone or together; or few notes, of C major and others.
    likely = {1: 5.85, 4: 5.85, 5: 6.0} if drums else {0: 6.0, 41: 3.0, 44: 3.0, 65: 4.0}
    vae.head.projection.bias.assign([likely.get(k, -2.0) for k in range(vae.head.classes)])
    z = np.random.default_rng(0).standard_normal((50, 4)).astype("float32")
    vae.reference = Posterior(z, 0.5 + 0 * z)
    vae.save_preset(tmp_path / "tiny")
    assert len((EXAMPLES / script).read_text().splitlines()) <= 60
    few = ["--samples", 150, "--turns", 5]
    run(script, "--preset", tmp_path / "tiny", "--out", "played", *few)
    assert "AUC" in capsys.readouterr().out
    page = (tmp_path / "played" / "index.html").read_text()
    assert page.count("<figure") == (36 if drums else 30)
    written = {path.name for path in (tmp_path / "played").iterdir()}
    assert written >= ({"both.wav"} if drums else {"1.mid", "6.mid"})


def test_captions(run, tmp_path, capsys):
    """On a tiny model that says few words, so that the rules sometimes hold."""
    words = Words.learn(["a cat sits in the bathroom"])
    vae = TextVAE(words, 4, 6, [5], [8], max_length=12)
    for weight in vae.decoder.trainable_weights:
        weight.assign(5 * weight)  # what it says depends on z
    z = np.random.default_rng(0).standard_normal((50, 4)).astype("float32")
    vae.reference = Posterior(z, 0.5 + 0 * z)
    vae.save_preset(tmp_path / "tiny")
    assert len((EXAMPLES / "captions.py").read_text().splitlines()) <= 60
    few = ["--samples", 150, "--turns", 5, "--temperature", 1]
    run("captions.py", "--preset", tmp_path / "tiny", "--out", "written", *few)
    assert "AUC" in capsys.readouterr().out
    page = (tmp_path / "written" / "index.html").read_text()
    assert page.count("<li>") == 6 * 8
    assert page.count("<del>") == 8


def test_train_music(run, tmp_path):
    parts = ("train", "validation", "test")
    for part in parts:
        pattern = np.random.default_rng(parts.index(part)).choice([36, 38, 42], 16).tolist()
        write_song(tmp_path / "groove" / f"{part}.mid", pattern, is_drum=True)
    rows = "".join(f"{part}.mid,{part}\n" for part in parts)
    (tmp_path / "groove" / "info.csv").write_text(f"midi_filename,split\n{rows}")
    few = ["--steps", 1, "--batch", 2]
    run("train_music.py", "drums", "groove", "--out", "presets", "--run", "run", *few)
    vae = MusicVAE.from_preset(tmp_path / "presets" / "drums_2bar")
    assert len(vae.reference.mean) > 0
    assert "CC BY 4.0" in (tmp_path / "presets" / "drums_2bar" / "README.md").read_text()


def test_train_text(run, tmp_path):
    from tests.text.tiny import SENTENCES

    unlike = [f"{a} and {b}" for a in SENTENCES for b in SENTENCES[:4]]
    (tmp_path / "captions.txt").write_text("\n".join([*unlike, "dogs see zeppelins"]) + "\n")
    few = ["--steps", 1, "--batch", 4]
    run("train_text.py", "captions.txt", "--out", "presets", "--run", "run", *few)
    vae = TextVAE.from_preset(tmp_path / "presets" / "coco")
    assert "zeppelins" not in vae.tokenizer.vocabulary
    assert len(vae.sample(2, length=5)) == 2
    assert len(vae.reference.mean) > 0
    assert "CC BY 4.0" in (tmp_path / "presets" / "coco" / "README.md").read_text()
