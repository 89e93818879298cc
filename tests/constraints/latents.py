"""A small latent space with known truth: no model, no files."""

import numpy as np

SIZE = 8


def make_latents(n=240, seed=0):
    """z (n, 8) unlike the prior, and its attributes: a cluster, one of three kinds, a number."""
    random = np.random.default_rng(seed)
    kind = random.integers(3, size=n)
    centres = np.zeros((3, SIZE))
    centres[[0, 1, 2], [0, 1, 2]] = 2.0
    z = (centres[kind] + 0.5 * random.standard_normal((n, SIZE))).astype("float32")
    return z, kind


def truth(z, name):
    """What an independent judge says of z."""
    return {"first": z[:, 0] > 1.0, "right": z[:, 4] > 0.0, "size": 3.0 * z[:, 5] + 10.0}[name]


def make_labels(z, kind, per_class=20, seed=0):
    """Twenty labels of a class, the rest unknown."""
    random = np.random.default_rng(seed)
    labels = {}
    for name, values in (("first", kind == 0), ("right", truth(z, "right"))):
        labels[name] = np.full(len(z), None, dtype=object)
        for value in (False, True):
            rows = random.choice(np.where(values == value)[0], per_class, replace=False)
            labels[name][rows] = value
    labels["kind"] = np.array(["a", "b", "c"])[kind].astype(object)
    labels["size"] = truth(z, "size").astype(float)
    labels["size"][random.choice(len(z), len(z) // 2, replace=False)] = np.nan
    return labels
