"""D_attr as published, a trunk of its own: the critic of an attribute whose labels are plenty.

It differs from the published one in what keeps an actor from deceiving it: it is half as deep, has
dropout, as thousands of z teach it and not the paper's hundred thousand, and is trained on in every
round, on what the actor has proposed.
"""

from typing import Any

import keras
import numpy as np

from latentgen.constraints.attributes import Attribute
from latentgen.constraints.predictors import ARRAYS, Predictor, log_match
from latentgen.constraints.validation import (
    LEAST_DEVIATION,
    AttributeReport,
    described,
    held_out_score,
)

HIDDEN, LAYERS, DROPOUT = 256, 2, 0.3
BATCH = 128
PASSES, FEWEST_STEPS = 2, 200  # over all labels, in each round
HELD_OUT = 10  # one label of ten, of each class the fourth, fourteenth, …


class Judge:
    """The network that learns one attribute, round by round, from z and codes."""

    def __init__(self, attribute: Attribute, latent_size: int, seed: int):
        self.attribute = attribute
        self.random = np.random.default_rng([seed, 3])
        layers: list[keras.layers.Layer] = []
        for index in range(LAYERS):
            start = keras.initializers.GlorotUniform(seed=100 * seed + index)
            layers.append(keras.layers.Dense(HIDDEN, "relu", kernel_initializer=start))
            layers.append(keras.layers.Dropout(DROPOUT, seed=100 * seed + index))
        start = keras.initializers.GlorotUniform(seed=100 * seed + LAYERS)
        layers.append(keras.layers.Dense(attribute.size, kernel_initializer=start))
        self.dense = layers[::2]
        self.network = keras.Sequential([keras.Input((latent_size,)), *layers])
        self.network.compile(
            keras.optimizers.Adam(1e-3),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            if attribute.classes
            else "mean_squared_error",
        )
        self.deviation = 0.0 if attribute.classes else 1.0

    def train(self, z: np.ndarray, codes: np.ndarray, held_out: np.ndarray) -> None:
        """Some passes over the rows whose codes (n,) are known, without those held out (n,)."""
        rows = np.where(~np.isnan(codes) & ~held_out)[0]
        batch = min(BATCH, len(rows))
        steps = max(FEWEST_STEPS, PASSES * len(rows) // batch)
        passes = -(-steps * batch // len(rows))
        order = np.concatenate([self.random.permutation(rows) for _ in range(passes)])
        order = order[: steps * batch]
        self.network.fit(z[order], codes[order], batch_size=batch, shuffle=False, verbose=0)

    def log_match(self, z: Any, condition: Any) -> Any:
        """As a predictor's, by what the network says now, with dropout: what only some of its
        units think of z does not count for much."""
        return log_match(self.network(z, training=True), condition, self.deviation)

    def frozen(
        self, z: np.ndarray, codes: np.ndarray, held_out: np.ndarray
    ) -> tuple[Predictor, AttributeReport]:
        """What the network says now, as plain arrays, and its score on the rows held out."""
        pairs = [(np.array(layer.kernel), np.array(layer.bias)) for layer in self.dense]
        known, tested = ~np.isnan(codes), held_out & ~np.isnan(codes)
        (weights, bias), hidden = pairs[-1], tuple(pairs[:-1])
        predictor = Predictor(weights=weights, bias=bias, hidden=hidden)
        output = predictor(z[tested], ARRAYS)
        deviation = 0.0
        if not self.attribute.classes:
            deviation = max(LEAST_DEVIATION, float(np.std(codes[tested] - output[:, 0])))
        report = AttributeReport(
            self.attribute.name,
            described(self.attribute, codes[known]),
            "network",
            "AUC" if self.attribute.classes else "R2",
            held_out_score(self.attribute, output, codes[tested]),
        )
        return Predictor(weights, bias=bias, deviation=deviation, hidden=hidden), report


def hold_out(attribute: Attribute, codes: np.ndarray) -> np.ndarray:
    """Which rows of codes (n,) are kept for the score; as rows are added, the same ones."""
    held = np.zeros(len(codes), bool)
    known = ~np.isnan(codes)
    groups = [codes == c for c in range(attribute.size)] if attribute.classes else [known]
    for group in groups:
        held[np.where(group)[0][3::HELD_OUT]] = True
    return held
