"""Schedules of weights and learning rates over training steps, as the papers give them.

All are Keras learning-rate schedules (functions of the step that save with the model), whatever
they steer: the learning rate, the weight of the KL term or a sampling probability.
"""

import math

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule as Schedule


@keras.saving.register_keras_serializable("latentgen")
class ExponentialApproach(Schedule):
    """end − (end − start)·rate^step: from `start` towards `end`.

    Sketch-RNN's learning rate is ExponentialApproach(1e-3, 1e-5, 0.9999) and its KL weight
    ExponentialApproach(0.005, 0.5, 0.99995); MusicVAE's β is ExponentialApproach(0, max β, rate).
    """

    def __init__(self, start: float, end: float, rate: float):
        self.start, self.end, self.rate = start, end, rate

    def __call__(self, step):
        progress = ops.power(ops.convert_to_tensor(self.rate, "float32"), ops.cast(step, "float32"))
        return self.end - (self.end - self.start) * progress

    def get_config(self):
        return {"start": self.start, "end": self.end, "rate": self.rate}


@keras.saving.register_keras_serializable("latentgen")
class InverseSigmoid(Schedule):
    """1 − k / (k + exp(step / k)): from nearly 0 to 1, one half after k·log k steps.

    The share of a model's own samples in scheduled sampling (Bengio et al. 2015; MusicVAE, k 1000).
    """

    def __init__(self, k: float):
        self.k = k

    def __call__(self, step):
        return ops.sigmoid(ops.cast(step, "float32") / self.k - math.log(self.k))

    def get_config(self):
        return {"k": self.k}


@keras.saving.register_keras_serializable("latentgen")
class LinearRamp(Schedule):
    """From `start` to `end` in a straight line over `steps` steps, then `end`."""

    def __init__(self, start: float, end: float, steps: int):
        self.start, self.end, self.steps = start, end, steps

    def __call__(self, step):
        share = ops.minimum(ops.cast(step, "float32") / self.steps, 1.0)
        return self.start + (self.end - self.start) * share

    def get_config(self):
        return {"start": self.start, "end": self.end, "steps": self.steps}


@keras.saving.register_keras_serializable("latentgen")
class Cyclical(Schedule):
    """Saw-tooth of `cycles` ramps over `steps` steps, then `end` (Fu et al. 2019, eq. 6).

    Each cycle rises from `start` to `end` in its first `ramp` share and stays there for the rest.
    """

    def __init__(self, start: float, end: float, steps: int, cycles: int = 4, ramp: float = 0.5):
        self.start, self.end, self.steps, self.cycles, self.ramp = start, end, steps, cycles, ramp

    def __call__(self, step):
        step = ops.cast(step, "float32")
        period = self.steps / self.cycles
        position = ops.mod(step, period) / period
        value = self.start + (self.end - self.start) * ops.minimum(position / self.ramp, 1.0)
        return ops.where(step < self.steps, value, self.end)

    def get_config(self):
        return {
            "start": self.start,
            "end": self.end,
            "steps": self.steps,
            "cycles": self.cycles,
            "ramp": self.ramp,
        }


def at_step(schedule, step):
    """Value of a schedule, or of a plain number, at a step."""
    return schedule(step) if callable(schedule) else ops.convert_to_tensor(schedule, "float32")
