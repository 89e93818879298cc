"""Magenta's files as models and models as Magenta's files, whatever the format."""

import json
import tarfile
import zipfile

import numpy as np
import pytest

from latentgen.checkpoints import load_magenta, save_magenta
from latentgen.checkpoints.leftovers import is_weight
from latentgen.checkpoints.tf1 import read_checkpoint, write_checkpoint
from latentgen.errors import CheckpointError, FileError, InputError
from latentgen.music import MelodyConverter, MusicDecoder, MusicVAE, TrioConverter
from latentgen.sketch import SketchDecoder, SketchVAE
from tests.checkpoints import magenta_equations as equations
from tests.checkpoints.magenta_variables import music_variables, random_values, sketch_variables
from tests.shared import shared_path
from tests.tiny import randomise

SKETCH = {"decoder_units": 6, "mixtures": 2, "max_length": 20, "scale": 12.5, "seed": 3}
MUSIC = {"latent_size": 3, "decoder_units": [4, 4], "sampling": "exponential"}
MUSIC |= {"sampling_rate": 0.5, "dropout": 0.25}
MODELS = {
    "sketch": lambda: SketchVAE(4, encoder_units=5, decoder_cell="hyper", **SKETCH),
    "sketch_uncond": lambda: SketchDecoder(decoder_cell="layer_norm", **SKETCH),
    "melody": lambda: MusicVAE(MelodyConverter(bars=3), encoder_units=[5], beta=0.3, **MUSIC),
    "melody_forward": lambda: MusicVAE(
        MelodyConverter(chords=True),
        encoder_units=[5, 3],
        bidirectional=False,
        control_units=[3],
        residual_decoder=True,
        **MUSIC,
    ),
    "trio": lambda: MusicVAE(
        TrioConverter(bars=2),
        encoder_units=[5],
        segments=2,
        parts_apart=True,
        autoregressive=True,
        hierarchical_encoder=True,
        **MUSIC,
    ),
    "decoder": lambda: MusicDecoder(MelodyConverter(), **MUSIC),
    "music_uncond": lambda: MusicDecoder(MelodyConverter(), **MUSIC | {"latent_size": 0}),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    model = randomise(MODELS[request.param]())
    model.step.assign(41)
    return model


def same(first, second):
    assert type(first) is type(second)
    assert first.arguments() == second.arguments()
    for ours, theirs in zip(first.weights, second.weights, strict=True):
        if ours.dtype != "uint32":  # not weights: what a random generator drew last
            np.testing.assert_array_equal(np.array(ours), np.array(theirs))


@pytest.mark.parametrize("name", ["run", "run.tar"])
def test_a_model_is_what_it_was(model, tmp_path, name):
    save_magenta(model, tmp_path / name)
    again = load_magenta(tmp_path / name)
    same(again, model)
    save_magenta(again, tmp_path / "again")
    first = read_checkpoint(tmp_path / "again")
    if name == "run":
        second = read_checkpoint(tmp_path / "run")
        assert first.keys() == second.keys()
        for key, value in first.items():
            np.testing.assert_array_equal(second[key], value)


def test_an_export_has_what_magenta_looks_for(tmp_path):
    """Its `load_checkpoint` of Sketch-RNN wants the training's variables, TrainedModel a kernel of
    no rows where there is no z."""
    save_magenta(SketchVAE(4, encoder_units=5, **SKETCH), tmp_path / "sketch")
    names = read_checkpoint(tmp_path / "sketch").keys()
    weights = sketch_variables(z=4, units=(5, 6), mixtures=2)
    slots = {f"vector_rnn/{name}/Adam{which}" for name in weights for which in ("", "_1")}
    numbers = ("Variable", "Variable_1", "beta1_power", "beta2_power", "global_step")
    assert names == weights.keys() | slots | {f"vector_rnn/{name}" for name in numbers}
    settings = json.loads((tmp_path / "sketch" / "model_config.json").read_text())
    assert (settings["dec_rnn_size"], settings["z_size"], settings["max_seq_len"]) == (6, 4, 20)

    save_magenta(MODELS["music_uncond"](), tmp_path / "music")
    stored = read_checkpoint(tmp_path / "music")
    expected = music_variables(units=(4, 4), z=0, depth=90)
    assert {name: value.shape for name, value in stored.items()} == expected
    assert stored["global_step"].dtype == np.int64


@pytest.mark.shared
def test_the_training_state_is_named_as_magenta_names_it(tmp_path):
    theirs = read_checkpoint(shared_path("fixtures/magenta/sketch_lstm"))
    save_magenta(load_magenta(shared_path("fixtures/magenta/sketch_lstm")), tmp_path / "ours")
    ours = read_checkpoint(tmp_path / "ours")
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert (ours[name].shape, ours[name].dtype) == (value.shape, value.dtype)
        if is_weight(name):
            np.testing.assert_array_equal(ours[name], value)


def test_without_our_description(tmp_path):
    """What Magenta itself wrote has no latentgen.json: the variables and the settings decide."""
    sketch = randomise(SketchVAE(4, encoder_units=5, temperature_rule="magenta", **SKETCH))
    save_magenta(sketch, tmp_path / "sketch")
    (tmp_path / "sketch" / "latentgen.json").unlink()
    opened = load_magenta(tmp_path / "sketch" / "vector-0")
    assert opened.arguments() == sketch.arguments() | {"scale": 1.0, "seed": 0}
    opened = load_magenta(tmp_path / "sketch", {"scale_factor": 12.5, "max_seq_len": 30})
    assert opened.arguments() == sketch.arguments() | {"max_length": 30, "seed": 0}
    with pytest.raises(InputError, match="config: expected settings of Sketch-RNN"):
        load_magenta(tmp_path / "sketch", "cat-mel_2bar_small")
    save_magenta(MODELS["melody"](), tmp_path / "music")
    (tmp_path / "music" / "latentgen.json").unlink()
    opened = load_magenta(tmp_path / "music", "cat-mel_2bar_small")
    assert (opened.max_length, opened.arguments()["beta"]) == (32, 0.2)
    assert load_magenta(tmp_path / "music").arguments() == opened.arguments()


def test_settings_beside_a_checkpoint_and_given(tmp_path):
    values = random_values(music_variables(encoder=(5,), units=(4, 4), z=3, conductor="silent"))
    write_checkpoint(values, tmp_path / "model.ckpt-3")
    beside = {"T": 12, "kind": "oh", "hparams": {"max_beta": 0.7, "dropout_keep_prob": 0.9}}
    (tmp_path / "config.json").write_text(json.dumps(beside))
    with pytest.raises(CheckpointError, match="segments"):
        load_magenta(tmp_path)
    model = load_magenta(tmp_path, {"segments": 3})
    assert (model.max_length, model.arguments()["segments"]) == (12, 3)
    assert (model.arguments()["beta"], model.arguments()["dropout"]) == (0.7, 0.1)
    (tmp_path / "config.json").write_text(json.dumps(beside | {"segments": 4}))
    assert load_magenta(tmp_path).arguments()["segments"] == 4
    for wrong in (
        {"T": "12"},
        {"T": -1},
        {"segments": 0.5},
        {"output_depths": [3]},
        {"hparams": 3},
    ):
        (tmp_path / "config.json").write_text(json.dumps(beside | {"segments": 4} | wrong))
        with pytest.raises((CheckpointError, InputError)):
            load_magenta(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(FileError, match=r"config\.json"):
        load_magenta(tmp_path)


def test_names_that_differ(tmp_path):
    values = random_values(music_variables(encoder=(5,), units=(4, 4), z=3, depth=90))
    old = {
        k.replace("lstm_cell", "basic_lstm_cell").replace("encoder/", "enc/"): v
        for k, v in values.items()
    }
    write_checkpoint(old, tmp_path / "model.ckpt-0")
    with pytest.raises(CheckpointError, match="missing"):
        load_magenta(tmp_path, "cat-mel_2bar_small")
    rename = [(r"^enc/", "encoder/"), (r"basic_(lstm_cell)", r"\1")]
    model = load_magenta(tmp_path, "cat-mel_2bar_small", rename=rename)
    np.testing.assert_array_equal(model.mean_layer.bias, values["encoder/mu/bias"])
    with pytest.raises(InputError, match="become x"):
        load_magenta(tmp_path, rename=[(".*", "x")])
    with pytest.raises(InputError, match=r"rename: '\('"):
        load_magenta(tmp_path, rename=[("(", "x")])


def test_one_of_many_in_an_archive(tmp_path):
    """As sketch_rnn.zip holds them."""
    path = tmp_path / "sketch_rnn.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, units in (("owl/lstm", 4), ("cat/lstm", 6)):
            values = random_values(sketch_variables(z=3, units=(5, units), mixtures=2))
            write_checkpoint(values, tmp_path / name / "vector-9")
            for file in (tmp_path / name).iterdir():
                archive.write(file, f"sketch_rnn/{name}/{file.name}")
    assert load_magenta(path, member="cat/lstm").arguments()["decoder_units"] == 6
    with pytest.raises(InputError, match="sketch_rnn/owl/lstm, sketch_rnn/cat/lstm"):
        load_magenta(path)
    with pytest.raises(InputError, match="member"):
        load_magenta(tmp_path / "owl" / "lstm", member="cat/lstm")


def test_a_distributed_tar(tmp_path):
    values = random_values(music_variables(encoder=(5,), units=(4, 4), z=3, depth=90))
    write_checkpoint(values, tmp_path / "files" / "cat-mel_2bar_small.ckpt")
    (tmp_path / "files" / "checkpoint").unlink()
    path = tmp_path / "cat-mel_2bar_small.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(tmp_path / "files", "cat-mel_2bar_small")
    model = load_magenta(path)
    assert (type(model), model.max_length) == (MusicVAE, 32)


def test_other_formats(tmp_path):
    sketch = SketchVAE(4, encoder_units=6, **SKETCH | {"mixtures": 20})
    with pytest.raises(InputError, match="format"):
        save_magenta(sketch, tmp_path / "x", format="tf2")
    save_magenta(sketch, tmp_path / "sheep.vae.json", format="sketch-rnn-js")
    assert type(load_magenta(tmp_path / "sheep.vae.json")) is SketchVAE
    for options in ({"config": "cat-mel_2bar_small"}, {"rename": [("a", "b")]}, {"member": "owl"}):
        with pytest.raises(InputError, match=f"{next(iter(options))}: expected none"):
            load_magenta(tmp_path / "sheep.vae.json", **options)
    melody = randomise(MusicVAE(MelodyConverter(), encoder_units=[5], latent_size=3))
    save_magenta(melody, tmp_path / "web", format="tfjs")
    for name in ("web", "web/weights_manifest.json"):
        opened = load_magenta(tmp_path / name)
        assert opened.converter.arguments() == melody.converter.arguments()


def test_nothing_that_latentgen_knows(tmp_path):
    with pytest.raises(FileError, match="expected a"):
        load_magenta(tmp_path / "none")
    with pytest.raises(FileError, match="folder with a checkpoint"):
        load_magenta(tmp_path)
    write_checkpoint({"rnn/kernel": np.ones((2, 2), "float32")}, tmp_path / "model.ckpt-0")
    with pytest.raises(CheckpointError, match="found rnn/kernel: rename"):
        load_magenta(tmp_path)
    with pytest.raises(InputError, match="received a str"):
        save_magenta("model", tmp_path / "x")


def test_a_description_of_another_model(tmp_path):
    save_magenta(SketchVAE(4, encoder_units=5, **SKETCH), tmp_path)
    path = tmp_path / "latentgen.json"
    described = json.loads(path.read_text())
    for changed, message in (
        ({"kind": "SketchDecoder"}, "describes a SketchDecoder"),
        ({"config": described["config"] | {"decoder_units": 1 << 40}}, "decoder_units"),
        ({"config": described["config"] | {"colour": 3}}, "arguments"),
        ({"config": [1]}, "arguments"),
        ({"config": None}, "arguments"),
    ):
        path.write_text(json.dumps(described | changed))
        with pytest.raises(CheckpointError, match=message):
            load_magenta(tmp_path)
    save_magenta(MODELS["decoder"](), tmp_path)
    described = json.loads(path.read_text())
    for converter in (
        None,
        {"kind": "os"},
        {"kind": "DrumConverter"},
        {"kind": "MelodyConverter", "bars": {}},
    ):
        path.write_text(json.dumps(described | {"config": {"converter": converter}}))
        with pytest.raises(CheckpointError):
            load_magenta(tmp_path)


@pytest.mark.shared
def test_a_model_that_magentas_trainer_wrote():
    """Its settings are a list of names, its `checkpoint` names another machine's folder."""
    folder = shared_path("fixtures/magenta/real_sketch_train")
    model = load_magenta(folder)
    assert (model.latent_size, model.head.mixtures, int(model.step)) == (8, 3, 26)
    t = {k.removeprefix("vector_rnn/"): v for k, v in read_checkpoint(folder).items()}
    drawing = np.array([[0.5, -1, 1, 0, 0], [1, 0.25, 0, 1, 0], [-1, 2, 1, 0, 0]], "float32")
    posterior = model.encode_batch({"sequence": drawing[None], "length": np.array([3])})
    mean, log_variance = equations.sketch_posterior(t, drawing)
    np.testing.assert_allclose(posterior.mean[0], mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(posterior.scale[0], np.exp(log_variance / 2), rtol=1e-5)
    outputs = equations.sketch_outputs(t, mean, drawing)
    unrolled = model.unroll(posterior.mean, {"sequence": drawing[None]})
    np.testing.assert_allclose(np.array(unrolled.parameters)[0], outputs, rtol=1e-4, atol=1e-6)
    assert len(model.sample(1, length=5)) == 1
