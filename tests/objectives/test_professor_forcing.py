"""Professor forcing: on every model, its gates, and that free running comes nearer the data."""

import keras
import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.objectives import ProfessorForcing
from tests.objectives.checks import (
    ON_JAX,
    check_it_is_saved,
    check_it_resumes,
    check_it_trains,
    fit,
    prepared,
    toy_batch,
)
from tests.objectives.models import MODELS
from tests.objectives.toy import toy_model


def make(model=None, **options):
    return ProfessorForcing(model or toy_model(), **({"units": 6} | options))


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_trained(name):
    check_it_trains(lambda model: make(model, teaches_above=0.0, both_ways=True), MODELS[name])


def test_it_resumes(tmp_path):
    check_it_resumes(lambda: prepared(make(teaches_above=0.0)), tmp_path)


def test_it_is_saved(tmp_path):
    check_it_is_saved(prepared(make(teaches_above=0.3, both_ways=True)), tmp_path / "run.keras")


@pytest.mark.skipif(ON_JAX, reason="is always compiled there")
def test_it_compiles_under_xla():
    model, batch = MODELS["text VAE"]()
    found = fit(prepared(make(model, teaches_above=0.0), jit_compile=True), batch)
    assert np.isfinite(list(found.values())).all()


def weights(variables):
    return [np.array(v) for v in variables]


def same(variables, before):
    return [np.array_equal(v, old) for v, old in zip(variables, before, strict=True)]


def test_a_gated_discriminator_stands_still_and_its_optimiser_with_it():
    """After it has moved: then it has momentum, by which a gradient of zeros would move it."""
    trainer, batch = prepared(make(learns_below=1.0)), toy_batch(8)
    fit(trainer, batch)
    own = [*trainer.critic.trainable_variables, *trainer.critic_optimizer.variables]
    before, actor = weights(own), weights(trainer.actor.trainable_variables)
    assert int(trainer.critic_optimizer.iterations) == 2
    trainer.accuracy.assign(1.1)  # above any gate, whatever the next batch's is
    fit(trainer, batch, 1)
    assert all(same(own, before))
    assert not any(same(trainer.actor.trainable_variables, actor))
    trainer.accuracy.assign(0.5)
    fit(trainer, batch, 1)
    assert int(trainer.critic_optimizer.iterations) == 3
    assert not any(same(trainer.critic.trainable_variables, before[: len(trainer.critic.weights)]))


def test_a_gated_model_without_likelihood_stands_still():
    trainer, batch = prepared(make(likelihood_weight=0.0)), toy_batch(8)
    trainer.accuracy.assign(0.95)
    fit(trainer, batch, 1)
    assert int(trainer.optimizer.iterations) == 1
    own = [*trainer.actor.trainable_variables, *trainer.optimizer.variables]
    before = weights(own)
    trainer.accuracy.assign(0.2)
    fit(trainer, batch, 1)
    assert all(same(own, before))
    assert int(trainer.critic_optimizer.iterations) == 2


def test_below_its_gate_it_is_likelihood():
    """The first turn's accuracy is near one half."""
    gated, plain = make(teaches_above=0.9), toy_model()
    fit(prepared(gated), toy_batch(8), 1)
    plain.compile(keras.optimizers.Adam(0.01, global_clipnorm=5.0), jit_compile=ON_JAX)
    plain.train_on_batch(toy_batch(8))
    for one, other in zip(gated.actor.trainable_variables, plain.trainable_variables, strict=True):
        np.testing.assert_allclose(np.array(one), np.array(other), atol=1e-6)


def test_free_running_comes_to_be_taken_for_reading_the_truth():
    """By a discriminator that has learnt to tell them and then stands still."""
    trainer, batch = make(teaches_above=0.0, likelihood_weight=0.0), toy_batch(64)
    prepared(trainer, rate=0.0, critic_rate=0.03, run_eagerly=False)
    fit(trainer, batch, 60)
    told = float(trainer.accuracy)
    assert told > 0.65
    trainer.optimizer.learning_rate, trainer.critic_optimizer.learning_rate = 0.03, 0.0
    fit(trainer, batch, 40)
    assert float(trainer.accuracy) < told - 0.1


def test_a_bad_gate_is_refused():
    with pytest.raises(InputError, match="learns_below: expected a share from 0 to 1"):
        make(learns_below=99)
