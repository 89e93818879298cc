"""MusicVAE of Magenta's variables: every kind of decoder and encoder, against its equations."""

import logging

import numpy as np
import pytest

from latentgen.checkpoints.magenta_music import music_table
from latentgen.checkpoints.mapping import collect
from latentgen.checkpoints.music_model import music_model
from latentgen.compilation import compiled
from latentgen.errors import CheckpointError, InputError
from latentgen.music.converters import PlainConverter
from latentgen.music.model import MusicDecoder
from tests.checkpoints import magenta_equations as equations
from tests.checkpoints.magenta_variables import (
    bidirectional,
    listed,
    music_variables,
    random_values,
)

STEPS = 6
SMALL = {"encoder": (5,), "units": (4, 4), "z": 3, "depth": 7}
# name: what differs from SMALL, and what the configuration has to say beside T and kind.
CASES = {
    "flat": ({}, {}),
    "stacked": ({"encoder": (5, 3), "units": (4, 6)}, {}),
    "residual": ({"encoder": (5, 5), "units": (4, 4, 6), "residual": True}, {}),
    "forward": ({"encoder": (5, 3), "forward": True}, {}),
    "forward_residual": ({"encoder": (5, 5), "forward": True, "residual": True}, {}),
    "controls": ({"control": 2}, {}),
    "control_preprocessing": ({"control": 2, "control_units": (3, 2)}, {}),
    "control_preprocessing_residual": (
        {"control": 2, "control_units": (3,), "residual": True},
        {},
    ),
    "multiout": ({}, {"output_depths": [3, 4]}),
    "split": ({"parts": (3, 2, 4)}, {}),
    "boolean": ({"depth": 1}, {"kind": "boolean"}),
    "groove": ({"depth": 6, "inputs": 4}, {"kind": "groove"}),
    "nade": ({"depth": 4, "hidden": 5, "inputs": 5}, {}),
    "uncond": ({"z": 0}, {}),
    "hierdec": ({"conductor": "silent"}, {"segments": 3}),
    "hierdec_ar": ({"conductor": "autoregressive"}, {"segments": 3}),
    "hierdec_split": ({"conductor": "silent", "parts": (3, 4)}, {"segments": 2}),
    "hierdec_ar_split": ({"conductor": "autoregressive", "parts": (3, 4)}, {"segments": 2}),
    "hierdec_ar_residual": (
        {"conductor": "autoregressive", "residual": True, "control": 2},
        {"segments": 2},
    ),
    "hier": ({"conductor": "silent", "hierarchical": True}, {"segments": 2}),
    "hier_forward": (
        {"conductor": "silent", "hierarchical": True, "forward": True, "encoder": (5, 3)},
        {"segments": 3},
    ),
    "hier_residual": (
        {"conductor": "silent", "hierarchical": True, "residual": True, "encoder": (5, 3)},
        {"segments": 3},
    ),
}


class Case:
    """A checkpoint of random values, and the model that the reader makes of it."""

    def __init__(self, name):
        self.options, said = SMALL | CASES[name][0], CASES[name][1]
        self.config = {"T": STEPS, "kind": "categorical"} | said
        self.tensors = random_values(music_variables(**self.options))
        self.model = music_model(self.tensors, self.config, name)
        self.t = {k: v.astype("float64") for k, v in self.tensors.items()}
        self.residual = self.options.get("residual", False)

    def batch(self):
        n, rng, converter = 3, np.random.default_rng(1), self.model.converter
        batch = {
            "sequence": rng.uniform(size=(n, STEPS, converter.output_depth)),
            "input": rng.uniform(size=(n, STEPS, converter.input_depth)),
        }
        if self.config["kind"] != "groove":
            batch = {name: np.round(rows) for name, rows in batch.items()}
        if converter.control_depth:
            batch["control"] = rng.uniform(size=(n, STEPS, converter.control_depth))
        batch = {name: rows.astype("float32") for name, rows in batch.items()}
        lengths = [STEPS] * n if "segments" in self.config else [STEPS, 4, 1]
        return batch | {"length": np.array(lengths, "int32")}

    def loss(self, outputs, truth):
        match self.model.converter.output:
            case "boolean":
                return equations.boolean_loss(outputs, truth)
            case "groove":
                return equations.groove_loss(outputs, truth)
            case "nade":
                return equations.nade_loss(self.t, outputs, truth)
        parts = np.cumsum(self.model.converter.parts)[:-1]
        pieces = zip(np.split(outputs, parts, -1), np.split(truth, parts, -1), strict=True)
        return sum(equations.categorical_loss(x, y) for x, y in pieces)


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return Case(request.param)


