"""Trained weights on disk: plain arrays with names and shapes, preset folders, Magenta's files."""

import importlib
from typing import Any

_EXPORTS = dict.fromkeys(("load_magenta", "save_magenta"), "latentgen.checkpoints.magenta")
__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'latentgen.checkpoints' has no attribute {name!r}")
