"""`latentgen text …`: every verb on tiny models, in the working folder of a person."""

import gzip
import html
import json

import pytest

from latentgen.cli.main import main
from latentgen.cli.rules import parse_rule
from latentgen.cli.text.sentences import choose, read_given, read_labelled, read_one
from latentgen.errors import InputError
from latentgen.text import LanguageModel, TextVAE, attributes

TINY = ["--preset", "my-text", "--temperature", "1"]


def ok(*arguments):
    """Runs a command that has to succeed."""
    assert main(["text", *map(str, arguments)]) == 0


def test_without_a_file_sentences_are_told(desk, capsys):
    ok("sample", *TINY, "-n", 3)
    told = capsys.readouterr().out.splitlines()
    vae = TextVAE.from_preset("my-text")
    ok("sample", *TINY, "-n", 3, "--prior")
    prior = capsys.readouterr().out.splitlines()
    assert prior == vae.sample(3, temperature=1.0)
    assert len(told) == 3
    assert told != prior  # moved to where real z are


def test_sample_writes_what_the_ending_says(desk, capsys):
    how = [*TINY, "-n", 3, "--top-k", 5, "--top-p", 0.9]
    for ending in ("txt", "json", "html"):
        ok("sample", *how, "--out", f"some.{ending}")
        assert f"Wrote some.{ending}: 3 sentences" in capsys.readouterr().out
    lines = (desk / "some.txt").read_text().splitlines()
    assert [record["text"] for record in json.loads((desk / "some.json").read_text())] == lines
    assert (desk / "some.html").read_text().count("<li>") == 3
    page = html.unescape((desk / "some.html").read_text())
    assert all(line in page for line in lines)


def test_the_seed_says_what_is_written(desk):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        ok("sample", *TINY, "-n", 4, "--seed", seed, "--out", f"{name}.txt")
    a, b, c = ((desk / f"{name}.txt").read_text() for name in "abc")
    assert a == b
    assert a != c


