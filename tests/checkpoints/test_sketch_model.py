"""Sketch-RNN of Magenta's variables: every cell in every place, against its equations."""

import logging

import numpy as np
import pytest

from latentgen.checkpoints.magenta_sketch import sketch_table
from latentgen.checkpoints.mapping import collect
from latentgen.checkpoints.sketch_model import sketch_model, sketch_settings
from latentgen.compilation import compiled
from latentgen.errors import CheckpointError
from latentgen.sketch.vae import SketchDecoder, SketchVAE
from tests.checkpoints import magenta_equations as equations
from tests.checkpoints.magenta_variables import listed, random_values, sketch_variables

SMALL = {"z": 3, "units": (4, 6), "mixtures": 2}
CASES = {
    "lstm": {},
    "layer_norm": {"decoder": "layer_norm"},
    "hyper": {"decoder": "hyper"},
    "enc_layer_norm": {"decoder": "layer_norm", "encoder": "layer_norm"},
    "enc_hyper": {"encoder": "hyper"},
    "uncond_lstm": {"z": 0},
    "uncond_layer_norm": {"decoder": "layer_norm", "z": 0},
    "uncond_hyper": {"decoder": "hyper", "z": 0},
}


@pytest.fixture(scope="module", params=CASES)
def tensors(request):
    return random_values(sketch_variables(**SMALL | CASES[request.param]))


def drawings(n=2, steps=5):
    rng = np.random.default_rng(3)
    pens = np.eye(3)[rng.integers(0, 2, (n, steps))]
    sequence = np.concatenate([rng.normal(size=(n, steps, 2)), pens], axis=-1).astype("float32")
    return {"sequence": sequence, "length": np.full(n, steps, "int32")}


def test_every_variable_has_its_place(tensors):
    written = collect(sketch_table(sketch_model(tensors)))
    assert {f"vector_rnn/{name}" for name in written} == tensors.keys()
    for name, tensor in written.items():
        np.testing.assert_array_equal(tensor, tensors[f"vector_rnn/{name}"])


def test_encoder_and_decoder(tensors):
    t = {k.removeprefix("vector_rnn/"): v.astype("float64") for k, v in tensors.items()}
    model, batch, zs = sketch_model(tensors), drawings(), [None, None]
    if isinstance(model, SketchVAE):
        posterior = model.encode_batch(batch)
        for k, sequence in enumerate(batch["sequence"]):
            mean, log_variance = equations.sketch_posterior(t, sequence)
            np.testing.assert_allclose(posterior.mean[k], mean, rtol=1e-4, atol=1e-5)
            scale = np.exp(log_variance / 2)
            np.testing.assert_allclose(posterior.scale[k], scale, rtol=1e-4, atol=1e-5)
        zs = posterior.mean
    unroll = compiled(model, lambda z, b: model.unroll(z, b).parameters, jit_compile=False)
    ours = np.array(unroll(None if zs[0] is None else zs, batch))
    for k, sequence in enumerate(batch["sequence"]):
        outputs = equations.sketch_outputs(t, zs[k], sequence)
        np.testing.assert_allclose(ours[k], outputs, rtol=1e-4, atol=1e-5)


@pytest.mark.shared
@pytest.mark.parametrize("case", [name for name in CASES if name != "uncond_hyper"])
def test_these_variables_are_magentas(case):
    options = CASES[case]
    training = ("Variable", "Variable_1", "global_step")
    theirs = {k: v for k, v in listed(f"sketch_{case}").items() if not k.endswith(training)}
    assert sketch_variables(**options) == theirs


def test_settings_say_what_variables_do_not():
    tensors = random_values(sketch_variables(**SMALL))
    settings = {
        "max_seq_len": 33,
        "use_recurrent_dropout": 1,  # as released ones have it
        "recurrent_dropout_prob": 0.75,
        "kl_weight_start": 0.25,
        "kl_tolerance": 0.5,
        "conditional": 1,
        "dec_model": "lstm",
        "dec_rnn_size": 6,
    }
    model = sketch_model(tensors, settings)
    assert (model.max_length, model.kl_floor, model.scale) == (33, 0.5, 1.0)
    assert model.arguments()["recurrent_dropout"] == 0.25
    assert sketch_settings(model) == sketch_settings(model) | settings
    again = sketch_model(tensors, sketch_settings(model))
    assert again.arguments() == model.arguments()