def test_every_variable_has_its_place(case):
    written = collect(music_table(case.model))
    stored = {k: v for k, v in case.tensors.items() if v.size and k != "global_step"}
    assert written.keys() == stored.keys()
    for name, tensor in stored.items():
        np.testing.assert_array_equal(written[name], tensor)


def test_encoder(case):
    if not case.options["z"]:
        assert isinstance(case.model, MusicDecoder)
        return
    batch = case.batch()
    segments = case.config["segments"] if case.options.get("hierarchical") else 0
    ours = case.model.encode_batch(batch)
    for k, rows in enumerate(batch["input"]):
        if "control" in batch:
            rows = np.concatenate([rows, batch["control"][k]], axis=1)
        rows = rows[: batch["length"][k]]
        mean, scale = equations.posterior(case.t, rows, case.residual, segments)
        np.testing.assert_allclose(ours.mean[k], mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(ours.scale[k], scale, rtol=1e-4, atol=1e-5)


def test_decoder_and_loss(case):
    batch, model = case.batch(), case.model
    z = np.random.default_rng(2).normal(size=(3, model.latent_size)).astype("float32")

    def decode(z, batch):
        parameters = model.unroll(z, batch).parameters
        return parameters, model.sequence_loss(model.head.loss, batch, parameters)

    parameters, losses = map(np.array, compiled(model, decode, jit_compile=False)(z, batch))
    for k, length in enumerate(batch["length"]):
        truth = batch["sequence"][k, :length].astype("float64")
        outputs = equations.logits(
            case.t,
            z[k],
            truth,
            batch["control"][k, :length] if "control" in batch else None,
            case.residual,
            case.config.get("segments", 0),
            case.options.get("parts", ()),
        )
        np.testing.assert_allclose(parameters[k, :length], outputs, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(losses[k], case.loss(outputs, truth).sum(), rtol=1e-5)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("flat_cat", {}),
        ("hierdec_noar", {"conductor": "silent"}),
        ("hierdec_ar", {"conductor": "autoregressive"}),
        ("hier", {"conductor": "silent", "hierarchical": True}),
        ("hierdec_split_trio", {"conductor": "silent", "parts": (5, 4, 6)}),
        ("flat_multiout", {"depth": 15}),
        ("flat_cat_stack2_residual", {"encoder": (24, 24), "units": (24, 24), "residual": True}),
        ("flat_cat_controls", {"control": 7}),
        ("groove", {"depth": 9}),
        ("flat_boolean", {"depth": 1}),
        ("nade", {"depth": 9, "hidden": 8, "inputs": 10}),
        ("flat_uncond", {"z": 0}),
    ],
)
def test_these_variables_are_magentas(name, options):
    assert music_variables(**options) == listed(f"music_{name}")


NAMED = {  # sizes of latentgen.music.NAMES, smaller
    "cat-mel_2bar_small": {"depth": 90},
    "cat-mel_2bar_big": {"depth": 90, "units": (4, 4, 4)},
    "cat-mel_2bar_med_chords": {"depth": 90, "control": 49, "units": (4, 4, 4)},
    "cat-drums_2bar_small": {"depth": 512, "inputs": 10},
    "nade-drums_2bar_reduced": {"depth": 9, "inputs": 10, "hidden": 128},
    "nade-drums_2bar_full": {"depth": 61, "inputs": 62, "hidden": 128},
    "flat-trio_16bar": {"depth": 692, "encoder": (5, 5), "units": (4, 4, 4)},
    "hierdec-trio_16bar": {"parts": (90, 90, 512), "conductor": "silent"},
    "hier-trio_16bar": {"parts": (90, 90, 512), "conductor": "silent", "hierarchical": True},
    "flat-mel_16bar": {"depth": 90, "encoder": (5, 5), "units": (4, 4, 4)},
    "hierdec-mel_16bar": {"depth": 90, "conductor": "silent"},
    "hier-mel_16bar": {"depth": 90, "conductor": "silent", "hierarchical": True},
    "hier-multiperf_vel_1bar_med": {"depth": 490, "conductor": "silent", "hierarchical": True},
    "hier-multiperf_vel_1bar_med_chords": {
        "depth": 490,
        "conductor": "silent",
        "hierarchical": True,
        "control": 49,
    },
    "groovae_2bar_hits_control_tfds": {"depth": 27, "control": 9},
}


