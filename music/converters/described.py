"""Converters from plain arguments, as presets and exported models keep them."""

from collections.abc import Mapping
from typing import Any

from latentgen.errors import InputError
from latentgen.music import converters
from latentgen.music.converters import Converter


def converter_of(converter: Converter | Mapping[str, Any]) -> Converter:
    """A converter, or the one that its arguments and \"kind\" describe."""
    if isinstance(converter, Converter):
        return converter
    arguments = dict(converter)
    kind = getattr(converters, str(arguments.pop("kind", None)), None)
    if not (isinstance(kind, type) and issubclass(kind, Converter)):
        raise InputError(f"converter: expected a converter or its arguments, received {converter}")
    return kind(**arguments)
