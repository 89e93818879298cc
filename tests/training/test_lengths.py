"""Batches cut to different lengths train on every backend, and resume where they were."""

import random

import numpy as np

from latentgen.sketch import SketchVAE, published_optimizer
from latentgen.sketch.data import SketchBatches
from latentgen.sketch.strokes import from_lines
from latentgen.training.checkpoint import fit_resumably


def trained(folder, *stops):
    """Weights after training until each of the stops, by a new model each time."""
    generator = np.random.default_rng(0)
    drawings = [from_lines([generator.integers(0, 99, (2 + k, 2))]) for k in range(40)]
    random.seed(0)
    for steps in stops:
        vae = SketchVAE(
            latent_size=4, encoder_units=8, decoder_units=8, mixtures=2, max_length=60, scale=30.0
        )
        vae.compile(published_optimizer())
        batches = SketchBatches(drawings, 30.0, batch_size=4, max_length=60)
        assert len({batches.batch(step)["sequence"].shape for step in range(8)}) > 2
        fit_resumably(vae, batches.from_step, steps, folder, steps_per_epoch=2, verbose=0)
    return [np.array(weight) for weight in vae.weights]


def test_an_interrupted_training_ends_where_an_uninterrupted_one_does(tmp_path):
    straight = trained(tmp_path / "straight", 4)
    resumed = trained(tmp_path / "resumed", 2, 4)
    for one, other in zip(straight, resumed, strict=True):
        np.testing.assert_array_equal(one, other)
