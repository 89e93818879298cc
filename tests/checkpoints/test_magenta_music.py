"""Magenta's MusicVAE: the same numbers on the same weights (../shared/fixtures/magenta)."""

import json
import re

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.checkpoints.magenta_music import music_table
from latentgen.checkpoints.mapping import assign, collect
from latentgen.layers.bernoulli import BernoulliHead
from latentgen.layers.decoder import Decoder
from latentgen.layers.encoder import BidirectionalEncoder
from latentgen.layers.groove_head import GrooveHead
from latentgen.layers.heads import CategoricalHead
from latentgen.layers.hierarchical_decoder import HierarchicalDecoder
from latentgen.layers.hierarchical_encoder import HierarchicalEncoder
from latentgen.layers.joint_head import JointHead
from latentgen.layers.nade import NadeHead
from latentgen.music.optimizer import MusicAdam
from latentgen.sequence_model import SequenceModel
from latentgen.training.schedules import ExponentialApproach
from latentgen.vae import SequenceVAE
from tests.layers.test_decoder import weight_gradients
from tests.shared import shared_path

pytestmark = pytest.mark.shared
CASES = (
    "music_flat_cat",
    "music_flat_multiout",
    "music_groove",
    "music_hier",
    "music_hierdec_noar",
    "music_hierdec_split_trio",
)
UNITS, LATENT, SEGMENT = [32, 32], 16, 4
SLOTS = ("/Adam", "/Adam_1")


