"""Conductor and segments: what is trained side by side is what is drawn one by one."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.compilation import compiled
from latentgen.errors import InputError
from latentgen.layers.decoder import Decoder
from latentgen.layers.encoder import BidirectionalEncoder, ForwardEncoder
from latentgen.layers.heads import CategoricalHead
from latentgen.layers.hierarchical_decoder import HierarchicalDecoder
from latentgen.layers.hierarchical_encoder import HierarchicalEncoder, segment_lengths
from latentgen.layers.joint_head import JointHead
from tests.layers.test_decoder import weight_gradients
from tests.tiny import CLASSES, LATENT, UNITS, randomise

SEGMENTS, LENGTH, BATCH = 3, 4, 5
STEPS = SEGMENTS * LENGTH


def make(autoregressive=False, end_class=None, control=0, dropout=0.0, apart=False):
    head = CategoricalHead(UNITS, CLASSES, end_class=end_class, name="head")
    if apart:
        heads = [CategoricalHead(UNITS, n, name=f"part_{n}") for n in (2, 3)]
        head = JointHead(heads, shared=False, name="head")
    core = Decoder(
        head, [UNITS], 6, seed=3, control_size=control, input_dropout=dropout, name="core"
    )
    decoder = HierarchicalDecoder(
        core, [6], LATENT, LENGTH, autoregressive, input_dropout=dropout, seed=4, name="decoder"
    )
    decoder.build()
    return randomise(decoder, scale=0.7)


def inputs(decoder, seed=0, steps=STEPS):
    random = np.random.default_rng(seed)
    z = random.normal(size=(BATCH, LATENT)).astype("float32")
    noise = random.random((BATCH, steps, decoder.head.noise_size), dtype="float32")
    control = None
    if decoder.control_size:
        control = random.normal(size=(BATCH, steps, decoder.control_size)).astype("float32")
    return z, noise, control


@pytest.mark.parametrize("autoregressive", [False, True])
@pytest.mark.parametrize("options", [{}, {"control": 2}, {"apart": True}])
def test_generated_samples_are_draws_of_the_teacher_forced_parameters(autoregressive, options):
    decoder = make(autoregressive, **options)
    z, noise, control = inputs(decoder)
    samples = np.array(decoder.generate(z, noise, control=control))
    assert (samples.sum(-1) == (2 if "apart" in options else 1)).all()
    parameters = decoder.teacher_forced(z, samples, control=control).parameters
    again = np.array(decoder.head.sample(parameters, noise))
    np.testing.assert_array_equal(samples, again)


@pytest.mark.parametrize("autoregressive", [False, True])
def test_an_earlier_segment_reaches_a_later_one_through_one_element_or_the_conductor(
    autoregressive,
):
    decoder = make(autoregressive)
    z, noise, _ = inputs(decoder)
    samples = np.array(decoder.generate(z, noise))
    changed = samples.copy()
    changed[:, 0] = np.roll(samples[:, 0], 1, axis=-1)
    before, after = (
        np.array(decoder.teacher_forced(z, given).parameters) for given in (samples, changed)
    )
    assert (before[:, 1:LENGTH] != after[:, 1:LENGTH]).any()
    assert (before[:, LENGTH:] != after[:, LENGTH:]).any() == autoregressive


def test_each_segment_has_an_end_of_its_own():
    decoder = make(end_class=0)
    random = np.random.default_rng(1)
    z = random.normal(size=(64, LATENT)).astype("float32")
    noise = random.random((64, STEPS, 1), dtype="float32")
    classes = np.array(decoder.generate(z, noise)).argmax(-1).reshape(64, SEGMENTS, LENGTH)
    ended = np.maximum.accumulate(classes == 0, axis=-1)
    assert (classes[ended] == 0).all()
    after_an_end = ended[:, :-1, -1]
    assert (classes[:, 1:][after_an_end] != 0).any()  # the next segment begins again


@pytest.mark.parametrize("autoregressive", [False, True])
def test_gradients_reach_every_weight(autoregressive):
    decoder = make(autoregressive)
    z, noise, _ = inputs(decoder)
    targets = ops.convert_to_numpy(decoder.generate(z, noise))

    def loss():
        unrolled = decoder.teacher_forced(ops.convert_to_tensor(z), targets)
        return ops.mean(decoder.head.loss(unrolled.parameters, targets))

    for variable, slope in zip(
        decoder.trainable_variables, weight_gradients(decoder, loss), strict=True
    ):
        if variable.path.endswith("conductor/cell_0/kernel") and not autoregressive:
            continue  # it reads zeros
        assert np.abs(slope).max() > 0, variable.path


def test_it_compiles_with_xla():
    decoder = make(autoregressive=True, control=2)
    z, noise, control = inputs(decoder)
    plain = np.array(decoder.generate(z, noise, control=control))
    draw = compiled(decoder, lambda z, n, c: decoder.generate(z, n, control=c), jit_compile=True)
    np.testing.assert_array_equal(np.array(draw(z, noise, control)), plain)


def test_dropout_acts_in_training_only():
    """Magenta's conductor keeps its dropout on when it is used (MAGENTA.md, 13)."""
    decoder, plain = make(dropout=0.5), make()
    for ours, theirs in zip(plain.weights, decoder.weights, strict=True):
        ours.assign(np.array(theirs))
    z, noise, _ = inputs(decoder)
    targets = np.array(plain.generate(z, noise))
    np.testing.assert_array_equal(np.array(decoder.generate(z, noise)), targets)
    quiet, again, loud, louder = (
        np.array(d.teacher_forced(ops.convert_to_tensor(z), targets, training).parameters)
        for d, training in ((decoder, False), (plain, False), (decoder, True), (decoder, True))
    )
    np.testing.assert_array_equal(quiet, again)
    assert (loud != quiet).any()
    assert (loud != louder).any()


