"""Attention: against its equations, what is masked, and every way in which decoders run."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import special

from latentgen.compilation import compiled
from latentgen.layers.attention import AttentionDecoder, Source
from latentgen.layers.tokens import TokenHead
from latentgen.training.gradients import gradient
from tests.layers.test_decoder import weight_gradients
from tests.tiny import BATCH, STEPS, UNITS, randomise

V, E, C, S = 7, 5, 6, 4
LENGTHS = np.array([4, 2, 1], "int32")


def make(units=UNITS, **options):
    width = units if isinstance(units, int) else units[-1]
    head = TokenHead(width, V, E, name="head")
    decoder = AttentionDecoder(head, units, C, seed=2, name="decoder", **options)
    decoder.build()
    return randomise(decoder)


def source(batch=BATCH, steps=S, seed=0):
    random = np.random.default_rng(seed)
    encodings = random.normal(size=(batch, steps, C)).astype("float32")
    embedding = random.normal(size=(batch, C)).astype("float32")
    return Source(embedding, encodings, np.resize(LENGTHS, batch))


def tokens(batch=BATCH, steps=STEPS, seed=0):
    return np.random.default_rng(seed).integers(2, V, (batch, steps, 1)).astype("float32")


def noise(batch=BATCH, steps=STEPS, seed=4):
    return np.random.default_rng(seed).random((batch, steps, 1), dtype="float32")


def never_ending(decoder):
    bias = np.array(decoder.head.bias)
    bias[decoder.head.end_id] = -1e3
    decoder.head.bias.assign(bias)
    return decoder


def lstm(cell, x, h, c):
    """The cell's equations once more; gates i, j, f, o."""
    kernel, recurrent, bias = (np.array(w) for w in (cell.kernel, cell.recurrent_kernel, cell.bias))
    i, j, f, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    c = c * special.expit(f + 1.0) + special.expit(i) * np.tanh(j)
    return np.tanh(c) * special.expit(o), c


@pytest.mark.parametrize("units", [UNITS, [UNITS, 3]], ids=["one layer", "two layers"])
def test_teacher_forcing_is_luongs_equations(units):
    """Sentence by sentence, without padding: h, weights, mean, and what is fed back."""
    decoder, z, targets = make(units), source(), tokens()
    unrolled = decoder.teacher_forced(z, targets)
    features = np.array(unrolled.features)
    cells = decoder.cell.stack.cells
    keys, output = (
        np.array(layer.kernel) for layer in (decoder.cell.key_layer, decoder.cell.output_layer)
    )
    start = decoder.initial_state_layer
    table = np.array(decoder.head.table)
    for row in range(BATCH):
        encodings = z.encodings[row, : LENGTHS[row]]
        packed = np.tanh(z.embedding[row] @ np.array(start.kernel) + np.array(start.bias))
        states = np.split(packed, np.cumsum(decoder.cell.stack.state_size)[:-1])
        before, token = np.zeros(features.shape[-1]), decoder.head.start_id
        for t in range(STEPS):
            h = np.concatenate([table[token], before])
            for k, cell in enumerate(cells):
                h, c = lstm(cell, h, *states[2 * k : 2 * k + 2])
                states[2 * k : 2 * k + 2] = h, c
            weights = special.softmax(encodings @ keys @ h)
            before = np.tanh(np.concatenate([weights @ encodings, h]) @ output)
            np.testing.assert_allclose(features[row, t], before, rtol=1e-4, atol=1e-5)
            token = int(targets[row, t, 0])


def test_padding_gets_no_weight():
    cell, z = make().cell, source()
    keys, encodings, mask = cell.project_source(z.encodings, z.length)
    h = np.random.default_rng(1).normal(size=(BATCH, UNITS)).astype("float32")
    found, weights = (np.array(part) for part in cell.attend(h, keys, encodings, mask))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-6)
    is_source = np.arange(S) < LENGTHS[:, None]
    assert (weights[~is_source] == 0.0).all()
    assert (weights[is_source] > 0.0).all()
    np.testing.assert_allclose(found[2], z.encodings[2, 0], rtol=1e-6)  # of one there is no choice


def test_padding_changes_nothing_and_gets_no_gradient():
    decoder, z, targets = make(), source(), tokens()
    before = np.array(decoder.teacher_forced(z, targets).parameters)
    padding = np.arange(S) >= LENGTHS[:, None]
    z.encodings[padding] = 1e4
    after = np.array(decoder.teacher_forced(z, targets).parameters)
    np.testing.assert_array_equal(before, after)

    def total(encodings):
        unrolled = decoder.teacher_forced(z._replace(encodings=encodings), targets)
        return ops.sum(decoder.head.log_prob(unrolled.parameters, targets))

    slope = np.array(gradient(total, ops.convert_to_tensor(source().encodings)))
    assert (slope[padding] == 0.0).all()
    assert (np.abs(slope[~padding]).max(axis=-1) > 0.0).all()


