"""Roll-outs: what a sequence's beginnings are worth, by completing each of them several times."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from latentgen import random
from latentgen.layers.decoder import AutoregressiveDecoder


class LaggedCopy(keras.layers.Layer):
    """A decoder that follows another one: each `follow` takes a share of its weights over.

    Its variables are not trained, and are saved with whatever holds it.

    Args:
        decoder: what it is a copy of.
        lag: share of its own weights that it keeps.
    """

    def __init__(self, decoder: AutoregressiveDecoder, lag: float, **kwargs: Any):
        super().__init__(**kwargs)
        self.decoder, self.lag = another(decoder), lag
        self.decoder.trainable = False
        self.built = True
        self._mix(decoder, 0.0)

    def follow(self, decoder: AutoregressiveDecoder) -> None:
        """own weights ← lag · own + (1 − lag) · the decoder's."""
        self._mix(decoder, self.lag)

    def _mix(self, decoder: AutoregressiveDecoder, kept: float) -> None:
        for own, new in zip(self.decoder.weights, decoder.weights, strict=True):
            own.assign(kept * own + (1.0 - kept) * ops.stop_gradient(new))


def another(decoder: AutoregressiveDecoder) -> Any:
    """A decoder of the same configuration with weights of its own, freshly drawn."""
    config = keras.saving.serialize_keras_object(decoder)
    made = keras.saving.deserialize_keras_object(config)
    if not made.built:
        made.build()
    return made


def rollout_values(
    decoder: AutoregressiveDecoder,
    score: Callable[[Any, Any], Any],
    samples: Any,
    rollouts: int,
    seed: keras.random.SeedGenerator,
    z: Any = None,
    control: Any = None,
    every: int = 1,
) -> Any:
    """What it is worth to have drawn each element of some sequences, (B, T).

    The value of a beginning is the mean score of `rollouts` completions of it; that of the whole
    is its score. A compiled loop takes beginning after beginning, each with all its completions:
    of the steps that are given no more than the states is worked out.

    Args:
        decoder: completes.
        score: called with completed sequences (N, T, D) and what each is conditioned on → (N,).
        samples: the sequences (B, T, D).
        rollouts: completions of each beginning.
        seed: of them.
        z, control: what the decoder is conditioned on and told.
        every: steps between two beginnings that are completed; the elements between them have the
            value of the next one. The cost is proportional to rollouts / every.
    """
    batch, steps = ops.shape(samples)[:2]
    whole = score(samples, z)[:, None]
    if isinstance(steps, int) and steps <= every:
        return ops.repeat(whole, steps, axis=1)
    count = (steps - 1) // every  # of the beginnings: every, 2 · every, … elements long

    def many(tensors):
        return keras.tree.map_structure(lambda x: ops.repeat(x, rollouts, axis=0), tensors)

    given, z, control = (None if part is None else many(part) for part in (samples, z, control))
    # Drawn before the loop: a compiled one has no random generator.
    noise = random.uniform((count, batch * rollouts, steps, decoder.head.noise_size), seed=seed)

    def complete(k, values):
        known = ops.broadcast_to(ops.arange(steps) < (k + 1) * every, (batch * rollouts, steps))
        completed = decoder.generate(z, noise[k], given=given, is_given=known, control=control)
        worth = ops.mean(ops.reshape(score(completed, z), (batch, rollouts)), axis=1)
        return ops.slice_update(values, (k, 0), worth[None])

    begun = ops.fori_loop(0, count, complete, ops.zeros((count, batch)))
    values = ops.concatenate([ops.transpose(begun), whole], axis=1)
    return ops.take(values, ops.arange(steps) // every, axis=1)
