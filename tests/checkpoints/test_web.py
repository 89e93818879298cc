"""MusicVAE as @magenta/music has it: exports opened, written, and refused where they do not fit."""

import json
import logging

import numpy as np
import pytest

from latentgen.checkpoints.magenta_music import music_table
from latentgen.checkpoints.mapping import collect
from latentgen.checkpoints.web import load_web, save_web
from latentgen.errors import CheckpointError, FileError, InputError
from latentgen.music import (
    DrumConverter,
    GrooveConverter,
    MelodyConverter,
    MusicDecoder,
    MusicVAE,
    PerformanceConverter,
    TrioConverter,
)
from tests.shared import shared_path

TINY = {"latent_size": 3, "encoder_units": [4], "decoder_units": [5, 5]}
BARS = {"segments": 2, "hierarchical_encoder": True}
MELODY = {"numSteps": 32, "minPitch": 21, "maxPitch": 108}
LATENT, ENCODER_UNITS, UNITS, CLASSES = 3, 4, 6, 90


def described(folder, kind, **arguments):
    content = {"type": "MusicVAE", "dataConverter": {"type": kind, "args": arguments}}
    (folder / "config.json").write_text(json.dumps(content))


def export(folder, seed=0, **replaced):
    """A melody model as the web has it, with weights in uint16; returns what they stand for."""
    shapes = {
        f"encoder/cell_0/bidirectional_rnn/{d}/multi_rnn_cell/cell_0/lstm_cell": (
            CLASSES + ENCODER_UNITS,
            4 * ENCODER_UNITS,
        )
        for d in ("fw", "bw")
    } | {
        "encoder/mu": (2 * ENCODER_UNITS, LATENT),
        "encoder/sigma": (2 * ENCODER_UNITS, LATENT),
        "decoder/z_to_initial_state": (LATENT, 4 * UNITS),
        "decoder/multi_rnn_cell/cell_0/lstm_cell": (CLASSES + LATENT + UNITS, 4 * UNITS),
        "decoder/multi_rnn_cell/cell_1/lstm_cell": (2 * UNITS, 4 * UNITS),
        "decoder/output_projection": (UNITS, CLASSES),
    }
    shapes = {f"{k}/kernel": v for k, v in shapes.items()} | {
        f"{k}/bias": v[1:] for k, v in shapes.items()
    }
    rng = np.random.default_rng(seed)
    scale, minimum = 4.0 / 65535, -2.0
    data, weights, values = b"", [], {}
    quantisation = {"dtype": "uint16", "scale": scale, "min": minimum}
    for name, shape in (shapes | replaced).items():
        levels = rng.integers(0, 65536, shape).astype("<u2")
        data += levels.tobytes()
        weights.append(
            {
                "name": name,
                "shape": list(shape),
                "dtype": "float32",
                "quantization": quantisation,
            }
        )
        values[name] = levels * scale + minimum
    weights.append({"name": "global_step", "shape": [], "dtype": "int32"})
    half = len(data) // 2 + 1
    (folder / "group1-shard1of2").write_bytes(data[:half])
    (folder / "group1-shard2of2").write_bytes(data[half:] + bytes(4))
    groups = [{"paths": ["group1-shard1of2", "group1-shard2of2"], "weights": weights}]
    (folder / "weights_manifest.json").write_text(json.dumps(groups))
    described(folder, "MelodyConverter", **MELODY)
    return values


def lstm(values, scope, x, c, h):
    """TF.js's basicLSTMCell with a forget bias of 1."""
    gates = np.concatenate([x, h]) @ values[f"{scope}/kernel"] + values[f"{scope}/bias"]
    i, j, f, o = np.split(gates, 4)
    sigmoid = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
    c = c * sigmoid(f + 1.0) + sigmoid(i) * np.tanh(j)
    return c, np.tanh(c) * sigmoid(o)


