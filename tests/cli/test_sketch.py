"""`latentgen sketch …`: every verb on tiny models, in the working folder of a person."""

import json

import numpy as np
import pytest

from latentgen.cli.main import main
from latentgen.cli.rules import parse_rule
from latentgen.cli.sketch.drawings import read_file, read_one, read_splits, shorten, to_grid
from latentgen.errors import FileError, InputError
from latentgen.sketch import attributes, bounds, from_lines, read_drawings

TINY = ["--preset", "my-model", "--temperature", "1"]


def ok(*arguments):
    """Runs a command that has to succeed."""
    assert main([str(argument) for argument in arguments]) == 0


@pytest.mark.parametrize("ending", ["png", "svg", "gif", "ndjson", "npz"])
def test_sample_writes_what_the_ending_says(desk, ending, capsys):
    ok("sketch", "sample", *TINY, "-n", 3, "--out", f"drawn.{ending}")
    assert f"Wrote drawn.{ending}: 3 drawings" in capsys.readouterr().out
    start = (desk / f"drawn.{ending}").read_bytes()[:4]
    assert start == {
        "png": b"\x89PNG", "gif": b"GIF8", "svg": b"<svg", "npz": b"PK\x03\x04", "ndjson": b'{"wo'
    }[ending]  # fmt: skip


def test_the_seed_says_what_is_drawn(desk):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        ok("sketch", "sample", *TINY, "-n", 4, "--seed", seed, "--out", f"{name}.svg")
    a, b, c = ((desk / f"{name}.svg").read_text() for name in "abc")
    assert a == b
    assert a != c


def test_nothing_is_overwritten_unasked(desk, capsys):
    (desk / "mine.png").write_text("precious")
    arguments = ["sketch", "sample", *TINY, "-n", "1", "--out", "mine.png"]
    assert main(arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (desk / "mine.png").read_text() == "precious"
    ok(*arguments, "--overwrite")
    assert (desk / "mine.png").read_bytes()[:4] == b"\x89PNG"


def test_reconstruct_shows_originals_beside_in_pictures_only(desk):
    ok("sketch", "reconstruct", "cats.ndjson", *TINY, "-n", 3, "--out", "pairs.svg")
    assert (desk / "pairs.svg").read_text().count("<path") == 6
    ok("sketch", "reconstruct", "cats.ndjson", *TINY, "-n", 3, "--out", "again.npz")
    assert len(read_drawings(desk / "again.npz")) <= 3


def test_interpolate(desk):
    ends = ["cat.svg", "cats.ndjson:5"]
    ok("sketch", "interpolate", *ends, *TINY, "--steps", 5, "--out", "between.svg")
    assert (desk / "between.svg").read_text().count("<path") == 5


def test_train_then_evaluate_then_sample(desk, capsys):
    data = "cats.npz"
    tiny = ["--batch-size", 4, "--out", "trained"]
    ok("sketch", "train", data, "--steps", 2, *tiny)
    assert (desk / "trained.training" / "checkpoint.npz").exists()
    assert "2 steps of 4 drawings" in (desk / "trained" / "README.md").read_text()
    ok("sketch", "evaluate", data, "--preset", "trained", "--split", "train")
    assert "NLL" in capsys.readouterr().out
    ok("sketch", "sample", "--preset", "trained", "-n", 1, "--out", "one.png")

    ok("sketch", "train", data, "--steps", 12, *tiny)  # trains on, in batches of all lengths
    assert "12 steps of 4 drawings" in (desk / "trained" / "README.md").read_text()


def test_a_training_with_other_settings_is_not_carried_on(desk, capsys):
    command = ["sketch", "train", "cats.npz", "--out", "trained", "--steps", "1"]
    ok(*command, "--batch-size", 2)
    kept = (desk / "trained" / "weights.npz").read_bytes()
    assert main([*command, "--batch-size", "3"]) == 2
    assert "batch_size 2, received 3" in capsys.readouterr().err
    assert (desk / "trained" / "weights.npz").read_bytes() == kept
    (desk / "trained.training" / "settings.json").write_text("{")
    assert main([*command, "--batch-size", "2"]) == 2
    assert "settings.json" in capsys.readouterr().err
    ok(*command, "--batch-size", 3, "--overwrite")


def test_evaluate_needs_drawings_in_that_part(desk, capsys):
    assert main(["sketch", "evaluate", "cats.ndjson", "--limit", "1", "--preset", "my-model"]) == 2
    assert "--split" in capsys.readouterr().err


def test_splits_are_kept_or_made_from_the_drawings_keys(desk):
    assert [len(part) for part in read_splits(desk / "cats.npz").values()] == [12, 12, 12]
    both = read_splits(desk / "quickdraw")
    assert sum(map(len, both.values())) == 48
    assert len(both["train"]) > 30
    pigs = read_splits(desk / "quickdraw", ["pig"])
    for split, drawings in pigs.items():
        found = {drawing.tobytes() for drawing in both[split]}
        assert all(drawing.tobytes() in found for drawing in drawings)
    assert sum(map(len, read_splits(desk / "quickdraw", limit=5).values())) == 10


def test_only_recognised_drawings_are_learnt_from(tmp_path):
    record = {"word": "cat", "key_id": "1", "recognized": False, "drawing": [[[0, 9], [0, 9]]]}
    (tmp_path / "cats.ndjson").write_text(json.dumps(record) + "\n")
    with pytest.raises(FileError, match="drawings to train on"):
        read_splits(tmp_path / "cats.ndjson")


def test_an_svg_comes_to_quickdraws_grid(desk):
    left, top, right, bottom = bounds(read_file(desk / "cat.svg")[0])
    assert max(right - left, bottom - top) == pytest.approx(255, rel=1e-4)
    dot = np.array([[3.0, 4.0, 1.0]], "float32")
    assert len(to_grid(dot)) == 1


def test_one_drawing_of_a_file_is_named_by_its_number(desk):
    drawings = read_file(desk / "cats.ndjson")
    np.testing.assert_array_equal(read_one("cats.ndjson:2"), drawings[2])
    np.testing.assert_array_equal(read_one("cats.ndjson"), drawings[0])
    with pytest.raises(InputError, match="from 0 to 23"):
        read_one("cats.ndjson:24")


def test_a_long_drawing_is_simplified_until_it_fits():
    angles = np.linspace(0, 2 * np.pi, 500)
    circle = from_lines([np.stack([100 * np.cos(angles), 100 * np.sin(angles)], axis=1)])
    short = shorten(circle, 40)
    assert 8 < len(short) <= 40
    np.testing.assert_allclose(bounds(short), bounds(circle), atol=3)
    np.testing.assert_array_equal(shorten(short, 40), short)


def rule(*texts):
    return parse_rule(texts, attributes, example="number_of_strokes<4")


def test_rules_are_read_from_text():
    two = from_lines([[(0, 0), (4, 0)], [(0, 2), (4, 2)]])
    assert rule("number_of_strokes<3")(two)
    assert not rule("number_of_strokes < 2")(two)
    assert rule("number_of_strokes>=2", "number_of_strokes<=2")(two)
    assert not rule("number_of_strokes>=2", "ink_length>100")(two)


@pytest.mark.parametrize(
    "text", ["", "strokes<4", "ink_length", "ink_length<long", "ink_length=3", "ink_length(1)<4"]
)
def test_rules_that_cannot_be_read(text):
    with pytest.raises(InputError, match=r"number_of_strokes|expected ink_length"):
        rule(text)
