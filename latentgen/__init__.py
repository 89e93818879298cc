"""Sequence VAEs (sketches, music, text) whose latent space does what it is asked.

Nothing heavy is imported here: the names below are resolved at first use.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_EXPORTS = {
    "LatentConstraints": "latentgen.constraints",
    "MusicVAE": "latentgen.music",
    "SequenceVAE": "latentgen.vae",
    "SketchDecoder": "latentgen.sketch",
    "SketchVAE": "latentgen.sketch",
    "TextVAE": "latentgen.text",
}
__all__ = [
    "LatentConstraints",
    "MusicVAE",
    "SequenceVAE",
    "SketchDecoder",
    "SketchVAE",
    "TextVAE",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'latentgen' has no attribute {name!r}")
