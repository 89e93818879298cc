"""Rows of a batch in a TensorFlow graph: one setting or seed for all or one each, and their checks.

Every row has random numbers of its own seed, so that what is drawn of it does not depend on the
batch it is in: a server may put the requests of different people into one.
"""

from typing import Any

import tensorflow as tf

MOST_PADDED = 16  # batches are padded up to 2^16 rows; larger ones are taken as they are


def checked(value: Any, condition: Any, message: str) -> tf.Tensor:
    """The value, if the condition holds; else an InvalidArgumentError with the message."""
    with tf.control_dependencies([tf.debugging.Assert(condition, [message])]):
        return tf.identity(value)


def finite(value: Any, name: str) -> tf.Tensor:
    """The value, if it has neither NaN nor infinity."""
    whole = tf.reduce_all(tf.math.is_finite(value))
    return checked(value, whole, f"{name}: expected finite numbers, received NaN or infinity")


def count(n: Any, name: str = "n") -> tf.Tensor:
    """How many, if that is 1 or more."""
    return checked(n, n >= 1, f"{name}: expected 1 or more, received less")


def each(value: Any, n: Any, *shape: int) -> tf.Tensor:
    """What is given for each row (n, *shape), or once for all (*shape,) → (n, *shape)."""
    return tf.ensure_shape(tf.broadcast_to(value, [n, *shape]), [None, *shape])


def at_least_zero(value: Any, n: Any, name: str) -> tf.Tensor:
    """A number of 0 or more for each row (n,), or one for all → (n,)."""
    rows = each(value, n)
    good = tf.reduce_all(tf.math.is_finite(rows) & (rows >= 0))
    return checked(rows, good, f"{name}: expected finite numbers of 0 or more, received others")


def row_seeds(seed: Any, n: Any) -> tf.Tensor:
    """The pair of integers (n, 2) that each row is drawn by.

    Args:
        seed: one number, and row k has (seed, k); or (n,), and it has (seed_k, 0); or the pairs.
    """
    zeros = tf.zeros([n], tf.int32)
    pairs = tf.switch_case(
        tf.rank(seed),
        [
            lambda: tf.stack([tf.broadcast_to(seed, [n]), tf.range(n)], axis=1),
            lambda: tf.stack([tf.broadcast_to(seed, [n]), zeros], axis=1),
            lambda: tf.broadcast_to(seed, [n, 2]),
        ],
    )
    return tf.ensure_shape(pairs, [None, 2])


def uniforms(seeds: Any, *shape: int) -> tf.Tensor:
    """Uniforms in [0, 1) of each row's seed (n, 2) → (n, *shape), the same on every device."""
    return tf.map_fn(
        lambda pair: tf.random.stateless_uniform(shape, pair, alg="philox"),
        seeds,
        fn_output_signature=tf.TensorSpec(shape, tf.float32),
    )


def normals(seeds: Any, size: int) -> tf.Tensor:
    """N(0, 1) of each row's seed (n, 2) → (n, size); independent of its uniforms."""

    def draw(pair):
        other = tf.random.experimental.stateless_fold_in(pair, 1, alg="philox")
        return tf.random.stateless_normal((size,), other, alg="philox")

    return tf.map_fn(draw, seeds, fn_output_signature=tf.TensorSpec((size,), tf.float32))


def padded_rows(n: Any) -> tf.Tensor:
    """Row numbers of a batch of n rows filled up to a power of two with its last one.

    XLA compiles for each number of rows anew; so there are few of them.
    """
    powers = tf.constant([2**k for k in range(MOST_PADDED + 1)], tf.int32)
    size = tf.maximum(tf.reduce_min(tf.where(powers >= n, powers, powers[-1])), n)
    return tf.minimum(tf.range(size), n - 1)