def decode(values, z, steps):
    """The tokens that MusicVAE.decodeTensors gives without temperature."""
    start = z @ values["decoder/z_to_initial_state/kernel"]
    c0, h0, c1, h1 = np.split(np.tanh(start + values["decoder/z_to_initial_state/bias"]), 4)
    x, tokens = np.zeros(CLASSES), []
    for _ in range(steps):
        scope = "decoder/multi_rnn_cell/cell_%d/lstm_cell"
        c0, h0 = lstm(values, scope % 0, np.concatenate([x, z]), c0, h0)
        c1, h1 = lstm(values, scope % 1, h0, c1, h1)
        projected = h1 @ values["decoder/output_projection/kernel"]
        tokens.append(int(np.argmax(projected + values["decoder/output_projection/bias"])))
        x = np.eye(CLASSES)[tokens[-1]]
    return tokens


def encode(values, rows):
    """The mean that MusicVAE.encodeTensors gives."""
    ends = []
    for direction, sequence in (("fw", rows), ("bw", rows[::-1])):
        scope = f"encoder/cell_0/bidirectional_rnn/{direction}/multi_rnn_cell/cell_0/lstm_cell"
        c = h = np.zeros(ENCODER_UNITS)
        for row in sequence:
            c, h = lstm(values, scope, row, c, h)
        ends.append(h)
    return np.concatenate(ends) @ values["encoder/mu/kernel"] + values["encoder/mu/bias"]


def same_weights(first, second):
    ours, theirs = collect(music_table(first)), collect(music_table(second))
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        np.testing.assert_array_equal(tensor, theirs[name])


def test_an_export_computes_what_magenta_music_computes(tmp_path):
    values = export(tmp_path)
    model = load_web(tmp_path)
    assert isinstance(model, MusicVAE)
    assert model.converter.arguments() == MelodyConverter(top_line=True).arguments()
    z = np.random.default_rng(1).normal(size=(6, LATENT)).astype("float32")
    drawn = model.generate(z, greedy=True).argmax(-1)
    expected = [decode(values, row, 32) for row in z]
    assert len(set(map(tuple, expected))) > 1
    np.testing.assert_array_equal(drawn, expected)
    rows = np.eye(CLASSES, dtype="float32")[expected]
    batch = {"input": rows, "sequence": rows, "length": np.full(len(rows), 32, "int32")}
    means = np.array([encode(values, row) for row in rows])
    np.testing.assert_allclose(model.encode_batch(batch).mean, means, atol=1e-5)


