"""sketch-rnn-js's files: the same numbers as its equations give, and hostile files refused."""

import base64
import json
import logging

import numpy as np
import pytest
from keras import ops

from latentgen.checkpoints.sketch_js import load_sketch_js, save_sketch_js
from latentgen.errors import CheckpointError, FileError, InputError
from latentgen.sketch import SketchDecoder, SketchVAE
from tests.shared import shared_path

MIXTURES, UNITS, ENCODER_UNITS, LATENT, SCALE = 20, 6, 4, 3, 50.0
OUTPUTS = 3 + 6 * MIXTURES


def shapes(latent=0):
    """A file's shapes, in its order."""
    decoder = [
        [UNITS, OUTPUTS],
        [OUTPUTS],
        [5 + latent, 4 * UNITS],
        [UNITS, 4 * UNITS],
        [4 * UNITS],
    ]
    if not latent:
        return decoder
    direction = [[5, 4 * ENCODER_UNITS], [ENCODER_UNITS, 4 * ENCODER_UNITS], [4 * ENCODER_UNITS]]
    head = [[2 * ENCODER_UNITS, latent], [latent]]
    return [*direction * 2, *head * 2, [latent, 2 * UNITS], [2 * UNITS], *decoder]


def content(latent=0, **info):
    """A file as sketch-rnn-js has it, of random int16 levels."""
    rng = np.random.default_rng(5)
    levels = [rng.integers(-3000, 3000, shape).astype("<i2") for shape in shapes(latent)]
    blobs = [base64.b64encode(level.tobytes()).decode() for level in levels]
    mode = 1 if latent else 2
    stated = {"mode": mode, "version": 6, "max_seq_len": 30, "name": "x", "scale_factor": SCALE}
    return [stated | info, shapes(latent), blobs], [10 * level / 32767.0 for level in levels]


def write(path, value):
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n")
    return path


def lstm(kernel, recurrent, bias, x, h, c):
    """One step as sketch_rnn.js computes it: gates i, g, f, o."""
    i, g, f, o = np.split(np.concatenate([x, h]) @ np.vstack([kernel, recurrent]) + bias, 4)
    sigmoid = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
    c = c * sigmoid(f + 1.0) + np.tanh(g) * sigmoid(i)
    return np.tanh(c) * sigmoid(o), c


def steps(n, rng):
    pens = np.eye(3)[[0] * (n - 2) + [1, 0]]
    return np.concatenate([rng.normal(size=(n, 2)), pens], axis=1)


