"""`latentgen music …`: every verb on tiny models, in the working folder of a person."""

import numpy as np
import pytest

from latentgen.cli.main import main
from latentgen.cli.music.model import controls
from latentgen.cli.music.options import track_names
from latentgen.cli.music.passages import read_one, read_passages
from latentgen.cli.rules import parse_rule
from latentgen.errors import InputError
from latentgen.music import (
    DrumConverter,
    MelodyConverter,
    MusicVAE,
    attributes,
    drum_attributes,
    read_notes,
    write_roll,
)
from latentgen.vae import Posterior
from tests.music.songs import SCALE, melody, write_song

TINY = ["--preset", "my-music", "--temperature", "1"]


def ok(*arguments):
    """Runs a command that has to succeed."""
    assert main(["music", *map(str, arguments)]) == 0


def pitches(path):
    return [note.pitch for note in read_notes(path)[0].notes]


@pytest.mark.parametrize(
    ("ending", "start"),
    [("mid", b"MThd"), ("wav", b"RIFF"), ("png", b"\x89PNG"), ("svg", b"<svg"), ("html", b"<!do")],
)
def test_sample_writes_what_the_ending_says(desk, ending, start, capsys):
    ok("sample", *TINY, "-n", 1, "--out", f"one.{ending}")
    assert f"Wrote one.{ending}: 1 passages" in capsys.readouterr().out
    assert (desk / f"one.{ending}").read_bytes()[:4] == start


def test_several_are_numbered_files_or_a_folder(desk):
    ok("sample", *TINY, "-n", 10, "--out", "some.mid")
    assert len(list(desk.glob("some-*.mid"))) == 10
    assert (desk / "some-07.mid").exists()
    ok("sample", *TINY, "-n", 2, "--out", "folder")
    assert sorted(path.name for path in (desk / "folder").iterdir()) == [
        "folder-1.mid",
        "folder-2.mid",
    ]
    assert pitches(desk / "folder" / "folder-1.mid") == pitches(desk / "some-01.mid")


def test_tempo_and_program_are_written(desk):
    ok("sample", *TINY, "-n", 1, "--tempo", 93, "--program", 40, "--out", "one.mid")
    notes = read_notes(desk / "one.mid")[0]
    assert notes.tempos[0].qpm == pytest.approx(93)
    assert {note.program for note in notes.notes} == {40}


def test_the_seed_says_what_is_played(desk):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        ok("sample", *TINY, "-n", 4, "--seed", seed, "--out", f"{name}.svg")
    a, b, c = ((desk / f"{name}.svg").read_text() for name in "abc")
    assert a == b
    assert a != c


def test_samples_are_made_realistic_unless_the_prior_is_asked_for(desk):
    ok("sample", *TINY, "-n", 4, "--out", "real.svg")
    ok("sample", *TINY, "-n", 4, "--prior", "--out", "prior.svg")
    vae = MusicVAE.from_preset("my-music")
    write_roll("expected.svg", vae.sample(4, temperature=1.0), captions=["1", "2", "3", "4"])
    real, prior, expected = (
        (desk / f"{name}.svg").read_text() for name in ("real", "prior", "expected")
    )
    assert prior == expected
    assert real != prior


