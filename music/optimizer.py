"""The optimiser that MusicVAE was trained with."""

import keras
from keras import ops

from latentgen.training.schedules import ExponentialApproach


@keras.saving.register_keras_serializable("latentgen")
class MusicAdam(keras.optimizers.Adam):
    """Adam as MusicVAE trains: lr (1e-3 − 1e-5)·0.9999^step + 1e-5, gradients of at most norm 1.

    A step whose gradients have a norm of 10,000 or more counts as one of zero gradients.
    """

    def __init__(self, learning_rate=None, epsilon: float = 1e-8, **kwargs):
        if learning_rate is None:
            learning_rate = ExponentialApproach(1e-3, 1e-5, 0.9999)
        super().__init__(learning_rate, epsilon=epsilon, **kwargs)

    def apply(self, grads, trainable_variables=None):
        norm = ops.sqrt(sum(ops.sum(ops.square(g)) for g in grads if g is not None))
        factor = ops.where(norm < 1e4, 1.0 / ops.maximum(norm, 1.0), 0.0)
        # Where the norm is not finite, zero times it would not be zero.
        clipped = [
            None if g is None else ops.where(norm < 1e4, g * factor, ops.zeros_like(g))
            for g in grads
        ]
        return super().apply(clipped, trainable_variables)