def close(ours, theirs, tolerance=1e-5):
    ours, theirs = np.array(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max()


def test_a_decoder_computes_what_sketch_rnn_js_computes(tmp_path):
    value, (output, output_bias, kernel, recurrent, bias) = content()
    model = load_sketch_js(write(tmp_path / "x.gen.json", value))
    assert isinstance(model, SketchDecoder)
    assert (model.scale, model.max_length) == (SCALE, 30)
    x = steps(9, np.random.default_rng(0))
    h = c = np.zeros(UNITS)
    expected = []
    for row in x:
        h, c = lstm(kernel, recurrent, bias, row, h, c)
        expected.append(h @ output + output_bias)
    features = model.decoder.unroll(None, ops.convert_to_tensor(x[None].astype("float32")))
    close(model.head(features)[0], expected)


def test_an_autoencoder_computes_what_sketch_rnn_js_computes(tmp_path):
    value, weights = content(LATENT)
    model = load_sketch_js(write(tmp_path / "x.vae.json", value))
    assert isinstance(model, SketchVAE)
    x = steps(7, np.random.default_rng(1))
    ends = []
    for cell, rows in ((weights[0:3], x), (weights[3:6], x[::-1])):
        h = c = np.zeros(ENCODER_UNITS)
        for row in rows:
            h, c = lstm(*cell, row, h, c)
        ends.append(h)
    end = np.concatenate(ends)
    posterior = model.encode_batch(
        {"sequence": x[None].astype("float32"), "length": np.array([7], "int32")}
    )
    close(posterior.mean[0], end @ weights[6] + weights[7])
    close(posterior.scale[0], np.exp((end @ weights[8] + weights[9]) / 2))

    z = np.random.default_rng(2).normal(size=LATENT)
    c, h = np.split(np.tanh(z @ weights[10] + weights[11]), 2)
    output, output_bias, *cell = weights[12:]
    expected = []
    for row in x:
        h, c = lstm(*cell, np.concatenate([row, z]), h, c)
        expected.append(h @ output + output_bias)
    features = model.decoder.unroll(
        ops.convert_to_tensor(z[None].astype("float32")),
        ops.convert_to_tensor(x[None].astype("float32")),
    )
    close(model.head(features)[0], expected)


@pytest.mark.parametrize("latent", [0, LATENT])
def test_a_round_trip_keeps_every_byte(tmp_path, latent):
    value, _ = content(latent)
    first = write(tmp_path / "first.json", value)
    save_sketch_js(load_sketch_js(first), tmp_path / "x.gen.json")
    assert (tmp_path / "x.gen.json").read_bytes() == first.read_bytes()
    save_sketch_js(load_sketch_js(first), tmp_path / "again.json", name="x")
    assert (tmp_path / "again.json").read_bytes() == first.read_bytes()


def test_the_extremes_of_int16_survive(tmp_path):
    value, _ = content()
    levels = np.resize(np.array([-32768, 32767, 0, -1], "<i2"), OUTPUTS)
    value[2][1] = base64.b64encode(levels.tobytes()).decode()
    model = load_sketch_js(write(tmp_path / "x.gen.json", value))
    assert np.array(model.head.projection.bias)[1] == 10.0
    save_sketch_js(model, tmp_path / "again.json", name="x")
    assert json.loads((tmp_path / "again.json").read_text()) == value


def test_a_trained_model_is_rounded_and_no_more(tmp_path):
    model = SketchVAE(latent_size=LATENT, encoder_units=ENCODER_UNITS, decoder_units=UNITS)
    save_sketch_js(model, tmp_path / "cat.vae.json")
    opened = load_sketch_js(tmp_path / "cat.vae.json")
    assert json.loads((tmp_path / "cat.vae.json").read_text())[0]["name"] == "cat"
    assert opened.max_length == model.max_length
    trainable = zip(model.trainable_variables, opened.trainable_variables, strict=True)
    for ours, theirs in trainable:
        np.testing.assert_allclose(ours, theirs, atol=5.1 / 32767)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: SketchDecoder(UNITS, decoder_cell="layer_norm"), "decoder_cell 'lstm'"),
        (lambda: SketchVAE(LATENT, 4, "hyper", UNITS), "encoder_cell 'lstm'"),
        (lambda: SketchDecoder(UNITS, mixtures=5), "mixtures 20"),
        (lambda: large(10.1), "within ±10"),
        (lambda: large(np.nan), "within ±10"),
        (lambda: object(), "SketchVAE or SketchDecoder"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(tmp_path, model, message):
    with pytest.raises(InputError, match=message):
        save_sketch_js(model(), tmp_path / "x.gen.json")
    assert not list(tmp_path.iterdir())


def large(value):
    model = SketchDecoder(UNITS)
    model.head.projection.bias.assign(np.full(OUTPUTS, value, "float32"))
    return model


def changed(change, latent=0):
    value, _ = content(latent)
    change(value)
    return value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v[1].__setitem__(1, [10**12]), "do not have the shape"),
        (lambda v: v[1].__setitem__(0, [-UNITS, -OUTPUTS]), "do not have the shape"),
        (lambda v: v[1].__setitem__(0, [UNITS * OUTPUTS, 1, 1]), "do not have the shape"),
        (lambda v: v[1].__setitem__(0, []), "do not have the shape"),
        (lambda v: v[2].__setitem__(4, v[2][4][:-16]), "do not have the shape"),
        (lambda v: v[2].__setitem__(4, v[2][4][:-3]), "model of sketch-rnn-js"),
        (lambda v: v[2].__setitem__(4, "é"), "model of sketch-rnn-js"),
        (lambda v: v[2].__setitem__(4, 7), "model of sketch-rnn-js"),
        (lambda v: v[2].pop(), "5 shapes and 4 weights"),
        (lambda v: v[0].update(mode=0), "not 17"),
        (lambda v: v[0].update(scale_factor=float("nan")), "positive scale_factor"),
        (lambda v: v[0].update(scale_factor=0), "positive scale_factor"),
        (lambda v: v[0].pop("scale_factor"), "positive scale_factor"),
        (lambda v: v[0].update(max_seq_len=10**15), "max_seq_len of 1 to"),
        (lambda v: v[0].update(max_seq_len=True), "max_seq_len of 1 to"),
        (lambda v: v.__setitem__(0, "info"), "model of sketch-rnn-js"),
        (lambda v: v.clear(), "model of sketch-rnn-js"),
    ],
)
def test_damaged_and_hostile_files_are_refused(tmp_path, change, message):
    with pytest.raises(FileError, match=message):
        load_sketch_js(write(tmp_path / "x.gen.json", changed(change)))


