"""LiteRT on TensorFlow and StableHLO on JAX: their own runtimes give what Keras gives."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from latentgen.constraints import LatentConstraints
from latentgen.errors import FileError, InputError
from latentgen.export.graphs import graphs_of
from latentgen.export.litert import export_litert
from latentgen.export.stablehlo import export_stablehlo
from latentgen.music import MusicVAE
from latentgen.music.converters import MelodyConverter
from latentgen.sketch import SketchDecoder, SketchVAE
from latentgen.text.tokenizers import tokenizer_of
from tests.shared import REPOSITORY
from tests.text.tiny import SENTENCES, tiny_language_model, tiny_vae
from tests.tiny import randomise

ON_JAX = keras.backend.backend() == "jax"
export, other = (export_stablehlo, export_litert) if ON_JAX else (export_litert, export_stablehlo)
runtime = pytest.importorskip(
    "jax.export" if ON_JAX else "ai_edge_litert.interpreter", reason="needs latentgen[export]"
)
LATENT, STEPS = 4, 6


def sketches() -> SketchVAE:
    sizes = {"encoder_units": 6, "decoder_units": 8, "mixtures": 3, "max_length": STEPS}
    return randomise(SketchVAE(LATENT, decoder_cell="layer_norm", scale=9.0, **sizes))


def sentences():
    return randomise(tiny_vae())


def constraints() -> LatentConstraints:
    z = np.random.default_rng(0).normal(size=(40, LATENT)).astype("float32")
    labels = {"left": z[:, 0] < 0, "how_far": z[:, 1] * 3 + 5}
    return LatentConstraints(LATENT, hidden=8, layers=1).fit(z, labels, turns=2, batch_size=8)


def load(folder: Path, name: str) -> Callable[..., dict[str, Any]]:
    """What a runtime that knows nothing of Keras makes of a file."""
    if ON_JAX:
        return runtime.deserialize((folder / f"{name}.stablehlo").read_bytes()).call
    interpreter = runtime.Interpreter(str(folder / f"{name}.tflite"), num_threads=1)
    return interpreter.get_signature_runner()


def drawn(model, temperature: list[float], seed: int = 0) -> dict[str, np.ndarray]:
    """Inputs of `decode`, a row a temperature."""
    generator, n = np.random.default_rng(seed), len(temperature)
    noise = generator.random((n, model.max_length, model.head.noise_size), dtype="float32")
    given = {"noise": noise, "temperature": np.array(temperature, "float32")}
    if model.decoder.latent_size:
        given["z"] = generator.normal(size=(n, model.decoder.latent_size)).astype("float32")
    return given


def assert_draws_as_keras(model, decode) -> None:
    """Greedy and sampled rows, in batches of any size: what `model.generate`'s loop gives."""
    for temperature in ([0.0, 0.5, 2.0], [0.7]):
        given = drawn(model, temperature)
        z, noise, heat = given.get("z"), given["noise"], given["temperature"][:, None]
        likeliest = model.decoder.generate(z, noise, greedy=True)
        sampled = model.decoder.generate(z, noise, np.where(heat == 0, 1, heat))
        expected = np.where(heat[..., None] == 0, likeliest, sampled)
        np.testing.assert_allclose(decode(**given)["sequence"], expected, atol=1e-4)
    # What is drawn hangs on the noise.
    first, second = (decode(**drawn(model, [2.0], seed))["sequence"] for seed in (0, 1))
    assert not np.array_equal(np.asarray(first), np.asarray(second))


def assert_encodes_as_keras(model, encode, batch: dict[str, np.ndarray]) -> None:
    """A row at a time, as LiteRT has it, and on JAX all at once too."""
    sequence = batch["input"] if "input" in batch else batch["sequence"]
    mean, scale = model.encode_batch(batch)
    slices = [slice(row, row + 1) for row in range(len(mean))]
    for rows in [*slices, *([slice(None)] if ON_JAX else [])]:
        found = encode(sequence=sequence[rows], length=batch["length"][rows])
        np.testing.assert_allclose(found["mean"], mean[rows], atol=1e-5)
        np.testing.assert_allclose(found["scale"], scale[rows], atol=1e-5)


