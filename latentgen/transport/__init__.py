"""Optimal transport between sets of vectors: what one sequence costs to turn into another.

`ipot` and `sinkhorn` take a batch of cost matrices, masked, and give a `Transport`; `sequence_loss`
is the cost between two batches of embedded sequences. Resolved at first use: importing this is
light.
"""

import importlib
from typing import Any

_EXPORTS = {
    "Transport": "latentgen.transport.solvers",
    "cosine_cost": "latentgen.transport.costs",
    "euclidean_cost": "latentgen.transport.costs",
    "ipot": "latentgen.transport.solvers",
    "sequence_loss": "latentgen.transport.losses",
    "sinkhorn": "latentgen.transport.solvers",
    "soft_argmax": "latentgen.transport.losses",
    "squared_euclidean_cost": "latentgen.transport.costs",
}
__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'latentgen.transport' has no attribute {name!r}")
