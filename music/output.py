"""Which output head models what a converter's outputs are."""

from latentgen.layers.bernoulli import BernoulliHead
from latentgen.layers.groove_head import GrooveHead
from latentgen.layers.heads import CategoricalHead, OutputHead
from latentgen.layers.joint_head import JointHead
from latentgen.layers.nade import NadeHead
from latentgen.music.converters import (
    Converter,
    DrumConverter,
    GrooveConverter,
    PerformanceConverter,
    PlainConverter,
    TrioConverter,
)


def output_head(converter: Converter, units: int, parts_apart: bool = False) -> OutputHead:
    """The head over `units` features a step, as MusicVAE has it for such outputs.

    Args:
        parts_apart: whether each part of a trio reads features of its own, `units` of each.
    """
    depth = converter.output_depth
    if isinstance(converter, PlainConverter):
        return _plain_head(converter, units, parts_apart)
    if isinstance(converter, TrioConverter):
        heads = [
            CategoricalHead(units, classes, name=name)
            for name, classes in (("melody", 90), ("bass", 90), ("drums", 512))
        ]
        return JointHead(heads, shared=not parts_apart, name="head")
    if isinstance(converter, GrooveConverter):
        return GrooveHead(units, depth // 3, name="head")
    if isinstance(converter, DrumConverter) and converter.roll_output:
        return NadeHead(units, depth, name="head")
    if isinstance(converter, PerformanceConverter):
        return CategoricalHead(units, depth, end_class=converter.end, name="head")
    return CategoricalHead(units, depth, name="head")


def _plain_head(converter: PlainConverter, units: int, parts_apart: bool) -> OutputHead:
    if converter.output == "groove":
        return GrooveHead(units, converter.output_depth // 3, name="head")
    if converter.output == "nade":
        return NadeHead(units, converter.output_depth, converter.hidden, name="head")
    if converter.output == "boolean":
        return BernoulliHead(units, converter.output_depth, name="head")
    if len(converter.parts) == 1 and not parts_apart:
        classes = converter.output_depth
        return CategoricalHead(units, classes, converter.end_class, name="head")
    heads = [
        CategoricalHead(units, classes, name=f"part_{k}")
        for k, classes in enumerate(converter.parts)
    ]
    return JointHead(heads, shared=not parts_apart, name="head")
