"""Beam search: against every sequence there is, greedy decoding, and the model's own likelihood."""

import itertools

import numpy as np
import pytest
from keras import ops

from latentgen.compilation import compiled
from latentgen.errors import InputError
from latentgen.layers.beam import beam_search
from latentgen.layers.decoder import Decoder
from latentgen.layers.heads import CategoricalHead
from latentgen.layers.hierarchical_decoder import HierarchicalDecoder
from latentgen.layers.tokens import TokenHead
from tests.layers.test_attention import make as attention_decoder
from tests.layers.test_attention import source
from tests.tiny import LATENT, UNITS, decoder

V, STEPS, BATCH = 4, 3, 3


def filled(decoder, seed=3):
    """Weights that are the same on every backend, whatever they began as."""
    generator = np.random.default_rng(seed)
    for variable in decoder.trainable_variables:
        variable.assign(generator.normal(size=variable.shape))
    return decoder


def token_decoder(seed=3):
    return filled(decoder(TokenHead(UNITS, V, 3, name="head")), seed)


def one_hot_decoder(seed=3):
    return filled(decoder(CategoricalHead(UNITS, V, end_class=2, name="head")), seed)


MAKERS = {"tokens": token_decoder, "one-hots": one_hot_decoder}


def z_of(batch=BATCH, seed=3):
    return np.random.default_rng(seed).normal(size=(batch, LATENT)).astype("float32")


def search(decoder, beam, z=None, steps=STEPS, **options):
    z = z_of() if z is None else z
    found = beam_search(decoder, z, len(z), steps, beam, **options)
    ids = np.array(decoder.head.id_of(found.samples))
    return ids, np.array(found.log_prob), np.array(found.score)


def ids_of(decoder, elements):
    return np.array(decoder.head.id_of(ops.convert_to_tensor(elements)))


def end_of(head):
    return head.end_id if isinstance(head, TokenHead) else head.end_class


def every_sequence(decoder, z, steps=STEPS):
    """All sequences of at most `steps` symbols, closed or cut: ids (n, T), log_prob and length."""
    end = end_of(decoder.head)
    rows, lengths = [], []
    for ids in itertools.product(range(V), repeat=steps):
        ended = [t for t, symbol in enumerate(ids) if symbol == end]
        first = ended[0] if ended else steps - 1
        if all(symbol == end for symbol in ids[first + 1 :]):
            rows.append(ids)
            lengths.append(first + 1)
    ids, lengths = np.array(rows), np.array(lengths)
    elements = np.array(decoder.head.element_of(ops.convert_to_tensor(ids, dtype="int32")))
    parameters = decoder.teacher_forced(np.repeat(z, len(ids), axis=0), elements).parameters
    steps_log_prob = np.array(decoder.head.log_prob(parameters, elements))
    counted = np.arange(steps) < lengths[:, None]
    return ids, (steps_log_prob * counted).sum(axis=1), lengths


@pytest.mark.parametrize("maker", list(MAKERS))
@pytest.mark.parametrize("penalty", [0.0, 0.6, 2.0])
def test_a_beam_wide_enough_finds_the_best_of_all_sequences(maker, penalty):
    """40 sequences end or are cut within three of four symbols; a beam of 27 holds all prefixes."""
    decoder, z = MAKERS[maker](), z_of()
    found, log_prob, score = search(decoder, 27, length_penalty=penalty)
    for row in range(BATCH):
        ids, expected, lengths = every_sequence(decoder, z[row : row + 1])
        assert len(ids) == 40
        scores = expected / ((5 + lengths) / 6) ** penalty
        best = np.argsort(-scores)[:27]
        np.testing.assert_allclose(score[row], scores[best], rtol=1e-4)
        np.testing.assert_allclose(log_prob[row], expected[best], rtol=1e-4)
        np.testing.assert_array_equal(found[row, :5], ids[best[:5]])


def test_the_length_penalty_favours_longer_sequences():
    decoder, z = token_decoder(), z_of(16)
    means = []
    for penalty in (0.0, 3.0):
        ids, _, _ = search(decoder, 8, z, 6, length_penalty=penalty)
        means.append((ids[:, 0] != decoder.head.end_id).sum(axis=1).mean())
    assert means[1] > means[0]


