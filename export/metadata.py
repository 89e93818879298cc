"""latentgen.json: what an exported model is and can be asked, for programs that serve it."""

from typing import Any

from latentgen import __version__
from latentgen.constraints.attributes import Attribute
from latentgen.domain import DomainModel
from latentgen.export.pieces import Port
from latentgen.export.signatures import Signature, Signatures

FORMAT = 1
FILE = "latentgen.json"


def describe(
    model: DomainModel, name: str, made: Signatures, signatures: dict[str, Signature]
) -> dict[str, Any]:
    """What latentgen.json holds, plain values."""
    constraining = made.constraining
    arguments = model.arguments()
    arguments.pop("tokenizer", None)  # it is in the graph
    return {
        "format": FORMAT,
        "latentgen": __version__,
        "name": name,
        "domain": made.pieces.domain,
        "class": type(model).__name__,
        "latent_size": made.latent_size,
        "max_length": model.max_length,
        "arguments": arguments,
        "method": constraining.method if constraining else None,
        "attributes": [_attribute(a) for a in constraining.attributes] if constraining else [],
        "signatures": {key: _signature(signature) for key, signature in signatures.items()},
    }


def _attribute(attribute: Attribute) -> dict[str, Any]:
    plain: dict[str, Any] = {"name": attribute.name, "kind": attribute.kind}
    if attribute.classes:
        return plain | {"classes": list(attribute.classes)}
    return plain | {"mean": attribute.mean, "scale": attribute.scale}


def _signature(signature: Signature) -> dict[str, Any]:
    return {
        "doc": signature.doc,
        "inputs": {name: _port(port) for name, port in signature.inputs.items()},
        "outputs": {name: _port(port) for name, port in signature.outputs.items()},
    }


def _port(port: Port) -> dict[str, Any]:
    shape = port.spec.shape
    return {
        "dtype": port.spec.dtype.name,
        "shape": None if shape.rank is None else shape.as_list(),
        "doc": port.doc,
    }
