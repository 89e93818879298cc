"""What all of latentgen's pictures share: colours, letters, and how a text is cut to fit."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import ImageFont

PAPER = "#fbfaf7"
INK = "#1d1d1f"
ACCENT = "#c2452d"
MUTED = "#77757a"


def font(size: float, text: str) -> Any:
    """Pillow's own font; matplotlib's, which has more letters, where the text needs them."""
    from PIL import ImageFont

    size = max(9, round(size))
    if text.isascii():
        return ImageFont.load_default(size)
    import matplotlib

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)


def printable(text: str) -> str:
    """The text on one line."""
    return " ".join(str(text).split())


def cut(text: str, font: "ImageFont.FreeTypeFont", width: float) -> str:
    """The text, ending in an ellipsis where it would be wider than `width` pixels."""
    text = printable(text)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"
