"""`latentgen import`: from a checkpoint, an archive and sketch-rnn-js to a preset that plays."""

import json
import re
import shutil

import pytest

from latentgen.checkpoints import load_magenta, save_magenta
from latentgen.checkpoints.published import Published
from latentgen.cli.main import main
from latentgen.music import DrumConverter, MelodyConverter, MusicDecoder, MusicVAE
from latentgen.sketch import SketchVAE
from latentgen.sketch.vae import SketchDecoder
from tests.shared import REPOSITORY


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Magenta's files of tiny models."""
    folder = tmp_path_factory.mktemp("magenta")
    sizes = {"latent_size": 4, "decoder_units": [8, 8]}
    vae = MusicVAE(MelodyConverter(), encoder_units=[8], **sizes)
    save_magenta(vae, folder / "vae.tar")
    save_magenta(MusicDecoder(DrumConverter(), **sizes), folder / "decoder", "tfjs")
    sketches = {"decoder_units": 8, "mixtures": 20, "max_length": 20}
    save_magenta(SketchDecoder(**sketches), folder / "drawn.gen.json", "sketch-rnn-js")
    save_magenta(SketchVAE(latent_size=4, encoder_units=8, **sketches), folder / "sketch")
    return folder


@pytest.mark.parametrize(
    ("source", "domain", "kind"),
    [
        ("vae.tar", "music", "MusicVAE"),
        ("decoder", "music", "MusicDecoder"),
        ("drawn.gen.json", "sketch", "SketchDecoder"),
        ("sketch", "sketch", "SketchVAE"),
        ("sketch/vector-0", "sketch", "SketchVAE"),
    ],
)
def test_a_model_becomes_a_preset_that_plays(source, domain, kind, files, tmp_path, capsys):
    preset = tmp_path / "preset"
    assert main(["import", str(files / source), "--out", str(preset)]) == 0
    assert json.loads((preset / "config.json").read_text())["kind"] == kind
    assert kind in (preset / "README.md").read_text()
    assert kind in capsys.readouterr().out
    out = tmp_path / "out.png"
    how = ["--preset", str(preset), "-n", "2", "--out", str(out)]
    assert main([domain, "sample", *how]) == 0, capsys.readouterr().err
    assert out.stat().st_size > 0


def test_a_decoder_alone_plays_by_rules(files, tmp_path, quick_rules, capsys):
    preset, out = tmp_path / "preset", tmp_path / "out.mid"
    assert main(["import", str(files / "decoder"), "--out", str(preset)]) == 0
    asked = ["--rule", "kick_on_beat > 0.5", "--turns", "2", "-n", "2", "--temperature", "1"]
    how = ["--preset", str(preset), "--out", str(tmp_path / "played.html")]
    assert main(["music", "constrain", *asked, *how]) == 0, capsys.readouterr().err
    assert "of 2 obey the rule" in capsys.readouterr().out
    assert main(["music", "reconstruct", "tune.mid", *how[:2], "--out", str(out)]) == 2
    assert "tune.mid" in capsys.readouterr().err


def test_the_weights_are_those_of_the_file(files, tmp_path):
    assert main(["import", str(files / "vae.tar"), "--out", str(tmp_path / "a")]) == 0
    ours, theirs = MusicVAE.from_preset(tmp_path / "a"), load_magenta(files / "vae.tar")
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        assert (one.numpy() == other.numpy()).all()


def test_the_python_of_the_docs(files, tmp_path, monkeypatch):
    page = (REPOSITORY / "docs" / "from-magenta.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    save_magenta(load_magenta(files / "vae.tar"), tmp_path / "my-run")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "from-magenta.md", "exec"), {})
    assert (tmp_path / "my-melodies" / "config.json").is_file()
    assert (tmp_path / "for-magenta" / "model.ckpt-0.index").is_file()


def test_a_published_name(files, tmp_path, monkeypatch):
    model = Published("magenta/x", str(files / "vae.tar"), "melodies")
    monkeypatch.setattr("latentgen.checkpoints.sources.find_published", lambda name: model)
    assert main(["import", "magenta/x", "--out", str(tmp_path / "a")]) == 0
    assert (tmp_path / "a" / "config.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing-of-that-name"], "published model"),
        (["vae.tar", "--rename", "abc"], "PATTERN=REPLACEMENT"),
        (["vae.tar", "--config", "cat-drums_2bar_small"], "vae.tar"),
        (["vae.tar", "--config", "cat-mel"], "configuration"),
        (["vae.tar", "--member", "nobody"], "nobody"),
        (["half.tar"], "half.tar"),
        (["text.json"], "text.json"),
        (["."], "expected"),
    ],
)
def test_what_cannot_be_imported_is_one_line(
    arguments, message, files, tmp_path, capsys, monkeypatch
):
    desk = tmp_path / "desk"
    shutil.copytree(files, desk)
    monkeypatch.chdir(desk)
    data = (desk / "vae.tar").read_bytes()
    (desk / "half.tar").write_bytes(data[: len(data) // 2])
    (desk / "text.json").write_text("not a model")
    assert main(["import", *arguments, "--out", str(tmp_path / "out")]) == 2
    stderr = capsys.readouterr().err
    assert stderr.count("\n") == 1
    assert message in stderr
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten_unasked(files, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    source = str(files / "drawn.gen.json")
    assert main(["import", source, "--out", str(tmp_path / "out")]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "out" / "mine").exists()
