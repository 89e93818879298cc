"""A decoder's loop in pieces, for those who run it themselves: start and step.

With T steps and uniform noise (n, T, U):

    element, state, context = start(decoder, z)
    for t in range(T):
        element, state, ended = step(decoder, element, state, context, noise[:, t], temperature)

A client keeps one row of numbers a sequence, the state, and passes the context on unchanged. All
is written in keras.ops on what the decoder states itself.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.generation import GenerativeModel
from latentgen.layers.cell_stacks import split_states
from latentgen.layers.decoder import Decoder


class Started(NamedTuple):
    """What a loop begins with."""

    element: Any
    """The element (n, D) that the first step reads."""
    state: Any
    """What every step changes (n, S)."""
    context: Any
    """What z adds to every step (n, C)."""


class Stepped(NamedTuple):
    """What a step gives."""

    element: Any
    """The element drawn (n, D), which the next step reads."""
    state: Any
    """(n, S)"""
    ended: Any
    """Whether this element closes its sequence, bool (n,)."""


def flat_decoder(model: Any) -> Decoder:
    """The model's decoder, if its loop can be run by others.

    Raises:
        InputError: not a generative model, a decoder of segments or with attention, without a
            latent vector, or one that is told a control.
    """
    if not isinstance(model, GenerativeModel):
        raise InputError(f"model: expected a model that generates, received {type(model).__name__}")
    decoder = model.decoder
    if not isinstance(decoder, Decoder) or not decoder.latent_size or model.control_size:
        kind = type(decoder).__name__
        what = "a control" if model.control_size else "" if decoder.latent_size else "no z"
        raise InputError(
            "model: expected a flat decoder of a latent vector without a control, received "
            f"{kind}{f' with {what}' if what else ''}; export it as a SavedModel, which has "
            "the whole loop inside"
        )
    return decoder


def state_size(decoder: Decoder) -> int:
    """S, how many numbers a step carries to the next."""
    return sum(decoder.cell.state_size)


def context_size(decoder: Decoder) -> int:
    """C, how many numbers z adds to every step."""
    return sum(_context_sizes(decoder))


def start(decoder: Decoder, z: Any) -> Started:
    """What the loop begins with, for latent vectors z (n, latent_size)."""
    batch = ops.shape(z)[0]
    states = decoder.initial_states(z, batch)
    own = len(decoder.cell.state_size)
    state, context = (ops.concatenate(part, axis=-1) for part in (states[:own], states[own:]))
    return Started(decoder.head.start(batch), state, context)


def step(
    decoder: Decoder, element: Any, state: Any, context: Any, noise: Any, temperature: Any
) -> Stepped:
    """One step of the loop.

    Args:
        decoder: of `flat_decoder`.
        element: (n, D), the element before; state: (n, S), of the step before; context: (n, C).
        noise: uniforms in [0, 1), (n, U), fresh at every step.
        temperature: (n,); lower is more careful, and 0 takes the most likely element.
    """
    head, sizes = decoder.head, decoder.cell.state_size
    states = split_states(state, sizes) + split_states(context, _context_sizes(decoder))
    features, states = decoder.advance(None, head.embed(element), states)
    parameters = head(features)
    greedy = temperature[:, None] <= 0
    drawn = head.sample(parameters, noise, ops.where(greedy, 1.0, temperature[:, None]))
    element = ops.where(greedy, head.mode(parameters), drawn)
    state = ops.concatenate(states[: len(sizes)], axis=-1)
    return Stepped(element, state, head.ended(element))


def loop(decoder: Decoder, z: Any, noise: Any, temperature: Any) -> Any:
    """All steps: z (n, latent_size), noise (n, T, U), temperature (n,) → elements (n, T, D).

    The sequences of `decoder.generate`, by a loop that exporters can follow: as a recurrent layer,
    which does not stop before T steps. After a sequence's end stands the head's end element.
    """
    element, state, context = start(decoder, z)
    ended, temperature = ops.zeros_like(temperature)[:, None], temperature[:, None]
    layer = keras.layers.RNN(_Step(decoder, context.shape[-1]), return_sequences=True)
    return layer(noise, initial_state=[element, state, context, temperature, ended])


class _Step(keras.layers.Layer):
    """A step as a recurrent cell, which reads noise (n, U) and gives elements (n, D)."""

    def __init__(self, decoder: Decoder, context_size: int):
        super().__init__()
        self.decoder, self.output_size = decoder, decoder.head.element_size
        self.state_size = [self.output_size, state_size(decoder), context_size, 1, 1]
        self.built = True

    def call(self, noise: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        element, state, context, temperature, ended = states
        drawn = step(self.decoder, element, state, context, noise, temperature[:, 0])
        end = self.decoder.head.end(ops.shape(noise)[0])
        element = ops.where(ended > 0, end, drawn.element)
        ended = ops.maximum(ended, ops.cast(drawn.ended, ended.dtype)[:, None])
        return element, [element, drawn.state, context, temperature, ended]


def _context_sizes(decoder: Decoder) -> list[int]:
    """Sizes of the context's parts."""
    parts = decoder.cell.project_context(ops.zeros((1, decoder.latent_size)))
    return [part.shape[-1] for part in parts]
