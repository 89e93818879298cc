"""`latentgen text constrain`, and what bad input does to every verb of text."""

import json
import re

import pytest

from latentgen.cli.main import main

pytestmark = pytest.mark.usefixtures("quick_rules")

TINY = ["--preset", "my-text", "--temperature", "1", "-n", "3", "--turns", "1"]


def constrain(*arguments):
    return main(["text", "constrain", *arguments, *TINY])


def test_how_well_each_attribute_was_learnt_is_said(desk, capsys):
    assert constrain("liked.csv", "--want", "liked=yes", "--out", "more.html") == 0
    said = capsys.readouterr().out
    assert "liked: 27 of False, 9 of True" in said
    assert "held-out AUC" in said
    assert "Wrote more.html: 3 sentences, asked for liked=True" in said
    assert (desk / "more.html").read_text().count("<li>") == 3


def test_few_of_many_labels_and_another_method(desk, capsys):
    few = ["sentiment", "--want", "1", "--keep", "class", "--method", "vector", "--limit", "20"]
    assert constrain(*few) == 0
    said = capsys.readouterr().out
    counts = re.search(r"class: (\d+) of False, (\d+) of True", said)
    assert sum(map(int, counts.groups())) == 20


def test_without_strength_a_changed_sentence_is_its_reconstruction(desk):
    change = ["--change", "captions.txt", "--strength", "0", "--out", "changed.json"]
    assert constrain("by-feeling", "--want", "quiet", *change) == 0
    again = ["--preset", "my-text", "--temperature", "1", "-n", "3", "--out", "again.json"]
    assert main(["text", "reconstruct", "captions.txt", *again]) == 0
    changed, same = (json.loads((desk / f"{n}.json").read_text()) for n in ("changed", "again"))
    assert changed == same


def test_rules_are_learnt_and_counted(desk, capsys):
    code = constrain("--rule", "number_of_words > 3", "--rule", "type_token_ratio <= 1")
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "of 3 obey the rule" in said.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sample", "--preset", "my-model"], "sketchvae"),
        (["sample", "--preset", "nothing"], "nothing"),
        (["sample", "--preset", "other"], "belong to another model"),
        (["sample", "--out", "sheet.png"], ".txt"),
        (["sample", "--out", "captions.txt"], "--overwrite"),
        (["sample", "--top-k", "0"], "--top-k"),
        (["sample", "--top-p", "2"], "--top-p"),
        (["sample", "--top-p", "0"], "top_p"),
        (["continue", "a dog " * 9], "12 tokens"),
        (["continue", " "], "1 to 12 tokens"),
        (["reconstruct", "nothing"], "nothing"),
        (["reconstruct", "latin.txt"], "utf-8"),
        (["reconstruct", "blank.txt"], "only empty lines"),
        (["reconstruct", "line.txt"], "1,048,576 bytes"),
        (["reconstruct", "empty"], "without any"),
        (["reconstruct", "tune.mid"], "utf-8"),
        (["reconstruct", "zebus moo"], "known ones"),
        (["reconstruct", "a dog " * 9], "12 tokens"),
        (["interpolate", "a dog"], "second"),
        (["interpolate", "a dog", "captions.txt:99"], "from 0 to 35"),
        (["interpolate", "a dog", "nothing.txt:2"], "nothing.txt:2"),
        (["interpolate", "a dog", "two cats", "--steps", "1"], "--steps"),
        (["train", "captions.txt"], "--out"),
        (["train", "nothing.txt", "--out", "new"], "nothing.txt"),
        (["train", "latin.txt", "--out", "new"], "line 2"),
        (["train", "blank.txt", "--out", "new"], "only empty lines"),
        (["train", "line.txt", "--out", "new"], "one sentence on a line"),
        (["train", "captions.txt", "--out", "my-text"], "--overwrite"),
        (["train", "captions.txt", "--max-length", "2", "--out", "new"], "max_length"),
        (["train", "captions.txt", "--minimum-count", "999", "--out", "new"], "minimum_count"),
        (["train", "captions.txt", "--column", "text", "--out", "new"], "column"),
        (["train", "liked.csv", "--column", "liking", "--out", "new"], "liking"),
        (["train", "captions.txt", "--tokens", "bytes", "--out", "new"], "subwords"),
        (
            ["train", "captions.txt", "--tokens", "subwords", "--vocabulary", "9", "--out", "new"],
            "room for every character",
        ),
        (["evaluate", "captions.txt", "--split", "rest"], "train"),
        (["evaluate", "nothing.txt"], "nothing.txt"),
        (["constrain"], "neither"),
        (["constrain", "liked.csv", "--rule", "number_of_words>3"], "both"),
        (["constrain", "--rule", "beauty>3"], "contains_word(word)"),
        (["constrain", "--rule", "number_of_words>=0"], "loosen"),
        (["constrain", "liked.csv", "--want", "liked=perhaps"], "yes or no"),
        (["constrain", "liked.csv", "--want", "colour=red"], "colour=red"),
        (["constrain", "by-feeling", "--want", "angry"], "angry"),
        (["constrain", "by-feeling", "--want", "quiet", "--keep", "colour"], "colour"),
        (["constrain", "by-feeling", "--want", "quiet", "--change", "nothing.txt"], "nothing.txt"),
        (["constrain", "one-class", "--want", "quiet"], "class"),
        (["constrain", "latin", "--want", "a"], "utf-8"),
        (["constrain", "captions.txt", "--want", "liked=yes"], "labels for its examples"),
        (["constrain", "nothing", "--want", "quiet"], "nothing"),
        (["constrain", "empty", "--want", "quiet"], "labels.csv"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
)
def test_bad_input_is_told_in_one_line(arguments, message, desk, capsys):
    (desk / "empty").mkdir()
    (desk / "latin.txt").write_bytes("a dog\na café\n".encode("latin-1"))
    (desk / "blank.txt").write_text("\n \n\n")
    (desk / "line.txt").write_text("a dog " * 1_700_000)  # ten megabytes
    for path, text in (("one-class/quiet", "a dog\n" * 9), ("latin/b", "two cats\n")):
        (desk / path).parent.mkdir()
        (desk / f"{path}.txt").write_text(text)
    (desk / "latin" / "a.txt").write_bytes("a café\n".encode("latin-1"))
    (desk / "other").mkdir()
    for name in ("config.json", "weights.npz", "README.md"):
        (desk / "other" / name).write_bytes((desk / "my-text" / name).read_bytes())
    config = json.loads((desk / "other" / "config.json").read_text())
    config["config"]["tokenizer"]["vocabulary"] = ["one", "two"]
    (desk / "other" / "config.json").write_text(json.dumps(config))
    verb = arguments[0]
    more = [] if "--preset" in arguments or verb == "train" else ["--preset", "my-text"]
    before = {path: path.read_bytes() for path in desk.iterdir() if path.is_file()}
    names = sorted(path.name for path in desk.iterdir())
    assert main(["text", *arguments, *more]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message.lower() in error.lower()
    assert sorted(path.name for path in desk.iterdir()) == names
    assert {path: path.read_bytes() for path in desk.iterdir() if path.is_file()} == before
