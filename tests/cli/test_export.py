"""`latentgen export`: versions of a model, what they are called, and what can be asked of them."""

import json
from dataclasses import replace

from latentgen.cli.main import main


def test_versions_name_method_and_card(desk, capsys):
    options = ["-c", "few.npz", "--name", "felines", "--method", "density", "--no-xla"]
    assert main(["export", "my-cats", *options, "--out", "served/cats"]) == 0
    said = capsys.readouterr().out
    assert "Wrote served/cats/1: my-cats as saved-model, to be asked for few," in said
    assert "latentgen serve served/cats" in said
    extra = desk / "served" / "cats" / "1" / "assets.extra"
    told = json.loads((extra / "latentgen.json").read_text())
    assert (told["name"], told["method"]) == ("felines", "density")
    assert [attribute["name"] for attribute in told["attributes"]] == ["few"]
    assert "A model that has learnt nothing." in (extra / "README.md").read_text()
    assert main(["export", "my-cats", "--no-xla", "--out", "served/cats"]) == 0
    assert {path.name for path in (desk / "served" / "cats").iterdir()} == {"1", "2"}
    extra = desk / "served" / "cats" / "2" / "assets.extra"
    told = json.loads((extra / "latentgen.json").read_text())
    assert (told["name"], told["method"], told["attributes"]) == ("cats", None, [])
    assert main(["export", "my-cats", "--version", "1", "--out", "served/cats"]) == 2
    assert "served/cats/1 exists" in capsys.readouterr().err


def test_constraints_learnt_apart_are_asked_together(desk, capsys):
    from latentgen.constraints import LatentConstraints

    other = LatentConstraints.load(desk / "few.npz")
    other.attribute_names = ("many",)
    other.attributes = (replace(other.attributes[0], name="many"),)
    other.save(desk / "many.npz")
    both = ["-c", "few.npz", "-c", "many.npz", "--no-xla"]
    assert main(["export", "my-cats", *both, "--out", "both"]) == 0
    assert "to be asked for few, many" in capsys.readouterr().out
    assert main(["export", "my-cats", "-c", "few.npz", "-c", "few.npz", "--out", "new"]) == 2
    assert "different" in capsys.readouterr().err
