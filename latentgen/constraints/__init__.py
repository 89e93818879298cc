"""Latent constraints: learn from a few labels, or a rule, to move z to where it is as asked.

`LatentConstraints` fits, samples, transforms and scores; `combine` joins constraints learnt apart;
`evaluate` compares the ways to a constrained z. Resolved at first use: importing this is light.
"""

import importlib
from typing import Any

_EXPORTS = {
    "CombinedConstraints": "latentgen.constraints.combined",
    "Comparison": "latentgen.constraints.evaluation",
    "FitReport": "latentgen.constraints.report",
    "LatentConstraints": "latentgen.constraints.latent_constraints",
    "combine": "latentgen.constraints.combined",
    "evaluate": "latentgen.constraints.evaluation",
}
__all__ = [
    "CombinedConstraints",
    "Comparison",
    "FitReport",
    "LatentConstraints",
    "combine",
    "evaluate",
]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'latentgen.constraints' has no attribute {name!r}")
