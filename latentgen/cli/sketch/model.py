"""Opening a model."""

from typing import TYPE_CHECKING

from latentgen.cli.progress import waiting
from latentgen.cli.startup import import_keras

if TYPE_CHECKING:
    from latentgen.sketch.vae import SketchVAE


def open_vae(preset: str) -> "SketchVAE":
    """The trained model of a preset's name or folder."""
    with waiting(f"Opening {preset}"):
        import_keras()
        from latentgen.sketch.vae import SketchVAE

        return SketchVAE.from_preset(preset)
