"""A prompt: how many pieces, how daring, and what they should be like, by name."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from latentgen.export.serving.calls import HIGHEST
from latentgen.export.serving.description import Attribute, Description
from latentgen.export.serving.refusal import Refusal, bad, shown
from latentgen.export.serving.signatures import Signature
from latentgen.labels import YES_OR_NO

FORMATS = {
    "sketch": ("svg", "png", "json"),
    "music": ("mid", "wav", "svg", "png", "json"),
    "text": ("txt", "json"),
}
ALONE = ("mid", "wav")
"""Formats of which a file holds one piece."""
TEMPERATURES = {"sketch": 0.25, "music": 0.5, "text": 0.5}  # as the command line draws
_NUMBERS = ("n", "seed", "temperature", "strength", "tempo")


@dataclass(frozen=True)
class Prompt:
    """What is asked for, checked.

    Attributes:
        n: how many pieces.
        temperature: 0 is the likeliest step each time.
        strength: how far z is moved towards what is asked: 0 stays, 1 as learnt.
        tempo: quarter notes a minute, of music.
        targets: one value for each attribute, as the signature takes them; NaN where not asked.
        asked: the same by name, in the model's own words.
    """

    n: int = 1
    seed: int = 0
    temperature: float = 0.5
    strength: float = 1.0
    tempo: float = 120.0
    targets: tuple[float, ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict)


def check_format(kind: str, description: Description) -> None:
    """Refuses, with 404, what pieces of a domain cannot be written as."""
    kinds = FORMATS[description.domain]
    if kind not in kinds:
        raise Refusal(
            404,
            f"sample.{kind}: expected {' or '.join(f'sample.{k}' for k in kinds)}, "
            f"as this model makes {description.domain}",
        )


def of_query(pairs: list[tuple[str, str]], description: Description, most: int) -> Prompt:
    """The prompt of an address: `n=4&seed=3&round=yes&class=cat`.

    Whatever is no number of the prompt is an attribute's name.
    """
    names = [name for name, _ in pairs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise bad(f"{shown(twice[0])}: expected one value, received {names.count(twice[0])}")
    given = dict(pairs)
    numbers = {name: _parsed(name, given.pop(name)) for name in _NUMBERS if name in given}
    return of_document({**numbers, "attributes": given}, description, most)


def of_document(document: Any, description: Description, most: int) -> Prompt:
    """The prompt of a body: `{"n": 4, "seed": 3, "attributes": {"round": true}}`.

    Args:
        most: pieces at once.

    Raises:
        Refusal: 400: something unknown, of another type or out of its range.
    """
    if not isinstance(document, dict):
        raise bad(f"expected a JSON object, received {shown(document)}")
    if unknown := sorted(set(document) - {*_NUMBERS, "attributes"}):
        raise bad(f"expected {[*_NUMBERS, 'attributes']}, received {shown(unknown[0])}")
    wanted = document.get("attributes", {})
    if not isinstance(wanted, dict):
        raise bad(f"attributes: expected an object, received {shown(wanted)}")
    targets, asked = _targets(wanted, description)
    usual = TEMPERATURES[description.domain]
    return Prompt(
        int(_number(document, "n", 1, most, whole=True, default=Prompt.n)),
        int(_number(document, "seed", 0, 2**31 - 1, whole=True, default=Prompt.seed)),
        _number(document, "temperature", 0, HIGHEST["temperature"], default=usual),
        _number(document, "strength", 0, HIGHEST["strength"], default=Prompt.strength),
        _number(document, "tempo", 20, 400, default=Prompt.tempo),
        targets,
        asked,
    )


def inputs_of(
    prompt: Prompt, signatures: Mapping[str, Signature]
) -> tuple[str, dict[str, np.ndarray]]:
    """The signature that answers a prompt, and its inputs.

    Constraints are asked where the prompt names an attribute, or where they have none: realism.

    Raises:
        Refusal: 400: the model makes no samples, or wants a control that a prompt has no words for.
    """
    constrained = "sample_constrained" in signatures and (prompt.asked or not prompt.targets)
    name = "sample_constrained" if constrained else "sample"
    if name not in signatures:
        raise bad("expected a model that samples; this one has no such signature")
    known = {
        "n": np.int32(prompt.n),
        "seed": np.int32(prompt.seed),
        "temperature": np.float32(prompt.temperature),
        "strength": np.float32(prompt.strength),
        "targets": np.array(prompt.targets, "float32"),
    }
    wanted = signatures[name].inputs
    if unknown := [key for key in wanted if key not in known]:
        raise bad(f"expected a model that needs no {unknown[0]!r}; ask its signature {name!r}")
    return name, {key: np.asarray(known[key]) for key in wanted}


def _targets(
    wanted: Mapping[str, Any], description: Description
) -> tuple[tuple[float, ...], dict[str, Any]]:
    names = [attribute.name for attribute in description.attributes]
    for name in wanted:
        if name not in names:
            known = f"one of {names}" if names else "none, as the model knows no attributes"
            raise bad(f"attribute {shown(name)}: expected {known}")
    targets, asked = [], {}
    for attribute in description.attributes:
        value = wanted.get(attribute.name)
        if value is None:
            targets.append(math.nan)
        elif attribute.classes:
            index = _class(attribute, value)
            targets.append(float(index))
            asked[attribute.name] = attribute.classes[index]
        else:
            asked[attribute.name] = _value(attribute, value)
            targets.append(asked[attribute.name])
    return tuple(targets), asked


def _class(attribute: Attribute, value: Any) -> int:
    """The number of the class that a value names, in JSON or in words."""
    for index, known in enumerate(attribute.classes):
        if value == known and isinstance(value, bool) == isinstance(known, bool):
            return index
    if isinstance(value, str):
        for index, known in enumerate(attribute.classes):
            if isinstance(known, bool) and YES_OR_NO.get(value.lower()) is known:
                return index
            if not isinstance(known, bool) and value == str(known):
                return index
    names = [("yes" if c else "no") if isinstance(c, bool) else str(c) for c in attribute.classes]
    raise bad(f"attribute {attribute.name!r}: expected one of {names}, received {shown(value)}")


def _value(attribute: Attribute, value: Any) -> float:
    number = _parsed(attribute.name, value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise bad(f"attribute {attribute.name!r}: expected a number, received {shown(value)}")
    if not abs(number) < 1e30:  # NaN too; what float32 holds with room to compute
        raise bad(
            f"attribute {attribute.name!r}: expected a finite number, received {shown(value)}"
        )
    return float(number)


def _parsed(name: str, text: str) -> int | float:
    try:
        return float(text) if not text.strip().lstrip("+-").isdecimal() else int(text)
    except ValueError:
        raise bad(f"{name}: expected a number, received {shown(text)}") from None


def _number(
    document: Mapping[str, Any],
    name: str,
    lowest: float,
    highest: float,
    *,
    default: float,
    whole: bool = False,
) -> float:
    value = document.get(name, default)
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    if not fits or not lowest <= value <= highest or (whole and value != int(value)):
        what = "a whole number" if whole else "a number"
        raise bad(
            f"{name}: expected {what} from {lowest:g} to {highest:g}, received {shown(value)}"
        )
    return value