@pytest.mark.parametrize("maker", list(MAKERS))
def test_a_beam_of_one_is_greedy(maker):
    decoder, z = MAKERS[maker](), z_of(16)
    noise = np.zeros((16, 8, 1), "float32")
    greedy = ids_of(decoder, decoder.generate(z, noise, greedy=True))
    ids, _, _ = search(decoder, 1, z, 8)
    np.testing.assert_array_equal(ids[:, 0], greedy)
    lengths = (greedy != end_of(decoder.head)).sum(axis=1)
    assert len(set(lengths)) > 2  # some end early


def test_the_best_of_a_beam_is_no_worse_than_greedy():
    decoder, z = token_decoder(1), z_of(32)
    _, greedy, _ = search(decoder, 1, z, 8, length_penalty=0.0)
    _, wide, _ = search(decoder, 6, z, 8, length_penalty=0.0)
    assert (wide[:, 0] >= greedy[:, 0] - 1e-4).all()
    assert (wide[:, 0] > greedy[:, 0] + 1e-4).any()
    assert (np.diff(wide, axis=1) <= 1e-6).all()  # best first


def test_an_attention_decoders_log_prob_is_that_of_teacher_forcing():
    """The source travels with its beams, and states follow the beginning they belong to."""
    decoder, z, k, steps = attention_decoder(), source(), 4, 6
    found = beam_search(decoder, z, 3, steps, k, 0.0)
    for beam in range(k):
        samples = np.array(found.samples)[:, beam]
        parameters = decoder.teacher_forced(z, samples).parameters
        log_prob = np.array(decoder.head.log_prob(parameters, samples))
        ended = samples[..., 0] == decoder.head.end_id
        counted = np.cumsum(ended, axis=1) - ended == 0
        expected = (log_prob * counted).sum(axis=1)
        np.testing.assert_allclose(np.array(found.log_prob)[:, beam], expected, rtol=1e-4)
    assert len(np.unique(np.array(found.samples)[0, :, :, 0], axis=0)) == k  # no two alike


def test_an_example_is_independent_of_its_batch():
    decoder, z = token_decoder(), z_of(5)
    together = search(decoder, 3, z, 6)
    for row in range(5):
        alone = search(decoder, 3, z[row : row + 1], 6)
        np.testing.assert_array_equal(alone[0][0], together[0][row])
        np.testing.assert_allclose(alone[1][0], together[1][row], rtol=1e-4)


def test_a_prefix_is_kept():
    decoder, z = token_decoder(), z_of()
    is_given = np.arange(STEPS) < np.array([2, 1, 0])[:, None]
    given = np.full((BATCH, STEPS, 1), 3.0, "float32")
    ids, log_prob, _ = search(decoder, 16, given=given, is_given=is_given, length_penalty=0.0)
    assert (ids[0, :4, :2] == 3).all()  # four sequences begin so and end within a symbol more
    assert (ids[1, :5, 0] == 3).all()
    for row in range(BATCH):
        every, expected, _ = every_sequence(decoder, z[row : row + 1])
        begins = (every[:, is_given[row]] == 3).all(axis=1)
        best = np.sort(expected[begins])[::-1][:4]
        np.testing.assert_allclose(log_prob[row, :4], best, rtol=1e-4)


def test_a_hierarchical_decoder_begins_again_in_each_segment():
    head = CategoricalHead(UNITS, V, end_class=2, name="head")
    core = Decoder(head, UNITS, 6, name="core")
    decoder = HierarchicalDecoder(core, [6], LATENT, segment_length=3, name="decoder")
    decoder.build()
    filled(decoder)
    noise = np.zeros((8, 6, 1), "float32")
    greedy = ids_of(decoder, decoder.generate(z_of(8), noise, greedy=True))
    ids, _, _ = search(decoder, 1, z_of(8), 6)
    np.testing.assert_array_equal(ids[:, 0], greedy)
    ended = (greedy[:, :3] == 2).any(axis=1)
    assert (greedy[ended, 3:] != 2).any()


def test_xla_finds_the_same():
    decoder, z = token_decoder(), z_of()

    def function(z):
        return tuple(beam_search(decoder, z, BATCH, 6, 3))

    plain, xla = (compiled(decoder, function, jit_compile=jit)(z) for jit in (False, True))
    np.testing.assert_array_equal(np.array(plain[0]), np.array(xla[0]))
    np.testing.assert_allclose(np.array(plain[1]), np.array(xla[1]), rtol=1e-4)


def test_what_cannot_be_searched_is_refused():
    with pytest.raises(
        InputError, match=r"beam: expected a model of symbols .* MixtureDensityHead"
    ):
        search(decoder(), 3)
    with pytest.raises(InputError, match=r"beam: expected how many .* received 0"):
        search(token_decoder(), 0)
