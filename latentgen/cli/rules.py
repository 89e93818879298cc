"""Rules on measured attributes, as text: `number_of_strokes<4`, `share_in_key(C major) > 0.9`.

Attributes that are words are asked for by `==`: `tense == past`.
"""

import inspect
import operator
import re
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from latentgen.errors import InputError

Rule = Callable[[Any], bool]
Measure = Callable[..., Any]

_COMPARISONS = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
}


def parse_rule(
    texts: Sequence[str], *modules: ModuleType, example: str, nothing: Any = None
) -> Rule:
    """A function from a piece to whether it obeys all the rules, such as 'closedness>=0.8'.

    Args:
        texts: each an attribute, its argument in brackets if it takes one, a comparison, a number
            or a word.
        modules: whose public functions that return a float or a str are the attributes.
        example: a rule to show to those who write none.
        nothing: an empty piece, with which arguments in brackets are tried.
    """
    measures = {name: m for module in modules for name, m in measures_of(module).items()}
    parts = [_parse(text, measures, example, nothing) for text in texts]
    return lambda piece: all(compare(measure(piece), bound) for measure, compare, bound in parts)


def measures_of(module: ModuleType) -> dict[str, Measure]:
    """The measured attributes of a module by name."""
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(function).return_annotation in (float, str)
    }


def _parse(
    text: str, measures: dict[str, Measure], example: str, nothing: Any
) -> tuple[Measure, Callable[[Any, Any], bool], float | str]:
    match = re.fullmatch(r"\s*(\w+)\s*(?:\(([^()]*)\))?\s*(<=|>=|==|<|>)\s*(.*\S)\s*", text)
    try:
        if match is None:
            raise ValueError
        name, argument, comparison, bound = match.groups()
        measure, compare = measures[name], _COMPARISONS[comparison]
        number = _bound(measure, comparison, bound)
    except (KeyError, ValueError):
        raise InputError(
            f"--rule: expected an attribute, one of {' '.join(_COMPARISONS)} and a number, or == "
            f"and a word where it is one, such as {example!r}, received {text!r}; attributes: "
            f"{', '.join(map(_shown, measures.values()))}"
        ) from None
    wanted = _parameter(measure)
    if (wanted is None) != (argument is None):
        raise InputError(f"--rule: expected {_shown(measure)}, received {text!r}")
    if wanted is None or argument is None:
        return measure, compare, number
    value = argument.strip() if wanted.annotation is str else _numbers(argument, text)
    try:
        measure(nothing, value)
    except InputError as error:
        raise InputError(f"--rule {text!r}: {error}") from None
    return lambda piece: measure(piece, value), compare, number


def _bound(measure: Measure, comparison: str, text: str) -> float | str:
    """What a measure is compared with; a ValueError if it cannot be."""
    if inspect.signature(measure).return_annotation is float:
        return float(text)
    if comparison != "==":
        raise ValueError
    return text


def _parameter(measure: Measure) -> inspect.Parameter | None:
    """What a measure takes beside the piece."""
    others = list(inspect.signature(measure).parameters.values())[1:]
    return others[0] if others else None


def _shown(measure: Measure) -> str:
    parameter = _parameter(measure)
    return measure.__name__ + (f"({parameter.name.upper()})" if parameter else "")


def _numbers(argument: str, text: str) -> list[int]:
    """`0 4 7` or `60-71`, also mixed with commas, as numbers."""
    numbers: list[int] = []
    for part in argument.replace(",", " ").split():
        match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", part)
        if match is None:
            raise InputError(f"--rule: expected whole numbers such as '0 4 7', received {text!r}")
        first, last = match[1], match[2] or match[1]
        numbers += range(int(first), int(last) + 1)
    return numbers