def test_sketches_and_what_can_be_asked_of_them(tmp_path):
    model, asked = sketches(), constraints()
    folder = export(model, tmp_path / "cats", asked, method="density")
    suffix = "stablehlo" if ON_JAX else "tflite"
    names = {f"{name}.{suffix}" for name in ("decode", "encode", "constrain")}
    assert {path.name for path in folder.iterdir()} == {*names, "latentgen.json"}
    assert_draws_as_keras(model, load(folder, "decode"))
    points = np.random.default_rng(0).normal(size=(2, STEPS, 2)).astype("float32")
    drawings = [
        np.column_stack([p, np.eye(STEPS)[-1]])[:k] for p, k in zip(points, (6, 3), strict=True)
    ]
    sequence, length = model.to_sequences(drawings)
    batch = {"sequence": sequence, "length": length}
    assert_encodes_as_keras(model, load(folder, "encode"), batch)

    z = np.random.default_rng(1).normal(size=(3, LATENT)).astype("float32")
    targets = np.array([[1, np.nan], [np.nan, 6.5], [np.nan, np.nan]], "float32")
    strength = np.array([1.0, 0.5, 0.0], "float32")
    moved = load(folder, "constrain")(z=z, targets=targets, strength=strength)["moved"]
    left = asked.transform(z[:1], {"left": True}, method="density")
    far = asked.transform(z[1:2], {"how_far": 6.5}, strength=0.5, method="density")
    np.testing.assert_allclose(moved, np.concatenate([left, far, z[2:]]), atol=1e-5)

    described = json.loads((folder / "latentgen.json").read_text())
    assert (described["domain"], described["method"]) == ("sketch", "density")
    assert described["arguments"]["scale"] == 9.0
    assert [attribute["name"] for attribute in described["attributes"]] == ["left", "how_far"]
    assert described["signatures"]["decode"]["inputs"]["noise"]["shape"] == [None, None, 4]
    batch_size = None if ON_JAX else 1
    assert described["signatures"]["encode"]["inputs"]["length"]["shape"] == [batch_size]


def test_sentences_are_ids(tmp_path):
    model = sentences()
    folder = export(model, tmp_path / "animals")
    decode = load(folder, "decode")
    assert_draws_as_keras(model, decode)
    assert_encodes_as_keras(model, load(folder, "encode"), model.to_batch(SENTENCES[:3]))
    given = drawn(model, [0.0] * 3)
    described = json.loads((folder / "latentgen.json").read_text())
    tokenizer = tokenizer_of(described["arguments"]["tokenizer"])
    ids = np.asarray(decode(**given)["sequence"])[..., 0]
    assert [tokenizer.decode(row) for row in ids] == model.decode(given["z"], greedy=True)


@pytest.mark.parametrize("kind", ["text", "sketch"])
def test_decoders_without_a_latent_vector(kind, tmp_path):
    small = {"decoder_units": 5, "mixtures": 2, "max_length": 5}
    model = randomise(tiny_language_model() if kind == "text" else SketchDecoder(**small))
    folder = export(model, tmp_path / "decoder")
    assert {path.stem for path in folder.iterdir()} == {"decode", "latentgen"}
    assert_draws_as_keras(model, load(folder, "decode"))


def test_chords_are_told_to_the_loop(tmp_path):
    model = randomise(MusicVAE(MelodyConverter(bars=1, chords=True), LATENT, (4,), (6,)))
    decode = load(export(model, tmp_path / "chords"), "decode")
    given = drawn(model, [0.5] * 2)
    random = np.random.default_rng(2)
    control = random.random((2, model.max_length, model.control_size), dtype="float32")
    found = decode(**given, control=control)["sequence"]
    expected = model.decoder.generate(given["z"], given["noise"], 0.5, control=control)
    np.testing.assert_allclose(found, np.asarray(expected), atol=1e-5)


def test_what_is_there_stays_unless_it_is_an_export_to_replace(tmp_path):
    model = randomise(tiny_language_model())
    folder = export(model, tmp_path / "new")
    with pytest.raises(FileError, match="new: expected no such folder yet"):
        export(model, folder)
    (folder / "old.txt").touch()
    assert export(model, folder, overwrite=True) == folder
    assert not (folder / "old.txt").exists()
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "dear.txt").touch()
    with pytest.raises(FileError, match="letters: expected an exported folder to replace"):
        export(model, letters, overwrite=True)
    assert (letters / "dear.txt").exists()


def test_what_cannot_be_exported_is_one_clear_error(tmp_path):
    with pytest.raises(InputError, match="model: expected a model of drawings, music or text"):
        export(keras.Sequential(), tmp_path / "new")
    with pytest.raises(InputError, match="latent size 4, received ones for 3"):
        graphs_of(sentences(), LatentConstraints(3))
    with pytest.raises(InputError, match="set KERAS_BACKEND="):
        other(sentences(), tmp_path / "new")
    assert not list(tmp_path.iterdir())


def test_the_documentation_does_what_it_says(tmp_path, monkeypatch, capsys):
    text = (REPOSITORY / "docs" / "formats.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (block,) = [block for block in blocks if ("jax" in block) == ON_JAX]
    monkeypatch.chdir(tmp_path)
    export(sketches(), re.findall(r"--out (\S+)", text)[ON_JAX])
    names: dict[str, Any] = {}
    exec(compile(block, "docs/formats.md", "exec"), names)
    assert names["drawn"].shape == (4, STEPS, 5)
    assert capsys.readouterr().out
