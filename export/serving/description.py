"""What the exporter says of a model in assets.extra/latentgen.json, checked as it is read."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from latentgen.constraints.attributes import KINDS
from latentgen.errors import FileError

FILE = Path("assets.extra") / "latentgen.json"
FORMAT = 1
DOMAINS = ("sketch", "music", "text")


@dataclass(frozen=True)
class Attribute:
    """What can be asked of a model: one of `classes`, or a number where there are none."""

    name: str
    kind: str
    classes: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Description:
    """What a service must know of a model beside its signatures.

    Attributes:
        domain: of DOMAINS.
        kind: the model's class.
        latent_size: of z; 0 without one.
        max_length: the longest piece, in steps.
        attributes: in the order of the columns of `targets`.
        arguments: the model's own, of which a music model's converter is read.
        document: all of it, as it stands in the file.
    """

    domain: str
    kind: str
    latent_size: int
    max_length: int
    attributes: tuple[Attribute, ...] = ()
    arguments: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)


def read_description(folder: Path) -> Description:
    """The description inside a version's folder.

    Raises:
        FileError: it is missing, no JSON, of a later format, or lacks something.
    """
    path = folder / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileError(
            f"{folder}: expected {FILE}, found none; make the folder with latentgen export"
        ) from None
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: expected JSON: {error}") from None
    try:
        if document["format"] != FORMAT:
            raise FileError(
                f"{path}: expected format {FORMAT}, received {document['format']!r}; "
                "install the latentgen that wrote it"
            )
        if document["domain"] not in DOMAINS:
            raise FileError(f"{path}: expected a domain of {DOMAINS}")
        return Description(
            document["domain"],
            str(document["class"]),
            int(document["latent_size"]),
            int(document["max_length"]),
            tuple(_attribute(found, path) for found in document.get("attributes") or ()),
            dict(document.get("arguments") or {}),
            document,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path}: expected a model's description: {error!r}") from None


def _attribute(found: dict[str, Any], path: Path) -> Attribute:
    name, kind, classes = str(found["name"]), found["kind"], tuple(found.get("classes") or ())
    if kind not in KINDS or (kind == "continuous") == bool(classes):
        raise FileError(f"{path}: attribute {name!r}: expected classes of a kind of {KINDS}")
    return Attribute(name, kind, classes)
