"""Random tensors inside compiled graphs, each from a seed generator that moves on.

As `keras.random`, but for the algorithm on TensorFlow: Keras leaves it to be chosen by the device,
and what XLA chooses on a CPU took 45 times as long as Philox. Said by name it is also the same
numbers with XLA and without.
"""

from collections.abc import Sequence
from typing import Any

import keras

ALGORITHM = "philox"


def uniform(shape: Sequence[Any], seed: keras.random.SeedGenerator) -> Any:
    """Numbers from 0 up to 1, without 1; `shape` may hold tensors."""
    if keras.backend.backend() != "tensorflow":
        return keras.random.uniform(shape, seed=seed)
    import tensorflow as tf

    return tf.random.stateless_uniform(shape, _key(seed), alg=ALGORITHM)


def normal(shape: Sequence[Any], seed: keras.random.SeedGenerator) -> Any:
    """Numbers from N(0, 1); `shape` may hold tensors."""
    if keras.backend.backend() != "tensorflow":
        return keras.random.normal(shape, seed=seed)
    import tensorflow as tf

    return tf.random.stateless_normal(shape, _key(seed), alg=ALGORITHM)


def dropout(inputs: Any, share: float, seed: keras.random.SeedGenerator) -> Any:
    """The inputs with a share of them 0, and the others larger by 1 / (1 − share)."""
    if keras.backend.backend() != "tensorflow":
        return keras.random.dropout(inputs, share, seed=seed)
    import tensorflow as tf

    return tf.nn.experimental.stateless_dropout(inputs, share, _key(seed), rng_alg=ALGORITHM)


def _key(seed: keras.random.SeedGenerator) -> Any:
    """The generator's next key as XLA takes it, two numbers of 32 bits."""
    import tensorflow as tf

    return tf.cast(seed.next(), "int32")