def test_nothing_is_overwritten_unasked(desk, capsys):
    (desk / "mine-2.mid").write_text("precious")
    command = ["sample", *TINY, "-n", "2", "--out", "mine.mid"]
    assert main(["music", *command]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (desk / "mine-2.mid").read_text() == "precious"
    assert not (desk / "mine-1.mid").exists()
    ok(*command, "--overwrite")
    assert (desk / "mine-2.mid").read_bytes()[:4] == b"MThd"


def test_continue_keeps_the_beginning_and_the_tempo(desk):
    write_song(desk / "slow.mid", SCALE, qpm=60)
    ok("continue", "slow.mid", *TINY, "--beginning", 1, "-n", 2, "--out", "on.mid")
    one, other = (pitches(desk / f"on-{k}.mid") for k in (1, 2))
    assert one[:4] == other[:4] == list(SCALE[:4])
    assert one != other
    assert read_notes(desk / "on-1.mid")[0].tempos[0].qpm == pytest.approx(60)


def test_what_is_shorter_than_a_window_can_be_continued(desk):
    write_song(desk / "short.mid", SCALE[:3])
    ok("continue", "short.mid", *TINY, "--beginning", 0.75, "-n", 1, "--out", "on.mid")
    assert pitches(desk / "on.mid")[:3] == list(SCALE[:3])


def test_reconstruct_shows_originals_beside_in_pages_and_pictures_only(desk):
    ok("reconstruct", "tune.mid", *TINY, "--out", "pairs.html")
    assert (desk / "pairs.html").read_text().count("<figure") == 4
    ok("reconstruct", "tune.mid", *TINY, "--out", "again.mid")
    assert sorted(path.name for path in desk.glob("again*")) == ["again-1.mid", "again-2.mid"]
    ok("reconstruct", "tune.mid", *TINY, "-n", 1, "--out", "again.mid")
    assert (desk / "again.mid").exists()


def test_interpolate(desk):
    ends = ["tune.mid", "other.mid:1"]
    ok("interpolate", *ends, *TINY, "--steps", 5, "--out", "between.html")
    assert (desk / "between.html").read_text().count("<figure") == 5


def test_train_then_evaluate_then_sample(desk, capsys):
    tiny = ["--batch", 4, "--out", "trained"]
    ok("train", "songs", "--steps", 2, *tiny)
    said = capsys.readouterr().out
    assert "8 found, 8 taken, 0 not" in said
    assert "accuracy" in said
    card = (desk / "trained" / "README.md").read_text()
    assert "2 steps of 4 windows" in card
    assert len(MusicVAE.from_preset("trained").reference.mean) > 2
    ok("evaluate", "songs", "--preset", "trained", "--split", "train")
    assert "free" in capsys.readouterr().out
    ok("sample", "--preset", "trained", "-n", 1, "--out", "one.mid")

    kept = (desk / "trained" / "weights.npz").read_bytes()
    other = ["music", "train", "songs", "--batch", "3", "--out", "trained", "--steps", "2"]
    assert main(other) == 2
    assert "batch_size 4, received 3" in capsys.readouterr().err
    assert (desk / "trained" / "weights.npz").read_bytes() == kept
    ok("train", "songs", "--steps", 4, *tiny)  # trains on
    assert "4 steps of 4 windows" in (desk / "trained" / "README.md").read_text()


def test_what_was_not_taken_is_said(desk, capsys):
    folder = desk / "mixed"
    write_song(folder / "good.mid")
    write_song(folder / "waltz.mid", meter=(3, 4))
    (folder / "broken.mid").write_bytes((folder / "good.mid").read_bytes()[:30])
    ok("train", "mixed", "--steps", 1, "--batch", 2, "--out", "trained")
    said = capsys.readouterr().out
    assert "damaged file" in said
    assert "other meter" in said


def test_another_meter_and_length(desk):
    ok("train", "waltzes", "--meter", "3/4", "--bars", 1, "--steps", 1, "--out", "waltz")
    converter = MusicVAE.from_preset("waltz").converter
    assert (converter.bars, converter.steps_per_bar) == (1, 12)


def test_drums(desk):
    ok("train", "drums", "--config", "drums_2bar", "--steps", 1, "--batch", 2, "--out", "beats")
    ok("sample", "--preset", "beats", "-n", 1, "--out", "beat.mid")
    assert all(note.is_drum for note in read_notes(desk / "beat.mid")[0].notes)


def test_chords(desk):
    chords = ["--preset", "my-chords", "--temperature", "1"]
    ok("sample", *chords, "--chords", "C Am", "-n", 1, "--out", "one.html")
    ok("reconstruct", "tune.mid", *chords, "--out", "same.mid")
    ok("interpolate", "tune.mid", "other.mid", *chords, "--steps", 3, "--out", "between.mid")
    ok("continue", "tune.mid", *chords, "--chords", "F", "-n", 2, "--out", "on.mid")


def test_chords_are_kept_where_music_is_changed(desk, quick_rules):
    chords = ["--preset", "my-chords", "--temperature", "1", "--turns", 2]
    ok(
        "constrain",
        *chords,
        "--rule",
        "number_of_notes > 5",
        "--change",
        "tune.mid",
        "--out",
        "new",
    )


def test_controls_are_those_given_else_those_of_the_music():
    vae = MusicVAE(MelodyConverter(chords=True, key=True), 4, [8], [8])
    both = controls(vae, "C Am", "G")
    assert both.shape == (32, 61)
    assert both[:16, 1].all()
    assert both[16:, 13 + 9].all()
    assert both[:, 49 + 7].all()
    music = [melody(SCALE), melody(SCALE)]
    own = controls(vae, "", "", music)
    given = controls(vae, "F", "", music)
    assert own.shape == given.shape == (2, 32, 61)
    assert given[:, :, 1 + 5].all()
    np.testing.assert_array_equal(own[..., 49:], given[..., 49:])
    with pytest.raises(InputError, match="expected --key"):
        controls(vae, "C", "")


def test_passages_do_not_overlap_and_unsuitable_ones_are_left_out(tmp_path):
    write_song(tmp_path / "a.mid", [*SCALE, *[20] * 8, *SCALE[::-1]])  # 20 is no key of the piano
    found = read_passages(tmp_path / "a.mid", MelodyConverter())
    assert [[n.pitch for n in notes.notes] for notes in found] == [[*SCALE], [*SCALE[::-1]]]
    second = read_one(f"{tmp_path / 'a.mid'}:1", MelodyConverter())
    assert second.notes[0].pitch == SCALE[-1]
    with pytest.raises(InputError, match="from 0 to 1"):
        read_one(f"{tmp_path / 'a.mid'}:2", MelodyConverter())
    with pytest.raises(InputError, match=r"3 no drums.*--tracks"):
        read_passages(tmp_path / "a.mid", DrumConverter())


def test_tracks_are_names_and_programs():
    assert track_names("") is None
    assert track_names("MELODY, 33") == ["MELODY", 33]


def rule(*texts):
    modules = attributes, drum_attributes
    return parse_rule(texts, *modules, example="note_density<4", nothing=melody([]))


def test_rules_are_read_from_text():
    scale = melody(SCALE)
    assert rule("share_in_key(C major) > 0.9")(scale)
    assert not rule("share_in_key( A-flat major ) >= 0.9")(scale)
    assert rule("share_in_pitch_classes(0 2 4 5 7 9 11) > 0.9", "mean_pitch<67")(scale)
    assert rule("share_in_pitches(60-72) >= 1")(scale)
    assert not rule("share_in_pitches(60-71, 73) >= 1")(scale)
    assert rule("kick_on_beat>=1")(melody([36] * 8, is_drum=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("beauty>3", "share_in_key"),
        ("statistics<4", "attributes"),
        ("most_likely_key<4", "attributes"),
        ("share_in_key>0.9", "KEY"),
        ("share_in_key(H major)>0.9", "H major"),
        ("share_in_pitch_classes(12)>0.9", "0 to 11"),
        ("share_in_pitch_classes(c)>0.9", "whole numbers"),
        ("mean_pitch(3)>0.9", "mean_pitch"),
    ],
)
def test_rules_that_cannot_be_read(text, message):
    with pytest.raises(InputError, match=message):
        rule(text)


def test_a_preset_says_what_is_real(desk, monkeypatch):
    """The preset's own z are decoded and asked about."""
    from latentgen.constraints import LatentConstraints

    seen = {}

    def stop(self, vae, rule, **settings):
        seen.update(settings)
        raise InputError("enough")

    monkeypatch.setattr(LatentConstraints, "fit_reward", stop)
    command = ["constrain", *TINY, "--rule", "mean_pitch>60", "--out", "high.mid"]
    assert main(["music", *command]) == 2
    reference = MusicVAE.from_preset("my-music").reference
    assert isinstance(reference, Posterior)
    np.testing.assert_array_equal(seen["z"], reference.mean)
