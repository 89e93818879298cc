"""Music: reading, converters, MusicVAE, attributes of a passage, piano rolls and sound.

Nothing heavy is imported here: the names below are resolved at first use.
"""

import importlib
from typing import Any

_EXPORTS: dict[str, str] = {
    name: f"latentgen.music.{module}"
    for module, names in {
        "errors": ("Unsuitable",),
    }.items()
    for name in names
}
__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'latentgen.music' has no attribute {name!r}")
