"""Boxes, lines and texts, drawn alike as SVG and as pixels: what piano rolls are made of.

Coordinates are CSS pixels from the top left. Colours are CSS's; as pixels, those Pillow knows.
"""

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from latentgen.paper import font

if TYPE_CHECKING:
    from PIL import Image

OVERSAMPLING = 3


class Box(NamedTuple):
    """A filled rectangle with rounded corners."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    opacity: float = 1.0
    radius: float = 0.0


class Line(NamedTuple):
    """A horizontal or vertical line."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str
    opacity: float = 1.0
    width: float = 1.0


class Text(NamedTuple):
    """A line of text, `anchor` (start, middle or end) at x, the middle of its height at y."""

    x: float
    y: float
    text: str
    colour: str
    size: float = 10.0
    anchor: str = "start"


Shape = Box | Line | Text


def svg_shapes(shapes: Iterable[Shape]) -> str:
    """The shapes as SVG elements."""
    return "".join(_svg(shape) for shape in shapes)


def image(
    shapes: Iterable[Shape], width: float, height: float, paper: str, scale: float = 2.0
) -> "Image.Image":
    """The shapes as an RGB picture with `scale` pixels to a CSS pixel, edges smoothed."""
    from PIL import Image, ImageDraw

    size = (round(width * scale), round(height * scale))
    factor = scale * OVERSAMPLING
    # Drawn larger and reduced, because Pillow covers whole pixels only.
    large = Image.new("RGB", (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING), paper)
    draw = ImageDraw.Draw(large, "RGBA")
    texts = []
    for shape in shapes:
        if isinstance(shape, Text):
            texts.append(shape)
        elif isinstance(shape, Box):
            corners = [
                *(shape.x * factor, shape.y * factor),
                *((shape.x + shape.width) * factor - 1, (shape.y + shape.height) * factor - 1),
            ]
            fill = _rgba(shape.colour, shape.opacity)
            draw.rounded_rectangle(corners, shape.radius * factor, fill)
        else:
            half = shape.width / 2
            level, upright = shape.y1 == shape.y2, shape.x1 == shape.x2
            corners = [
                *((shape.x1 - half * upright) * factor, (shape.y1 - half * level) * factor),
                *((shape.x2 + half * upright) * factor - 1, (shape.y2 + half * level) * factor - 1),
            ]
            draw.rectangle(corners, _rgba(shape.colour, shape.opacity))
    small = large.resize(size, Image.Resampling.BOX)
    draw = ImageDraw.Draw(small)
    for text in texts:
        letters = font(text.size * scale, text.text)
        anchor = {"start": "lm", "middle": "mm", "end": "rm"}[text.anchor]
        place = (text.x * scale, text.y * scale)
        draw.text(place, text.text, text.colour, letters, anchor=anchor)
    return small


def _svg(shape: Shape) -> str:
    if isinstance(shape, Text):
        return (
            f'<text x="{shape.x:.6g}" y="{shape.y:.6g}" fill="{escape(shape.colour)}" '
            f'font-size="{shape.size:g}" text-anchor="{shape.anchor}" '
            f'dominant-baseline="central">{escape(shape.text)}</text>'
        )
    opacity = f' opacity="{shape.opacity:.2g}"' if shape.opacity < 1 else ""
    if isinstance(shape, Box):
        radius = f' rx="{shape.radius:.3g}"' if shape.radius else ""
        return (
            f'<rect x="{shape.x:.6g}" y="{shape.y:.6g}" width="{shape.width:.5g}" '
            f'height="{shape.height:.5g}"{radius} fill="{escape(shape.colour)}"{opacity}/>'
        )
    return (
        f'<path d="M{shape.x1:.6g} {shape.y1:.6g}L{shape.x2:.6g} {shape.y2:.6g}" '
        f'stroke="{escape(shape.colour)}" stroke-width="{shape.width:g}"{opacity}/>'
    )


def _rgba(colour: str, opacity: float) -> tuple[int, ...]:
    from PIL import ImageColor

    return (*ImageColor.getrgb(colour)[:3], round(255 * opacity))
