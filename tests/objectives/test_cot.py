"""Cooperative training: its gradient on a listed distribution, and that it learns one."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.errors import InputError
from latentgen.layers.decoder import Decoder
from latentgen.objectives.cot import CoT
from tests.objectives.checks import (
    ON_JAX,
    check_it_is_saved,
    check_it_resumes,
    check_it_trains,
    prepared,
)
from tests.objectives.models import MODELS
from tests.objectives.toy import ALL, distribution, gradients, jensen_shannon, toy_model, train
from tests.tiny import categorical_vae, randomise


class Listed(CoT):
    """The probabilities of every sequence there is in place of the mean of draws."""

    def per_example(self, steps, counted):
        return ops.sum(distribution_tensor(self.actor) * ops.sum(steps, axis=1))


def distribution_tensor(model):
    return ops.stop_gradient(ops.exp(log_prob(model.decoder, model.head)))


def log_prob(decoder, head):
    """Log-probability of each sequence there is, (n,)."""
    return ops.sum(head.log_prob(decoder.teacher_forced(None, ALL).parameters, ALL), axis=1)


def test_undiscounted_its_expected_gradient_is_that_of_the_divergence_from_the_mediator():
    model = randomise(toy_model(), 1)
    trainer = Listed(model, discount=1.0)
    randomise(trainer.critic, 2)
    variables = model.trainable_variables

    def divergence():  # −KL(G‖M) over the list of sequences
        own = log_prob(model.decoder, model.head)
        mediated = log_prob(trainer.critic, trainer.critic.head)
        return ops.sum(ops.exp(own) * (own - mediated))

    inputs = {"own": ops.convert_to_tensor(ALL)}
    got = gradients(lambda: trainer.objective(inputs, {}), variables)
    expected = gradients(divergence, variables)
    assert max(np.abs(g).max() for g in expected) > 0.1
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    assert float(trainer.objective(inputs, {})) == pytest.approx(float(divergence()), rel=1e-4)
    trainer.discount = 0.0
    biased = gradients(lambda: trainer.objective(inputs, {}), variables)
    assert any(np.abs(a - b).max() > 0.01 for a, b in zip(biased, expected, strict=True))


def test_one_drawn_element_estimates_the_gradient_without_bias():
    """Of the estimate for elements that are no symbols, on symbols, over all draws of one step."""
    from latentgen.objectives.cot import _estimated

    random = np.random.default_rng(0)
    logits = random.normal(size=(5,)).astype("float32")
    mediated = ops.log_softmax(ops.convert_to_tensor(random.normal(size=(5,)).astype("float32")))
    variable = keras.Variable(logits)

    def exact():
        own = ops.log_softmax(variable)
        return ops.sum(ops.exp(own) * (mediated - own))

    def expected():  # pairs of draws, with their probabilities
        own = ops.log_softmax(variable)
        first, second = np.repeat(np.arange(5), 5), np.tile(np.arange(5), 5)
        share = ops.stop_gradient(ops.exp(ops.take(own, first) + ops.take(own, second)))
        pairs = ops.stack([first, second])  # (2, 25): two examples, 25 steps
        value = _estimated(ops.take(own, pairs), ops.take(mediated, pairs))
        return ops.sum(share * ops.mean(value, axis=0))

    np.testing.assert_allclose(float(exact()), float(expected()), rtol=1e-5)
    (a,), (b,) = gradients(exact, [variable]), gradients(expected, [variable])
    np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("discount", [0.0, 1.0])
def test_it_learns_a_language_without_any_likelihood_of_its_own(discount):
    model = toy_model()
    before = jensen_shannon(model)
    history = train(CoT(model, discount=discount), 300, 0.02)
    assert np.isfinite(history["actor_loss"]).all()
    assert jensen_shannon(model) < 0.4 * before
    assert distribution(model).sum() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("kind", MODELS)
def test_it_trains_each_kind_of_model(kind):
    check_it_trains(lambda model: CoT(model, discount=0.5), MODELS[kind])


@pytest.mark.parametrize("prior", [0.5, 0.75])
def test_the_mediator_learns_the_mixture_of_data_and_model(prior):
    model = toy_model()
    trainer = CoT(model, prior=prior)
    mixture = prior * np.eye(len(ALL))[7] + (1 - prior) * distribution(model)
    trainer.compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(0.02), jit_compile=ON_JAX)
    one = {"sequence": np.repeat(ALL[7:8], 64, 0), "length": np.full(64, ALL.shape[1])}
    for _ in range(250):
        trainer.train_on_batch(one)
    learnt = np.exp(np.asarray(log_prob(trainer.critic, trainer.critic.head)))
    assert np.abs(learnt - mixture).sum() < 0.15


def test_killed_and_resumed_it_is_the_uninterrupted_run(tmp_path):
    check_it_resumes(lambda: prepared(CoT(toy_model(), seed=3)), tmp_path)


def test_it_is_saved(tmp_path):
    check_it_is_saved(prepared(CoT(toy_model(), discount=0.25)), tmp_path / "cot.keras")


def test_it_comes_back_from_its_configuration():
    model = toy_model()
    wider = Decoder(model.head.from_config(model.head.get_config() | {"feature_size": 9}), 9, 0)
    trainer = CoT(model, wider, discount=0.5, prior=0.75, seed=4)
    again = CoT.from_config(trainer.get_config())
    assert again.get_config() == trainer.get_config()
    assert again.critic.units == [9]


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InputError, match="discount: expected 0 to 1, received 2"):
        CoT(toy_model(), discount=2)
    with pytest.raises(InputError, match="prior: expected a share above 0 and below 1, received 1"):
        CoT(toy_model(), prior=1)
    with pytest.raises(InputError, match="likelihood_weight: expected more than 0 for a VAE"):
        CoT(categorical_vae(), likelihood_weight=0.0)
    assert CoT(categorical_vae()).likelihood_weight == 1.0
