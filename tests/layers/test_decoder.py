"""The flat decoder: teacher-forced and free-running unrolls, generation in one loop."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.errors import InputError
from latentgen.layers.bernoulli import BernoulliHead
from latentgen.layers.decoder import Decoder
from latentgen.layers.groove_head import GrooveHead
from latentgen.layers.heads import CategoricalHead
from latentgen.layers.joint_head import JointHead
from latentgen.layers.mixture_density import MixtureDensityHead
from latentgen.layers.nade import NadeHead
from latentgen.layers.tokens import TokenHead
from latentgen.training.gradients import gradient
from tests.tiny import BATCH, LATENT, STEPS, UNITS, decoder, mixture_head, randomise, strokes

SETTINGS = {
    "lstm": {},
    "layer_norm": {"cell": "layer_norm"},
    "hyper": {"cell": "hyper"},
    "two layers": {"units": [UNITS, 6]},
    "unconditional": {"latent_size": 0},
}


def make(head=None, **options):
    units = options.get("units", UNITS)
    head = head or mixture_head(units if isinstance(units, int) else units[-1])
    return randomise(decoder(head, **options))


@pytest.fixture(scope="module", params=list(SETTINGS))
def any_decoder(request):
    return make(**SETTINGS[request.param])


def z_of(decoder, batch=BATCH):
    if not decoder.latent_size:
        return None
    return np.random.default_rng(3).normal(size=(batch, LATENT)).astype("float32")


def noise_of(decoder, batch=BATCH, steps=STEPS, seed=4):
    shape = (batch, steps, decoder.head.noise_size)
    return np.random.default_rng(seed).random(shape, dtype="float32")


def never_ending(decoder):
    """The same decoder with a head that never lifts the pen for good."""
    bias = decoder.head.projection.bias
    value = np.array(bias)
    value[2] = -1e3
    bias.assign(value)
    return decoder


def test_shapes_of_an_unroll(any_decoder):
    batch = strokes()
    unrolled = any_decoder.teacher_forced(z_of(any_decoder), batch["sequence"])
    features = any_decoder.units[-1]
    assert unrolled.samples.shape == (BATCH, STEPS, 5)
    assert unrolled.parameters.shape == (BATCH, STEPS, any_decoder.head.parameter_size)
    assert unrolled.features.shape == (BATCH, STEPS, features)


def test_teacher_forcing_steps_the_cell_over_the_shifted_truth(any_decoder):
    """Step t reads target t − 1 beside z, from a state of tanh(W z + b)."""
    z, targets = z_of(any_decoder), strokes()["sequence"]
    unrolled = any_decoder.teacher_forced(z, targets)
    if z is None:
        states = [np.zeros((BATCH, n), "float32") for n in any_decoder.cell.state_size]
    else:
        dense = any_decoder.initial_state_layer
        packed = np.tanh(z @ np.array(dense.kernel) + np.array(dense.bias))
        states = np.split(packed, np.cumsum(any_decoder.cell.state_size)[:-1], axis=1)
        states = [*states, *any_decoder.cell.project_context(ops.convert_to_tensor(z))]
    x = np.array([[0, 0, 1, 0, 0]] * BATCH, "float32")
    for t in range(3):
        h, states = any_decoder.cell(ops.convert_to_tensor(x), states)
        np.testing.assert_allclose(
            np.array(unrolled.features)[:, t], np.array(h), rtol=1e-4, atol=1e-5
        )
        parameters = any_decoder.head(h)
        np.testing.assert_allclose(
            np.array(unrolled.parameters)[:, t], np.array(parameters), rtol=1e-4, atol=1e-4
        )
        x = targets[:, t]


def test_no_step_sees_its_own_target_or_later_ones():
    decoder, batch = make(), strokes()
    before = np.array(decoder.teacher_forced(z_of(decoder), batch["sequence"]).parameters)
    batch["sequence"][:, 3:] = 7.0
    after = np.array(decoder.teacher_forced(z_of(decoder), batch["sequence"]).parameters)
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert (before[:, 4:] != after[:, 4:]).any()


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_generated_samples_are_draws_of_the_teacher_forced_parameters(any_decoder, temperature):
    """Feeding the samples back as the truth gives the parameters that they were drawn with."""
    decoder, z = never_ending(any_decoder), z_of(any_decoder)
    noise = noise_of(decoder)
    samples = np.array(decoder.generate(z, noise, temperature))
    parameters = decoder.teacher_forced(z, samples).parameters
    again = np.array(decoder.head.sample(parameters, noise, temperature))
    np.testing.assert_array_equal(samples[..., 2:], again[..., 2:])
    np.testing.assert_allclose(samples, again, rtol=1e-3, atol=1e-3)
    assert len(np.unique(samples[..., 0])) == BATCH * STEPS  # no two steps alike


def test_greedy_takes_each_steps_mode(any_decoder):
    decoder, z = never_ending(any_decoder), z_of(any_decoder)
    noise = noise_of(decoder)
    samples = np.array(decoder.generate(z, noise, greedy=True))
    modes = np.array(decoder.teacher_forced(z, samples).samples)
    np.testing.assert_allclose(samples, modes, rtol=1e-3, atol=1e-4)
    other = np.array(decoder.generate(z, 1.0 - noise, greedy=True))
    np.testing.assert_array_equal(samples, other)  # noise has no part in it


HEADS = {
    "mixture": lambda: mixture_head(),
    "categorical": lambda: CategoricalHead(UNITS, 5, name="head"),
    "tokens": lambda: TokenHead(UNITS, 5, 4, name="head"),
    "boolean": lambda: BernoulliHead(UNITS, 3, name="head"),
    "nade": lambda: NadeHead(UNITS, 3, 4, name="head"),
    "groove": lambda: GrooveHead(UNITS, 2, name="head"),
    "joint": lambda: JointHead([CategoricalHead(UNITS, n) for n in (3, 4)], name="head"),
}


@pytest.mark.parametrize("kind", HEADS)
def test_each_sequence_has_its_own_temperature_and_may_be_greedy(kind):
    decoder = make(HEADS[kind]())
    z, noise = z_of(decoder), noise_of(decoder)
    temperature, greedy = np.array([[0.5], [1.0], [2.0]], "float32"), np.array([False, True, False])
    drawn = np.array(decoder.generate(z, noise, temperature, ops.convert_to_tensor(greedy)))
    for row, (own, is_greedy) in enumerate(zip(temperature[:, 0], greedy, strict=True)):
        alone = np.array(decoder.generate(z, noise, own, bool(is_greedy)))
        np.testing.assert_allclose(drawn[row], alone[row], rtol=1e-5, atol=1e-5)


class CountingHead(MixtureDensityHead):
    """Counts how often it is asked for a sample, when nothing is compiled."""

    calls = 0

    def sample(self, parameters, noise, temperature=1.0):
        type(self).calls += 1
        return super().sample(parameters, noise, temperature)


def test_only_end_elements_follow_an_end():
    decoder = make()
    samples = np.array(decoder.generate(z_of(decoder, 64), noise_of(decoder, 64, 12)))
    lengths = [np.flatnonzero(row)[0] if row.any() else 12 for row in samples[..., 4]]
    assert len(set(lengths)) > 3  # ends at different steps
    for row, length in zip(samples, lengths, strict=True):
        assert (row[length:] == [0, 0, 0, 0, 1]).all()


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="counts the steps of an uncompiled loop"
)
def test_the_loop_ends_with_the_last_sequence():
    decoder = make(CountingHead(UNITS, 3, name="head"))
    CountingHead.calls = 0
    samples = np.array(decoder.generate(z_of(decoder), noise_of(decoder, steps=200)))
    last = max(np.flatnonzero(row)[0] for row in samples[..., 4])
    assert last < 199
    assert CountingHead.calls == last + 1


def test_a_prefix_is_kept_and_continued():
    decoder = never_ending(make())
    z, noise = z_of(decoder), noise_of(decoder)
    drawn = np.array(decoder.generate(z, noise))
    given, lengths = strokes()["sequence"], np.array([3, 1, 0], "int32")
    is_given = np.arange(STEPS) < lengths[:, None]
    continued = np.array(decoder.generate(z, noise, given=given, is_given=is_given))
    for row, start, length in zip(continued, given, lengths, strict=True):
        np.testing.assert_array_equal(row[:length], start[:length])
    np.testing.assert_array_equal(continued[2], drawn[2])  # an empty beginning changes nothing
    assert (continued[0, 3:] != drawn[0, 3:]).any()  # the beginning is read, not only copied
    # Its own beginning leads to the same sequence.
    same = np.array(decoder.generate(z, noise, given=drawn, is_given=is_given))
    np.testing.assert_allclose(same, drawn, rtol=1e-4, atol=1e-5)


def test_categorical_sequences_end_as_well():
    head = CategoricalHead(UNITS, 5, end_class=2, name="head")
    decoder = make(head)
    samples = np.array(decoder.generate(z_of(decoder, 32), noise_of(decoder, 32, 12)))
    assert (samples.sum(-1) == 1).all()
    classes = samples.argmax(-1)
    ended = np.maximum.accumulate(classes == 2, axis=1)
    assert ended[:, -1].any()
    assert (classes[ended] == 2).all()


def test_free_running_has_samples_and_gradients_into_every_weight(any_decoder):
    decoder, z = never_ending(any_decoder), z_of(any_decoder)
    noise = noise_of(decoder)
    unrolled = decoder.free_running(z, noise, 0.7)
    np.testing.assert_array_equal(
        np.array(unrolled.samples), np.array(decoder.generate(z, noise, 0.7))
    )
    assert unrolled.features.shape == (BATCH, STEPS, decoder.units[-1])
    slopes = weight_gradients(
        decoder, lambda: ops.sum(ops.square(decoder.free_running(z, noise, 0.7).parameters))
    )
    for variable, slope in zip(decoder.trainable_variables, slopes, strict=True):
        assert np.isfinite(slope).all(), variable.path
        assert np.abs(slope).max() > 0, variable.path


def weight_gradients(layer, function):
    """Gradients of function() with respect to the layer's weights, on either backend."""
    variables = layer.trainable_variables
    if keras.backend.backend() == "jax":
        import jax

        def of(values):
            mapping = list(zip(variables, values, strict=True))
            with keras.StatelessScope(state_mapping=mapping):
                return function()

        slopes = jax.jit(jax.grad(of))([v.value for v in variables])
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = function()
        slopes = tape.gradient(value, [v.value for v in variables])
    return [np.array(ops.convert_to_tensor(s)) for s in slopes]


