"""Schedules have the values of their papers, on tensors and in files."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.training.schedules import Cyclical, ExponentialApproach, LinearRamp, at_step


def at(schedule, *steps):
    return [float(schedule(ops.convert_to_tensor(step, dtype="int32"))) for step in steps]


def test_learning_rate_of_sketch_rnn():
    steps = np.array([0, 1, 10, 1000, 100000])
    expected = (1e-3 - 1e-5) * 0.9999**steps + 1e-5
    np.testing.assert_allclose(
        at(ExponentialApproach(1e-3, 1e-5, 0.9999), *steps), expected, rtol=1e-3
    )


def test_kl_weight_of_sketch_rnn():
    """w_KL·η with η = 1 − (1 − η_min)·R^step, as Magenta writes it: 0.5 − (0.5 − 0.01)·R^step."""
    steps = np.array([0, 1, 1000, 100000])
    expected = 0.5 - (0.5 - 0.01) * 0.99995**steps
    np.testing.assert_allclose(
        at(ExponentialApproach(0.01, 0.5, 0.99995), *steps), expected, rtol=1e-3
    )


def test_beta_of_musicvae():
    np.testing.assert_allclose(
        at(ExponentialApproach(0.0, 0.2, 0.99999), 0, 5), [0.0, 0.2 * (1 - 0.99999**5)], rtol=1e-2
    )
    assert at(ExponentialApproach(0.0, 0.2, 0.0), 0, 1, 7) == pytest.approx([0.0, 0.2, 0.2])


def test_linear_ramp():
    assert at(LinearRamp(1.0, 3.0, 10), 0, 5, 10, 1000) == pytest.approx([1.0, 2.0, 3.0, 3.0])


def test_cyclical_ramps_rise_hold_and_start_again():
    """Fu et al. 2019, figure 1: four cycles, half of each rising."""
    schedule = Cyclical(0.0, 1.0, steps=80, cycles=4, ramp=0.5)
    assert at(schedule, 0, 5, 10, 15, 19) == pytest.approx([0.0, 0.5, 1.0, 1.0, 1.0])
    assert at(schedule, 20, 25, 39, 65) == pytest.approx([0.0, 0.5, 1.0, 0.5])
    assert at(schedule, 80, 85, 10**6) == pytest.approx([1.0, 1.0, 1.0])  # after the last cycle


def test_at_step_takes_numbers_too():
    assert float(at_step(0.25, 7)) == 0.25
    assert float(at_step(LinearRamp(0.0, 1.0, 10), 5)) == 0.5


@pytest.mark.parametrize(
    "schedule",
    [ExponentialApproach(0.1, 1.0, 0.9), LinearRamp(0.1, 1.0, 7), Cyclical(0.1, 1.0, 8, 2, 0.25)],
)
def test_schedules_are_saved_with_the_optimizer(schedule):
    optimizer = keras.optimizers.Adam(schedule)
    other = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert at(restored, 0, 3, 9) == at(schedule, 0, 3, 9)
    assert float(other.learning_rate) == pytest.approx(float(optimizer.learning_rate))
