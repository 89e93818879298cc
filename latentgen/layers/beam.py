"""Beam search: the likeliest sequences of a decoder of symbols, rather than draws."""

from typing import Any, NamedTuple

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.layers.decoder import AutoregressiveDecoder
from latentgen.layers.heads import NEVER, SymbolHead


class Beams(NamedTuple):
    """The k best sequences that were found, best first.

    Where there are fewer sequences than k, the rest has a log_prob of `NEVER` or less.
    """

    samples: Any
    """Elements (B, k, T, D); after a sequence's end, the head's end element."""
    log_prob: Any
    """Log-probability of each sequence with its end, nats (B, k)."""
    score: Any
    """What they are ranked by (B, k)."""


def beam_search(
    decoder: AutoregressiveDecoder,
    z,
    batch: int,
    steps: int,
    beam: int,
    length_penalty: float = 0.6,
    given=None,
    is_given=None,
    control=None,
) -> Beams:
    """Goes on with the k best beginnings at each step, in one loop, until all of them have ended.

    Sequences are ranked by log p(y) / ((5 + |y|) / 6)^length_penalty, |y| counting the end too (Wu
    et al. 2016, arXiv 1609.08144, eq. 14); those that have ended stay in the beam by that score. A
    beam of 1 is greedy decoding.

    Args:
        decoder: with a head of symbols.
        z: what it is conditioned on (B, …), or None.
        batch: B.
        steps: T, the longest result.
        beam: k.
        length_penalty: 0 or more; 0 ranks by log-probability, which favours short sequences,
            larger numbers longer ones.
        given, is_given: elements (B, T, D), and where (B, T) nothing else may stand.
        control: (B, T, control_size) where there is one.

    Raises:
        InputError: a head whose elements are no symbols, or a beam below 1.
    """
    head = decoder.head
    if not isinstance(head, SymbolHead):
        raise InputError(
            "beam: expected a model of symbols such as words, as they have probabilities to "
            f"search by, received one with a {type(head).__name__}; draw from it instead"
        )
    if beam < 1:
        raise InputError(f"beam: expected how many sequences to keep, 1 or more, received {beam}")
    symbols, rows = head.parameter_size, batch * beam
    z, given, is_given, control = keras.tree.map_structure(
        lambda part: None if part is None else ops.repeat(part, beam, axis=0),
        (z, given, is_given, control),
    )
    end = head.id_of(head.end(1))  # (1,)
    only_end = ops.where(ops.arange(symbols) == end, 0.0, NEVER)  # (V,)

    def going_on(t, ids, ended, log_prob, counts, score, states):
        return ops.logical_and(t < steps, ops.logical_not(decoder.all_closed(t, ended)))

    def body(t, ids, ended, log_prob, counts, score, states):
        before = head.element_of(ops.take(ids, ops.maximum(t - 1, 0), axis=1))
        inputs = head.embed(ops.where(t == 0, head.start(rows), before))
        if control is not None:
            inputs = ops.concatenate([inputs, control[:, t]], axis=-1)
        features, states = decoder.advance(t, inputs, list(states))
        step = ops.log_softmax(head(features), axis=-1)  # (B·k, V)
        if given is not None:
            wrong = ops.arange(symbols) != head.id_of(given[:, t])[:, None]
            step = ops.where(ops.logical_and(is_given[:, t][:, None], wrong), NEVER, step)
        closed = decoder.closed(t, ended)
        step = ops.where(closed[:, None], only_end, step)
        counts = counts + ops.cast(ops.logical_not(closed), "float32")
        log_prob = log_prob[:, None] + step
        ranked = log_prob / (((5.0 + counts) / 6.0) ** length_penalty)[:, None]
        score, best = ops.top_k(ops.reshape(ranked, (batch, beam * symbols)), beam)  # (B, k)
        # From a place in an example's k·V continuations to one in all B·k·V.
        best = best + (ops.arange(batch, dtype="int32") * beam * symbols)[:, None]
        best = ops.reshape(best, (rows,))
        parents, chosen = best // symbols, best % symbols
        log_prob = ops.take(ops.reshape(log_prob, (-1,)), best)
        ids, closed, counts, *states = (
            ops.take(part, parents, axis=0) for part in (ids, closed, counts, *states)
        )
        ids = ops.slice_update(ids, (0, t), chosen[:, None])
        ended = ops.logical_or(closed, head.ended(head.element_of(chosen)))
        return t + 1, ids, ended, log_prob, counts, score, tuple(states)

    # Before the first step an example has one beginning, the empty one.
    first = ops.where(ops.arange(rows) % beam == 0, 0.0, NEVER)
    loop = (
        ops.convert_to_tensor(0, dtype="int32"),
        ops.repeat(ops.repeat(end[:, None], rows, axis=0), steps, axis=1),
        ops.zeros((rows,), dtype="bool"),
        first,
        ops.zeros((rows,)),
        ops.reshape(first, (batch, beam)),
        tuple(decoder.initial_states(z, rows)),
    )
    _, ids, _, log_prob, _, score, _ = ops.while_loop(going_on, body, loop)
    samples = head.element_of(ops.reshape(ids, (batch, beam, steps)))
    return Beams(samples, ops.reshape(log_prob, (batch, beam)), score)
