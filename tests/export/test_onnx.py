"""ONNX Runtime gives what Keras gives, graph by graph and over the whole loop."""

import json
import re
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from latentgen.constraints import LatentConstraints, combine
from latentgen.errors import FileError, InputError
from latentgen.export import steps
from latentgen.music import MusicVAE
from latentgen.music.converters import MelodyConverter
from latentgen.sketch import SketchVAE
from tests.shared import REPOSITORY
from tests.tiny import randomise

onnxruntime = pytest.importorskip("onnxruntime", reason="needs latentgen[export]")
pytest.importorskip("tf2onnx", reason="needs latentgen[export]")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="ONNX is written on TensorFlow alone"
)
LATENT, STEPS = 4, 6


def halved(model: keras.Model) -> keras.Model:
    """Weights that float16 holds exactly, as a preset's."""
    for variable in model.weights:
        variable.assign(np.asarray(variable).astype("float16").astype(variable.dtype))
    return model


@pytest.fixture(scope="module")
def sketches() -> SketchVAE:
    model = SketchVAE(
        LATENT,
        encoder_units=6,
        decoder_units=24,
        decoder_cell="layer_norm",
        mixtures=3,
        max_length=STEPS,
    )
    return halved(randomise(model))


@pytest.fixture(scope="module")
def constraints() -> LatentConstraints:
    generator = np.random.default_rng(0)
    z = generator.normal(size=(40, LATENT)).astype("float32")
    labels = {"left": z[:, 0] < 0, "how_far": z[:, 1] * 3 + 5}
    return LatentConstraints(LATENT, hidden=8, layers=1).fit(z, labels, turns=2, batch_size=8)


@pytest.fixture(scope="module")
def folder(sketches, constraints, tmp_path_factory) -> Path:
    from latentgen.export.onnx import export_onnx

    return export_onnx(sketches, tmp_path_factory.mktemp("onnx") / "tiny", constraints)


