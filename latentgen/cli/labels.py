"""What `--want attribute=value` means for given labels."""

from collections.abc import Collection, Sequence
from typing import Any

from latentgen.errors import InputError
from latentgen.labels import CLASS, YES_OR_NO


def typed_value(name: str, text: str, column: Sequence[Any]) -> Any:
    """What `--want name=text` means for an attribute with that column of labels."""
    kind = next((type(value) for value in column if value is not None), str)
    if kind is str:
        if text not in column:
            classes = sorted({value for value in column if value is not None})
            raise InputError(f"--want {name}: expected one of {classes}, received {text!r}")
        return text
    try:
        return YES_OR_NO[text.lower()] if kind is bool else float(text)
    except (KeyError, ValueError):
        expected = "yes or no" if kind is bool else "a number"
        raise InputError(f"--want {name}: expected {expected}, received {text!r}") from None


def parse_wants(wants: Sequence[str], names: Collection[str]) -> dict[str, str]:
    """`["round=yes", "cat"]` → `{"round": "yes", "class": "cat"}`, of the attributes that exist."""
    found = {}
    for want in wants:
        name, equals, value = (part.strip() for part in want.partition("="))
        if not equals:
            name, value = CLASS, name
        if name not in names:
            raise InputError(f"--want {want}: expected attribute=value for one of {sorted(names)}")
        found[name] = value
    return found
