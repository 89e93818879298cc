"""Opening a model of text and saying how it should write."""

from typing import TYPE_CHECKING, Any

from latentgen.cli.options import decoding
from latentgen.cli.progress import waiting
from latentgen.cli.startup import import_keras

if TYPE_CHECKING:
    from latentgen.text.model import LanguageModel
    from latentgen.text.vae import TextVAE


def open_vae(preset: str) -> "TextVAE":
    """The trained model of a preset's name or folder."""
    with waiting(f"Opening {preset}"):
        import_keras()
        from latentgen.text.vae import TextVAE

        return TextVAE.from_preset(preset)


def open_model(preset: str) -> "TextVAE | LanguageModel":
    """The same; a language model too, for what needs no z."""
    with waiting(f"Opening {preset}"):
        import_keras()
        from latentgen.text.model import LanguageModel
        from latentgen.text.vae import TextVAE

        return TextVAE.any_from_preset(preset, LanguageModel)


def writing(
    temperature: float, top_k: int | None, top_p: float | None, seed: int
) -> dict[str, Any]:
    """Arguments of `decode`."""
    how = decoding(temperature)
    return {"greedy": False} | how | {"top_k": top_k, "top_p": top_p, "seed": seed}
