"""The encoder: padding never reaches the embedding, both directions, stacking."""

import numpy as np
import pytest

from latentgen.layers.cells import CELLS
from latentgen.layers.encoder import BidirectionalEncoder, last_valid, reverse_valid
from tests.layers.test_cells import lstm
from tests.tiny import UNITS, randomise, strokes

LENGTHS = (5, 3, 1)


def make(units=UNITS, cell="lstm", **options):
    encoder = BidirectionalEncoder(units, 5, cell, seed=1, **options)
    encoder.build()
    return randomise(encoder)


def test_reverse_valid_turns_the_content_and_leaves_the_padding():
    sequence = np.arange(12, dtype="float32").reshape(2, 6, 1)
    turned = np.array(reverse_valid(sequence, np.array([4, 1])))[..., 0]
    np.testing.assert_array_equal(turned[0], [3, 2, 1, 0, 4, 5])
    np.testing.assert_array_equal(turned[1], [6, 7, 8, 9, 10, 11])


def test_last_valid():
    sequence = np.arange(12, dtype="float32").reshape(2, 6, 1)
    np.testing.assert_array_equal(np.array(last_valid(sequence, np.array([4, 1]))), [[3], [6]])


def test_embedding_is_both_directions_over_the_content():
    encoder, batch = make(), strokes(LENGTHS)
    ours = np.array(encoder(batch["sequence"], batch["length"]))
    for row, sequence, length in zip(ours, batch["sequence"], LENGTHS, strict=True):
        ends = []
        for rnn, steps in (
            (encoder.forward[0], sequence[:length]),
            (encoder.backward[0], sequence[:length][::-1]),
        ):
            h, states = None, [np.zeros((1, UNITS))] * 2
            for x in steps:
                h, states = lstm(rnn.cell.cells[0], x[None], states, 1.0)
            ends.append(h[0])
        np.testing.assert_allclose(row, np.concatenate(ends), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("cell", list(CELLS))
def test_padding_never_changes_the_embedding(cell):
    """Longer padding, other padding, and other neighbours in the batch: the same embedding."""
    encoder = make([UNITS, 6] if cell == "lstm" else UNITS, cell)
    batch, longer = strokes(LENGTHS), strokes(LENGTHS, steps=9)
    expected = np.array(encoder(batch["sequence"], batch["length"]))
    assert expected.shape == (3, encoder.output_size)
    padding = np.arange(9)[None, :] >= batch["length"][:, None]
    longer["sequence"][padding] = 1e3
    received = np.array(encoder(longer["sequence"], longer["length"]))
    np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-6)
    alone = np.array(encoder(batch["sequence"][2:, :1], batch["length"][2:]))
    np.testing.assert_allclose(alone[0], expected[2], rtol=1e-5, atol=1e-6)


def test_a_stacked_layer_reads_both_directions_of_the_one_below():
    encoder = make([UNITS, 6])
    assert encoder.forward[1].cell.input_size == 2 * UNITS
    assert encoder.output_size == 12
    batch = strokes(LENGTHS)
    before = np.array(encoder(batch["sequence"], batch["length"]))
    weights = encoder.backward[0].cell.cells[0].kernel
    weights.assign(np.array(weights) + 0.5)
    after = np.array(encoder(batch["sequence"], batch["length"]))
    # The lower backward layer reaches the upper forward layer's half too.
    assert (np.abs(after - before)[:2, :6] > 1e-4).any()


def test_dropout_acts_in_training_only():
    encoder, batch = make(recurrent_dropout=0.5), strokes(LENGTHS)
    plain = make()
    for ours, theirs in zip(plain.weights, encoder.weights, strict=True):
        ours.assign(np.array(theirs))
    quiet = np.array(encoder(batch["sequence"], batch["length"]))
    np.testing.assert_array_equal(quiet, np.array(plain(batch["sequence"], batch["length"])))
    first, second = (
        np.array(encoder(batch["sequence"], batch["length"], training=True)) for _ in range(2)
    )
    assert (first != quiet).any()
    assert (first != second).any()
