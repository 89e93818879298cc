"""Which attribute critic fits these labels, and how well does it hold on labels it has not seen?

Every candidate is cross-validated (stratified five-fold, repeated); the best one is calibrated on
its held-out scores and fitted on all labels. The held-out figure is what the user is told.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from latentgen.constraints.attributes import Attribute
from latentgen.constraints.predictors import ARRAYS, Predictor, fit_linear, fit_parzen

logger = logging.getLogger(__name__)

REPEATS = 3
FOLDS = 5
MARGIN = 0.02  # choosing among ten by seventy labels has a price: the default stays unless beaten
LEAST_DEVIATION = 0.1  # of a measured attribute's residual, in its own deviations
STEEPEST = 2.0  # log of the logits' greatest deviation
WEAK_AUC = 0.6
WEAK_R2 = 0.1


@dataclass(frozen=True)
class AttributeReport:
    """How one attribute was learnt: `score` is the held-out AUC, or R^2 if it is measured."""

    name: str
    labels: str
    model: str
    measure: str
    score: float

    @property
    def weak(self) -> bool:
        """Whether the labels do not teach this attribute."""
        return self.score < (WEAK_AUC if self.measure == "AUC" else WEAK_R2)

    def __str__(self) -> str:
        verdict = ": this constraint will not hold" if self.weak else ""
        return (
            f"{self.name}: {self.labels}, {self.model}, "
            f"held-out {self.measure} {self.score:.2f}{verdict}"
        )


Fit = Callable[[np.ndarray, np.ndarray], Predictor]


def learn_attribute(
    attribute: Attribute, z: np.ndarray, codes: np.ndarray, seed: int
) -> tuple[Predictor, AttributeReport]:
    """The best calibrated predictor of an attribute, and its held-out score.

    Args:
        attribute: what to learn.
        z: all rows (n, latent_size).
        codes: the attribute's codes (n,), NaN where unknown.
        seed: of the folds.
    """
    known = ~np.isnan(codes)
    z, codes = z[known], codes[known]
    folds = list(_folds(attribute, codes, seed))
    best: tuple[float, str, Fit, np.ndarray] | None = None
    hurdle = -np.inf
    for name, fit in _candidates(attribute, z):
        held_out = np.zeros((_repeats(codes), len(z), attribute.size))
        for repeat, train, test in folds:
            predictor = fit(z[train], codes[train])
            held_out[repeat, test] = predictor(z[test].astype("float32"), ARRAYS)
        score = float(np.mean([held_out_score(attribute, one, codes) for one in held_out]))
        if best is None or score > max(best[0], hurdle):
            hurdle = score + MARGIN if best is None else hurdle
            best = (score, name, fit, held_out)
    assert best is not None
    score, name, fit, held_out = best
    predictor = _calibrate(attribute, fit(z, codes), held_out, codes)
    report = AttributeReport(
        attribute.name,
        described(attribute, codes),
        name,
        "R2" if attribute.kind == "continuous" else "AUC",
        score,
    )
    if report.weak:
        logger.warning("%s", report)
    return predictor, report


def _candidates(attribute: Attribute, z: np.ndarray) -> Iterator[tuple[str, Fit]]:
    """Names and fits; the first is the one to beat."""
    size = attribute.size
    variance = z.var(0).sum() + 1e-12
    for width in (4.0, 2.0, 8.0, 1.0, 16.0):
        yield f"parzen (g={width:g})", partial(fit_parzen, size=size, gamma=width / variance)
    for strength in (0.01, 0.1, 0.001, 1.0):
        yield f"linear (C={strength:g})", partial(fit_linear, size=size, strength=strength)


def _folds(
    attribute: Attribute, codes: np.ndarray, seed: int
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    from sklearn.model_selection import StratifiedKFold

    if attribute.kind == "continuous":  # stratify measured values by their quarter
        codes = np.digitize(codes, np.quantile(codes, [0.25, 0.5, 0.75]))
    folds = int(min(FOLDS, np.unique(codes, return_counts=True)[1].min()))
    for repeat in range(_repeats(codes)):
        splitter = StratifiedKFold(max(2, folds), shuffle=True, random_state=seed + repeat)
        for train, test in splitter.split(codes, codes):
            yield repeat, train, test


def _repeats(codes: np.ndarray) -> int:
    """Few labels are folded several times; many need it less and cost more."""
    return REPEATS if len(codes) < 500 else 1


def held_out_score(attribute: Attribute, scores: np.ndarray, codes: np.ndarray) -> float:
    """AUC (one class against the rest, averaged), or the squared correlation, signed."""
    from sklearn.metrics import roc_auc_score

    if attribute.kind == "continuous":
        if scores.std() < 1e-9:
            return 0.0
        correlation = np.corrcoef(scores[:, 0], codes)[0, 1]
        return float(correlation * abs(correlation))
    margins = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    if attribute.size == 2:
        return float(roc_auc_score(codes == 1, scores[:, 1] - scores[:, 0]))
    return float(np.mean([roc_auc_score(codes == c, margins[:, c]) for c in range(attribute.size)]))


def _calibrate(
    attribute: Attribute, predictor: Predictor, held_out: np.ndarray, codes: np.ndarray
) -> Predictor:
    """Slope and bias that fit the held-out scores; the linear model's own bias stays inside."""
    from scipy.optimize import minimize

    scores = held_out.mean(0)
    if attribute.kind == "continuous":
        slope = max(0.0, np.cov(scores[:, 0], codes)[0, 1] / (scores.var() + 1e-9))
        bias = codes.mean() - slope * scores.mean()
        deviation = float(np.std(codes - slope * scores[:, 0] - bias))
        return replace(
            predictor,
            slope=float(slope),
            bias=(slope * np.asarray(predictor.bias) + bias).astype("float32").reshape(-1),
            deviation=max(deviation, LEAST_DEVIATION),
        )
    spread = scores.std() + 1e-9
    rows = np.arange(len(codes))

    def loss(parameters: np.ndarray) -> float:
        logits = np.exp(parameters[0]) / spread * scores + parameters[1:]
        logits = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        return -logits[rows, codes.astype(int)].mean() + 0.01 * (parameters[1:] ** 2).mean()

    found = minimize(loss, np.zeros(1 + attribute.size), method="BFGS").x
    slope = float(np.exp(np.clip(found[0], -4, STEEPEST)) / spread)  # separable: no end
    bias = slope * np.asarray(predictor.bias) + found[1:]
    return replace(predictor, slope=slope, bias=bias.astype("float32"))


def described(attribute: Attribute, codes: np.ndarray) -> str:
    """How many labels (codes, all known) there are of what."""
    if attribute.kind == "continuous":
        return f"{len(codes)} labels"
    counts = [int((codes == index).sum()) for index in range(attribute.size)]
    pairs = zip(attribute.classes, counts, strict=True)
    return ", ".join(f"{count} of {value}" for value, count in pairs)
