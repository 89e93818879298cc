"""Batches of any length for Keras' `fit` and `evaluate`."""

import itertools
from collections.abc import Iterator
from typing import Any

import keras


def of_any_length(batches: Iterator) -> Any:
    """The same batches, as a dataset that says on TensorFlow which of their sizes may differ.

    Given a generator, Keras takes its first two batches for what all look like, and fails at the
    first one that is cut to another length. Here the examples and the steps may differ, (B, T, …)
    or (B,), and all other sizes are fixed.
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    first = next(batches)
    signature = keras.tree.map_structure(
        lambda array: tf.TensorSpec((None, None, *array.shape[2:])[: array.ndim], array.dtype),
        first,
    )
    return tf.data.Dataset.from_generator(
        lambda: itertools.chain([first], batches), output_signature=signature
    )
