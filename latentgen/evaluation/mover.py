"""Word mover's distance: how far sentences are from each other in meaning, by their words' vectors.

The distance of two sentences is what it costs to move the words of one onto those of the other
(Kusner et al. 2015); that of two collections is what it costs to move one's sentences onto the
other's. Which words may stand for each other is learnt from the data.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.spatial.distance import cdist

from latentgen.errors import InputError
from latentgen.evaluation.ngram import Sentences, check_sentences


def word_vectors(
    sentences: Sentences,
    size: int = 64,
    window: int = 3,
    minimum_count: int = 5,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """A vector of unit length for each word: words in the same company are near.

    Positive pointwise mutual information of words within `window` of each other, reduced to `size`
    dimensions by a singular value decomposition (Levy & Goldberg 2014). As Levy et al. 2015 found
    best, the words around count by their frequency to the power ¾, and each dimension by the root
    of its singular value.

    Args:
        sentences: to learn from, the training data; each a list of words.
        size: of the vectors; less where there are fewer words.
        window: how many words apart two words may be.
        minimum_count: words that are rarer get no vector: too little company to judge them by.
        seed: of the decomposition.

    Raises:
        InputError: no sentences, or none in which two words of a vector are near each other.
    """
    from sklearn.utils.extmath import randomized_svd

    check_sentences("sentences", sentences)
    frequencies = Counter(word for words in sentences for word in words)
    kept = {w: k for k, w in enumerate(w for w, n in frequencies.items() if n >= minimum_count)}
    pairs: Counter[tuple[int, int]] = Counter()
    for words in sentences:
        ids = [kept.get(word) for word in words]
        for apart in range(1, window + 1):
            pairs.update(
                (a, b)
                for a, b in zip(ids, ids[apart:], strict=False)
                if a is not None and b is not None
            )
    if not pairs:
        raise InputError(
            f"sentences: expected one with two words that occur {minimum_count} times or more, "
            "received none; lower minimum_count"
        )
    shape = (len(kept), len(kept))
    rows, columns = np.array(list(pairs)).T
    counts = coo_array((np.array(list(pairs.values()), "float64"), (rows, columns)), shape)
    counts = (counts + counts.T).tocoo()
    totals = counts.sum(axis=1)
    company = totals**0.75 / (totals**0.75).sum()
    rows, columns = counts.coords
    information = np.maximum(np.log(counts.data / (totals[rows] * company[columns])), 0.0)
    matrix = coo_array((information, (rows, columns)), shape).tocsr()
    left, values, _ = randomized_svd(matrix, min(size, len(kept)), random_state=seed)
    vectors = left * np.sqrt(values)
    lengths = np.linalg.norm(vectors, axis=1)
    return {word: vectors[k] / lengths[k] for word, k in kept.items() if lengths[k] > 1e-9}


def word_mover(
    first: Sentences, second: Sentences, vectors: Mapping[str, np.ndarray]
) -> np.ndarray:
    """The relaxed word mover's distance of n sentences from m others, (n, m), 0 to 2.

    Each word moves, whole, onto the nearest word of the other sentence, at the Euclidean distance
    of their vectors; the mean over a sentence's words, from the side where it is larger (Kusner et
    al. 2015, §4: RWMD). It is at most the exact distance, near it, and 0 where two sentences have
    the same words: order and number are not seen.

    Args:
        first, second: sentences, each a list of words; one without words is as one unknown word.
        vectors: of `word_vectors`. An unknown word is the vector 0, at distance 1 of all the known.

    Raises:
        InputError: no sentences, or no vectors.
    """
    check_sentences("first", first)
    check_sentences("second", second)
    if not vectors:
        raise InputError("vectors: expected those of word_vectors, received none")
    unknown = np.zeros(len(next(iter(vectors.values()))))
    bags = [[Counter(words) if len(words) else {"": 1} for words in s] for s in (first, second)]
    places = {
        w: k for k, w in enumerate(dict.fromkeys(w for bag in bags[0] + bags[1] for w in bag))
    }
    table = np.stack([vectors.get(word, unknown) for word in places])
    apart = cdist(table, table)
    sides = [[([places[w] for w in bag], list(bag.values())) for bag in side] for side in bags]
    there, back = _one_way(sides[0], sides[1], apart), _one_way(sides[1], sides[0], apart)
    return np.maximum(there, back.T)


def estimated_word_mover(
    samples: Sentences, real: Sentences, vectors: Mapping[str, np.ndarray]
) -> float:
    """How far n samples are from n real sentences, 0 to 2: the mean distance of the best pairing.

        min over one-to-one pairings π of  mean_i RWMD(sample_i, real_π(i)),

    the Wasserstein distance of the two collections with `word_mover` as the cost. It is large where
    samples are not like real ones and where they are all alike. It depends on n and on the vectors:
    compare it with that of as many other real sentences. Lu et al. 2019 (arXiv 1804.03782) estimate
    such a distance (eWMD) otherwise; their figures cannot be compared with these.

    Args:
        samples, real: equally many sentences, each a list of words; the time grows with n³, some
            seconds for 2,000.
        vectors: of `word_vectors`.

    Raises:
        InputError: as `word_mover`, or not equally many sentences.
    """
    if len(samples) != len(real):
        raise InputError(
            "samples, real: expected equally many sentences, "
            f"received {len(samples)} and {len(real)}"
        )
    costs = word_mover(samples, real, vectors)
    return float(costs[linear_sum_assignment(costs)].mean())


def _one_way(sources: list, targets: list, apart: np.ndarray) -> np.ndarray:
    """Mean distance of each source's words to the nearest ones of each target, (n, m)."""
    nearest = np.stack([apart[:, places].min(axis=1) for places, _ in targets], axis=1)
    return np.stack([np.average(nearest[p], axis=0, weights=counts) for p, counts in sources])