def test_gradients_reach_z():
    decoder, targets = make(), strokes()["sequence"]

    def total(z):
        return ops.sum(
            decoder.head.log_prob(decoder.teacher_forced(z, targets).parameters, targets)
        )

    slope = np.array(gradient(total, ops.convert_to_tensor(z_of(decoder))))
    assert np.isfinite(slope).all()
    assert (np.abs(slope).max(axis=1) > 0).all()


def test_dropout_in_training_only():
    decoder, targets = make(recurrent_dropout=0.5), strokes()["sequence"]
    z = z_of(decoder)
    quiet, again = (np.array(decoder.teacher_forced(z, targets).features) for _ in range(2))
    np.testing.assert_array_equal(quiet, again)
    first, second = (
        np.array(decoder.teacher_forced(z, targets, training=True).features) for _ in range(2)
    )
    assert (first != quiet).any()
    assert (first != second).any()


def test_an_unknown_cell_is_refused():
    with pytest.raises(InputError, match=r"cell: expected one of .*, received 'gru'"):
        Decoder(mixture_head(), UNITS, LATENT, "gru")


@pytest.mark.parametrize("name", ["two layers", "layer_norm"])
def test_config_rebuilds_the_decoder(name):
    first = make(**SETTINGS[name], recurrent_dropout=0.25)
    other = Decoder.from_config(first.get_config())
    other.build()
    assert [v.shape for v in other.weights] == [v.shape for v in first.weights]
    assert other.cell.recurrent_dropout == 0.25


