"""Hamiltonian Monte Carlo on prior x constraints, by TensorFlow Probability's sampler."""

import keras
import numpy as np

from latentgen.constraints.protocol import Constraints
from latentgen.errors import InputError


def hmc(
    constraints: Constraints,
    z: np.ndarray,
    condition: np.ndarray,
    seed: int = 0,
    steps: int = 150,
    leapfrogs: int = 8,
    sharpness: float = 4.0,
) -> np.ndarray:
    """The last state of a chain from each z: a sample of N(z; 0, 1) (D(z, y) p(y | z))^sharpness.

    The step size adapts (to 65% acceptance) over the first 80% of the steps.

    Raises:
        InputError: Keras does not run on TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"method 'hmc' expected Keras on TensorFlow, received {keras.backend.backend()!r}; "
            "use 'actor', 'ascent', 'rejection' or 'vector'"
        )
    import tensorflow as tf

    run = constraints.program(_chain, steps, leapfrogs, sharpness)
    seeds = tf.constant([seed, 2], tf.int32)
    return run(tf.convert_to_tensor(z), tf.convert_to_tensor(condition), seeds).numpy()


def _chain(constraints, start, condition, seeds, steps, leapfrogs, sharpness):
    import tensorflow as tf
    import tensorflow_probability as tfp

    def log_density(z):
        prior = -0.5 * tf.reduce_sum(z**2, axis=-1)
        real = tf.math.log_sigmoid(constraints.critic(z, condition))
        return prior + sharpness * (real + constraints.log_match(z, condition))

    kernel = tfp.mcmc.SimpleStepSizeAdaptation(
        tfp.mcmc.HamiltonianMonteCarlo(log_density, 0.1, leapfrogs),
        num_adaptation_steps=int(0.8 * steps),
        target_accept_prob=0.65,
    )
    return tfp.mcmc.sample_chain(
        1, start, kernel=kernel, num_burnin_steps=steps - 1, trace_fn=None, seed=seeds
    )[0]
