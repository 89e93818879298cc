"""What every objective with a second network is held to."""

import keras
import numpy as np

from latentgen.training.checkpoint import fit_resumably, training_state
from tests.objectives.toy import toy_batches

ON_JAX = keras.backend.backend() == "jax"  # where nothing runs uncompiled in bearable time


def prepared(trainer, rate: float = 0.01, critic_rate: float = 0.01, jit_compile=ON_JAX, **options):
    """The trainer, compiled for a few steps: on TensorFlow not traced, which takes longer.

    For many steps give run_eagerly=False.
    """
    optimizers = (keras.optimizers.Adam(r, global_clipnorm=5.0) for r in (rate, critic_rate))
    options = {"run_eagerly": not jit_compile} | options
    trainer.compile(*optimizers, jit_compile=jit_compile, **options)
    return trainer


def fit(trainer, batch, steps: int = 2) -> dict[str, float]:
    """Trains on one batch again and again; the metrics of all the steps."""
    for _ in range(steps):
        trainer.train_on_batch(batch)
    return {metric.name: float(metric.result()) for metric in trainer.metrics}


def check_it_trains(make, model_and_batch) -> None:
    """Losses are finite; both players move, and every weight of the model is a number."""
    model, batch = model_and_batch()
    trainer = prepared(make(model))
    before = [[np.array(v) for v in part.trainable_variables] for part in (model, trainer.critic)]
    found = fit(trainer, batch)
    assert {"actor_loss", "critic_loss"} <= set(found)
    assert np.isfinite(list(found.values())).all(), found
    for part, old in zip((model, trainer.critic), before, strict=True):
        new = [np.array(v) for v in part.trainable_variables]
        assert all(np.isfinite(v).all() for v in new)
        assert any((a != b).any() for a, b in zip(new, old, strict=True))


def toy_batch(size: int, seed: int = 0) -> dict[str, np.ndarray]:
    """A batch of the toy language."""
    return next(toy_batches(size, seed)(0))[0]


def state(trainer) -> list[np.ndarray]:
    return [np.array(v) for v in training_state(trainer)]


def check_it_resumes(make, folder) -> None:
    """Stopped after two of four steps and begun again from its file it ends as if it had not been;
    and so the same seed has the same result."""

    def run(name, steps):
        trainer = make()
        fit_resumably(trainer, toy_batches(8), steps, folder / name, 2, verbose=0)
        return state(trainer)

    for name in ("whole", "stopped"):
        (folder / name).mkdir()
    whole = run("whole", 4)
    run("stopped", 2)
    for one, other in zip(whole, run("stopped", 4), strict=True):
        np.testing.assert_array_equal(one, other)


def check_it_is_saved(trainer, path) -> None:
    """A .keras file has all that goes on from there: settings, weights, optimisers, seeds."""
    fit(trainer, toy_batch(4))
    trainer.save(path)
    again = keras.saving.load_model(path)
    assert again.get_config() == trainer.get_config()
    for part in (trainer, again):
        part.reset_metrics()
        fit(part, toy_batch(4, seed=1))
    for one, other in zip(state(trainer), state(again), strict=True):
        np.testing.assert_array_equal(one, other)
