"""Magenta's MusicVAE: the same numbers on the same weights (../shared/fixtures/magenta)."""

import numpy as np
import pytest
from keras import ops

from latentgen.checkpoints import load_magenta
from latentgen.checkpoints.magenta_music import music_table
from latentgen.checkpoints.mapping import collect
from latentgen.checkpoints.tf1 import read_checkpoint
from latentgen.music.optimizer import MusicAdam
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
SEGMENTS = {"segments": 3}  # of a conductor; no variable says it, nor does their config.json


class Case:
    """One of Magenta's models: its recorded arrays, and ours of its folder alone."""

    def __init__(self, name):
        folder = shared_path(f"fixtures/magenta/{name}")
        self.model = load_magenta(folder, SEGMENTS if "hier" in name else None)
        self.table = music_table(self.model)
        self.tensors = read_checkpoint(folder)
        with np.load(folder / "fixture.npz", allow_pickle=False) as recorded:
            self.recorded = {key: recorded[key] for key in recorded.files}

    @property
    def batch(self):
        recorded = self.recorded
        return {
            "sequence": recorded["targets"],
            "input": recorded["inputs"],
            "length": recorded["lengths"].astype("int32"),
        }

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
