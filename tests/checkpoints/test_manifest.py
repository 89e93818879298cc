"""deeplearn.js exports, and Magenta's published two-bar melody decoder, which is one."""

import json

import numpy as np
import pytest

from latentgen.checkpoints.magenta_music import music_table
from latentgen.checkpoints.manifest import read_manifest
from latentgen.checkpoints.mapping import assign
from latentgen.errors import CheckpointError, FileError
from latentgen.music import MelodyConverter, MusicDecoder


def write(folder, **shapes):
    entries = {}
    for name, shape in shapes.items():
        np.arange(np.prod(shape), dtype="<f4").tofile(folder / f"{name}.bin")
        entries[f"decoder/{name}"] = {"filename": f"{name}.bin", "shape": list(shape)}
    (folder / "manifest.json").write_text(json.dumps(entries))
    return entries


def test_variables_come_with_their_shapes_and_missing_files_are_named(tmp_path):
    write(tmp_path, bias=(4,), kernel=(2, 3), lost=(5,))
    (tmp_path / "lost.bin").unlink()
    tensors, missing = read_manifest(tmp_path)
    np.testing.assert_array_equal(tensors["decoder/kernel"], [[0, 1, 2], [3, 4, 5]])
    assert tensors["decoder/bias"].shape == (4,)
    assert missing == ["decoder/lost"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": [10**9, 10**6]}, "expected 4000000000000000 bytes"),
        ({"shape": [3]}, "expected 12 bytes"),
        ({"shape": [0, 10**30]}, "whole numbers"),
        ({"shape": [-4]}, "whole numbers"),
        ({"shape": [-2, -2]}, "whole numbers"),
        ({"shape": "four"}, "names and shapes"),
        ({"shape": 4}, "names and shapes"),
        ({"filename": "../bias.bin"}, "plain file names"),
        ({"filename": "/etc/passwd"}, "plain file names"),
        ({"filename": 7}, "plain file names"),
        ({"filename": "kernel.bin"}, "one twice"),
    ],
)
def test_hostile_manifests_are_refused(tmp_path, change, message):
    entries = write(tmp_path, bias=(4,), kernel=(2, 3))
    entries["decoder/bias"] |= change
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    with pytest.raises(FileError, match=message):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["[", "[]", "{}}", '{"decoder/bias": {}}', '{"decoder/bias": 1}'])
def test_damaged_manifests_are_refused(tmp_path, text):
    with pytest.raises(FileError, match="found none"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(FileError, match=r"manifest\.json"):
        read_manifest(tmp_path)


def test_files_of_nan_are_refused(tmp_path):
    write(tmp_path, bias=(4,))
    np.full(4, np.nan, "<f4").tofile(tmp_path / "bias.bin")
    with pytest.raises(FileError, match=r"bias\.bin: expected finite"):
        read_manifest(tmp_path)


def test_weights_of_another_model_are_refused_and_nothing_is_assigned():
    decoder = MusicDecoder(MelodyConverter(), 4, decoder_units=[6])
    before = [np.array(v) for v in decoder.weights]
    table = music_table(decoder)
    tensors = {t.name: np.ones(t.shape or t.joined_shape(), "float32") for t in table}
    first = table[0].name
    for wrong in (
        {k: v for k, v in tensors.items() if k != first},
        tensors | {"decoder/more": np.ones(3)},
        tensors | {first: np.ones((2, 2))},
        tensors | {first: np.full(tensors[first].shape, np.nan)},
    ):
        with pytest.raises(CheckpointError, match=r"file: .*(another model|finite)"):
            assign(table, wrong, "file")
    for value, variable in zip(before, decoder.weights, strict=True):
        np.testing.assert_array_equal(value, np.array(variable))
