"""What it costs to move one vector to where another is: all pairs of two sets, (B, n, m).

Each takes x (B, n, E) and y (B, m, E), and has a finite gradient everywhere, at equal and at zero
vectors too.
"""

from keras import ops

SMALL = 1e-12  # a squared length below which a vector counts as none


def cosine_cost(x, y):
    """1 − cos(x_i, y_j), from 0 to 2; 1 where either is zero."""
    return 1.0 - ops.matmul(_unit(x), ops.swapaxes(_unit(y), 1, 2))


def euclidean_cost(x, y):
    """‖x_i − y_j‖."""
    return ops.sqrt(ops.maximum(squared_euclidean_cost(x, y), SMALL))


def squared_euclidean_cost(x, y):
    """‖x_i − y_j‖².

    Of the differences themselves (B, n, m, E): ‖x‖² + ‖y‖² − 2x·y needs less memory, but makes
    noise of the distances of near vectors.
    """
    return ops.sum(ops.square(x[:, :, None] - y[:, None]), axis=-1)


def _unit(x):
    squared = ops.sum(ops.square(x), axis=-1, keepdims=True)
    return x * ops.rsqrt(ops.maximum(squared, SMALL))
