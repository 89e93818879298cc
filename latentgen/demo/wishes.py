"""What the demonstration asks for: three kinds of drawing, and three properties a rule measures."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from latentgen.sketch.attributes import aspect_ratio, closedness, number_of_strokes

if TYPE_CHECKING:
    from latentgen.sketch.classifier import SketchClassifier

KINDS = ("cat", "camera", "headphones")


class Wish(NamedTuple):
    """An attribute that can be asked for.

    Attributes:
        name: the column in labels.csv.
        title: what a person calls it.
        holds: whether each of some drawings has it, bool (n,).
    """

    name: str
    title: str
    holds: Callable[[list[np.ndarray]], np.ndarray]


def wishes(judge: "SketchClassifier") -> list[Wish]:
    """All six; the measured ones split the training drawings about in half."""
    kinds = [
        Wish(kind, f"a {kind}" if kind[-1] != "s" else kind, functools.partial(judge.is_a, kind))
        for kind in KINDS
    ]
    return [
        *kinds,
        Wish("many_strokes", "many strokes (7 or more)", _rule(number_of_strokes, 7)),
        Wish("wide", "wide (1.3 times its height)", _rule(aspect_ratio, 1.3)),
        Wish("closed", "closed shapes (0.6 or more)", _rule(closedness, 0.6)),
    ]


def _rule(measure: Callable[[np.ndarray], float], least: float):
    """Drawings of which an attribute measures at least so much; nothing drawn has nothing."""
    return lambda drawings: np.array([len(d) > 1 and measure(d) >= least for d in drawings])
