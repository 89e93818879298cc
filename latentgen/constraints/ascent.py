"""Identity-preserving change: gradient ascent on z itself (LC-GAN, arXiv 1711.05772, section 5)."""

import numpy as np
from keras import ops

from latentgen.constraints.protocol import Constraints
from latentgen.training.gradients import gradient


def ascent(
    constraints: Constraints,
    z: np.ndarray,
    condition: np.ndarray,
    seed: int = 0,
    steps: int = 300,
    learning_rate: float = 0.03,
    realism_weight: float = 1.0,
    distance_weight: float = 0.1,
    least_realism: float = 0.5,
    least_match: float = 0.95,
) -> np.ndarray:
    """Moves each z (n, latent_size) by Adam until it is real enough and as asked, then stops it.

    The loss of an example is realism_weight * CE(D(z', y) -> real) - log p(y | z') +
    distance_weight * mean log(1 + (z' - z)^2). It stops where D(z', y) > least_realism and
    p(y | z') > least_match, and after `steps` at the latest. D is the conditional critic: far from
    the data the attribute critics alone are content too soon. (The paper stops at 0.3 of D without
    y; real z have 0.5 here.) `seed` is not used.
    """
    weights, least = (realism_weight, distance_weight), (least_realism, least_match)
    move = constraints.program(_ascend, steps, learning_rate, weights, least)
    return ops.convert_to_numpy(move(ops.convert_to_tensor(z), ops.convert_to_tensor(condition)))


def _ascend(constraints, start, condition, steps, learning_rate, weights, least):
    realism_weight, distance_weight = weights

    def loss(z):
        total = realism_weight * ops.softplus(-constraints.critic(z, condition))
        total -= constraints.log_match(z, condition)
        total += distance_weight * ops.mean(ops.log1p((z - start) ** 2), axis=-1)
        return ops.sum(total)

    def moving(z):
        real = ops.sigmoid(constraints.critic(z, condition)) > least[0]
        met = constraints.log_match(z, condition) > np.log(least[1])
        return ops.logical_not(ops.logical_and(real, met))[:, None]

    def step(count, z, first, second):
        slope = gradient(loss, z)
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        age = ops.cast(count + 1, "float32")
        rate = learning_rate * ops.sqrt(1 - 0.999**age) / (1 - 0.9**age)
        moved = z - rate * first / (ops.sqrt(second) + 1e-7)
        return count + 1, ops.where(moving(z), moved, z), first, second

    zero = ops.zeros_like(start)
    state = (ops.convert_to_tensor(0, "int32"), start, zero, zero)
    return ops.while_loop(
        lambda count, z, first, second: ops.any(moving(z)), step, state, maximum_iterations=steps
    )[1]
