"""Policy gradients: returns and gradients on listed distributions; each method on each model."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.errors import InputError
from latentgen.objectives.discriminators import ConvolutionalDiscriminator, ElementEmbedding
from latentgen.objectives.maligan import MaliGAN
from latentgen.objectives.policy_gradient import PolicyGradient, discounted_returns, discrimination
from latentgen.objectives.rankgan import RankGAN, log_rank
from latentgen.objectives.scratchgan import ScratchGAN
from latentgen.objectives.seqgan import SeqGAN
from tests.objectives.checks import check_it_is_saved, check_it_resumes, check_it_trains, prepared
from tests.objectives.models import MODELS
from tests.objectives.toy import ALL, TRUTH, distribution, gradients, toy_model, train
from tests.tiny import randomise

METHODS = {
    SeqGAN: {"rollouts": 2},
    RankGAN: {"rollouts": 2},
    MaliGAN: {"baseline": 0.5},
    ScratchGAN: {"discount": 0.9},
}
methods = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)


def quality(model):
    """The mean log-probability of the model's draws under the truth, mixed with a little noise."""
    return float((distribution(model) * np.log(TRUTH + 1e-3)).sum())


def discriminator(model, latent_size=0, seed=0):
    keras.utils.set_random_seed(seed)
    embedding = ElementEmbedding.of(model.head, 4)
    return ConvolutionalDiscriminator(embedding, (1, 2, 3), 6, latent_size, seed=seed)


def test_returns_are_discounted_sums_of_what_comes():
    rewards = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    for discount in (0.0, 0.5, 1.0):
        expected, after = np.zeros((2, 5)), np.zeros(2)
        for t in reversed(range(5)):
            after = expected[:, t] = rewards[:, t] + discount * after
        np.testing.assert_allclose(discounted_returns(rewards, discount), expected, atol=1e-5)


def test_discrimination_counts_steps_that_count():
    real, drawn = ops.convert_to_tensor([[2.0, 9.0]]), ops.convert_to_tensor([[-1.0, -3.0]])
    first, both = ops.convert_to_tensor([[True, False]]), ops.convert_to_tensor([[True, True]])
    got = float(discrimination(real, drawn, first, both))
    expected = np.log1p(np.exp(-2)) + 0.5 * (np.log1p(np.exp(-1)) + np.log1p(np.exp(-3)))
    assert got == pytest.approx(expected, rel=1e-5)
    one = float(discrimination(real[0], drawn[0], first[0], both[0]))
    expected = np.mean(np.log1p(np.exp([-2.0, -9.0]))) + np.mean(np.log1p(np.exp([-1.0, -3.0])))
    assert one == pytest.approx(expected, rel=1e-5)


def test_its_expected_gradient_is_that_of_the_expected_reward():
    """Over all sequences in place of draws, each weighed by its probability."""
    model = randomise(toy_model(), 1)
    worth = np.random.default_rng(0).normal(size=len(ALL)).astype("float32")

    class Listed(PolicyGradient):
        def returns(self, inputs, counted):
            return ops.repeat(worth[:, None], ALL.shape[1], axis=1)

        def advantage(self, returns, counted):
            return returns

        def per_example(self, steps, counted):
            return ops.sum(ops.convert_to_tensor(shares) * ops.sum(steps, axis=1))

    trainer = Listed(model)
    inputs = {"own": ops.convert_to_tensor(ALL)}
    shares = distribution(model).astype("float32")

    def expected_reward():
        parameters = model.decoder.teacher_forced(None, ALL).parameters
        log_prob = ops.sum(model.head.log_prob(parameters, ALL), axis=1)
        return -ops.sum(ops.exp(log_prob) * worth)

    got = gradients(lambda: trainer.objective(inputs, {}), model.trainable_variables)
    expected = gradients(expected_reward, model.trainable_variables)
    assert max(np.abs(g).max() for g in expected) > 0.01
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_the_baseline_is_the_mean_of_the_others_that_go_on():
    trainer = MaliGAN(toy_model())
    returns = np.array([[1.0, 5.0], [2.0, 7.0], [6.0, 9.0]], "float32")
    counted = np.array([[True, True], [True, False], [True, True]])
    got = np.asarray(PolicyGradient.advantage(trainer, returns, counted))
    np.testing.assert_allclose(got[:, 0], [1 - 4, 2 - 3.5, 6 - 1.5])
    np.testing.assert_allclose(got[[0, 2], 1], [5 - 9, 9 - 5])


