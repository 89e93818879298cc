"""Drawings: strokes, QuickDraw and other files, attributes of a drawing, pictures of it.

Nothing heavy is imported here: the names below are resolved at first use.
"""

import importlib
from typing import Any

_EXPORTS = {
    name: f"latentgen.sketch.{module}"
    for module, names in {
        "strokes": (
            "augment",
            "bounds",
            "check_drawing",
            "from_lines",
            "normalise",
            "normalising_scale",
            "simplify",
            "start_at_origin",
            "to_lines",
            "to_stroke3",
            "to_stroke5",
        ),
        "quickdraw": (
            "Sketch",
            "load_quickdraw_folder",
            "read_ndjson",
            "write_ndjson",
        ),
        "npz": ("read_npy", "read_npz", "write_npz"),
        "svg": ("read_svg", "write_svg"),
        "render": ("ACCENT", "INK", "PAPER", "picture", "to_svg", "write_gif", "write_png"),
        "attributes": (
            "aspect_ratio",
            "centre_of_mass_x",
            "centre_of_mass_y",
            "closedness",
            "curvature",
            "density",
            "ink_length",
            "number_of_strokes",
            "straightness",
            "symmetry",
        ),
        "classifier": ("SketchClassifier", "rasterise"),
        "vae": ("SketchDecoder", "SketchVAE", "find_preset", "published_optimizer"),
        "labelled": ("read_labelled_drawings",),
        "formats": ("read_drawings", "write_drawings"),
    }.items()
    for name in names
}
__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'latentgen.sketch' has no attribute {name!r}")