class Case:
    """One of Magenta's models: its recorded arrays, and ours with its weights."""

    def __init__(self, name):
        if keras.backend.backend() != "tensorflow":
            pytest.skip("TensorFlow reads TF1 checkpoints")
        import tensorflow as tf

        folder = shared_path(f"fixtures/magenta/{name}")
        self.config = json.loads((folder / "config.json").read_text())
        reader = tf.train.load_checkpoint(str(folder / "model.ckpt-0"))
        self.tensors = {
            variable: reader.get_tensor(variable)
            for variable in reader.get_variable_to_shape_map()
            if not variable.endswith(SLOTS) and "power" not in variable
        }
        del self.tensors["global_step"]
        with np.load(folder / "fixture.npz", allow_pickle=False) as recorded:
            self.recorded = {key: recorded[key] for key in recorded.files}
        self.name = name
        self.model = self.build()
        self.table = music_table(self.model)
        assign(self.table, self.tensors, folder)

    @property
    def batch(self):
        recorded = self.recorded
        return {
            "sequence": recorded["targets"],
            "input": recorded["inputs"],
            "length": recorded["lengths"].astype("int32"),
        }

    def head(self):
        depths, units = self.config["output_depths"], UNITS[-1]
        if depths:
            heads = [CategoricalHead(units, n, name=f"part_{k}") for k, n in enumerate(depths)]
            return JointHead(heads, shared="split" not in self.name, name="head")
        if "groove" in self.name:
            return GrooveHead(units, self.config["output_depth"] // 3, name="head")
        return CategoricalHead(units, self.config["output_depth"], name="head")

    def build(self):
        conducted = "hier" in self.name
        decoder = Decoder(self.head(), UNITS, UNITS[-1] if conducted else LATENT, name="core")
        if conducted:
            decoder = HierarchicalDecoder(decoder, UNITS, LATENT, SEGMENT, name="decoder")
        encoder = BidirectionalEncoder([32], self.config["input_depth"], name="encoder")
        if self.name == "music_hier":
            upper = BidirectionalEncoder([32], encoder.output_size, name="upper")
            encoder = HierarchicalEncoder(encoder, upper, SEGMENT)
        hparams = self.config["hparams"]
        return SequenceVAE(
            encoder,
            decoder,
            self.config["T"],
            kl_weight=ExponentialApproach(0.0, hparams["max_beta"], hparams["beta_rate"]),
            scale_activation="softplus",
            scored_steps="before_end",
            mean_over_steps=False,
        )

    def loss(self, step):
        """The training loss with Magenta's noise, at a step."""
        mean, scale = self.model.posterior(self.batch)
        z = mean + scale * self.recorded["eps"]
        unrolled = self.model.unroll(z, self.batch)
        self.model.step.assign(step)
        outputs = {"mean": mean, "scale": scale, "parameters": unrolled.parameters}
        return self.model.compute_loss(self.batch, y_pred=outputs, training=False)


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return Case(request.param)


def close(ours, theirs, tolerance=1e-5):
    theirs = np.asarray(theirs)
    error = np.abs(np.asarray(ours) - theirs).max() / max(np.abs(theirs).max(), 1e-30)
    assert error <= tolerance, f"relative error {error:.2e}"


def test_posterior_and_kl(case):
    posterior = case.model.encode_batch(case.batch)
    close(posterior.mean, case.recorded["mu"])
    close(posterior.scale, case.recorded["sigma"])
    close(case.model.kl_terms(*posterior)[0], case.recorded["kl_div_nats_per_example"])


def test_logits_and_reconstruction_loss(case):
    unrolled = case.model.unroll(ops.convert_to_tensor(case.recorded["z_fixed"]), case.batch)
    counted = np.array(case.model.counted(case.batch))
    close(np.array(unrolled.parameters)[counted], case.recorded["logits_teacher_forced"][counted])
    nats = case.model.sequence_loss(case.model.head.loss, case.batch, unrolled.parameters)
    close(nats, case.recorded["r_loss_per_example"])


def test_greedy_decoding(case):
    theirs = case.recorded["decode_T1e-6"]
    drawn = case.model.generate(case.recorded["z_fixed"], temperature=1e-6)
    np.testing.assert_allclose(drawn, theirs, atol=1e-5)


def test_training_loss_gradients_and_one_adam_step(case):
    close(case.loss(0), case.recorded["train_loss_step0"])
    variables = case.model.trainable_variables
    gradients = weight_gradients(case.model, lambda: case.loss(5))
    close(case.loss(5), case.recorded["train_loss_step5"])
    by_variable = {id(v): g for v, g in zip(variables, gradients, strict=True)}
    ours = collect(case.table, lambda variable: by_variable[id(variable)])
    norm = np.sqrt(sum((g**2).sum() for g in ours.values()))
    close(norm, case.recorded["global_norm"])
    for name, gradient in ours.items():
        close(gradient, case.recorded[f"grad/{name}"])

    before = [np.array(v) for v in variables]
    optimizer = MusicAdam(float(case.recorded["lr_step5"]))
    optimizer.apply([ops.convert_to_tensor(g) for g in gradients], variables)
    after = collect(case.table)
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    for name, value in after.items():
        close(value, case.recorded[f"after1/{name}"])


def test_the_table_reads_in_both_directions(case):
    for name, tensor in collect(case.table).items():
        np.testing.assert_array_equal(tensor, case.tensors[name])


def described(name):
    """A model as ../shared/fixtures/magenta/README.md describes the case of this name."""
    head, depth, control = CategoricalHead(32, 12, name="head"), 12, 0
    units, residual, latent = UNITS, False, LATENT
    if name == "flat_cat_stack2_residual":
        head, units, residual = CategoricalHead(24, 12, name="head"), [24, 24], True
    elif name == "flat_cat_controls":
        control = 7
    elif name == "flat_boolean":
        head, depth = BernoulliHead(32, 1, name="head"), 1
    elif name == "nade":
        head, depth = NadeHead(32, 9, 8, name="head"), 10
    elif name == "flat_uncond":
        latent = 0
    conducted = name == "hierdec_ar"
    decoder = Decoder(
        head,
        units,
        32 if conducted else latent,
        control_size=control,
        residual=residual,
        learned_start=True,
    )
    if conducted:
        decoder = HierarchicalDecoder(decoder, UNITS, latent, SEGMENT, autoregressive=True)
    options = {"scored_steps": "before_end", "mean_over_steps": False}
    if not latent:
        return SequenceModel(decoder, 8, **options)
    encoder_units = [24, 24] if residual else [32]
    encoder = BidirectionalEncoder(encoder_units, depth + control, residual=residual)
    return SequenceVAE(encoder, decoder, 8, scale_activation="softplus", **options)


@pytest.mark.parametrize(
    "name",
    [
        "flat_cat",
        "flat_cat_stack2_residual",
        "flat_cat_controls",
        "flat_boolean",
        "nade",
        "flat_uncond",
        "hierdec_ar",
    ],
)
def test_the_table_is_exactly_magentas_variables(name):
    """Names and shapes as ../shared/fixtures/magenta/README.md lists them."""
    listed = shared_path("fixtures/magenta/README.md").read_text()
    line = listed.split(f"**music_{name}**\n")[1].splitlines()[0]
    theirs = {
        k: tuple(int(n) for n in v.split(", "))
        for k, v in re.findall(r"`([^`]+)` \[([\d, ]+)\]", line)
        if not v.startswith("0")
    }
    ours = {t.name: t.shape or t.joined_shape() for t in music_table(described(name))}
    assert ours == theirs
