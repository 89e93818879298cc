"""N-grams of sentences: how many of real ones samples have, and what in samples is new.

Sentences are lists of words. All but `novel_sentences` return a share for each order 1 to
`max_order`. They depend on how many samples there are: compare equally many.
"""

from collections.abc import Iterator, Sequence

from latentgen.errors import InputError

Sentences = Sequence[Sequence[str]]


def ngrams(words: Sequence[str], order: int) -> Iterator[tuple[str, ...]]:
    """The n-grams of a sentence, in order: none of one shorter than `order`."""
    return zip(*(words[k:] for k in range(order)), strict=False)


def coverage(samples: Sentences, real: Sentences, max_order: int = 4) -> tuple[float, ...]:
    """The share of the n-grams of real sentences, each counted once, that samples have.

    Low where samples lack variety or words: what a mode-seeking model leaves out.

    Args:
        samples, real: sentences, each a list of words.
        max_order: of the longest n-grams.

    Raises:
        InputError: no sentences, strings in place of lists of words, or no real sentence as long as
            the longest n-gram.
    """
    check_sentences("samples", samples)
    check_sentences("real", real)
    return tuple(
        _share(len(_types(samples, order) & wanted), len(wanted), "real")
        for order, wanted in _by_order(real, max_order)
    )


def novelty(samples: Sentences, training: Sentences, max_order: int = 4) -> tuple[float, ...]:
    """The share of the samples' n-grams, each counted once, that no training sentence has.

    Arguments and errors as `coverage`.
    """
    check_sentences("samples", samples)
    check_sentences("training", training)
    return tuple(
        _share(len(found - _types(training, order)), len(found), "samples")
        for order, found in _by_order(samples, max_order)
    )


def novel_sentences(samples: Sentences, training: Sentences) -> float:
    """The share of samples that are no training sentence, word by word; errors as `coverage`."""
    check_sentences("samples", samples)
    check_sentences("training", training)
    known = {tuple(words) for words in training}
    return sum(tuple(words) not in known for words in samples) / len(samples)


def distinct(samples: Sentences, max_order: int = 4) -> tuple[float, ...]:
    """Distinct-n: different n-grams as a share of all n-grams (Li et al. 2016, arXiv 1510.03055).

    Arguments and errors as `coverage`.
    """
    check_sentences("samples", samples)
    shares = []
    for order, found in _by_order(samples, max_order):
        total = sum(max(len(words) - order + 1, 0) for words in samples)
        shares.append(_share(len(found), total, "samples"))
    return tuple(shares)


def check_sentences(name: str, sentences: Sentences, least: int = 1) -> None:
    """Refuses with an InputError what is no list of `least` or more lists of words."""
    if isinstance(sentences, str) or len(sentences) < least:
        received = "a string" if isinstance(sentences, str) else str(len(sentences))
        raise InputError(
            f"{name}: expected {least} or more sentences, each a list of words, received {received}"
        )
    for index, words in enumerate(sentences):
        if isinstance(words, str):
            raise InputError(
                f"{name}[{index}]: expected a list of words, received a string; split it"
            )


def _types(sentences: Sentences, order: int) -> set[tuple[str, ...]]:
    return {gram for words in sentences for gram in ngrams(words, order)}


def _by_order(sentences: Sentences, max_order: int) -> Iterator[tuple[int, set]]:
    if max_order < 1:
        raise InputError(f"max_order: expected 1 or more, received {max_order}")
    return ((order, _types(sentences, order)) for order in range(1, max_order + 1))


def _share(part: int, whole: int, name: str) -> float:
    if not whole:
        raise InputError(
            f"{name}: expected a sentence as long as max_order, received shorter ones alone"
        )
    return part / whole
