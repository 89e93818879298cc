"""What depends on the backend: functions of a layer's weights, compiled once a shape, on each."""

from collections.abc import Callable

import keras

from latentgen.errors import InputError


def compiled(layer: keras.layers.Layer, function: Callable, jit_compile: bool = True) -> Callable:
    """Compiles `function(*tensors)`, which may read (not change) the variables of `layer`.

    Weights changed later, by training or loading, are seen by the compiled function. Arguments are
    arrays or None; a new combination of shapes is compiled anew.

    Args:
        layer: the layer whose variables the function reads.
        function: from tensors to tensors.
        jit_compile: whether TensorFlow uses XLA; JAX always does.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # Control flow is written in keras.ops, so that nothing is left for AutoGraph to rewrite.
        return tf.function(function, autograph=False, jit_compile=jit_compile)
    if keras.backend.backend() == "jax":
        import jax

        @jax.jit
        def pure(values, arguments):
            # Variables enter as arguments: closed over, they would be frozen into the program.
            mapping = list(zip(layer.variables, values, strict=True))
            with keras.StatelessScope(state_mapping=mapping):
                return function(*arguments)

        return lambda *arguments: pure([v.value for v in layer.variables], arguments)
    return function


def require_backend(what: str, backend: str) -> None:
    """An InputError where Keras runs on another backend than `what` needs."""
    if keras.backend.backend() != backend:
        shown = {"tensorflow": "TensorFlow", "jax": "JAX"}[backend]
        raise InputError(
            f"{what} needs the {shown} backend, received {keras.backend.backend()!r}: "
            f"set KERAS_BACKEND={backend} before Python starts"
        )
