"""The comparison of the ways to a constrained z: do they hold, at what price?"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentgen.constraints.constrained import METHODS, Constrained, check_names
from latentgen.errors import InputError

COLUMNS = ("satisfied", "realism", "diversity", "distance", "ms a sample")


@dataclass(frozen=True)
class Row:
    """One method's figures, means over the attributes; `by_attribute` has each one's satisfaction.

    Attributes:
        satisfaction: share of decoded samples that the judge finds as asked.
        realism: the mean verdict of the realism judge, or the critic's mean probability.
        diversity: mean distance between two decoded samples, relative to true members' if given.
        distance: mean |z' - z|, from the same prior samples z for every method.
        milliseconds: to move one z, without decoding; the first call's compilation included.
    """

    method: str
    satisfaction: float
    realism: float
    diversity: float
    distance: float
    milliseconds: float
    by_attribute: dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """The table that `evaluate` returns: printable, and as `rows`."""

    rows: tuple[Row, ...]
    samples: int

    def __str__(self) -> str:
        width = max(len(row.method) for row in self.rows)
        lines = ["  ".join([" " * width, *COLUMNS, *self.rows[0].by_attribute])]
        for row in self.rows:
            figures = (row.satisfaction, row.realism, row.diversity, row.distance, row.milliseconds)
            cells = [
                f"{value:{len(name)}.2f}"
                for name, value in [
                    *zip(COLUMNS, figures, strict=True),
                    *row.by_attribute.items(),
                ]
            ]
            lines.append("  ".join([f"{row.method:<{width}}", *cells]))
        return "\n".join(lines)


def evaluate(
    constraints: Constrained,
    decode: Callable[[np.ndarray], Any],
    judges: Mapping[str, Callable[[Any], Any]],
    *,
    wants: Mapping[str, Any] | None = None,
    methods: Sequence[str] = ("prior", "rejection", "vector", "ascent", "hmc", "actor"),
    samples: int = 64,
    features: Callable[[Any], Any] | None = None,
    members: Mapping[str, Any] | None = None,
    realism: Callable[[Any], Any] | None = None,
    seed: int = 0,
) -> Comparison:
    """Compares methods: every attribute is asked for alone, by every method, and judged.

    Args:
        constraints: fitted.
        decode: z (n, latent_size) -> n outputs, an array or a list.
        judges: attribute -> a function of the n outputs that says for each whether it is as asked
            (n booleans or probabilities). It should not have seen the labels of the fit.
        wants: attribute -> the value asked for; True where it is not given.
        methods: of 'prior' (z as it was drawn) and METHODS.
        samples: of each method and attribute.
        features: outputs -> (n, f), what diversity is measured on; z itself if None.
        members: attribute -> z (m, latent_size) of true members; their diversity is then 1.
        realism: a judge of the outputs' realism; the critic, which is not independent, if None.
        seed: of the prior samples and the methods.

    Raises:
        InputError: unknown attributes or methods, or a judge whose verdicts do not fit.
    """
    wants, members = dict(wants or {}), dict(members or {})
    check_names([*judges, *wants, *members], constraints.attribute_names)
    unknown = [name for name in methods if name not in ("prior", *METHODS)]
    if unknown or not judges or not methods:
        raise InputError(
            f"evaluate expected judges, and methods among prior, {', '.join(METHODS)}, received "
            f"{len(judges)} judges and {', '.join(methods) or 'no methods'}"
        )
    prior = constraints.sample(samples, strength=0, seed=seed)
    spreads = {name: _spread(np.asarray(z), decode, features) for name, z in members.items()}
    rows = []
    for method in methods:
        figures: dict[str, list[float]] = {}
        for name, judge in judges.items():
            started = time.perf_counter()
            z = prior
            if method != "prior":
                asked = {name: wants.get(name, True)}
                z = constraints.transform(prior, asked, method=method, seed=seed)
            milliseconds = 1000 * (time.perf_counter() - started) / samples
            outputs = decode(z)
            real = constraints.score(z)["realism"] if realism is None else realism(outputs)
            figures[name] = [
                _mean(judge(outputs), samples, f"the judge of {name!r}"),
                _mean(real, samples, "the judge of realism"),
                _distances(_features(z, outputs, features)) / spreads.get(name, 1.0),
                float(np.linalg.norm(z - prior, axis=1).mean()),
                milliseconds,
            ]
        means = [float(mean) for mean in np.mean(list(figures.values()), axis=0)]
        satisfied = {name: values[0] for name, values in figures.items()}
        rows.append(Row(method, means[0], means[1], means[2], means[3], means[4], satisfied))
    return Comparison(tuple(rows), samples)


def _features(z: np.ndarray, outputs: Any, features: Callable[[Any], Any] | None) -> np.ndarray:
    return z if features is None else np.asarray(features(outputs), dtype="float64")


def _spread(z: np.ndarray, decode: Any, features: Callable[[Any], Any] | None) -> float:
    return _distances(_features(z, decode(z) if features else None, features))


def _distances(x: np.ndarray) -> float:
    """Mean Euclidean distance between two different rows of x (n, f)."""
    from scipy.spatial.distance import pdist

    return float(pdist(x.reshape(len(x), -1)).mean()) if len(x) > 1 else 0.0


def _mean(verdicts: Any, samples: int, who: str) -> float:
    array = np.asarray(verdicts, dtype="float64").reshape(-1)
    if len(array) != samples or not np.isfinite(array).all():
        raise InputError(
            f"{who} expected to give {samples} finite verdicts, one an output, received "
            f"{len(array)}; return an array of booleans or probabilities"
        )
    return float(array.mean())
