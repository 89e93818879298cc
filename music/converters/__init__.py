"""Converters: notes of a window ↔ the arrays that models read and write, and back."""

import importlib
from typing import Any

_EXPORTS = {
    name: f"latentgen.music.converters.{module}"
    for module, names in {
        "controls": ("ChordControls", "KeyControls", "infer_harmony"),
        "converter": ("Converter", "Example"),
        "drums": ("FULL_KIT", "GENERAL_KIT", "DrumConverter"),
        "groove": ("GrooveConverter", "drop_hits"),
        "melody": ("MelodyConverter",),
        "performance": ("PerformanceConverter",),
        "plain": ("PlainConverter",),
        "trio": ("TrioConverter",),
    }.items()
    for name in names
}
__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'latentgen.music.converters' has no attribute {name!r}")
