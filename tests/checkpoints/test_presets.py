"""Preset folders: whole, checked, and nothing loaded from one that is damaged."""

import json

import keras
import numpy as np
import pytest

from latentgen.checkpoints.presets import read_preset, shipped_presets, write_preset
from latentgen.errors import CheckpointError, FileError


class Thing:
    def __init__(self, size):
        if size < 1:
            raise ValueError("size must be positive")
        self.size = size
        self.weights = [keras.Variable(np.zeros(size, "float32"), name="kernel")]


def build(config):
    return Thing(**config)


@pytest.fixture
def folder(tmp_path):
    thing = Thing(3)
    thing.weights[0].assign(np.array([0.5, -2.0, 8.0]))
    target = tmp_path / "presets" / "three"
    write_preset(target, "Thing", {"size": 3}, thing.weights, "# Three\n")
    return target


def test_round_trip(folder):
    thing = read_preset(folder, "Thing", build)
    assert thing.size == 3
    np.testing.assert_array_equal(np.array(thing.weights[0]), [0.5, -2.0, 8.0])
    assert sorted(p.name for p in folder.iterdir()) == ["README.md", "config.json", "weights.npz"]
    assert (folder / "README.md").read_text() == "# Three\n"


def test_a_second_write_replaces_the_first(folder):
    write_preset(folder, "Thing", {"size": 2}, Thing(2).weights, "")
    assert read_preset(folder, "Thing", build).size == 2


def test_a_write_that_fails_leaves_the_old_preset(folder):
    class Broken:
        path = "kernel"

        def __array__(self, *_, **__):
            raise RuntimeError("lost device")

    with pytest.raises(RuntimeError, match="lost device"):
        write_preset(folder, "Thing", {"size": 2}, [Broken()], "")
    assert read_preset(folder, "Thing", build).size == 3
    assert [p.name for p in folder.parent.iterdir()] == ["three"]


def test_shipped_presets_are_the_folders_with_a_configuration(folder):
    (folder.parent / "empty").mkdir()
    assert shipped_presets(folder.parent) == [folder]
    assert shipped_presets(folder / "none") == []


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", FileError, "expected a preset's configuration"),
        ("{", FileError, "expected a preset's configuration"),
        ("[1, 2]", FileError, "expected a preset's configuration"),
        ("{}", FileError, "expected a preset's configuration"),
        ('{"kind": "Thing"}', FileError, "expected a preset's configuration"),
        ('{"kind": "Other", "config": {}}', CheckpointError, "a preset of Thing, found one of Oth"),
        ('{"kind": "Thing", "config": [3]}', CheckpointError, "its configuration fits no Thing"),
        ('{"kind": "Thing", "config": {"sise": 3}}', CheckpointError, "fits no Thing"),
        ('{"kind": "Thing", "config": {"size": "x"}}', CheckpointError, "fits no Thing"),
        ('{"kind": "Thing", "config": {"size": -1}}', CheckpointError, "size must be positive"),
        ('{"kind": "Thing", "config": {"size": 4}}', CheckpointError, "belong to another model"),
    ],
)
def test_damaged_or_foreign_configuration(folder, text, error, message):
    (folder / "config.json").write_text(text)
    with pytest.raises(error, match=message):
        read_preset(folder, "Thing", build)


def test_configuration_that_is_no_text(folder):
    (folder / "config.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="expected a preset's configuration"):
        read_preset(folder, "Thing", build)


def test_missing_parts(folder):
    (folder / "weights.npz").unlink()
    with pytest.raises(FileError, match="expected a file with weights"):
        read_preset(folder, "Thing", build)
    with pytest.raises(FileError, match="expected a preset folder"):
        read_preset(folder.parent, "Thing", build)


def test_configuration_is_plain_json(folder):
    stored = json.loads((folder / "config.json").read_text())
    assert stored == {"kind": "Thing", "config": {"size": 3}}