def test_sequences_are_whole_segments():
    decoder = make()
    z = inputs(decoder)[0]
    with pytest.raises(InputError, match="whole number of segments of 4 steps"):
        decoder.teacher_forced(z, np.zeros((BATCH, STEPS - 1, CLASSES), "float32"))
    with pytest.raises(InputError, match="expected latent_size 7"):
        HierarchicalDecoder(decoder.core, [7], LATENT, LENGTH)


def test_a_decoder_is_saved_and_loaded():
    decoder = make(autoregressive=True, control=2)
    again = HierarchicalDecoder.from_config(decoder.get_config())
    again.build()
    for ours, theirs in zip(again.weights, decoder.weights, strict=True):
        ours.assign(np.array(theirs))
    z, noise, control = inputs(decoder)
    drawn, expected = (np.array(d.generate(z, noise, control=control)) for d in (again, decoder))
    np.testing.assert_array_equal(drawn, expected)


# Encoders


def encoder(kind=BidirectionalEncoder):
    lower = kind([UNITS], CLASSES, name="lower")
    upper = kind([6], lower.output_size, name="upper")
    result = HierarchicalEncoder(lower, upper, LENGTH)
    result.build()
    return randomise(result)


@pytest.mark.parametrize("kind", [BidirectionalEncoder, ForwardEncoder])
def test_segments_are_encoded_then_their_embeddings(kind):
    model = encoder(kind)
    sequence = np.random.default_rng(0).normal(size=(2, STEPS, CLASSES)).astype("float32")
    lengths = np.array([[4, 2, 0], [4, 4, 4]], "int32")
    ours = np.array(model(sequence, lengths))
    for row, given, length in zip(ours, sequence, lengths, strict=True):
        embeddings = []
        for k, n in enumerate(length):
            segment = given[None, k * LENGTH : k * LENGTH + max(n, 1)]
            embedded = np.array(model.lower(segment, np.array([max(n, 1)])))[0]
            embeddings.append(embedded if n else np.zeros_like(embedded))
        expected = model.upper(np.stack(embeddings)[None].astype("float32"), np.array([3]))
        np.testing.assert_allclose(row, np.array(expected)[0], rtol=1e-4, atol=1e-5)


def test_a_forward_encoder_reads_to_the_last_valid_step():
    """Magenta's takes the batch's last step: zeros for any shorter sequence (MAGENTA.md, 14)."""
    model = ForwardEncoder([UNITS, 6], CLASSES, residual=True)
    model.build()
    randomise(model)
    sequence = np.random.default_rng(0).normal(size=(3, 7, CLASSES)).astype("float32")
    together = np.array(model(sequence, np.array([7, 3, 1])))
    for row, n in zip(range(3), (7, 3, 1), strict=True):
        alone = np.array(model(sequence[row : row + 1, :n], np.array([n])))
        np.testing.assert_allclose(together[row], alone[0], rtol=1e-5, atol=1e-6)
        assert np.abs(together[row]).max() > 1e-3


def test_lengths_of_segments():
    found = np.array(segment_lengths(np.array([9, 4, 0]), 3, 4))
    np.testing.assert_array_equal(found, [[4, 4, 1], [4, 0, 0], [0, 0, 0]])
    given = np.array([[1, 2, 3]], "int32")
    np.testing.assert_array_equal(np.array(segment_lengths(given, 3, 4)), given)


def test_levels_that_do_not_fit_are_refused():
    lower = BidirectionalEncoder([UNITS], CLASSES)
    with pytest.raises(InputError, match=f"expected input_size {2 * UNITS}"):
        HierarchicalEncoder(lower, BidirectionalEncoder([6], UNITS), LENGTH)
    with pytest.raises(InputError, match="whole number of segments of 4 steps, received 6"):
        encoder()(np.zeros((1, 6, CLASSES), "float32"), np.array([6]))


def test_a_residual_encoder_is_what_keras_rebuilds():
    model = BidirectionalEncoder([UNITS, UNITS], CLASSES, residual=True, input_dropout=0.2)
    again = BidirectionalEncoder.from_config(model.get_config())
    for layer in (model, again):
        layer.build()
    for ours, theirs in zip(again.weights, model.weights, strict=True):
        ours.assign(np.array(theirs))
    sequence = np.random.default_rng(0).normal(size=(2, 5, CLASSES)).astype("float32")
    length = np.array([5, 2])
    np.testing.assert_array_equal(
        np.array(model(sequence, length)), np.array(again(sequence, length))
    )
    outputs = np.array(model.outputs(sequence, length))
    assert outputs.shape == (2, 5, 2 * UNITS)
    assert keras.ops.shape(model(sequence, length)) == (2, 2 * UNITS)