def test_nothing_is_overwritten_unasked(desk, capsys):
    (desk / "mine.txt").write_text("precious")
    command = ["sample", *TINY, "-n", 1, "--out", "mine.txt"]
    assert main(["text", *map(str, command)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (desk / "mine.txt").read_text() == "precious"
    ok(*command, "--overwrite")
    assert (desk / "mine.txt").read_text() != "precious"


def test_continue_begins_as_it_was_told(desk, capsys):
    ok("continue", "The horse", *TINY, "-n", 4)
    told = capsys.readouterr().out.splitlines()
    assert len(set(told)) > 1
    assert all(line.lower().startswith("the horse") for line in told)


def test_reconstruct_tells_originals_beside(desk, capsys):
    ok("reconstruct", "a dog sleeps", *TINY)
    original, again = capsys.readouterr().out.splitlines()
    assert original == "a dog sleeps"
    assert again.startswith("→ ")
    ok("reconstruct", "captions.txt", *TINY, "-n", 3, "--out", "pairs.json")
    pairs = json.loads((desk / "pairs.json").read_text())
    assert [pair["original"] for pair in pairs] == [
        f"a dog sleeps {place} ." for place in ("on a beach", "in the storm", "at home")
    ]
    assert [pair["text"] for pair in pairs][:1] == [again.removeprefix("→ ")]


def test_interpolate(desk, capsys):
    ok("interpolate", "captions.txt:1", "two cats played", *TINY, "--steps", 5)
    assert len(capsys.readouterr().out.splitlines()) == 5


@pytest.mark.parametrize("kind", ["vae", "language-model"])
def test_train_then_evaluate_then_sample(desk, capsys, kind):
    tiny = ["--batch", 4, "--kind", kind, "--out", "trained"]
    ok("train", "captions.txt", "--steps", 2, *tiny)
    said = capsys.readouterr().out
    assert "36 sentences" in said.replace(" read", " ")
    assert "perplexity" in said
    assert "2 steps of 4 sentences" in (desk / "trained" / "README.md").read_text()
    model = TextVAE.any_from_preset("trained", LanguageModel)
    assert isinstance(model, LanguageModel) == (kind != "vae")
    assert kind != "vae" or len(model.reference.mean) > 20
    ok("evaluate", "captions.txt", "--preset", "trained", "--split", "train")
    assert "perplexity" in capsys.readouterr().out
    ok("sample", "--preset", "trained", "-n", 2)
    assert len(capsys.readouterr().out.splitlines()) == 2
    if kind == "vae":
        return

    kept = (desk / "trained" / "weights.npz").read_bytes()
    other = ["text", "train", "captions.txt", *map(str, tiny), "--batch", "3", "--steps", "2"]
    assert main(other) == 2
    assert "batch_size 4, received 3" in capsys.readouterr().err
    assert (desk / "trained" / "weights.npz").read_bytes() == kept
    ok("train", "captions.txt", "--steps", 4, *tiny)  # trains on
    assert "4 steps of 4 sentences" in (desk / "trained" / "README.md").read_text()


def test_what_was_typed_or_named(desk):
    vae = TextVAE.from_preset("my-text")
    assert read_given("a dog sleeps", vae, 8) == ["a dog sleeps"]
    assert read_given("captions.txt", vae, 2) == [
        "a dog sleeps on a beach .",
        "a dog sleeps in the storm .",
    ]
    assert read_one("captions.txt:2", vae) == "a dog sleeps at home ."
    assert read_one("a dog was at home : 3:30", vae) == "a dog was at home : 3:30"
    (desk / "long.txt").write_text("a dog " * 50 + "\na zebu\nzebu\ntwo cats\n")
    assert read_given("long.txt", vae, 8) == ["a zebu", "two cats"]  # what the model can read
    with pytest.raises(InputError, match="'zebus moo': expected a sentence of at most 12 tokens"):
        read_given("zebus moo", vae, 8)
    with pytest.raises(InputError, match="from 0 to 1"):
        read_one("long.txt:2", vae)


def test_labels_by_the_names_of_files(desk):
    (desk / "yelp").mkdir()
    for name, text in (("dev.0", "bad\n"), ("dev.1", "good\n"), ("test.1", "great\n")):
        (desk / "yelp" / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    everything = read_labelled(desk / "yelp", None, True)
    assert everything == (["bad", "good", "great"], {"class": [False, True, True]})
    dev = read_labelled(desk / "yelp" / "dev", None, True)
    assert dev == (["bad", "good"], {"class": [False, True]})
    sentences, columns = read_labelled(desk / "by-feeling", None, True)
    assert (len(sentences), set(columns["class"])) == (36, {"quiet", "excited"})
    assert read_labelled(desk / "by-feeling", None, False) == (sentences, {})
    sentences, columns = read_labelled(desk / "liked.csv", None, True)
    assert sentences[:1] == ["a dog sleeps on a beach"]
    assert columns["liked"].count(True) == 9
    assert read_labelled(desk / "liked.csv", None, False) == (sentences, {})


def test_as_many_as_are_wanted_are_drawn_of_those_the_model_reads(desk):
    vae = TextVAE.from_preset("my-text")
    labelled = ["zebu", "a dog", "two cats", "the horse"], {"big": [True, False, False, True]}
    assert choose(*labelled, vae, None, 0) == (labelled[0][1:], {"big": [False, False, True]})
    few, columns = choose(*labelled, vae, 2, 0)
    assert len(few) == len(columns["big"]) == 2
    with pytest.raises(InputError, match="among those labelled"):
        choose(["zebu"], {}, vae, None, 0)


def rule(*texts):
    return parse_rule(texts, attributes, example="number_of_words<8", nothing="")


def test_rules_are_read_from_text():
    assert rule("contains_word(dog) > 0.5", "number_of_words == 4")("A dog runs home.")
    assert not rule("contains_word( dog ) > 0.5")("A cat runs home.")
    assert rule("tense == past")("The dog barked at me.")
    assert not rule("tense == past")("The dog is here.")
    assert rule("has_tense(past) < 0.5", "is_question<1")("The dog is here.")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tense > past", "== and a word"),
        ("number_of_words == many", "a number"),
        ("contains_word > 0.5", "WORD"),
        ("contains_word() > 0.5", "a word"),
        ("has_tense(pasta) > 0.5", "past, present"),
        ("beauty > 3", "reading_level"),
    ],
)
def test_rules_that_cannot_be_read(text, message):
    with pytest.raises(InputError, match=message):
        rule(text)
