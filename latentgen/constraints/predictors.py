"""Attribute critics D_attr: small differentiable functions of z that predict one attribute.

Seventy labels in a hundred dimensions overfit any trunk of the actor's size, so D_attr is one of
two classical models, chosen and calibrated by cross-validation (validation.py); where a rule gives
thousands of labels (reward.py) it is a trunk, as published (judge.py):

- `parzen`: for each class the log density of a kernel estimate, log mean_i k(|z - z_i|^2), over
  the labelled z_i of that class, with the heavy-tailed k(d) = (1 + g d / 4)^-4 (Student's t). A
  Gaussian kernel's ratio of two classes grows without bound away from both, which is where an
  actor then goes; this one's is largest at the class itself. For measured attributes it is the
  kernel-weighted mean of the labels (Nadaraya-Watson).
- `linear`: scores z·W + b, from regularised logistic or ridge regression.
- `network`: the same on top of hidden layers.

Calibrated logits are slope * score + bias; a measured attribute has a residual deviation instead.
"""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from keras import ops
from scipy import special

ARRAYS = SimpleNamespace(
    matmul=np.matmul,
    sum=np.sum,
    log1p=np.log1p,
    maximum=np.maximum,
    softmax=special.softmax,
    logsumexp=special.logsumexp,
    transpose=np.transpose,
    cast=np.asarray,
)
TAIL = 4.0  # exponent of the kernel: the smaller, the heavier its tails


@dataclass(frozen=True)
class Predictor:
    """One attribute's predictor; arrays are float32, so that they can be saved as they are.

    Attributes:
        weights: linear (latent_size, size), or (width of the last hidden layer, size), else None.
        centres: parzen (k, latent_size), else None.
        members: parzen (k, size): log weight of a centre in each class (-1e9: none), or the labels.
        gamma: parzen's kernel precision, per squared unit of z.
        slope, bias: calibration, () and (size,).
        deviation: of the residual of a measured attribute, in standardised units; 0 if discrete.
        hidden: network: kernel and bias of each hidden layer.
    """

    weights: np.ndarray | None = None
    centres: np.ndarray | None = None
    members: np.ndarray | None = None
    gamma: float = 0.0
    slope: float = 1.0
    bias: Any = 0.0
    deviation: float = 0.0
    hidden: tuple[tuple[Any, Any], ...] = ()

    def scores(self, z: Any, xp: Any = ops) -> Any:
        """Uncalibrated scores of z (n, latent_size): (n, size); `xp` as in `__call__`."""
        for kernel, bias in self.hidden:
            z = xp.maximum(xp.matmul(z, kernel) + bias, 0.0)
        if self.weights is not None:
            return xp.matmul(z, self.weights)
        assert self.centres is not None
        assert self.members is not None
        products = xp.matmul(z, self.centres.T)  # (n, k)
        lengths = np.sum(self.centres**2, axis=1)
        distances = xp.sum(z**2, axis=1)[:, None] - 2 * products + lengths
        closeness = -TAIL * xp.log1p(self.gamma / TAIL * xp.maximum(distances, 0.0))
        if self.members.shape[1] == 1:
            return xp.matmul(xp.softmax(closeness, axis=-1), self.members)
        return xp.logsumexp(closeness[:, :, None] + self.members, axis=1)

    def __call__(self, z: Any, xp: Any = ops) -> Any:
        """Calibrated logits a class (n, classes), or the predicted standardised value (n, 1).

        `xp` is what computes it: keras.ops, or ARRAYS for NumPy arrays outside of a graph, where
        JAX would compile every operation anew for every number of rows.
        """
        return self.slope * self.scores(z, xp) + self.bias

    def log_match(self, z: Any, condition: Any) -> Any:
        """log p(what the condition asks of this attribute | z), (n,); 0 where it asks nothing.

        Conditions are those of each row of z (n, c), or k for all rows (k, 1, c): (k, n).
        """
        return log_match(self(z), condition, self.deviation)


def log_match(output: Any, condition: Any, deviation: float) -> Any:
    """log p (n,) of what conditions ask of one attribute, by an attribute critic's output.

    For a measured attribute 1 - sqrt(1 + r^2), r the residual in deviations: near a match the
    Gaussian's log density, far from it linear, so that no one attribute drowns the others.
    """
    if deviation:
        residual = (output[:, 0] - condition[..., 0]) / deviation
        return condition[..., 1] * (1 - ops.sqrt(1 + residual**2))
    return ops.sum(condition * ops.log_softmax(output, axis=-1), axis=-1)


def fit_linear(z: np.ndarray, codes: np.ndarray, size: int, strength: float) -> Predictor:
    """Regularised logistic (ridge if size is 1) regression on centred z, all in one scale.

    One scale, because a VAE's unused dimensions have means near zero: standardising each
    dimension would blow them up to the size of the informative ones.
    """
    from sklearn.linear_model import LogisticRegression, Ridge

    centre, scale = z.mean(0), z.std() + 1e-6
    inputs = (z - centre) / scale
    if size == 1:
        ridge = Ridge(alpha=1 / strength).fit(inputs, codes)
        weights, bias = ridge.coef_[:, None] / scale, np.array([ridge.intercept_])
    else:
        model = LogisticRegression(C=strength, max_iter=500).fit(inputs, codes.astype(int))
        weights, bias = model.coef_.T / scale, model.intercept_
        if size == 2:  # scikit-learn states one score for two classes
            weights, bias = np.hstack([0 * weights, weights]), np.array([0.0, bias[0]])
    bias = bias - centre @ weights
    return Predictor(weights=weights.astype("float32"), bias=bias.astype("float32"))


def fit_parzen(z: np.ndarray, codes: np.ndarray, size: int, gamma: float) -> Predictor:
    """A kernel estimate with the precision gamma, centred on every labelled z (n, latent_size)."""
    if size == 1:
        members = codes[:, None]
    else:
        belongs = codes[:, None] == np.arange(size)
        members = np.where(belongs, -np.log(np.maximum(belongs.sum(0), 1)), -1e9)
    return Predictor(
        centres=z.astype("float32"), members=members.astype("float32"), gamma=float(gamma)
    )
