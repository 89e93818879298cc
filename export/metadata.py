"""latentgen.json: what an exported model is and can be asked, for programs that serve it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentgen import __version__
from latentgen.constraints.attributes import Attribute
from latentgen.constraints.constrained import Constrained
from latentgen.domain import DomainModel
from latentgen.export.moving import way_for

if TYPE_CHECKING:  # of TensorFlow, without which StableHLO is written
    from latentgen.export.pieces import Port
    from latentgen.export.signatures import Signature, Signatures

FORMAT = 1
FILE = "latentgen.json"


def about(
    model: DomainModel,
    name: str,
    constraints: Constrained | None = None,
    method: str | None = None,
) -> dict[str, Any]:
    """What latentgen.json holds of a model in any format, plain values: all but its signatures."""
    attributes = () if constraints is None else constraints.attributes
    return {
        "format": FORMAT,
        "latentgen": __version__,
        "name": name,
        "domain": _domain(model),
        "class": type(model).__name__,
        "latent_size": model.decoder.latent_size,
        "max_length": model.max_length,
        "arguments": model.arguments(),
        "method": way_for(model, constraints, method).method if constraints else None,
        "attributes": [_attribute(attribute) for attribute in attributes],
    }


def describe(
    model: DomainModel, name: str, made: "Signatures", signatures: "dict[str, Signature]"
) -> dict[str, Any]:
    """What latentgen.json of a SavedModel holds, plain values."""
    constraining = made.constraining
    asked = (constraining.constraints, constraining.way.method) if constraining else ()
    described = about(model, name, *asked)
    described["arguments"].pop("tokenizer", None)  # it is in the graph
    described["signatures"] = {key: _signature(value) for key, value in signatures.items()}
    return described


def write(folder: Path, described: dict[str, Any]) -> None:
    """Writes latentgen.json to a folder, strict JSON."""
    text = json.dumps(described, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def _domain(model: DomainModel) -> str:
    if hasattr(model, "tokenizer"):
        return "text"
    return "music" if hasattr(model, "converter") else "sketch"


def _attribute(attribute: Attribute) -> dict[str, Any]:
    plain: dict[str, Any] = {"name": attribute.name, "kind": attribute.kind}
    if attribute.classes:
        return plain | {"classes": list(attribute.classes)}
    return plain | {"mean": attribute.mean, "scale": attribute.scale}


def _signature(signature: "Signature") -> dict[str, Any]:
    return {
        "doc": signature.doc,
        "inputs": {name: _port(port) for name, port in signature.inputs.items()},
        "outputs": {name: _port(port) for name, port in signature.outputs.items()},
    }


def _port(port: "Port") -> dict[str, Any]:
    shape = port.spec.shape
    return {
        "dtype": port.spec.dtype.name,
        "shape": None if shape.rank is None else shape.as_list(),
        "doc": port.doc,
    }