@pytest.mark.parametrize("text", ["", "{", "7", "null", "[" * 100_000, "9" * 5000, "\ud800"])
def test_what_is_no_json_is_refused(tmp_path, text):
    (tmp_path / "x.json").write_text(text, errors="surrogatepass")
    with pytest.raises(FileError, match=r"x\.json"):
        load_sketch_js(tmp_path / "x.json")
    with pytest.raises(FileError, match="found none"):
        load_sketch_js(tmp_path / "none.json")


def test_shapes_that_do_not_fit_together_are_refused_before_a_model_is_made(tmp_path):
    """Sizes that each tensor has, but no Sketch-RNN: a model of them would have 10⁹ weights."""
    value, _ = content(LATENT)
    value[1][10], value[2][10] = [40_000, 1], base64.b64encode(bytes(80_000)).decode()
    with pytest.raises(CheckpointError, match="weights of a Sketch-RNN"):
        load_sketch_js(write(tmp_path / "x.json", value))
    value, _ = content()
    value[1][0] = [OUTPUTS, UNITS]
    with pytest.raises(CheckpointError, match=r"RNN/output_w has shape"):
        load_sketch_js(write(tmp_path / "x.json", value))


def test_an_older_version_of_z_is_said(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        load_sketch_js(write(tmp_path / "x.json", content(LATENT, version=5)[0]))
    assert "version 5" in caplog.text


@pytest.mark.shared
def test_the_published_sheep_computes_what_magenta_sketch_recorded():
    """Forty inputs: mixture and pen after each, and the states after the last."""
    model = load_sketch_js(shared_path("data/weights/sketch_rnn_js/sheep.gen.json"))
    recorded = json.loads(shared_path("fixtures/sketch_rnn_js_sheep.json").read_text())
    assert model.scale == recorded["scale_factor"]
    inputs = np.array(recorded["inputs_stroke5_normalised"], "float32")
    features, (h, c) = model.decoder.unroll_with_states(None, ops.convert_to_tensor(inputs[None]))
    mixture = model.head.split(model.head(features)[0])
    ours = {
        "pi": ops.softmax(mixture.logits),
        "mu_x": mixture.mean_x,
        "mu_y": mixture.mean_y,
        "sigma_x": ops.exp(mixture.log_scale_x),
        "sigma_y": ops.exp(mixture.log_scale_y),
        "rho": ops.tanh(mixture.raw_correlation),
        "pen": ops.softmax(mixture.pen_logits),
    }
    theirs = recorded["pdf_after_each_input"]
    assert len(theirs) == 40
    assert set(theirs[0]) == set(ours)
    for key, value in ours.items():
        close(value, [step[key] for step in theirs])
    close(h[0], recorded["final_state"]["h"])
    close(c[0], recorded["final_state"]["c"])


@pytest.mark.shared
@pytest.mark.parametrize("name", ["sheep", "rabbit"])
def test_published_files_are_written_again_byte_for_byte(tmp_path, name):
    path = shared_path(f"data/weights/sketch_rnn_js/{name}.gen.json")
    save_sketch_js(load_sketch_js(path), tmp_path / f"{name}.gen.json")
    assert (tmp_path / f"{name}.gen.json").read_bytes() == path.read_bytes()
