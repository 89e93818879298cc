"""Models that leave the laboratory: SavedModel, ONNX, LiteRT, StableHLO, a web page, a service.

What is exported runs where latentgen is not installed. Resolved at first use: importing this is
light.
"""

import importlib
from typing import Any

_EXPORTS = {
    "export_litert": "latentgen.export.litert",
    "export_onnx": "latentgen.export.onnx",
    "export_saved_model": "latentgen.export.saved_model",
    "export_stablehlo": "latentgen.export.stablehlo",
    "open_model": "latentgen.export.opening",
    "write_site": "latentgen.export.web.build",
}
__all__ = [
    "export_litert",
    "export_onnx",
    "export_saved_model",
    "export_stablehlo",
    "open_model",
    "write_site",
]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'latentgen.export' has no attribute {name!r}")
