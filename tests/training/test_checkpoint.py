"""A run that is killed and resumed ends with the weights of one that was not."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from latentgen.errors import CheckpointError, FileError
from latentgen.training.checkpoint import CHECKPOINT, fit_resumably, restore, training_state
from latentgen.training.schedules import ExponentialApproach
from tests.tiny import sequence_vae, strokes

STEPS, STEPS_PER_EPOCH = 6, 2


def make():
    """Dropout, noise of the posterior and two schedules: seeds and step count all matter."""
    keras.utils.set_random_seed(0)
    model = sequence_vae(dropout=0.3, kl_weight=ExponentialApproach(0.0, 1.0, 0.8))
    model.compile(keras.optimizers.Adam(ExponentialApproach(1e-2, 1e-4, 0.9)))
    return model


def batches(step):
    """Batches, each a function of its step; of two lengths where that is no second compilation."""
    lengths = 1 if keras.backend.backend() == "jax" else 2
    while True:
        yield (strokes((4, 2, 1), steps=5 + step % lengths, seed=step),)
        step += 1


def run(model, folder, callbacks=(), steps=STEPS):
    fit_resumably(
        model, batches, steps, folder, STEPS_PER_EPOCH, callbacks=list(callbacks), verbose=0
    )
    return model


def state(model):
    return [np.array(v) for v in training_state(model)]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return state(run(make(), tmp_path_factory.mktemp("uninterrupted")))


@pytest.fixture(scope="module")
def short_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("short")
    run(make(), folder, steps=2)
    return folder


@pytest.fixture
def folder(short_run, tmp_path):
    """A folder with the checkpoint of a run that ended after two steps."""
    shutil.copy(short_run / CHECKPOINT, tmp_path)
    return tmp_path


class At(keras.callbacks.Callback):
    """Does something when so many batches of this process have been trained."""

    def __init__(self, batch, action):
        super().__init__()
        self.left, self.action = batch, action

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            self.action()


class PowerCut(Exception):
    pass


def cut():
    raise PowerCut


def assert_same(received, expected):
    for ours, theirs in zip(received, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_stopped_within_an_epoch(tmp_path, uninterrupted):
    with pytest.raises(PowerCut):
        run(make(), tmp_path, [At(3, cut)])
    assert (tmp_path / CHECKPOINT).exists()
    resumed = run(make(), tmp_path)
    assert int(resumed.step) == STEPS
    assert_same(state(resumed), uninterrupted)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="no other code than on TensorFlow")
def test_stopped_before_the_first_checkpoint_begins_anew(tmp_path, uninterrupted):
    with pytest.raises(PowerCut):
        run(make(), tmp_path, [At(1, cut)])
    assert not (tmp_path / CHECKPOINT).exists()
    assert_same(state(run(make(), tmp_path)), uninterrupted)


def test_killed_by_the_system(tmp_path, uninterrupted):
    """A real SIGKILL, which no `finally` sees; the other process leaves only its files."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.training.test_checkpoint", str(tmp_path)],
        cwd=Path(__file__).resolve().parents[2],
        timeout=300,
        check=False,
    )
    assert result.returncode == -signal.SIGKILL
    assert_same(state(run(make(), tmp_path)), uninterrupted)


def test_a_finished_run_is_left_as_it_is_and_can_be_prolonged(folder, uninterrupted):
    again = run(make(), folder, steps=2)
    assert int(again.step) == 2
    assert_same(state(run(make(), folder)), uninterrupted)


def test_the_state_covers_weights_optimizer_and_seeds():
    model = make()
    model.optimizer.build(model.trainable_variables)
    variables = training_state(model)
    assert len({id(v) for v in variables}) == len(variables)
    wanted = [*model.weights, *model.optimizer.variables, model.seed_generator.state]
    wanted += [model.encoder.seed_generator.state, model.decoder.seed_generator.state]
    assert {id(v) for v in wanted} <= {id(v) for v in variables}


def test_a_damaged_checkpoint_is_refused_and_changes_nothing(folder):
    path = folder / CHECKPOINT
    path.write_bytes(path.read_bytes()[:-100])
    model = make()
    model.optimizer.build(model.trainable_variables)
    before = state(model)
    with pytest.raises(FileError, match="could not read it"):
        run(model, folder)
    assert_same(state(model), before)


def test_the_checkpoint_of_another_model_is_refused(folder):
    other = sequence_vae(max_length=9, dropout=0.3)
    other.compile("sgd")
    with pytest.raises(CheckpointError, match="belong to another model"):
        restore(other, folder / CHECKPOINT)


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    run(make(), sys.argv[1], [At(5, kill)])
