"""Training that can be killed at any moment and resumed as if it had not been."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import keras

from latentgen.checkpoints.variables import read_variables, write_variables
from latentgen.training.batches import of_any_length

CHECKPOINT = "checkpoint.npz"


def training_state(model: keras.Model) -> list:
    """All variables a run depends on: weights, seeds, metrics and every optimiser's, each once."""
    variables, seen = [], set()
    optimizers = [
        value for value in vars(model).values() if isinstance(value, keras.optimizers.Optimizer)
    ]
    for variable in [*model.variables, *(v for o in optimizers for v in o.variables)]:
        if id(variable) not in seen:
            seen.add(id(variable))
            variables.append(variable)
    return variables


class Checkpoint(keras.callbacks.Callback):
    """Writes the whole training state every `every` epochs, atomically.

    Args:
        path: the file, replaced each time.
        every: epochs between two.
    """

    def __init__(self, path: str | os.PathLike, every: int = 1):
        super().__init__()
        self.path, self.every = Path(path), every

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            write_variables(self.path, training_state(self.model), epoch=epoch + 1)


def restore(model: keras.Model, path: str | os.PathLike) -> int:
    """Gives a compiled model the state a Checkpoint wrote; returns how many epochs it had done."""
    for value in vars(model).values():
        if isinstance(value, keras.optimizers.Optimizer) and not value.built:
            value.build(model.trainable_variables)
    return read_variables(path, training_state(model))["epoch"]


def fit_resumably(
    model: keras.Model,
    batches: Callable[[int], Iterator],
    steps: int,
    folder: str | os.PathLike,
    steps_per_epoch: int = 100,
    callbacks: list | tuple = (),
    **options,
) -> keras.callbacks.History:
    """`fit` for a number of steps in all, from the checkpoint in `folder` if there is one.

    An epoch here is what lies between two checkpoints. The position in the data is part of the
    state, because a batch is a function of its step.

    Args:
        model: compiled.
        batches: from a step to an endless iterator of batches that begins with that step's.
        steps: training steps in all, those before a resumption included; rounded up to epochs.
        folder: where `checkpoint.npz` lies.
        **options: for `fit`, such as validation data.
    """
    path = Path(folder) / CHECKPOINT
    done = restore(model, path) if path.exists() else 0
    return model.fit(
        of_any_length(batches(done * steps_per_epoch)),
        initial_epoch=done,
        epochs=-(-steps // steps_per_epoch),
        steps_per_epoch=steps_per_epoch,
        callbacks=[*callbacks, Checkpoint(path)],
        shuffle=False,
        **options,
    )