def test_gradients_reach_every_weight():
    decoder, z, targets = make([UNITS, 3]), source(), tokens()

    def total():
        unrolled = decoder.teacher_forced(z, targets)
        return ops.sum(decoder.head.log_prob(unrolled.parameters, targets))

    slopes = weight_gradients(decoder, total)
    for variable, slope in zip(decoder.trainable_variables, slopes, strict=True):
        assert np.isfinite(slope).all(), variable.path
        assert np.abs(slope).max() > 0, variable.path


def test_an_example_is_independent_of_its_batch():
    decoder, z, targets = make(), source(), tokens()
    together = np.array(decoder.teacher_forced(z, targets).parameters)
    for row in range(BATCH):
        alone = Source(*(part[row : row + 1] for part in z))
        alone = alone._replace(encodings=alone.encodings[:, : LENGTHS[row]])  # nor of its padding
        parameters = decoder.teacher_forced(alone, targets[row : row + 1]).parameters
        np.testing.assert_allclose(np.array(parameters)[0], together[row], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_draws_are_those_of_the_teacher_forced_parameters(temperature):
    decoder, z = never_ending(make()), source()
    samples = np.array(decoder.generate(z, noise(), temperature))
    parameters = decoder.teacher_forced(z, samples).parameters
    again = np.array(decoder.head.sample(parameters, noise(), temperature))
    np.testing.assert_array_equal(samples, again)
    other = np.array(decoder.generate(source(seed=1), noise(), temperature))
    assert (samples != other).any()  # the source is read


def test_greedy_top_k_and_a_prefix():
    decoder, z = never_ending(make()), source()
    greedy = np.array(decoder.generate(z, noise(), greedy=True))
    modes = np.array(decoder.teacher_forced(z, greedy).samples)
    np.testing.assert_array_equal(greedy, modes)
    np.testing.assert_array_equal(np.array(decoder.generate(z, noise(), top_k=1)), greedy)
    given, is_given = tokens(seed=9), np.arange(STEPS) < np.array([2, 1, 0])[:, None]
    drawn = np.array(decoder.generate(z, noise(), greedy=True, given=given, is_given=is_given))
    np.testing.assert_array_equal(drawn[is_given], given[is_given])
    np.testing.assert_array_equal(drawn[2], greedy[2])


def test_xla_draws_the_same():
    decoder, z = never_ending(make()), source()
    plain, xla = (
        np.array(compiled(decoder, decoder.generate, jit_compile=jit)(z, noise()))
        for jit in (False, True)
    )
    np.testing.assert_array_equal(plain, xla)


def test_free_running_and_scheduled_sampling():
    decoder, z = never_ending(make()), source()
    unrolled = decoder.free_running(z, noise())
    np.testing.assert_array_equal(
        np.array(unrolled.samples), np.array(decoder.generate(z, noise()))
    )
    targets = tokens()
    forced = np.array(decoder.teacher_forced(z, targets).parameters)
    truth = np.array(decoder.scheduled(z, targets, 0.0).parameters)
    np.testing.assert_allclose(truth, forced, rtol=1e-4, atol=1e-5)
    own = np.array(decoder.scheduled(z, targets, 1.0).parameters)
    assert (np.abs(own - forced).max(axis=(1, 2)) > 1e-3).any()


def test_dropout_in_training_only():
    decoder, z, targets = make(dropout=0.5), source(), tokens()
    quiet, again = (np.array(decoder.teacher_forced(z, targets).features) for _ in range(2))
    np.testing.assert_array_equal(quiet, again)
    loud, other = (
        np.array(decoder.teacher_forced(z, targets, training=True).features) for _ in range(2)
    )
    assert (loud != other).any()
    assert abs((loud == 0).mean() - 0.5) < 0.15  # of the features themselves


def test_a_control_is_read_at_its_own_step():
    decoder, z, targets = make(control_size=2), source(), tokens()
    control = np.random.default_rng(0).normal(size=(BATCH, STEPS, 2)).astype("float32")
    before = np.array(decoder.teacher_forced(z, targets, control=control).parameters)
    control[:, 3] += 1.0
    after = np.array(decoder.teacher_forced(z, targets, control=control).parameters)
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert (np.abs(before[:, 3] - after[:, 3]) > 1e-4).any()


def test_config_rebuilds_the_decoder():
    first = make([UNITS, 3], dropout=0.25)
    config = keras.saving.serialize_keras_object(first)
    other = keras.saving.deserialize_keras_object(config)  # and builds it
    assert [v.shape for v in other.weights] == [v.shape for v in first.weights]
    for variable, value in zip(other.weights, first.weights, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(
        np.array(first.teacher_forced(source(), tokens()).parameters),
        np.array(other.teacher_forced(source(), tokens()).parameters),
    )
