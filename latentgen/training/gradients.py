"""The gradient of a scalar function with respect to a tensor, on whichever backend Keras runs."""

from collections.abc import Callable
from typing import Any

import keras


def gradient(function: Callable[[Any], Any], x: Any) -> Any:
    """d function(x) / d x, itself differentiable (a gradient penalty needs its gradient).

    Args:
        function: maps a tensor (...) to a scalar tensor. It must not assign to variables.
        x: the point, any shape.

    Returns:
        A tensor of x's shape.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(function)(x)
    import tensorflow as tf

    x = tf.convert_to_tensor(x)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        value = function(x)
    return tape.gradient(value, x)