@pytest.mark.parametrize("name", NAMED)
def test_the_configuration_is_found_by_its_variables(name):
    from latentgen.music.configurations import configuration

    tensors = random_values(music_variables(**SMALL | NAMED[name]))
    expected = configuration(name)
    for model in (music_model(tensors), music_model(tensors, name)):
        assert type(model.converter) is type(expected["converter"])
        assert model.converter.arguments() == expected["converter"].arguments()
        assert model.arguments()["segments"] == expected.get("segments", 0)
        assert model.free_bits == expected.get("free_bits", 0)


def test_what_the_variables_leave_open_is_asked_for():
    grooves = random_values(music_variables(**SMALL | {"depth": 27}))
    with pytest.raises(CheckpointError, match=r"groovae_4bar, groovae_2bar_humanize.*give config"):
        music_model(grooves)
    assert music_model(grooves, "groovae_4bar").max_length == 64
    own = random_values(music_variables(**SMALL))
    with pytest.raises(CheckpointError, match=r"7 columns in, 7 out, 0 of control.*give config"):
        music_model(own)
    with pytest.raises(InputError, match="the 'kind'"):
        music_model(own, {"T": 4})
    conducted = random_values(music_variables(**SMALL | {"conductor": "silent"}))
    with pytest.raises(CheckpointError, match="segments"):
        music_model(conducted, {"T": 4, "kind": "oh"})
    with pytest.raises(CheckpointError, match="divides 4"):
        music_model(conducted, {"T": 4, "kind": "oh", "segments": 3})


def test_another_configuration_is_refused():
    tensors = random_values(music_variables(**SMALL | {"depth": 90}))
    for name, reason in (
        ("cat-drums_2bar_small", "columns out: 512 expected, 90 found"),
        ("hierdec-mel_16bar", "conductor: one expected, none found"),
        ("cat-mel_2bar_med_chords", "columns of control: 49 expected, 0 found"),
    ):
        with pytest.raises(CheckpointError, match=reason):
            music_model(tensors, name)
    with pytest.raises(InputError, match="configuration"):
        music_model(tensors, "cat-mel_3bar")
    with pytest.raises(CheckpointError, match=r"z_size 512 there, 3 in the variables"):
        music_model(tensors, {"T": 32, "hparams": {"z_size": 512}})
    with pytest.raises(
        CheckpointError, match="PlainConverter's: expected 91 columns out, found 90"
    ):
        music_model(tensors, converter=PlainConverter(32, parts=[91]))


def test_a_decoder_without_its_encoder(caplog):
    tensors = random_values(music_variables(**SMALL | {"depth": 90}))
    decoder = {k: v for k, v in tensors.items() if not k.startswith("encoder/")}
    with caplog.at_level(logging.WARNING):
        model = music_model(decoder, "cat-mel_2bar_small", "mine")
    assert isinstance(model, MusicDecoder)
    assert "mine has no encoder" in caplog.text
    assert len(model.sample(2)) == 2


@pytest.mark.parametrize(
    "lost",
    [
        "encoder/mu/kernel",
        "encoder/sigma/bias",
        "encoder/cell_0/bidirectional_rnn/bw/multi_rnn_cell/cell_0/lstm_cell/kernel",
        "encoder/cell_0/bidirectional_rnn/fw/multi_rnn_cell/cell_0/lstm_cell/kernel",
        "decoder/output_projection/kernel",
        "decoder/z_to_initial_state/kernel",
        "decoder/multi_rnn_cell/cell_1/lstm_cell/bias",
    ],
)
def test_what_is_missing_is_said(lost):
    tensors = random_values(music_variables(**SMALL | {"depth": 90}))
    del tensors[lost]
    with pytest.raises(CheckpointError, match=f"missing {lost}"):
        music_model(tensors, "cat-mel_2bar_small")


