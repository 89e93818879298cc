"""A toy language whose distribution is listed: three symbols, sequences of exactly four."""

import itertools

import keras
import numpy as np

from latentgen.evaluation.oracle import batch_of_ids, model_of_ids
from latentgen.sequence_model import SequenceModel

SYMBOLS, STEPS = 3, 4
ALL = np.array(list(itertools.product(range(SYMBOLS), repeat=STEPS)), "float32")[..., None]
TRUTH = np.random.default_rng(4).dirichlet(np.full(len(ALL), 0.1))


def toy_model(seed: int = 0, **options) -> SequenceModel:
    """An untrained model of the toy language."""
    keras.utils.set_random_seed(seed)
    sizes = {"embedding_size": 4, "units": 8, "length": STEPS}
    return model_of_ids(SYMBOLS, **(sizes | options))


def toy_batches(size: int = 32, seed: int = 0):
    """A function from a step to endless batches of the toy language that begin with that step's."""

    def from_step(step: int):
        while True:
            rows = np.random.default_rng([seed, step]).choice(len(ALL), size, p=TRUTH)
            yield (batch_of_ids(ALL[rows]),)
            step += 1

    return from_step


def distribution(model: SequenceModel) -> np.ndarray:
    """The model's probability of each sequence of `ALL`."""
    parameters = model.decoder.teacher_forced(None, ALL).parameters
    return np.exp(np.asarray(model.head.log_prob(parameters, ALL)).sum(axis=1))


def jensen_shannon(model: SequenceModel) -> float:
    """The divergence of model and truth, nats; at most log 2."""
    p, q = TRUTH, distribution(model)
    middle = 0.5 * (p + q)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(r > 0, r * np.log(r / middle), 0.0).sum() for r in (p, q)]
    return float(0.5 * sum(parts))


def train(trainer, steps: int, rate: float = 0.01, **options) -> dict[str, list[float]]:
    """Trains on the toy language; the history of epochs of 20 steps."""
    trainer.compile(
        keras.optimizers.Adam(rate), jit_compile=keras.backend.backend() == "jax", **options
    )
    fitted = trainer.fit(
        toy_batches()(0), steps_per_epoch=20, epochs=steps // 20, shuffle=False, verbose=0
    )
    return fitted.history


def gradients(loss, variables) -> list[np.ndarray]:
    """Of a function without arguments with respect to variables."""
    if keras.backend.backend() == "jax":
        import jax

        def pure(arrays):
            scope = zip(variables, arrays, strict=True)
            with keras.StatelessScope(state_mapping=list(scope)):
                return loss()

        return [np.asarray(g) for g in jax.grad(pure)([v.value for v in variables])]
    import tensorflow as tf

    with tf.GradientTape() as tape:
        value = loss()
    return [np.asarray(tf.convert_to_tensor(g)) for g in tape.gradient(value, variables)]