def run(folder: Path, name: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(
        folder / f"{name}.onnx", providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def noise_and_z(model, n: int = 3) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    noise = generator.random((n, model.max_length, model.head.noise_size), dtype="float32")
    return generator.normal(size=(n, model.latent_size)).astype("float32"), noise


def test_start_step_and_loop(folder, sketches):
    z, noise = noise_and_z(sketches)
    decoder, temperature = sketches.decoder, np.array([0.0, 0.5, 1.0], "float32")
    expected = np.asarray(decoder.generate(z, noise, 1.0, greedy=True))
    started = run(folder, "start", z=z)
    for name, value in steps.start(decoder, z)._asdict().items():
        np.testing.assert_allclose(started[name], value, atol=1e-5)
    stepped = run(folder, "step", **started, noise=noise[:, 0], temperature=temperature)
    by_keras = steps.step(decoder, *steps.start(decoder, z), noise[:, 0], temperature)
    np.testing.assert_allclose(stepped["next_element"], by_keras.element, atol=1e-5)
    np.testing.assert_allclose(stepped["next_state"], by_keras.state, atol=1e-5)
    np.testing.assert_array_equal(stepped["ended"], by_keras.ended)
    whole = run(folder, "decode", z=z, noise=noise, temperature=temperature)["sequence"]
    np.testing.assert_allclose(whole, steps.loop(decoder, z, noise, temperature), atol=1e-5)
    greedy = run(folder, "decode", z=z, noise=noise, temperature=np.zeros(3, "float32"))
    np.testing.assert_allclose(greedy["sequence"], expected, atol=1e-5)


def test_encoder(folder, sketches):
    generator = np.random.default_rng(1)
    drawings = [np.column_stack([generator.normal(size=(n, 2)), np.eye(n)[-1]]) for n in (2, STEPS)]
    sequence, length = sketches.to_sequences(drawings)
    posterior = sketches.encode(drawings)
    encoded = run(folder, "encode", sequence=sequence, length=length)
    np.testing.assert_allclose(encoded["mean"], posterior.mean, atol=1e-5)
    np.testing.assert_allclose(encoded["scale"], posterior.scale, atol=1e-5)


def test_actor(folder, sketches, constraints):
    z, _ = noise_and_z(sketches)
    targets = np.array([[1, np.nan], [np.nan, 6.5], [np.nan, np.nan]], "float32")
    strength = np.array([1.0, 0.5, 0.0], "float32")
    moved = run(folder, "constrain", z=z, targets=targets, strength=strength)["moved"]
    left = constraints.transform(z[:1], {"left": True})
    far = constraints.transform(z[1:2], {"how_far": 6.5}, strength=0.5)
    np.testing.assert_allclose(moved, np.concatenate([left, far, z[2:]]), atol=1e-5)


def test_actor_then_density(sketches, constraints, tmp_path):
    from latentgen.export.onnx import graphs_of, write_graph

    graph = graphs_of(sketches, constraints, "density")["constrain"]
    write_graph(tmp_path / "constrain.onnx", graph)
    z, _ = noise_and_z(sketches)
    targets = np.array([[1, np.nan], [0, 6.5], [np.nan, np.nan]], "float32")
    given = {"targets": targets, "strength": np.ones(3, "float32")}
    moved = run(tmp_path, "constrain", z=z, **given)["moved"]
    values = ({"left": True}, {"left": False, "how_far": 6.5}, None)
    expected = [constraints.transform(z[[k]], values[k], method="density") for k in range(3)]
    np.testing.assert_allclose(moved, np.concatenate(expected), atol=1e-5)


def test_melodies_of_combined_constraints(constraints, tmp_path):
    from latentgen.export.onnx import graphs_of, write_graph

    model = MusicVAE(MelodyConverter(bars=1), LATENT, (4,), (6,))
    randomise(model)
    other = LatentConstraints(LATENT, hidden=8, layers=1)
    z, noise = noise_and_z(model)
    both = combine(constraints, other.fit(z[[0, 1, 2] * 4], {"x": [True, False] * 6}, turns=1))
    graphs = graphs_of(model, both)
    for name in ("decode", "encode", "constrain"):
        write_graph(tmp_path / f"{name}.onnx", graphs[name])
    temperature = np.array([0.0, 0.5, 1.0], "float32")
    sequence = run(tmp_path, "decode", z=z, noise=noise, temperature=temperature)["sequence"]
    expected = np.asarray(steps.loop(model.decoder, z, noise, temperature))
    np.testing.assert_array_equal(sequence.argmax(-1), expected.argmax(-1))
    length = np.array([16, 3, 1], "int32")
    encoded = run(tmp_path, "encode", sequence=sequence, length=length)
    posterior = model.encode_batch({"input": sequence, "sequence": sequence, "length": length})
    np.testing.assert_allclose(encoded["mean"], posterior.mean, atol=1e-5)
    targets = np.tile(np.array([0, np.nan, 1], "float32"), (3, 1))
    moved = run(tmp_path, "constrain", z=z, targets=targets, strength=np.ones(3, "float32"))
    np.testing.assert_allclose(
        moved["moved"], both.transform(z, {"left": False, "x": True}), atol=1e-5
    )


def test_the_folder_says_what_it_is(folder):
    described = json.loads((folder / "latentgen.json").read_text())
    assert described["name"] == "tiny"
    assert [each["name"] for each in described["attributes"]] == ["left", "how_far"]
    for name, signature in described["signatures"].items():
        session = onnxruntime.InferenceSession(
            folder / f"{name}.onnx", providers=["CPUExecutionProvider"]
        )
        for key, tensors in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
            assert set(signature[key]) == {tensor.name for tensor in tensors}


def test_weights_are_halved_where_that_is_exact(folder):
    import onnx

    graph = onnx.load(folder / "step.onnx").graph
    types = {w.data_type for w in graph.initializer if np.prod(w.dims) >= 1024}
    assert types == {onnx.TensorProto.FLOAT16}
    actor = onnx.load(folder / "constrain.onnx").graph  # trained, in float32
    assert onnx.TensorProto.FLOAT16 not in {w.data_type for w in actor.initializer}


def test_what_cannot_be_exported(sketches, tmp_path, monkeypatch):
    from latentgen.export.onnx import export_onnx

    (tmp_path / "there").mkdir()
    with pytest.raises(FileError, match="there: expected no such folder yet"):
        export_onnx(sketches, tmp_path / "there")
    with pytest.raises(InputError, match=r"latent size 4, received .*3"):
        export_onnx(sketches, tmp_path / "new", LatentConstraints(3))
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(InputError, match=r"pip install 'latentgen\[export\]'"):
        export_onnx(sketches, tmp_path / "new")
    assert list(tmp_path.iterdir()) == [tmp_path / "there"]


def test_the_loop_of_the_document(folder, tmp_path, monkeypatch, capsys):
    text = (REPOSITORY / "docs" / "web.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (tmp_path / "quickdraw-onnx").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "web.md", "exec"), {})
    assert capsys.readouterr().out.startswith("[")
