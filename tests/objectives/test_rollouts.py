"""Roll-outs: what beginnings are worth, against the mean over all that may follow them."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.layers.decoder import Decoder
from latentgen.layers.heads import CategoricalHead
from latentgen.objectives.rollouts import LaggedCopy, another, rollout_values
from tests.objectives.toy import ALL, STEPS, distribution, toy_model
from tests.tiny import randomise, values


def seeds(seed=0):
    return keras.random.SeedGenerator(seed)


def toy(seed=1):
    return randomise(toy_model(), seed)


def worth():
    """Some value of each sequence of the toy language."""
    return np.random.default_rng(3).normal(size=len(ALL)).astype("float32")


def score(sequence, z):
    """The worth of toy sequences (N, 4, 1)."""
    digits = ops.cast(sequence[..., 0], "int32")
    index = ops.sum(digits * np.array([27, 9, 3, 1], "int32"), axis=1)
    return ops.take(ops.convert_to_tensor(worth()), index)


def expected(model, samples):
    """The mean worth of what follows each beginning, over the listed distribution."""
    shares = distribution(model)
    result = np.zeros(samples.shape[:2])
    for row, sample in enumerate(samples):
        for t in range(STEPS):
            fits = (ALL[:, : t + 1] == sample[: t + 1]).all((1, 2))
            result[row, t] = (shares * worth())[fits].sum() / shares[fits].sum()
    return result


def averaged(model, samples, **options):
    """Values of a few samples, each the mean of 4 roll-outs in 100 places of one batch."""
    batch = ops.convert_to_tensor(np.repeat(samples, 100, axis=0))
    values = rollout_values(model.decoder, score, batch, 4, seeds(), **options)
    return np.asarray(values).reshape(len(samples), 100, STEPS).mean(1)


def test_values_are_means_over_what_follows():
    model, samples = toy(), ALL[[0, 20, 44, 80]]
    got, truth = averaged(model, samples), expected(model, samples)
    np.testing.assert_allclose(got[:, -1], truth[:, -1], atol=1e-5)  # nothing is left to draw
    np.testing.assert_allclose(got, truth, atol=0.2)
    assert np.abs(truth - truth.mean(1, keepdims=True)).max() > 0.5


def test_completions_begin_as_given_and_go_on_in_many_ways():
    decoder, samples = toy().decoder, ops.convert_to_tensor(ALL[[5, 70]])

    def beginning(sequence, z):
        return sequence[:, 0, 0] * 10 + sequence[:, 1, 0]

    def end(sequence, z):
        return sequence[:, -1, 0]

    same = np.asarray(rollout_values(decoder, beginning, samples, 3, seeds()))
    own = np.asarray(beginning(samples, None))
    np.testing.assert_allclose(same[:, 1:], np.repeat(own[:, None], 3, 1))
    ends = np.asarray(rollout_values(decoder, end, samples, 40, seeds()))
    assert (ends[:, :-1] % 1 != 0).all()  # a mean of different ones


def test_one_seed_gives_one_result():
    decoder, samples = toy().decoder, ops.convert_to_tensor(ALL[:9])
    first, again, other = (
        np.asarray(rollout_values(decoder, score, samples, 2, seeds(seed))) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(("every", "groups"), [(2, [0, 0, 1, 1]), (3, [0, 0, 0, 1]), (9, [0] * 4)])
def test_between_completed_beginnings_elements_share_the_value_of_the_next(every, groups):
    model, samples = toy(), ALL[[0, 44]]
    got, truth = averaged(model, samples, every=every), expected(model, samples)
    for t, group in enumerate(groups):
        at = min((group + 1) * every, STEPS) - 1
        np.testing.assert_allclose(got[:, t], truth[:, at], atol=0.2)


def test_nothing_follows_an_end_and_each_example_keeps_its_z():
    keras.utils.set_random_seed(0)
    decoder = Decoder(CategoricalHead(6, 4, end_class=0, name="head"), 6, 2, seed=0)
    decoder.build()
    ids = np.array([[1, 2, 0, 0, 0], [3, 0, 0, 0, 0]])
    samples = ops.convert_to_tensor(np.eye(4, dtype="float32")[ids])
    z = np.array([[1.0, 0.0], [7.0, 0.0]], "float32")

    def length_and_z(sequence, z):
        return 100.0 * z[:, 0] + ops.sum(1.0 - sequence[..., 0], axis=1)

    got = np.asarray(rollout_values(decoder, length_and_z, samples, 5, seeds(), z))
    np.testing.assert_allclose(got[0, 2:], 102.0)
    np.testing.assert_allclose(got[1, 1:], 701.0)
    assert 101 <= got[0, 0] <= 105
    assert (np.floor(got[1] / 100) == 7).all()


def test_a_lagged_copy_follows_and_is_not_trained():
    decoder = toy().decoder
    copy = LaggedCopy(decoder, 0.75)
    assert not copy.trainable_variables
    old = values(copy.decoder)
    for own, new in zip(old, values(decoder), strict=True):
        np.testing.assert_array_equal(own, new)
    randomise(decoder, 5)
    copy.follow(decoder)
    for own, now, new in zip(old, values(copy.decoder), values(decoder), strict=True):
        np.testing.assert_allclose(now, 0.75 * own + 0.25 * new, atol=1e-6)


def test_another_decoder_has_weights_of_its_own():
    decoder = toy().decoder
    made = another(decoder)
    assert made.get_config() == decoder.get_config()
    assert [v.shape for v in values(made)] == [v.shape for v in values(decoder)]
    before = values(decoder)
    randomise(made, 7)
    for old, new in zip(before, values(decoder), strict=True):
        np.testing.assert_array_equal(old, new)
