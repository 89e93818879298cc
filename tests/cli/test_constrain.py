"""`latentgen sketch constrain`: labels and rules in, drawings out, on a model without skill."""

import pytest

from latentgen.cli.main import main

pytestmark = pytest.mark.usefixtures("quick_rules")

TINY = ["--preset", "my-model", "--temperature", "1", "-n", "3", "--turns", "1"]


def constrain(*arguments):
    return main(["sketch", "constrain", *arguments, *TINY])


def test_how_well_each_attribute_was_learnt_is_said(desk, capsys):
    assert constrain("my-labels", "--want", "round=yes", "--out", "round.svg") == 0
    said = capsys.readouterr().out
    assert "round: 12 of False, 12 of True" in said
    assert "held-out AUC" in said
    assert "Wrote round.svg: 3 drawings, asked for round=True" in said
    assert (desk / "round.svg").read_text().count("<path") == 3


def test_what_was_learnt_is_kept(desk, capsys):
    from latentgen.constraints import LatentConstraints

    asked = ["my-labels", "--want", "round=yes", "--out", "round.svg", "--save", "round.npz"]
    assert constrain(*asked) == 0
    assert "Wrote round.npz: what was learnt: round" in capsys.readouterr().out
    assert LatentConstraints.load(desk / "round.npz", 4).attribute_names == ("round",)


def test_the_seed_says_what_is_drawn(desk):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        arguments = ["quickdraw", "--want", "pig", "--seed", seed, "--out", f"{name}.svg"]
        assert constrain(*arguments) == 0
    a, b, c = ((desk / f"{name}.svg").read_text() for name in "abc")
    assert a == b
    assert a != c


def test_without_strength_a_changed_drawing_is_its_reconstruction(desk):
    change = ["--change", "cats.ndjson", "--strength", "0", "--out", "changed.svg"]
    assert constrain("quickdraw", "--want", "pig", *change) == 0
    assert main(["sketch", "reconstruct", "cats.ndjson", *TINY[:6], "--out", "again.svg"]) == 0
    assert (desk / "changed.svg").read_text() == (desk / "again.svg").read_text()


@pytest.mark.parametrize("method", ["rejection", "vector"])
def test_other_methods(desk, method):
    arguments = ["quickdraw", "--want", "class=pig", "--keep", "class", "--method", method]
    assert constrain(*arguments, "--out", "pigs.png") == 0


def test_a_rule_is_learnt_and_counted(desk, capsys):
    arguments = ["--rule", "number_of_strokes>=1", "--out", "one.png"]
    code = constrain(*arguments)
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "of 3 obey the rule" in said.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "neither"),
        (["quickdraw", "--rule", "ink_length>3"], "both"),
        (["--rule", "beauty>3"], "number_of_strokes"),
        (["quickdraw", "--want", "cow"], "cow"),
        (["quickdraw", "--want", "colour=red"], "colour=red"),
        (["quickdraw", "--want", "pig", "--keep", "colour"], "colour"),
        (["quickdraw", "--want", "pig", "--method", "prayer"], "prayer"),
        (["quickdraw", "--want", "pig", "--strength", "-1"], "--strength"),
        (["quickdraw", "--want", "pig", "--change", "nothing.svg"], "nothing.svg"),
        (["cats.ndjson", "--want", "happy=yes"], "a CSV"),
        (["cats.ndjson", "--want", "happy=yes", "--labels", "nothing.csv"], "nothing.csv"),
        (["cats.ndjson", "--want", "happy=perhaps", "--labels", "happy.csv"], "yes or no"),
        (["cats.ndjson", "--want", "happy=yes", "--labels", "one-class.csv"], "classes"),
        (["nothing", "--want", "pig"], "nothing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_told_in_one_line(arguments, message, desk, capsys):
    (desk / "one-class.csv").write_text("happy\n" + 24 * "yes\n")
    assert constrain(*arguments, "--out", "new.png") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    assert not (desk / "new.png").exists()
