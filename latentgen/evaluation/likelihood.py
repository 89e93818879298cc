"""Likelihood: of real sentences, in the field's units; of samples under a judge, and back.

The judge is a language model trained on real sentences: how likely it finds samples is their
quality. A model trained on samples judges real sentences: how likely it finds those is the samples'
diversity (LM score and reverse LM score, Semeniuta et al. 2018, arXiv 1806.04936; Caccia et al.
2020, arXiv 1811.02549).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from latentgen.errors import InputError


class SentenceScores(Protocol):
    """What a model makes of n sentences, such as `latentgen.text.model.TextScores`; nats."""

    @property
    def log_prob(self) -> np.ndarray: ...  # of each token (n, T), 0 after the end
    @property
    def tokens(self) -> np.ndarray: ...  # (n,), the ends among them
    @property
    def kl(self) -> np.ndarray: ...  # (n,), 0 without z


class Judge(Protocol):
    """A model of sentences that scores them, such as a LanguageModel."""

    def score(self, sentences: Sequence[str], /) -> SentenceScores: ...


class Likelihood(NamedTuple):
    """Of n sentences; of a model with a z, from its bound at the posterior's mean.

    Attributes:
        sentence: nats a sentence, the mean.
        token: nats a token; each sentence's end is one.
        perplexity: exp of that.
        bits_per_character: bits a character; each sentence's end is one.
    """

    sentence: float
    token: float
    perplexity: float
    bits_per_character: float


def likelihood(scores: SentenceScores, sentences: Sequence[str]) -> Likelihood:
    """How well a model predicts sentences, of its scores of them.

    Args:
        scores: what `model.score(sentences)` gives.
        sentences: the same n sentences, for their characters.

    Raises:
        InputError: not as many sentences as scores.
    """
    if isinstance(sentences, str) or len(sentences) != len(scores.tokens):
        received = "a string" if isinstance(sentences, str) else f"{len(sentences)}"
        raise InputError(
            f"sentences: expected the {len(scores.tokens)} that were scored, received {received}"
        )
    nats = float(_nats(scores).sum())
    token = nats / float(np.sum(scores.tokens))
    characters = sum(len(sentence) + 1 for sentence in sentences)
    return Likelihood(
        nats / len(sentences), token, float(np.exp(token)), nats / characters / float(np.log(2.0))
    )


def lm_score(judge: Judge, samples: Sequence[str]) -> float:
    """How unlikely a judge finds samples, nats a token; low is good.

    A low score alone says little: repeating one likely sentence has the best. See
    `reverse_lm_score`.

    Args:
        judge: trained on real sentences, none of which the samples' model was measured on.
        samples: sentences that the judge can score: empty ones are to be left out.
    """
    scores = judge.score(samples)
    return float(_nats(scores).sum() / np.sum(scores.tokens))


def reverse_lm_score(
    samples: Sequence[str],
    held_out: Sequence[str],
    make_model: Callable[[], Any],
    steps: int,
    batch_size: int = 64,
    seed: int = 0,
) -> float:
    """How unlikely a model trained on samples finds real sentences, nats a token; low is good.

    It is high where samples lack what real sentences have. Compare equally many samples, the same
    model and steps, and the same score of as many real sentences.

    Args:
        samples: sentences to train on; empty ones are to be left out.
        held_out: real sentences to score.
        make_model: a fresh compiled LanguageModel, its weights drawn from one seed and its
            tokenizer learnt from real sentences: with one learnt from samples, unknown words would
            be cheap.
        steps: of training.
        batch_size: samples a step.
        seed: of their order.

    Raises:
        InputError: no steps or batches; or sentences that the model does not take.
    """
    if steps < 1 or batch_size < 1:
        raise InputError(
            f"steps, batch_size: expected 1 or more, received {steps} and {batch_size}"
        )
    from latentgen.training.batches import of_any_length

    model = make_model()
    batches = _batches(model.to_batch(samples), batch_size, seed)
    model.fit(of_any_length(batches), steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)
    return lm_score(model, held_out)


def _nats(scores: SentenceScores) -> np.ndarray:
    """−log p of each sentence, or its bound, (n,)."""
    return np.asarray(scores.kl, "float64") - np.asarray(scores.log_prob, "float64").sum(axis=1)


def _batches(sentences: dict[str, np.ndarray], size: int, seed: int) -> Iterator[tuple[dict]]:
    """Endless batches in passes over all sentences, cut to a multiple of 8 steps of the longest."""
    random = np.random.default_rng(seed)
    sequence, length = sentences["sequence"], sentences["length"]
    order = np.empty(0, "int64")
    while True:
        while len(order) < size:
            order = np.concatenate([order, random.permutation(len(length))])
        rows, order = order[:size], order[size:]
        steps = (int(length[rows].max()) // 8 + 1) * 8
        yield ({"sequence": sequence[rows, :steps], "length": length[rows]},)
