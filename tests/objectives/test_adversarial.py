"""What objectives with a second network share: free runs, which steps were drawn, the loss."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.errors import InputError
from latentgen.objectives import ElementEmbedding, RecurrentDiscriminator
from latentgen.objectives.adversarial import AdversarialObjective, inputs_of
from tests.objectives.checks import fit, prepared, toy_batch
from tests.objectives.models import MODELS
from tests.objectives.toy import toy_model
from tests.tiny import strokes


class Plain(AdversarialObjective):
    """Nothing beside the likelihood; the critic is asked, and counts how often."""

    def __init__(self, model, likelihood_weight=1.0, critic=None, **options):
        latent = {"latent_size": model.decoder.latent_size}
        critic = RecurrentDiscriminator(ElementEmbedding.of(model.head, 3), 3, 3, **latent)
        super().__init__(model, critic, likelihood_weight, **options)
        self.prepared = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def prepare(self, batch):
        self.prepared.assign_add(1.0)
        return self.with_own(inputs_of(batch))

    def critic_loss(self, batch):
        inputs = inputs_of(batch)
        mask = self.drawn(inputs["own"])
        return ops.mean(self.critic(inputs["own"], mask, inputs.get("own_z")) ** 2)

    def objective(self, inputs, outputs):
        return 0.0


@pytest.mark.parametrize("name", MODELS)
def test_own_sequences_are_of_the_batchs_shape_and_end_as_its_own_do(name):
    model, batch = MODELS[name]()
    trainer = Plain(model)
    own = trainer.with_own(batch)
    assert own["own"].shape == batch["sequence"].shape
    assert ("own_z" in own) == bool(model.decoder.latent_size)
    counted = np.asarray(trainer.drawn(own["own"]))
    ended = np.asarray(model.head.ended(own["own"]))
    assert counted[:, 0].all()
    assert not (counted & np.roll(ended, 1, axis=1))[:, 1:].any()  # nothing behind an end
    again = np.asarray(trainer.with_own(batch)["own"])
    assert not np.array_equal(again, own["own"])
    repeated = Plain(MODELS[name]()[0]).with_own(batch)["own"]
    np.testing.assert_array_equal(np.asarray(own["own"]), np.asarray(repeated))


def test_drawn_is_up_to_the_end_and_with_it():
    trainer = Plain(MODELS["sketch VAE"]()[0])
    counted = np.asarray(trainer.drawn(strokes((5, 3, 1))["sequence"]))
    np.testing.assert_array_equal(counted.sum(axis=1), [6, 4, 2])


def test_with_nothing_beside_it_is_likelihood():
    trainer, plain = prepared(Plain(toy_model())), toy_model()
    found = fit(trainer, toy_batch(8))
    plain.compile(keras.optimizers.Adam(0.01, global_clipnorm=5.0), jit_compile=trainer.jit_compile)
    for _ in range(2):
        plain.train_on_batch(toy_batch(8))
    for one, other in zip(
        trainer.actor.trainable_variables, plain.trainable_variables, strict=True
    ):
        np.testing.assert_allclose(np.array(one), np.array(other), atol=1e-6)
    assert {"nll", "reconstruction", "actor_loss", "critic_loss"} <= set(found)


def test_a_turn_is_prepared_once_whatever_its_steps():
    trainer = prepared(Plain(toy_model()), critic_steps=3, actor_steps=2)
    fit(trainer, toy_batch(4), 2)
    assert float(trainer.prepared) == 2.0
    assert int(trainer.critic_optimizer.iterations) == 6


def test_without_likelihood_steps_are_counted_all_the_same():
    class Free(Plain):
        def objective(self, inputs, outputs):
            return ops.mean(outputs["features"] ** 2)

    trainer = prepared(Free(toy_model(), likelihood_weight=0.0))
    fit(trainer, toy_batch(4), 2)
    assert int(trainer.actor.step) == 2


def test_bad_weights_are_refused():
    with pytest.raises(InputError, match="likelihood_weight: expected 0 or more"):
        Plain(toy_model(), -1.0)
    with pytest.raises(InputError, match="for a VAE"):
        Plain(MODELS["sketch VAE"]()[0], 0.0)
    assert Plain(toy_model(), None).likelihood_weight == 0.0
    assert Plain(MODELS["sketch VAE"]()[0], None).likelihood_weight == 1.0