def test_what_is_left_over_or_misshapen_is_said():
    tensors = random_values(music_variables(**SMALL | {"depth": 90}))
    with pytest.raises(CheckpointError, match="extra decoder/attention"):
        music_model(tensors | {"decoder/attention": np.ones(3, "float32")}, "cat-mel_2bar_small")
    for name, shape in (
        ("decoder/output_projection/bias", (91,)),
        ("decoder/z_to_initial_state/kernel", (3, 17)),
        ("encoder/mu/kernel", (4, 3)),
        ("decoder/multi_rnn_cell/cell_0/lstm_cell/kernel", (3, 4, 5)),
        ("decoder/multi_rnn_cell/cell_1/lstm_cell/kernel", (80, 160)),
    ):
        with pytest.raises(CheckpointError, match=name.split("/lstm_cell")[0]):
            music_model(tensors | {name: np.ones(shape, "float32")}, "cat-mel_2bar_small")
    tensors["decoder/output_projection/bias"][0] = np.nan
    with pytest.raises(CheckpointError, match="NaN"):
        music_model(tensors, "cat-mel_2bar_small")


def test_architectures_that_latentgen_has_not_are_refused():
    conducted = random_values(music_variables(**SMALL | {"conductor": "silent"}))
    config = {"T": 6, "kind": "oh", "segments": 3}
    second = {k.replace("level_0", "level_1"): v for k, v in conducted.items() if "level_0" in k}
    with pytest.raises(CheckpointError, match="more levels"):
        music_model(conducted | second, config)
    reencoder = dict(conducted)
    reencoder["decoder/hierarchical_level_0/cell_0/lstm_cell/kernel"] = np.ones((17, 16), "float32")
    with pytest.raises(CheckpointError, match="conductor"):
        music_model(reencoder, config)
    flat = {k: v for k, v in conducted.items() if not k.startswith("encoder/")}
    flat |= random_values(music_variables(**SMALL))
    with pytest.raises(CheckpointError, match="extra decoder/"):
        music_model(flat, config)


def test_the_training_of_the_model_is_left_out():
    tensors = random_values(music_variables(**SMALL | {"depth": 90}))
    slots = {f"{k}/Adam{i}": v for k, v in tensors.items() for i in ("", "_1") if v.ndim}
    slots |= {"beta1_power": np.float32(0.9), "beta2_power": np.float32(0.9)}
    # What Magenta's published models of several tracks hold beside each LSTM (magenta#1496).
    slots |= {"decoder/opaque_kernel": np.ones(9, "float32")}
    slots |= {"decoder/opaque_kernel/Adam": np.ones(9, "float32")}
    model = music_model(tensors | slots, "cat-mel_2bar_small")
    assert collect(music_table(model)).keys() == tensors.keys() - {"global_step"}


def test_a_representation_of_ones_own_takes_and_gives_arrays():
    config = {"T": STEPS, "kind": "oh"}
    model = music_model(random_values(music_variables(**SMALL)), config)
    assert model.generate(np.zeros((2, 3), "float32")).shape == (2, STEPS, 7)
    with pytest.raises(InputError, match="give and take arrays"):
        model.decode(np.zeros((2, 3), "float32"))
    with pytest.raises(InputError, match=r"music\[0\].*give and take arrays"):
        model.encode([None])


def test_control_preprocessing_keeps_its_scope():
    shapes = music_variables(**SMALL | {"control": 2, "control_units": (3,)})
    assert bidirectional("control_preprocessing", (3,), 2).items() <= shapes.items()
    other = {k.replace("control_preprocessing", "decoder/controls"): v for k, v in shapes.items()}
    with pytest.raises(CheckpointError):
        music_model(random_values(other), {"T": STEPS, "kind": "oh"})
