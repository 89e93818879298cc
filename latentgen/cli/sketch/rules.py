"""Rules on measured attributes, as text: `number_of_strokes<4`."""

import inspect
import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from latentgen.errors import InputError

Rule = Callable[[Any], bool]

_COMPARISONS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}


def parse_rule(texts: Sequence[str]) -> Rule:
    """A function from a drawing to whether it obeys all the rules, such as 'closedness>=0.8'."""
    parts = [_parse(text) for text in texts]
    return lambda drawing: all(
        compare(measure(drawing), bound) for measure, compare, bound in parts
    )


def _parse(text: str) -> tuple[Callable[[Any], float], Callable[[float, float], bool], float]:
    measures = _measures()
    match = re.fullmatch(r"\s*(\w+)\s*(<=|>=|<|>)\s*(\S+)\s*", text)
    try:
        if match is None:
            raise ValueError
        name, comparison, bound = match.groups()
        return measures[name], _COMPARISONS[comparison], float(bound)
    except (KeyError, ValueError):
        raise InputError(
            f"--rule: expected an attribute, one of {' '.join(_COMPARISONS)} and a number, such as "
            f"'number_of_strokes<4', received {text!r}; attributes: {', '.join(measures)}"
        ) from None


def _measures() -> dict[str, Callable[[Any], float]]:
    """The measured attributes of latentgen.sketch.attributes by name."""
    from latentgen.sketch import attributes

    return {
        name: function
        for name, function in inspect.getmembers(attributes, inspect.isfunction)
        if function.__module__ == attributes.__name__ and not name.startswith("_")
    }