CASES = {
    "melody": (MelodyConverter(), {}),
    "melody in three-four": (MelodyConverter(3, 12, top_line=True), {}),
    "melody with chords and key, read first": (
        MelodyConverter(chords=True, key=True),
        {"control_units": [2]},
    ),
    "melody with a conductor": (MelodyConverter(), BARS),
    "drums": (DrumConverter(), {}),
    "several drums at once": (DrumConverter(roll_output=True), {}),
    "the full kit": (DrumConverter(full=True, roll_output=True), {}),
    "trio with a conductor": (TrioConverter(2), BARS | {"parts_apart": True}),
    "trio": (TrioConverter(2), {"parts_apart": True}),
    "several instruments to chords": (
        PerformanceConverter(chords=True, instruments=2, events=4),
        BARS,
    ),
    "groove led by hits": (GrooveConverter(hits_as_controls=True, humanize=True), {}),
    "groove to be added to": (GrooveConverter(1, add=[2]), {}),
    "tapped groove": (GrooveConverter(tap=True, fixed_velocities=True), {}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_round_trip_keeps_every_weight_and_the_converter(tmp_path, name):
    converter, arguments = CASES[name]
    model = MusicVAE(converter, **TINY | arguments)
    save_web(model, tmp_path / "web")
    opened = load_web(tmp_path / "web")
    assert isinstance(opened, MusicVAE)
    assert opened.arguments()["converter"] == model.arguments()["converter"]
    same_weights(model, opened)
    assert all(path.stat().st_size <= 4 * 2**20 for path in (tmp_path / "web").iterdir())
    save_web(opened, tmp_path / "again")
    for path in (tmp_path / "web").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_names_are_those_that_magenta_music_looks_for(tmp_path):
    converter = MelodyConverter(chords=True)
    save_web(MusicVAE(converter, **TINY | BARS, control_units=[2]), tmp_path / "web")
    (group,) = json.loads((tmp_path / "web" / "weights_manifest.json").read_text())
    cell = "cell_0/bidirectional_rnn/{}/multi_rnn_cell/cell_0/lstm_cell"
    scopes = [
        *(f"encoder/hierarchical_level_{k}/{cell}" for k in (0, 1)),
        f"control_preprocessing/{cell}",
    ]
    scopes = [scope.format(direction) for scope in scopes for direction in ("fw", "bw")] + [
        "encoder/mu",
        "encoder/sigma",
        "decoder/hierarchical_level_0/cell_0/lstm_cell",
        "decoder/hierarchical_level_0/cell_1/lstm_cell",
        "decoder/hierarchical_level_0/initial_state",
        "core_decoder/decoder/multi_rnn_cell/cell_0/lstm_cell",
        "core_decoder/decoder/multi_rnn_cell/cell_1/lstm_cell",
        "core_decoder/decoder/z_to_initial_state",
        "core_decoder/decoder/output_projection",
    ]
    expected = {f"{scope}/{part}" for scope in scopes for part in ("kernel", "bias")}
    assert {weight["name"] for weight in group["weights"]} == expected


def test_a_decoder_alone_goes_there_and_back_and_says_so(tmp_path, caplog):
    decoder = MusicDecoder(MelodyConverter(), LATENT, [UNITS])
    with caplog.at_level(logging.WARNING):
        save_web(decoder, tmp_path / "web")
        opened = load_web(tmp_path / "web")
    assert isinstance(opened, MusicDecoder)
    same_weights(decoder, opened)
    assert "opens models with an encoder" in caplog.text
    assert "no encoder" in caplog.text


@pytest.mark.parametrize("lost", ["encoder/sigma/kernel", "encoder/cell_0", "encoder/mu/bias"])
def test_an_encoder_that_is_not_all_there_is_left_out_and_named(tmp_path, caplog, lost):
    export(tmp_path)
    manifest = json.loads((tmp_path / "weights_manifest.json").read_text())
    for weight in manifest[0]["weights"]:
        if weight["name"].startswith(lost):
            weight["name"] = f"global_step/{weight['name']}/Adam"
    (tmp_path / "weights_manifest.json").write_text(json.dumps(manifest))
    with caplog.at_level(logging.WARNING):
        model = load_web(tmp_path)
    assert isinstance(model, MusicDecoder)
    assert "the encoder is not all there" in caplog.text
    assert "encoder/" in caplog.text


def deeplearn(folder, tensors):
    """A deeplearn.js export, with converter.json."""
    entries = {}
    for k, (name, tensor) in enumerate(tensors.items()):
        tensor.astype("<f4").tofile(folder / f"weight_{k}")
        entries[name] = {"filename": f"weight_{k}", "shape": list(tensor.shape)}
    (folder / "manifest.json").write_text(json.dumps(entries))
    content = {"type": "MelodyConverter", "args": MELODY}
    (folder / "converter.json").write_text(json.dumps(content))
    return {name: folder / entry["filename"] for name, entry in entries.items()}


def test_a_deeplearn_export_opens_and_lost_files_are_said(tmp_path, caplog):
    model = MusicVAE(MelodyConverter(), **TINY)
    files = deeplearn(tmp_path, collect(music_table(model)))
    same_weights(load_web(tmp_path), model)
    files["encoder/cell_0/bidirectional_rnn/fw/multi_rnn_cell/cell_0/lstm_cell/kernel"].unlink()
    with caplog.at_level(logging.WARNING):
        opened = load_web(tmp_path)
    assert isinstance(opened, MusicDecoder)
    assert "no encoder/cell_0/bidirectional_rnn/fw/multi_rnn_cell" in caplog.text
    for layer, variable in zip(model.decoder.weights, opened.decoder.weights, strict=True):
        np.testing.assert_array_equal(layer, variable)
    files["decoder/output_projection/bias"].unlink()
    with pytest.raises(FileError, match=r"files of decoder/output_projection/bias, found none"):
        load_web(tmp_path)


def test_a_configuration_by_name_stands_in_the_place_of_the_description(tmp_path):
    export(tmp_path)
    described(tmp_path, "DrumsConverter", numSteps=32)
    with pytest.raises(CheckpointError, match="another representation"):
        load_web(tmp_path)
    opened = load_web(tmp_path, "cat-mel_2bar_small")
    assert isinstance(opened.converter, MelodyConverter)
    (tmp_path / "config.json").unlink()
    assert isinstance(load_web(tmp_path, "cat-mel_2bar_small").converter, MelodyConverter)


def test_weights_of_another_model_are_refused(tmp_path):
    export(tmp_path, **{"decoder/output_projection/bias": (91,)})
    with pytest.raises(CheckpointError):
        load_web(tmp_path)
    export(tmp_path, **{"decoder/multi_rnn_cell/cell_1/lstm_cell/kernel": (UNITS, 4 * UNITS)})
    with pytest.raises(CheckpointError):
        load_web(tmp_path)
    export(tmp_path, **{"decoder/more/kernel": (2,)})
    with pytest.raises(CheckpointError, match="decoder/more/kernel"):
        load_web(tmp_path)
    with pytest.raises(FileError, match="found none"):
        load_web(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("converter", "change", "message"),
    [
        (MelodyConverter(), {"bidirectional": False}, "bidirectional to be True"),
        (MelodyConverter(), {"residual_decoder": True}, "residual_decoder to be False"),
        (MelodyConverter(), {"encoder_units": [4, 4]}, "1 layer in encoder_units"),
        (MelodyConverter(), {"segments": 2}, "hierarchical_encoder to be True"),
        (MelodyConverter(), BARS | {"autoregressive": True}, "autoregressive to be False"),
        (TrioConverter(2), {}, "parts_apart to be True"),
        (PerformanceConverter(instruments=2, events=4), {}, "expected 2 segments"),
        (
            PerformanceConverter(bars=2, instruments=2, events=4),
            BARS,
            "converter that @magenta/music has too",
        ),
    ],
)
def test_what_magenta_music_is_not_is_refused(tmp_path, converter, change, message):
    with pytest.raises(InputError, match=message):
        save_web(MusicVAE(converter, **TINY | change), tmp_path / "web")
    assert not list(tmp_path.iterdir())


def test_a_model_without_z_and_what_is_no_model_are_refused(tmp_path):
    with pytest.raises(InputError, match="latent vector"):
        save_web(MusicDecoder(MelodyConverter(), 0, [UNITS]), tmp_path / "web")
    with pytest.raises(InputError, match="received a str"):
        save_web("model", tmp_path / "web")


@pytest.mark.shared
def test_magentas_decoder_gives_magentas_melodies(tmp_path, caplog):
    """24 latent vectors, token for token as @magenta/music decodes them; and again, written."""
    folder = shared_path("data/weights/musicvae_mel_2bar_small_decoder")
    recorded = json.loads(shared_path("fixtures/musicvae_js_mel_2bar_small.json").read_text())
    z, tokens = np.array(recorded["z"], "float32"), np.array(recorded["tokens"])
    assert len(z) == 24
    with caplog.at_level(logging.WARNING):
        decoder = load_web(folder)
    assert isinstance(decoder, MusicDecoder)
    assert "the encoder is not all there" in caplog.text
    np.testing.assert_array_equal(decoder.generate(z, greedy=True).argmax(-1), tokens)
    save_web(decoder, tmp_path / "web")
    opened = load_web(tmp_path / "web")
    same_weights(decoder, opened)
    assert sorted(path.name for path in (tmp_path / "web").glob("group*")) == [
        "group1-shard1of2",
        "group1-shard2of2",
    ]
