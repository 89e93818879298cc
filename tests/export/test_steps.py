"""The loop in pieces gives what the decoder's own loop gives."""

import numpy as np
import pytest
from keras import ops

from latentgen.constraints.attributes import Attribute
from latentgen.errors import InputError
from latentgen.export import moving, steps
from latentgen.layers.heads import CategoricalHead
from latentgen.layers.hierarchical_decoder import HierarchicalDecoder
from latentgen.layers.tokens import TokenHead
from latentgen.sequence_model import SequenceModel
from tests.tiny import BATCH, CLASSES, LATENT, STEPS, UNITS, decoder, mixture_head, randomise

HEADS = {
    "strokes": mixture_head,
    "symbols": lambda: CategoricalHead(UNITS, CLASSES, end_class=0, name="head"),
    "tokens": lambda: TokenHead(UNITS, 7, 4, name="head"),
}


def inputs(head, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    z = generator.normal(size=(BATCH, LATENT)).astype("float32")
    return z, generator.random((BATCH, STEPS, head.noise_size), dtype="float32")


def by_steps(decoder, z, noise, temperature) -> np.ndarray:
    """The loop as a client writes it."""
    element, state, context = steps.start(decoder, z)
    elements, done = [], np.zeros(len(z), bool)
    for t in range(noise.shape[1]):
        element, state, ended = steps.step(
            decoder, element, state, context, noise[:, t], temperature
        )
        elements.append(np.where(done[:, None], decoder.head.end(len(z)), element))
        done |= ops.convert_to_numpy(ended)
    return np.stack(elements, axis=1)


@pytest.mark.parametrize("cell", ["lstm", "layer_norm", "hyper"])
def test_every_cell_is_carried_from_step_to_step(cell):
    flat = randomise(decoder(units=[UNITS, UNITS], cell=cell))
    z, noise = inputs(flat.head)
    expected = flat.generate(z, noise, 0.7)
    np.testing.assert_allclose(
        by_steps(flat, z, noise, np.full(BATCH, 0.7, "float32")), expected, atol=1e-5
    )


@pytest.mark.parametrize("head", HEADS)
def test_a_row_has_its_own_temperature_and_none_is_the_mode(head):
    flat = randomise(decoder(HEADS[head](), cell="layer_norm"))
    z, noise = inputs(flat.head)
    temperature = np.array([0.0, 0.4, 1.5], "float32")
    expected = np.concatenate(
        [
            flat.generate(z[:1], noise[:1], 1.0, greedy=True),
            flat.generate(z[1:2], noise[1:2], 0.4),
            flat.generate(z[2:], noise[2:], 1.5),
        ]
    )
    np.testing.assert_allclose(by_steps(flat, z, noise, temperature), expected, atol=1e-5)
    np.testing.assert_allclose(steps.loop(flat, z, noise, temperature), expected, atol=1e-5)


def test_some_sequences_end_before_others():
    flat = randomise(decoder(HEADS["symbols"]()), seed=3)
    z, noise = inputs(flat.head, seed=1)
    drawn = np.asarray(steps.loop(flat, z, noise, np.ones(BATCH, "float32")))
    ends = drawn[:, :, 0].argmax(axis=1)
    assert len(set(ends)) > 1  # else this shows nothing
    for row, end in zip(drawn, ends, strict=True):
        assert (row[end:, 0] == 1).all() or not row[:, 0].any()


def test_conditions_are_those_of_the_constraints():
    attributes = [
        Attribute("round", "binary", (False, True)),
        Attribute("kind", "categorical", ("cat", "dog", "pig")),
        Attribute("size", "continuous", mean=2.0, scale=4.0),
    ]
    asked = {"round": [True, None, False], "kind": ["pig", "cat", None], "size": [2.0, None, 8.0]}
    targets = np.array([[1, 2, 2.0], [np.nan, 0, np.nan], [0, np.nan, 8.0]], "float32")
    expected = [a.condition(a.encode(asked[a.name])) for a in attributes]
    np.testing.assert_allclose(
        moving.condition(attributes, targets), np.concatenate(expected, axis=1), atol=1e-6
    )


def test_other_decoders_are_refused():
    core = decoder(latent_size=UNITS)
    segments = HierarchicalDecoder(core, [UNITS], LATENT, 3, name="decoder")
    with pytest.raises(InputError, match=r"flat decoder .* HierarchicalDecoder; export"):
        steps.flat_decoder(SequenceModel(segments, STEPS))
    with pytest.raises(InputError, match="received Decoder with no z"):
        steps.flat_decoder(SequenceModel(decoder(latent_size=0), STEPS))
    with pytest.raises(InputError, match="received Decoder with a control"):
        steps.flat_decoder(SequenceModel(decoder(control_size=2), STEPS))
    with pytest.raises(InputError, match="received str"):
        steps.flat_decoder("quickdraw")