@pytest.mark.parametrize("settings", [None, {}, ["data_set", "max_seq_len", "dec_rnn_size"]])
def test_without_settings_the_longest_drawing_is_assumed(settings, caplog):
    with caplog.at_level(logging.INFO):
        model = sketch_model(random_values(sketch_variables(**SMALL)), settings, "mine")
    assert model.max_length == 250
    assert "mine does not tell the longest drawing" in caplog.text


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"dec_rnn_size": 512}, "dec_rnn_size 512 there, 6 in the variables"),
        ({"enc_model": "hyper"}, "enc_model 'hyper' there, 'lstm' in the variables"),
        ({"conditional": False}, "conditional False there, True in the variables"),
        ({"num_mixture": 20, "z_size": 4}, "z_size 4 there, 3 in.*num_mixture 20 there, 2 in"),
        ({"max_seq_len": "long"}, "settings fit no model"),
        ({"scale_factor": -1.0}, "settings fit no model"),
    ],
)
def test_settings_of_other_variables_are_refused(setting, message):
    with pytest.raises(CheckpointError, match=message):
        sketch_model(random_values(sketch_variables(**SMALL)), setting)


def test_the_training_of_the_model_is_left_out():
    tensors = random_values(sketch_variables(**SMALL))
    slots = {
        f"vector_rnn/{name}/Adam{which}": value
        for name, value in tensors.items()
        for which in ("", "_1")
    }
    numbers = ("Variable", "Variable_1", "global_step", "beta1_power", "beta2_power")
    for scope in ("vector_rnn", "vector_rnn_1"):
        slots |= {f"{scope}/{name}": np.float32(0.5) for name in numbers}
    model = sketch_model(tensors | slots)
    assert len(collect(sketch_table(model))) == len(tensors)


@pytest.mark.parametrize(
    "lost",
    [
        "RNN/output_w",
        "RNN/LSTMCell/W_xh",
        "RNN/LSTMCell/bias",
        "ENC_RNN/fw/LSTMCell/W_hh",
        "ENC_RNN/bw/LSTMCell/W_hh",
        "ENC_RNN_mu/super_linear_w",
        "ENC_RNN_sigma/super_linear_b",
        "linear/super_linear_w",
    ],
)
def test_what_is_missing_is_said(lost):
    tensors = random_values(sketch_variables(**SMALL))
    del tensors[f"vector_rnn/{lost}"]
    with pytest.raises(CheckpointError, match=f"missing (vector_rnn/)?{lost}"):
        sketch_model(tensors)


def test_what_is_left_over_or_misshapen_is_said():
    tensors = random_values(sketch_variables(**SMALL))
    with pytest.raises(CheckpointError, match="extra CLASSIFIER"):
        sketch_model(tensors | {"vector_rnn/CLASSIFIER": np.ones(3, "float32")})
    for name, shape in (
        ("RNN/output_w", (6, 14)),
        ("RNN/output_b", (14,)),
        ("RNN/LSTMCell/W_hh", (6, 25)),
        ("RNN/LSTMCell/W_xh", (4, 24)),
        ("ENC_RNN_mu/super_linear_w", (8, 4)),
        ("linear/super_linear_w", (3, 13)),
    ):
        changed = tensors | {f"vector_rnn/{name}": np.ones(shape, "float32")}
        with pytest.raises(CheckpointError, match=name.split("/W_")[0].split("/LSTM")[0]):
            sketch_model(changed)


def test_a_small_file_of_a_large_model_is_refused():
    """z of a hundred thousand, of which only one matrix has so many rows."""
    tensors = random_values(sketch_variables(**SMALL | {"decoder": "hyper"}))
    tensors["vector_rnn/RNN/HyperLSTMCell/W_xh"] = np.zeros((100_000, 24), "float32")
    with pytest.raises(
        CheckpointError, match=r"W_xh of shape \(100006, 1024\), found \(14, 1024\)"
    ):
        sketch_model(tensors)


def test_an_unconditional_model_is_a_decoder():
    model = sketch_model(random_values(sketch_variables(**SMALL | {"z": 0})), {"max_seq_len": 9})
    assert isinstance(model, SketchDecoder)
    assert len(model.sample(2)) == 2
