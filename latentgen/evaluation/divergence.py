"""Divergences of two distributions whose every outcome can be listed: exact, in nats."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import rel_entr

from latentgen.errors import InputError


def kl(p: ArrayLike, q: ArrayLike) -> float:
    """KL(P ‖ Q) = Σ p log(p / q); infinite where q is 0 and p is not.

    Args:
        p, q: probabilities of the same outcomes, of one shape, each summing to 1 in all.

    Raises:
        InputError: no probabilities, or not of one shape.
    """
    p, q = _distribution("p", p), _distribution("q", q)
    if p.shape != q.shape:
        raise InputError(
            f"p, q: expected probabilities of the same outcomes, received {p.shape} and {q.shape}"
        )
    return float(rel_entr(p, q).sum())


def generalized_js(p: ArrayLike, q: ArrayLike, weight: float = 0.5) -> float:
    """The generalized Jensen-Shannon divergence JS_π(P ‖ Q), π the `weight` of P.

        JS_π = π · KL(P ‖ M) + (1 − π) · KL(Q ‖ M),   M = π P + (1 − π) Q.

    JS_π / π nears KL(P ‖ Q) as π nears 0, JS_π / (1 − π) nears KL(Q ‖ P) as π nears 1 (Huszár 2015,
    arXiv 1511.05101). At ½ it is the Jensen-Shannon divergence, log 2 at most.

    Args:
        p, q: see `kl`; outcomes that one of them lacks are allowed.
        weight: π, from 0 to 1; 0 at both ends.

    Raises:
        InputError: as `kl`, or a weight out of range.
    """
    if not 0 <= weight <= 1:
        raise InputError(f"weight: expected a share from 0 to 1, received {weight}")
    p, q = _distribution("p", p), _distribution("q", q)
    mixture = weight * p + (1.0 - weight) * q if p.shape == q.shape else q
    return weight * kl(p, mixture) + (1.0 - weight) * kl(q, mixture)


def _distribution(name: str, probabilities: ArrayLike) -> np.ndarray:
    found = np.asarray(probabilities, "float64")
    # Float32 probabilities of a large vocabulary sum to 1 within some 1e-5.
    if not (found.size and (found >= 0).all() and abs(found.sum() - 1.0) < 1e-4):
        raise InputError(
            f"{name}: expected probabilities, 0 or more, that sum to 1, received "
            f"{found.size} numbers that sum to {found.sum():.6g}"
        )
    return found