def test_a_control_is_read_at_its_own_step():
    decoder = make(CategoricalHead(UNITS, 5, name="head"), control_size=2)
    random = np.random.default_rng(0)
    control = random.normal(size=(BATCH, STEPS, 2)).astype("float32")
    z, noise = z_of(decoder), noise_of(decoder)
    samples = np.array(decoder.generate(z, noise, control=control))
    parameters = np.array(decoder.teacher_forced(z, samples, control=control).parameters)
    np.testing.assert_array_equal(np.array(decoder.head.sample(parameters, noise)), samples)
    other = control.copy()
    other[:, 3] += 1.0
    changed = np.array(decoder.teacher_forced(z, samples, control=other).parameters)
    np.testing.assert_array_equal(changed[:, :3], parameters[:, :3])
    assert (np.abs(changed[:, 3] - parameters[:, 3]) > 1e-4).any()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_scheduled_sampling_reads_its_own_samples_by_that_share(share):
    decoder = make(CategoricalHead(UNITS, 50, name="head"))
    targets = np.zeros((200, STEPS, 50), "float32")
    targets[..., 7] = 1.0  # a sample equals the truth once in fifty steps
    z = z_of(decoder, 200)
    forced = np.array(decoder.teacher_forced(z, targets).parameters)
    mixed = np.array(decoder.scheduled(z, targets, share).parameters)
    np.testing.assert_allclose(mixed[:, 0], forced[:, 0], atol=1e-5)
    same = (np.abs(mixed[:, 1] - forced[:, 1]) < 1e-5).all(axis=-1).mean()
    assert abs(same - (1 - share)) < 0.12


def test_a_residual_decoder_draws_what_it_is_trained_to():
    head = CategoricalHead(UNITS, 5, name="head")
    decoder = make(head, units=[UNITS, UNITS], residual=True, input_dropout=0.3)
    z, noise = z_of(decoder), noise_of(decoder)
    samples = np.array(decoder.generate(z, noise))
    parameters = decoder.teacher_forced(z, samples).parameters
    np.testing.assert_array_equal(np.array(decoder.head.sample(parameters, noise)), samples)
    loud = decoder.teacher_forced(z, samples, training=True).parameters
    assert (np.array(loud) != np.array(parameters)).any()
