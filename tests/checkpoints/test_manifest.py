"""deeplearn.js exports, and Magenta's published two-bar melody decoder, which is one."""

import json

import numpy as np
import pytest

from latentgen.checkpoints.magenta_music import music_table
from latentgen.checkpoints.manifest import read_manifest
from latentgen.checkpoints.mapping import assign
from latentgen.errors import CheckpointError, FileError
from latentgen.music import MelodyConverter, MusicDecoder
from tests.shared import shared_path


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


def test_hostile_and_damaged_exports_are_refused(tmp_path):
    with pytest.raises(FileError, match="found none"):
        read_manifest(tmp_path)
    entries = write(tmp_path, bias=(4,))
    for change, message in (
        ({"shape": [10**9, 10**6]}, "expected 4000000000000000 bytes"),
        ({"filename": "../bias.bin"}, "plain file names"),
        ({"shape": [-4]}, "plain file names"),
        ({"shape": "four"}, "names and shapes"),
    ):
        changed = {"decoder/bias": entries["decoder/bias"] | change}
        (tmp_path / "manifest.json").write_text(json.dumps(changed))
        with pytest.raises(FileError, match=message):
            read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text("[")
    with pytest.raises(FileError, match="names and shapes"):
        read_manifest(tmp_path)


@pytest.mark.shared
def test_magentas_decoder_gives_magentas_melodies():
    """24 latent vectors, token for token as @magenta/music decodes them."""
    folder = shared_path("data/weights/musicvae_mel_2bar_small_decoder")
    recorded = json.loads(shared_path("fixtures/musicvae_js_mel_2bar_small.json").read_text())
    tensors, missing = read_manifest(folder)
    assert len(missing) == 2
    assert all("encoder" in name for name in missing)
    decoder = MusicDecoder(MelodyConverter())
    ours = {k: v for k, v in tensors.items() if k.startswith("decoder/")}
    assign(music_table(decoder), ours, folder)
    z = np.array(recorded["z"], "float32")
    drawn = decoder.generate(z, greedy=True)
    np.testing.assert_array_equal(drawn.argmax(-1), np.array(recorded["tokens"]))
    assert len(z) == 24


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