@methods
def test_draws_become_likelier_under_the_truth(method):
    model = toy_model()
    before = quality(model)
    critic = keras.optimizers.Adam(0.01)
    history = train(method(model, seed=1, **METHODS[method]), 300, 0.005, critic_optimizer=critic)
    assert np.isfinite(history["actor_loss"]).all()
    assert np.isfinite(history["critic_loss"]).all()
    assert quality(model) > before + 0.5


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        (SeqGAN, "sketch VAE"),
        (SeqGAN, "language model"),
        (RankGAN, "text VAE"),
        (MaliGAN, "music VAE"),
        (ScratchGAN, "sketch VAE"),
        (ScratchGAN, "text VAE"),
    ],
)
def test_it_trains_each_kind_of_model(method, kind):
    check_it_trains(lambda model: method(model, **METHODS[method]), MODELS[kind])


def test_killed_and_resumed_it_is_the_uninterrupted_run(tmp_path):
    check_it_resumes(lambda: prepared(ScratchGAN(toy_model(), seed=3)), tmp_path)


@pytest.mark.parametrize("method", [SeqGAN, ScratchGAN])
def test_it_is_saved(method, tmp_path):
    trainer = prepared(method(toy_model(), **METHODS[method]))
    check_it_is_saved(trainer, tmp_path / "trainer.keras")


@methods
def test_it_comes_back_from_its_configuration(method):
    model = toy_model()
    given = {} if method is ScratchGAN else {"discriminator": discriminator(model)}
    trainer = method(model, seed=4, likelihood_weight=0.5, **given, **METHODS[method])
    again = method.from_config(trainer.get_config())
    assert again.get_config() == trainer.get_config()
    assert type(again.critic) is type(trainer.critic)


def test_weights_of_maligan_are_those_of_importance():
    model = toy_model()
    trainer = MaliGAN(model, discriminator(model), baseline=0.25)
    samples = ops.convert_to_tensor(ALL[::7])
    counted = trainer.drawn(samples)
    got = np.asarray(trainer.advantage(trainer.returns({"own": samples}, counted), counted))
    d = 1 / (1 + np.exp(-np.asarray(trainer.judged(samples, None))))
    ratio = d / (1 - d)
    np.testing.assert_allclose(got[:, 0], len(ratio) * ratio / ratio.sum() - 0.25, rtol=1e-4)
    assert (got == got[:, :1]).all()


def test_the_baseline_of_scratchgan_moves_to_the_mean_return():
    trainer = ScratchGAN(toy_model(), decay=0.75)
    returns, counted = np.array([[4.0, 0.0], [8.0, 99.0]], "float32"), np.ones((2, 2), bool)
    counted[1, 1] = False
    first = np.asarray(trainer.advantage(ops.convert_to_tensor(returns), counted))
    np.testing.assert_array_equal(first, returns)
    assert float(trainer.baseline) == pytest.approx(0.25 * 4.0)
    second = np.asarray(trainer.advantage(ops.convert_to_tensor(returns), counted))
    np.testing.assert_allclose(second, returns - 1.0)


def test_rewards_of_scratchgan_come_at_each_step_and_are_discounted():
    trainer = ScratchGAN(toy_model(), discount=0.5)
    samples = ops.convert_to_tensor(ALL[:5])
    logits = np.asarray(trainer.judged(samples, None))
    counted = np.arange(4) < np.array([4, 3, 2, 1, 4])[:, None]
    got = np.asarray(trainer.returns({"own": samples}, counted))
    rewards = np.where(counted, 2 / (1 + np.exp(-logits)) - 1, 0)
    np.testing.assert_allclose(got, discounted_returns(rewards.astype("float32"), 0.5), atol=1e-5)


def test_ranks_are_shares_of_a_softmax():
    random = np.random.default_rng(0)
    features, references, others = (
        (x / np.linalg.norm(x, axis=1, keepdims=True)).astype("float32")
        for x in (random.normal(size=(n, 5)) for n in (3, 4, 6))
    )
    got = np.asarray(log_rank(features, references, others, 2.0))
    for row, value in zip(features, got, strict=True):
        competing = np.exp(2 * others @ references.T).sum(0)
        own = np.exp(2 * row @ references.T)
        assert value == pytest.approx(np.log(np.mean(own / (own + competing))), rel=1e-5)
    assert (np.argmax(log_rank(features, features[1:2], others, 50.0)), got.shape) == (1, (3,))


def test_what_makes_no_sense_is_refused():
    model = toy_model()
    with pytest.raises(InputError, match="rollouts, every: expected 1 or more, received 0 and 1"):
        SeqGAN(model, rollouts=0)
    with pytest.raises(InputError, match="lag: expected a share from 0 to below 1, received 1"):
        SeqGAN(model, lag=1)
    with pytest.raises(InputError, match="expected one with a logit a step"):
        ScratchGAN(model, discriminator(model))
    with pytest.raises(InputError, match="discount, decay"):
        ScratchGAN(model, discount=2.0)
