"""Opening a model."""

from typing import TYPE_CHECKING

from latentgen.cli.progress import waiting
from latentgen.cli.startup import import_keras

if TYPE_CHECKING:
    from latentgen.sketch.vae import SketchDecoder, SketchVAE


def open_vae(preset: str) -> "SketchVAE":
    """The trained model of a preset's name or folder."""
    with waiting(f"Opening {preset}"):
        import_keras()
        from latentgen.sketch.vae import SketchVAE

        return SketchVAE.from_preset(preset)


def open_model(preset: str) -> "SketchVAE | SketchDecoder":
    """The same; a decoder alone too, for what needs no encoder."""
    with waiting(f"Opening {preset}"):
        import_keras()
        from latentgen.sketch.vae import SketchDecoder, SketchVAE

        return SketchVAE.any_from_preset(preset, SketchDecoder)
