"""The token head: densities, draws and gradients, and decoders that read embedded tokens."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import special, stats

from latentgen.errors import InputError
from latentgen.layers.decoder import Decoder
from latentgen.layers.heads import CategoricalHead, truncate_logits
from latentgen.layers.joint_head import JointHead
from latentgen.layers.tokens import TokenHead
from latentgen.training.gradients import gradient
from tests.tiny import LATENT, UNITS, mixture_head, randomise, sequence_vae

V, E = 7, 5
on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow Probability needs TensorFlow"
)


def token_head(tied=True, **options):
    head = TokenHead(UNITS, V, E, tied, **({"name": "head"} | options))
    head.build()
    return randomise(head)


def random(*shape, seed=0, scale=1.0):
    return (scale * np.random.default_rng(seed).normal(size=shape)).astype("float32")


def uniform(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, dtype="float32")


def token_decoder(head=None, **options):
    options = {"units": UNITS, "latent_size": LATENT, "seed": 2, "name": "decoder"} | options
    decoder = Decoder(head or token_head(), **options)
    decoder.build()
    return randomise(decoder, 3)


def tokens(n=4, steps=6, seed=0):
    return np.random.default_rng(seed).integers(2, V, (n, steps, 1)).astype("float32")


def test_log_prob_is_the_logarithm_of_the_softmax():
    logits, ids = random(20, V, scale=3.0), np.arange(20) % V
    expected = special.log_softmax(logits, axis=-1)[np.arange(20), ids]
    elements = ids[:, None].astype("float32")
    np.testing.assert_allclose(np.array(token_head().log_prob(logits, elements)), expected, 1e-5)


@on_tensorflow
def test_log_prob_is_that_of_tensorflow_probability():
    head, logits = token_head(), random(4, 5, V, scale=3.0)
    elements = tokens(4, 5)
    theirs = head.as_tfp(logits).log_prob(elements).numpy()
    assert theirs.shape == (4, 5)
    np.testing.assert_allclose(np.array(head.log_prob(logits, elements)), theirs, rtol=1e-5)


def test_tied_logits_are_products_with_the_table():
    head, features = token_head(), random(3, 4, UNITS)
    kernel, bias = (np.array(w) for w in head.projection.weights)
    expected = (features @ kernel + bias) @ np.array(head.table).T + np.array(head.bias)
    np.testing.assert_allclose(np.array(head(features)), expected, rtol=1e-4, atol=1e-5)


def test_an_untied_head_has_a_matrix_of_its_own():
    head = token_head(tied=False)
    assert [tuple(w.shape) for w in head.weights] == [(V, E), (UNITS, V), (V,)]
    assert np.array(head(random(3, UNITS))).shape == (3, V)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_have_the_frequencies_of_the_logits(temperature):
    n, logits = 20000, random(V, seed=1)
    drawn = np.array(
        token_head().sample(np.repeat(logits[None], n, 0), uniform(n, 1, seed=4), temperature)
    )
    counts = np.bincount(drawn[:, 0].astype(int), minlength=V)
    expected = n * special.softmax(logits.astype("float64") / temperature)
    assert stats.chisquare(counts, expected).pvalue > 0.01


def test_mode_is_the_likeliest():
    logits = random(10, V)
    np.testing.assert_array_equal(np.array(token_head().mode(logits))[:, 0], logits.argmax(-1))


# Top-k and nucleus


def draws_under(logits, n=4000, temperature=1.0, **truncation):
    head = token_head()
    rows = np.repeat(np.asarray(logits, "float32")[None], n, axis=0)
    rows = head.truncate(rows, temperature, **truncation)
    return np.array(head.sample(rows, uniform(n, 1, seed=1), temperature))[:, 0]


SHARES = np.array([0.05, 0.4, 0.1, 0.2, 0.15, 0.06, 0.04])


@pytest.mark.parametrize(
    ("truncation", "expected"),
    [
        ({"top_k": 1}, {1}),
        ({"top_k": 3}, {1, 3, 4}),
        ({"top_k": 100}, set(range(V))),
        ({"top_p": 0.3}, {1}),
        ({"top_p": 0.59}, {1, 3}),
        ({"top_p": 0.61}, {1, 3, 4}),
        ({"top_p": 1.0}, set(range(V))),
        # Of the three left, 0.53, 0.27 and 0.2, two have three quarters.
        ({"top_k": 3, "top_p": 0.75}, {1, 3}),
    ],
)
def test_only_likely_tokens_are_drawn(truncation, expected):
    assert set(draws_under(np.log(SHARES), **truncation)) == expected


def test_those_left_keep_their_proportions():
    drawn = draws_under(np.log(SHARES), n=20000, top_k=3)
    counts = np.bincount(drawn.astype(int), minlength=V)[[1, 3, 4]]
    assert stats.chisquare(counts, 20000 * np.array([0.4, 0.2, 0.15]) / 0.75).pvalue > 0.01


def test_the_nucleus_is_that_of_the_temperature():
    """Doubled logits: 0.4 becomes 0.16 of 0.2502, which is more than 0.6."""
    assert set(draws_under(np.log(SHARES), temperature=0.5, top_p=0.6)) == {1}
    assert set(draws_under(np.log(SHARES), temperature=1.0, top_p=0.6)) >= {1, 3}


def test_what_is_left_out_is_never_drawn_at_the_edges_of_the_noise():
    edges = np.array([[0.0], [np.nextafter(np.float32(1), np.float32(0))]], "float32")
    for kept in (0, 3, V - 1):
        logits = np.zeros((2, V), "float32")
        logits[:, kept] = 1.0
        drawn = token_head().sample(truncate_logits(logits, top_k=1), edges)
        assert set(np.array(drawn)[:, 0]) == {kept}


@pytest.mark.parametrize("jit_compile", [False, True])
def test_generate_draws_likely_tokens_alone(jit_compile):
    """Each drawn token is among the two likeliest given those before it, and both occur."""
    vae = sequence_vae(token_head())
    z = random(40, LATENT)
    options = {"temperature": 3.0, "jit_compile": jit_compile}
    drawn = vae.generate(z, top_k=2, **options)
    logits = np.array(vae.decoder.teacher_forced(z, drawn).parameters)
    rank = (logits > np.take_along_axis(logits, drawn.astype(int), -1)).sum(-1)
    going_on = np.cumsum(drawn[..., 0] == 0, axis=1) <= 1
    assert set(rank[going_on]) == {0, 1}
    np.testing.assert_array_equal(
        vae.generate(z, top_p=1e-6, **options), vae.generate(z, greedy=True, **options)
    )
    assert (vae.generate(z, **options) != drawn).any()


def test_a_head_of_one_hots_is_truncated_alike():
    vae = sequence_vae(CategoricalHead(UNITS, V, name="head"))
    z = random(5, LATENT)
    options = {"jit_compile": False, "temperature": 2.0}
    np.testing.assert_array_equal(
        vae.generate(z, top_k=1, **options), vae.generate(z, greedy=True, **options)
    )


def test_truncation_is_refused_where_it_means_nothing():
    vae, z = sequence_vae(), random(2, LATENT)
    for bad in ({"top_k": 3}, {"top_p": 0.9}):
        with pytest.raises(InputError, match="lower the temperature"):
            vae.generate(z, **bad)
    for bad in ({"top_k": 0}, {"top_k": 1.5}, {"top_p": 0.0}, {"top_p": 1.1}):
        with pytest.raises(InputError, match=next(iter(bad))):
            sequence_vae(token_head()).generate(z, **bad)


# Embedding


def test_relaxed_tokens_are_embedded_like_ids_where_they_are_sharp():
    head, ids = token_head(), tokens()
    one_hots = np.eye(V, dtype="float32")[ids[..., 0].astype(int)]
    hard, soft = np.array(head.embed(ids)), np.array(head.embed(one_hots))
    np.testing.assert_array_equal(hard, np.array(head.table)[ids[..., 0].astype(int)])
    np.testing.assert_allclose(soft, hard, rtol=1e-6)
    relaxed = head.relax(20.0 * one_hots, uniform(*one_hots.shape), 0.1)
    np.testing.assert_allclose(np.array(head.embed(relaxed)), hard, atol=1e-2)


def test_gradients_reach_the_table_through_what_is_read_and_what_is_predicted():
    decoder = token_decoder(token_head(tied=False))
    ids = np.full((2, 4, 1), 3.0, "float32")

    def loss(table):
        # Doubled and halved: TensorFlow would give the gradient as rows instead of a tensor.
        with keras.StatelessScope([(decoder.head.table, 2.0 * table / 2.0)]):
            parameters = decoder.teacher_forced(random(2, LATENT), ids).parameters
            return -ops.sum(decoder.head.log_prob(parameters, ids))

    moved = np.abs(np.array(gradient(loss, ops.convert_to_tensor(decoder.head.table)))).sum(-1) > 0
    assert moved.tolist() == [row in (1, 3) for row in range(V)]  # start, and the token itself
    decoder = token_decoder()
    moved = np.array(gradient(loss, ops.convert_to_tensor(decoder.head.table)))
    assert (np.abs(moved).sum(-1) > 0).all()


def test_a_decoder_reads_the_embedding_of_the_token_before():
    decoder, ids, z = token_decoder(), tokens(), random(4, LATENT)
    features = np.array(decoder.teacher_forced(z, ids).features)
    shifted = np.concatenate([np.ones((4, 1, 1), "float32"), ids[:, :-1]], axis=1)
    again = np.array(decoder.unroll(z, decoder.head.embed(shifted)))
    np.testing.assert_array_equal(features, again)
    states = decoder.initial_states(z, 4)
    for t in range(3):
        stepped, states = decoder.advance(t, decoder.head.embed(shifted[:, t]), states)
        np.testing.assert_allclose(np.array(stepped), features[:, t], atol=1e-5)


def test_what_follows_the_end_is_the_end():
    vae = sequence_vae(token_head(), max_length=30)
    drawn = vae.generate(random(20, LATENT), temperature=1.0, jit_compile=False)[..., 0]
    ended = np.cumsum(drawn == 0, axis=1) > 0
    assert ended.any()
    assert (drawn[ended] == 0).all()
    assert set(np.unique(drawn)) <= set(range(V))


def test_without_an_end_every_token_is_content():
    head = token_head(end_id=None)
    assert not np.array(head.ended(tokens())).any()
    drawn = sequence_vae(head).generate(random(30, LATENT), temperature=1.0, jit_compile=False)
    assert (drawn[:, :-1] == 0).any()
    assert (drawn[:, 1:][drawn[:, :-1] == 0] != 0).any()
    assert TokenHead.from_config(head.get_config()).end_id is None


def test_ids_are_exact_in_a_large_vocabulary():
    head = TokenHead(2, 70000, 1)
    logits = np.zeros((1, 70000), "float32")
    logits[0, 69999] = 50.0
    assert np.array(head.sample(logits, uniform(1, 1)))[0, 0] == 69999
    assert np.array(head.mode(logits))[0, 0] == 69999


def test_a_joint_head_refuses_embedded_parts():
    with pytest.raises(InputError, match="embedded"):
        JointHead([token_head(), mixture_head()])


def test_it_comes_back_from_its_configuration():
    head = token_head(tied=False, end_id=2, start_id=4)
    again = TokenHead.from_config(head.get_config())
    assert again.get_config() == head.get_config()
    assert np.array(again.start(2)).tolist() == [[4.0], [4.0]]
    assert np.array(again.end(1)).tolist() == [[2.0]]
