"""`latentgen music constrain`, and what bad input does to every verb of music."""

import pytest

from latentgen.cli.main import main
from latentgen.music import read_notes, write_midi
from tests.music.songs import SCALE, melody

pytestmark = pytest.mark.usefixtures("quick_rules")

TINY = ["--preset", "my-music", "--temperature", "1", "-n", "3", "--turns", "1"]


def constrain(*arguments):
    return main(["music", "constrain", *arguments, *TINY])


def test_how_well_each_attribute_was_learnt_is_said(desk, capsys):
    assert constrain("liked", "--want", "liked=yes", "--out", "more.html") == 0
    said = capsys.readouterr().out
    assert "liked: 6 of False, 6 of True" in said
    assert "held-out AUC" in said
    assert "Wrote more.html: 3 passages, asked for liked=True" in said
    assert (desk / "more.html").read_text().count("<figure") == 3


@pytest.mark.parametrize("method", ["rejection", "vector", "actor", "ascent"])
def test_classes_by_folder_and_other_methods(desk, method):
    arguments = ["by-mood", "--want", "calm", "--keep", "class", "--method", method]
    assert constrain(*arguments, "--out", "calm.png") == 0


def test_without_strength_changed_music_is_its_reconstruction(desk):
    change = ["--change", "tune.mid", "--strength", "0", "--out", "changed.mid"]
    assert constrain("by-mood", "--want", "calm", *change) == 0
    assert main(["music", "reconstruct", "tune.mid", *TINY[:6], "--out", "again.mid"]) == 0
    for k in (1, 2):
        one, other = (read_notes(desk / f"{name}-{k}.mid")[0] for name in ("changed", "again"))
        assert [note.pitch for note in one.notes] == [note.pitch for note in other.notes]


def test_rules_are_learnt_and_counted(desk, capsys):
    rules = ["--rule", "share_in_key(C major) > 0.6", "--rule", "mean_pitch > 50"]
    code = constrain(*rules, "--out", "asked")
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "of 3 obey the rule" in said.out
    assert len(list((desk / "asked").iterdir())) == 3


def test_drums_are_ruled_too(desk, capsys):
    arguments = ["--preset", "my-drums", "--rule", "kick_on_beat > 0.9", "--out", "four.wav"]
    assert main(["music", "constrain", *TINY, *arguments]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sample", "--preset", "my-model"], "sketchvae"),
        (["sample", "--preset", "nothing"], "nothing"),
        (["sample", "--out", "sheet.bmp"], ".mid"),
        (["sample", "--out", "songs"], "--overwrite"),
        (["sample", "--tempo", "0"], "--tempo"),
        (["sample", "--tempo", "nan"], "--tempo"),
        (["sample", "--program", "128"], "--program"),
        (["sample", "--chords", "C"], "goes by chords"),
        (["sample", "--key", "C"], "goes by keys"),
        (["sample", "--preset", "my-chords"], "--chords"),
        (["sample", "--preset", "my-chords", "--chords", "H"], "'h'"),
        (["sample", "--preset", "my-chords", "--chords", "C D E"], "divides 32"),
        (["continue", "nothing.mid"], "nothing.mid"),
        (["continue", "broken.mid"], "broken.mid"),
        (["continue", "tune.mid", "--beginning", "2"], "--beginning"),
        (["continue", "tune.mid", "--beginning", "0"], "--beginning"),
        (["continue", "tune.mid:9"], "from 0 to 1"),
        (["reconstruct", "nothing"], "nothing"),
        (["reconstruct", "broken.mid"], "broken.mid"),
        (["reconstruct", "empty"], "without any"),
        (["reconstruct", "happy.csv"], "expected midi"),
        (["reconstruct", "drums/0.mid"], "silent"),
        (["reconstruct", "tune.mid", "--tracks", "flute"], "--tracks"),
        (["reconstruct", "chord.mid"], "polyphonic"),
        (["interpolate", "tune.mid"], "second"),
        (["interpolate", "tune.mid", "nothing.mid"], "nothing.mid"),
        (["interpolate", "tune.mid", "other.mid", "--steps", "1"], "--steps"),
        (["train", "songs"], "--out"),
        (["train", "nothing", "--out", "new"], "nothing"),
        (["train", "empty", "--out", "new"], "without any"),
        (["train", "songs", "--out", "my-music"], "--overwrite"),
        (["train", "songs", "--config", "cat-mel", "--out", "new"], "cat-mel_2bar_small"),
        (["train", "drums", "--out", "new"], "--tracks"),
        (["train", "songs", "--meter", "three", "--out", "new"], "--meter"),
        (["train", "songs", "--bars", "0", "--out", "new"], "--bars"),
        (["train", "songs", "--bars", "99", "--out", "new"], "received none"),
        (["train", "drums", "--config", "drums_2bar", "--transpose", "3", "--out", "new"], "drum"),
        (["evaluate", "songs", "--split", "rest"], "train"),
        (["evaluate", "waltzes"], "received none"),
        (["constrain"], "neither"),
        (["constrain", "liked", "--rule", "mean_pitch>3"], "both"),
        (["constrain", "--rule", "beauty>3"], "share_in_key(key)"),
        (["constrain", "--rule", "share_in_key(H)>0.9"], "'h'"),
        (["constrain", "--rule", "number_of_notes>=0"], "loosen"),
        (["constrain", "liked", "--want", "liked=perhaps"], "yes or no"),
        (["constrain", "liked", "--want", "colour=red"], "colour=red"),
        (["constrain", "by-mood", "--want", "angry"], "angry"),
        (["constrain", "by-mood", "--want", "calm", "--keep", "colour"], "colour"),
        (["constrain", "by-mood", "--want", "calm", "--method", "prayer"], "prayer"),
        (["constrain", "by-mood", "--want", "calm", "--change", "nothing.mid"], "nothing.mid"),
        (["constrain", "tune.mid", "--want", "liked=yes"], "a csv"),
        (["constrain", "nothing", "--want", "calm"], "nothing"),
        (["constrain", "empty", "--want", "calm"], "labels.csv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_told_in_one_line(arguments, message, desk, capsys):
    (desk / "empty").mkdir()
    (desk / "broken.mid").write_bytes((desk / "tune.mid").read_bytes()[:40])
    chord = melody(SCALE)
    for pitch in (48, 52):
        chord.notes.add(pitch=pitch, velocity=80, start_time=0, end_time=1)
    write_midi(desk / "chord.mid", chord)
    verb = arguments[0]
    writes = verb not in ("train", "evaluate") and "--out" not in arguments
    more = ["--out", "new.mid"] if writes else []
    if "--preset" not in arguments and verb != "train":
        more += ["--preset", "my-music"]
    before = {path: path.read_bytes() for path in desk.iterdir() if path.is_file()}
    names = sorted(path.name for path in desk.iterdir())
    assert main(["music", *arguments, *more]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message.lower() in error.lower()
    assert sorted(path.name for path in desk.iterdir()) == names
    assert {path: path.read_bytes() for path in desk.iterdir() if path.is_file()} == before
