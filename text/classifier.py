"""SentenceClassifier: says which of some classes a sentence belongs to, such as its sentiment.

It judges what latent constraints write: it was trained on other sentences and reads words, not z.
"""

import itertools
import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latentgen.checkpoints.variables import read_arrays
from latentgen.errors import CheckpointError, InputError
from latentgen.files import atomic_file
from latentgen.text.spelling import small_tokens

FORMAT = "latentgen sentence classifier 1"
HELD_OUT = 10  # one sentence of ten tells the accuracy
PENALTY = 0.1  # of the squared weights; of 10, 3, 1 and 0.1 times Yelp's sentences the best


class SentenceClassifier:
    """Logistic regression on the words and pairs of words of a sentence, weighted by tf-idf.

    Made by `learn` or `load`. Capitals do not matter, and neither does whether a sentence is
    tokenised as a corpus is or written as a person does.

    Attributes:
        categories: what it tells apart, n names.
        terms: the words and pairs of words that it knows, m.
        idf: float32 (m,), what each term counts.
        weights: float32 (m, n).
        bias: float32 (n,).
        accuracy: the share of sentences that it said rightly when one of ten was held out.
    """

    def __init__(
        self,
        categories: Sequence[str],
        terms: Sequence[str],
        idf: np.ndarray,
        weights: np.ndarray,
        bias: np.ndarray,
        accuracy: float,
    ):
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.categories, self.terms = tuple(categories), tuple(terms)
        arrays = {"idf": idf, "weights": weights, "bias": bias}
        m, n = len(self.terms), len(self.categories)
        shapes = {"idf": (m,), "weights": (m, n), "bias": (n,)}
        for name, array in arrays.items():
            if np.shape(array) != shapes[name] or not np.isfinite(array).all():
                raise InputError(
                    f"{name}: expected finite numbers of shape {shapes[name]} for {m} terms and "
                    f"{n} categories, received shape {np.shape(array)}"
                )
        self.idf, self.weights, self.bias = (a.astype("float32") for a in arrays.values())
        self.accuracy = accuracy
        self._vectorizer = TfidfVectorizer(
            analyzer=terms_of, vocabulary=self.terms, dtype="float32"
        )
        self._vectorizer.idf_ = self.idf

    @classmethod
    def learn(
        cls, sentences: Sequence[str], labels: Sequence[str], seed: int = 0
    ) -> "SentenceClassifier":
        """Learns from sentences and the class of each; a minute for a hundred thousand.

        Args:
            sentences: n.
            labels: n, of at least two classes.
            seed: of the choice of sentences that are held out to measure `accuracy`; what is
                given back has learned from all.

        Raises:
            InputError: one class, a class with one sentence, or not as many labels as sentences.
        """
        labels = [str(label) for label in labels]
        if len(labels) != len(sentences):
            raise InputError(
                f"labels: expected one for each of {len(sentences)} sentences, "
                f"received {len(labels)}"
            )
        counts = dict(sorted(Counter(labels).items()))
        if len(counts) < 2 or min(counts.values()) < 2:
            raise InputError(
                "labels: expected at least two classes with at least two sentences each, "
                f"received {counts}"
            )
        order = np.random.default_rng(seed).permutation(len(labels))
        # Of every class some are held out and some are learned from, however few there are.
        places = {label: itertools.count() for label in counts}
        spread = sorted(order, key=lambda row: next(places[labels[row]]) / counts[labels[row]])
        held_out = max(len(counts), len(labels) // HELD_OUT)
        test, train = spread[:held_out], spread[held_out:]
        judge = cls._fitted(sentences, labels, train, 0.0)
        said = judge.predict([sentences[row] for row in test])
        accuracy = np.mean([a == labels[row] for a, row in zip(said, test, strict=True)])
        return cls._fitted(sentences, labels, order.tolist(), float(accuracy))

    @classmethod
    def _fitted(
        cls, sentences: Sequence[str], labels: Sequence[str], rows: Sequence[int], accuracy: float
    ) -> "SentenceClassifier":
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        fewest = 2 if len(rows) > 1000 else 1  # terms that occur once are most, and say little
        vectorizer = TfidfVectorizer(analyzer=terms_of, min_df=fewest)
        try:
            seen = vectorizer.fit_transform([sentences[row] for row in rows])
        except ValueError:
            raise InputError(
                "sentences: expected words that occur in several sentences, received none"
            ) from None
        model = LogisticRegression(C=1 / PENALTY, max_iter=1000)
        model.fit(seen, [labels[row] for row in rows])
        weights, bias = model.coef_.T, model.intercept_
        if len(model.classes_) == 2:  # one column there, for the second class
            weights, bias = np.hstack([-weights, weights]) / 2, np.hstack([-bias, bias]) / 2
        terms = vectorizer.get_feature_names_out().tolist()
        return cls(model.classes_.tolist(), terms, vectorizer.idf_, weights, bias, accuracy)

    def probability(self, sentences: Sequence[str]) -> np.ndarray:
        """float32 (n, categories), rows summing to 1."""
        if isinstance(sentences, str):
            raise InputError("sentences: expected several in a list, received one string")
        if not len(sentences):
            return np.zeros((0, len(self.categories)), "float32")
        logits = self._vectorizer.transform(sentences) @ self.weights + self.bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def predict(self, sentences: Sequence[str]) -> list[str]:
        """The most probable category of each sentence."""
        return [self.categories[k] for k in self.probability(sentences).argmax(axis=1)]

    def is_a(self, category: str, sentences: Sequence[str]) -> np.ndarray:
        """Whether each sentence is of the category rather than of any other, bool (n,)."""
        if category not in self.categories:
            raise InputError(f"category: expected one of {self.categories}, received {category!r}")
        return self.probability(sentences).argmax(axis=1) == self.categories.index(category)

    def save(self, path: str | os.PathLike) -> None:
        """Writes one .npz of plain arrays with a JSON header."""
        header = {
            "format": FORMAT,
            "categories": self.categories,
            "terms": self.terms,
            "accuracy": self.accuracy,
        }
        content = np.frombuffer(json.dumps(header).encode(), dtype="uint8")
        with atomic_file(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(
                file, header=content, idf=self.idf, weights=self.weights, bias=self.bias
            )

    @classmethod
    def load(cls, path: str | os.PathLike) -> "SentenceClassifier":
        """Opens what `save` wrote; it says exactly what the saved one did.

        Raises:
            FileError: no such file, or a damaged one.
            CheckpointError: not a sentence classifier.
        """
        arrays: dict[str, Any] = read_arrays(Path(path))
        try:
            header = json.loads(arrays.pop("header").tobytes())
            if header.pop("format") != FORMAT:
                raise ValueError("another format")
            return cls(**header, **arrays)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(
                f"{path}: expected a sentence classifier saved by latentgen, received something "
                f"else ({error})"
            ) from None


def terms_of(sentence: str) -> list[str]:
    """The words of a sentence and the pairs of successive ones, in small letters."""
    words = small_tokens(sentence)
    return words + [f"{one} {other}" for one, other in itertools.pairwise(words)]
