"""Adversarial training through the draws: each is relaxed, so that gradients reach every step."""

from typing import Any

import keras
from keras import ops

from latentgen import random
from latentgen.layers.decoder import AutoregressiveDecoder
from latentgen.layers.heads import OutputHead, SymbolHead
from latentgen.objectives.adversarial import AdversarialObjective, inputs_of
from latentgen.objectives.discriminators import discriminator_of
from latentgen.sequence_model import SequenceModel
from latentgen.training.schedules import ExponentialApproach, Schedule, at_step


@keras.saving.register_keras_serializable("latentgen")
class GumbelSoftmax(AdversarialObjective):
    """A GAN whose model draws relaxed elements, reads them itself, and is told the way by gradient.

    (Kusner & Hernández-Lobato 2016, arXiv 1611.04051.) A symbol drawn at a temperature is a
    distribution that nears a one-hot as the temperature nears 0, differentiable by its logits
    (Jang et al. 2017, arXiv 1611.01144); a stroke's mixture and pen are relaxed the same way. The
    gradient's variance is low, at a bias that falls with the temperature. As a discriminator would
    tell symbols by their softness alone, they are made hard, and their gradient alone is that of
    the relaxed ones (straight through; Jang et al.). Losses are relativistic (Jolicoeur-Martineau
    2019, arXiv 1807.00734), as RelGAN's (Nie et al. 2019):

        discriminator  −log σ(D(true) − D(relaxed));   model  −log σ(D(relaxed) − D(true))

    Args:
        model: what is trained.
        temperature: of the relaxed draws, a number above 0 or a schedule over steps; by default it
            falls from 1 towards 0.1.
        straight_through: whether symbols are made hard.
        discriminator: called as discriminator(elements, mask, z, training=…) → logits (B,), of
            relaxed elements too; a ConvolutionalDiscriminator by default.
        likelihood_weight, seed: see AdversarialObjective.
    """

    def __init__(
        self,
        model: SequenceModel,
        temperature: float | Schedule | None = None,
        straight_through: bool = True,
        discriminator: keras.layers.Layer | None = None,
        likelihood_weight: float | None = None,
        seed: int = 0,
        **kwargs: Any,
    ):
        discriminator = discriminator or discriminator_of(model, seed)
        super().__init__(model, discriminator, likelihood_weight, seed, **kwargs)
        falling = ExponentialApproach(1.0, 0.1, 0.999)
        self.temperature = falling if temperature is None else temperature
        self.straight_through = straight_through
        self.built = True

    def prepare(self, batch):
        """Relaxed sequences for the discriminator's steps, drawn once a turn."""
        inputs = inputs_of(batch)
        z = self.actor.condition(inputs, training=True).get("z")
        relaxed = {"relaxed": ops.stop_gradient(self.relaxed(inputs, z))}
        return inputs | (relaxed if z is None else relaxed | {"own_z": ops.stop_gradient(z)})

    def relaxed(self, inputs: dict[str, Any], z: Any = None) -> Any:
        """The model's own relaxed sequences (B, T, D) of a batch's number and longest length."""
        batch, steps = ops.shape(inputs["sequence"])[:2]
        size = (batch, steps, self.actor.head.relax_noise_size)
        control = self.actor.read_control(inputs.get("control"), False, inputs.get("length"))
        noise = random.uniform(size, seed=self.draws)
        temperature = at_step(self.temperature, self.actor.step)
        return relaxed_run(
            self.actor.decoder, z, noise, temperature, control, self.straight_through
        )

    def advantage(self, relaxed: Any, inputs: dict[str, Any]) -> Any:
        """By how much each relaxed sequence is taken rather for true than its example is, (B,)."""
        head, z, true = self.actor.head, inputs.get("own_z"), inputs["sequence"]
        fake = self.critic(relaxed, self.drawn(hardened(head, relaxed)), z, training=True)
        return fake - self.critic(true, self.drawn(true), z, training=True)

    def critic_loss(self, batch):
        inputs = inputs_of(batch)
        return ops.mean(ops.softplus(self.advantage(inputs["relaxed"], inputs)))

    def objective(self, inputs, outputs):
        relaxed = self.relaxed(inputs, inputs.get("own_z"))
        return ops.mean(ops.softplus(-self.advantage(relaxed, inputs)))

    def get_config(self):
        schedule = self.temperature
        return super().get_config() | {
            "temperature": keras.saving.serialize_keras_object(schedule)
            if callable(schedule)
            else schedule,
            "straight_through": self.straight_through,
            "discriminator": keras.saving.serialize_keras_object(self.critic),
        }


def hardened(head: OutputHead, relaxed: Any) -> Any:
    """Elements (…, D) of relaxed ones: of symbols the likeliest, of others what they are."""
    if isinstance(head, SymbolHead):
        return head.element_of(ops.argmax(relaxed, axis=-1))
    return relaxed


def relaxed_run(
    decoder: AutoregressiveDecoder,
    z: Any,
    noise: Any,
    temperature: Any,
    control: Any = None,
    straight_through: bool = False,
) -> Any:
    """A free run whose elements are relaxed, and differentiable as what is read at the next step.

    Args:
        z: latent vectors (B, latent_size), or what else the decoder is conditioned on.
        noise: uniforms (B, T, head.relax_noise_size).
        temperature: scalar > 0.
        control: (B, T, control_size) where there is one.
        straight_through: whether symbols are one-hots with the gradient of relaxed ones.

    Returns:
        Relaxed elements (B, T, D), of symbols distributions (B, T, K). An end ends nothing: what
        follows it is drawn too.
    """
    batch, steps = ops.shape(noise)[:2]
    # The step's number goes along as an input: a recurrent layer has no other place for it.
    numbers = ops.cast(ops.arange(steps), noise.dtype)
    numbers = ops.broadcast_to(numbers[None, :, None], (batch, steps, 1))
    inputs = ops.concatenate([numbers, noise, *([] if control is None else [control])], axis=-1)
    states = decoder.initial_states(z, batch)
    # A recurrent layer is the one loop whose gradient compiles on both backends.
    cell = _Feedback(decoder, states, temperature, straight_through)
    rnn = keras.layers.RNN(cell, return_sequences=True)
    return rnn(inputs, initial_state=[decoder.head.embed(decoder.head.start(batch)), *states])


class _Feedback(keras.layers.Layer):
    """A decoder's step as a recurrent cell that reads its own relaxed element; made anew a run."""

    def __init__(
        self,
        decoder: AutoregressiveDecoder,
        states: list,
        temperature: Any,
        straight_through: bool,
    ):
        super().__init__()
        self.decoder, self.temperature = decoder, temperature
        self.hard = straight_through and isinstance(decoder.head, SymbolHead)
        self.state_size = [decoder.head.input_size, *(state.shape[-1] for state in states)]
        self.built = True

    def call(self, inputs, states):
        head = self.decoder.head
        t, noise, control = ops.split(inputs, [1, 1 + head.relax_noise_size], axis=-1)
        features, new = self.decoder.advance(
            ops.cast(t[0, 0], "int32"),
            ops.concatenate([states[0], control], axis=-1),
            list(states[1:]),
        )
        relaxed = head.relax(head(features), noise, self.temperature)
        if self.hard:
            likeliest = ops.one_hot(ops.argmax(relaxed, axis=-1), relaxed.shape[-1])
            relaxed = relaxed + ops.stop_gradient(likeliest - relaxed)
        return relaxed, [head.embed(relaxed), *new]
