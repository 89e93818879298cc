"""BLEU of many sentences against many, and of sentences against each other (self-BLEU).

Both are means of sentence BLEU with all references, as the literature on text GANs measures quality
and diversity; one pass over the references serves all hypotheses, so the time grows with the words
of both, not with their pairs. (Translations, one hypothesis a reference, are sacrebleu's.)
"""

from collections import Counter

import numpy as np

from latentgen.errors import InputError
from latentgen.evaluation.ngram import Sentences, check_sentences, ngrams

EPSILON = 0.1  # what smoothing method 1 counts where no n-gram matches
TEXYGEN_SENTENCES = 500


def bleu(hypotheses: Sentences, references: Sentences, max_order: int = 5) -> tuple[float, ...]:
    """BLEU-2 to BLEU-max_order of n hypotheses, each against all m references: means over them.

        BLEU-N = min(1, exp(1 − r / h)) · exp(mean over n ≤ N of log p_n)

    with p_n the share of a hypothesis's n-grams that a reference has (each counted as often at most
    as in the reference that has it most: Papineni et al. 2002), h its words, r the words of the
    reference closest in length, of two the shorter. Where no n-gram matches, 0.1 counts as matching
    (smoothing method 1 of Chen & Cherry 2014); without a matching word BLEU is 0. The same as the
    mean of nltk's `sentence_bleu` with uniform weights and that smoothing.

    Args:
        hypotheses, references: sentences, each a list of words.
        max_order: of the longest n-grams, from 2.

    Returns:
        max_order − 1 numbers from 0 to 1.

    Raises:
        InputError: no sentences, or strings where lists of words are expected.
    """
    check_sentences("hypotheses", hypotheses)
    check_sentences("references", references)
    lengths = Counter(map(len, references))
    closest = [_closest(lengths, len(words)) for words in hypotheses]
    matches = []
    for order in _orders(max_order):
        known = {gram for words in hypotheses for gram in ngrams(words, order)}
        most: dict[tuple, int] = {}
        for words in references:
            for gram, count in Counter(ngrams(words, order)).items():
                if gram in known and count > most.get(gram, 0):
                    most[gram] = count
        matches.append(
            [
                sum(
                    min(count, most.get(gram, 0))
                    for gram, count in Counter(ngrams(words, order)).items()
                )
                for words in hypotheses
            ]
        )
    return _means(matches, hypotheses, closest)


def self_bleu(sentences: Sentences, max_order: int = 5) -> tuple[float, ...]:
    """Self-BLEU-2 to -max_order: each of n ≥ 2 sentences against the other n − 1; the means.

    High where sentences repeat each other (Zhu et al. 2018, arXiv 1802.01886). For BLEU itself,
    arguments and errors see `bleu`.
    """
    check_sentences("sentences", sentences, least=2)
    lengths = Counter(map(len, sentences))
    closest = []
    for words in sentences:
        others = lengths.copy()
        others[len(words)] -= 1
        closest.append(_closest(+others, len(words)))
    matches = []
    for order in _orders(max_order):
        counts = [Counter(ngrams(words, order)) for words in sentences]
        # Largest and second largest count of each n-gram: without the sentence that has the
        # largest, what the others have at most is the second.
        first: dict[tuple, int] = {}
        second: dict[tuple, int] = {}
        for counted in counts:
            for gram, count in counted.items():
                if count > first.get(gram, 0):
                    second[gram], first[gram] = first.get(gram, 0), count
                elif count > second.get(gram, 0):
                    second[gram] = count
        matches.append(
            [
                sum(
                    min(count, first[gram] if count < first[gram] else second[gram])
                    for gram, count in counted.items()
                )
                for counted in counts
            ]
        )
    return _means(matches, sentences, closest)


def texygen_bleu(hypotheses: Sentences, references: Sentences) -> tuple[float, ...]:
    """BLEU-2 to -5 as Texygen's 'fast' variant has it (Zhu et al. 2018): for its tables only.

    Every hypothesis against the first 500 references; Texygen's program draws 10,000 hypotheses.
    """
    return bleu(hypotheses, references[:TEXYGEN_SENTENCES])


def texygen_self_bleu(sentences: Sentences) -> tuple[float, ...]:
    """Self-BLEU-2 to -5 as Texygen's 'fast' variant has it: the first 500 sentences alone."""
    return self_bleu(sentences[:TEXYGEN_SENTENCES])


def _closest(lengths: Counter, length: int) -> int:
    """The one of the references' lengths closest to a length; of two, the shorter."""
    return min(lengths, key=lambda other: (abs(other - length), other))


def _orders(max_order: int) -> range:
    if max_order < 2:
        raise InputError(f"max_order: expected 2 or more, received {max_order}")
    return range(1, max_order + 1)


def _means(
    matches: list[list[int]], hypotheses: Sentences, closest: list[int]
) -> tuple[float, ...]:
    """From the matching n-grams of each order and hypothesis to the mean BLEU of each order."""
    matching = np.array(matches, "float64")  # (max_order, n)
    orders = np.arange(1, len(matches) + 1)[:, None]
    length = np.array([len(words) for words in hypotheses])
    precision = np.where(matching > 0, matching, EPSILON) / np.maximum(length - orders + 1, 1)
    brevity = np.exp(np.minimum(0.0, 1.0 - np.array(closest) / np.maximum(length, 1)))
    scores = brevity * np.exp(np.cumsum(np.log(precision), axis=0) / orders)
    return tuple(float(score) for score in np.where(matching[0] > 0, scores, 0.0)[1:].mean(axis=1))
