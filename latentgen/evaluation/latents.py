"""Whether a latent space is alive: what the posteriors of many examples say of them."""

import numpy as np
from scipy.special import logsumexp

from latentgen.errors import InputError
from latentgen.vae import Posterior

ROWS = 256  # of z whose densities under every posterior are in memory at once


def active_units(posterior: Posterior, threshold: float = 0.01) -> np.ndarray:
    """Which dimensions of z depend on the example, bool (latent_size,).

    Those whose posterior mean varies by more than `threshold` over the examples (Burda et al. 2016,
    arXiv 1509.00519, appendix C).
    """
    return np.asarray(posterior.mean, "float64").var(axis=0) > threshold


def total_kl(posterior: Posterior) -> np.ndarray:
    """KL(q(z|x) ‖ N(0, 1)) of each example, nats (n,)."""
    mean, scale = (np.asarray(part, "float64") for part in posterior)
    return 0.5 * (mean**2 + scale**2 - 1.0 - 2.0 * np.log(scale)).sum(axis=-1)


def mutual_information(posterior: Posterior, seed: int = 0) -> float:
    """I_q(x, z) in nats: how much of an example its z tells (Hoffman & Johnson 2016).

        I = E_x KL(q(z|x) ‖ p) − KL(q(z) ‖ p) = E [log q(z|x) − log q(z)],

    estimated with one z of each posterior and q(z) their mean (He et al. 2019, arXiv 1901.05534):
    biased, and never above log n. Compare estimates of equally many examples.

    Args:
        posterior: of n examples, as they come in the data.
        seed: of the draws.
    """
    mean, scale = (np.asarray(part, "float64") for part in posterior)
    if mean.ndim != 2 or mean.shape != scale.shape or not len(mean):
        raise InputError(
            "posterior: expected means and scales (n, latent_size) of at least one example, "
            f"received {mean.shape} and {scale.shape}"
        )
    noise = np.random.default_rng(seed).standard_normal(mean.shape)
    z = mean + scale * noise
    # The constant ½ log 2π a dimension is in both densities, and left out of both.
    own = -0.5 * (noise**2).sum(axis=-1) - np.log(scale).sum(axis=-1)
    # ((z − μ) / σ)² multiplied out: all pairs by matrix products, without an array (n, n, z).
    precision = scale**-2
    constant = -0.5 * (mean**2 * precision).sum(axis=-1) - np.log(scale).sum(axis=-1)
    mixture = [
        logsumexp(
            -0.5 * z[k : k + ROWS] ** 2 @ precision.T
            + z[k : k + ROWS] @ (mean * precision).T
            + constant,
            axis=1,
        )
        for k in range(0, len(z), ROWS)
    ]
    return float(np.mean(own - np.concatenate(mixture)) + np.log(len(z)))
