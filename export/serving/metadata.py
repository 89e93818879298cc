"""TensorFlow Serving's status and metadata of a model."""

from typing import Any

from latentgen.export.serving.refusal import Refusal
from latentgen.export.serving.signatures import Tensor
from latentgen.export.serving.worker import ModelReport, Served

_TYPES = {
    "float32": "DT_FLOAT",
    "int32": "DT_INT32",
    "int64": "DT_INT64",
    "string": "DT_STRING",
}


def status(model: ModelReport, version: int | None = None) -> dict[str, Any]:
    """The states of a model's versions, newest first, or of one of them.

    Raises:
        Refusal: 404 for a version that is not known.
    """
    states: dict[int, tuple[str, str, str]] = {
        number: ("END", "UNKNOWN", why) for number, why in model.failed.items()
    }
    for served in reversed(model.loaded):
        states[served.version] = ("AVAILABLE", "OK", "")
    if version is not None:
        if version not in states:
            raise Refusal(404, f"version: expected one of {sorted(states)}, received {version}")
        states = {version: states[version]}
    return {
        "model_version_status": [
            {
                "version": str(number),
                "state": state,
                "status": {"error_code": code, "error_message": message},
            }
            for number, (state, code, message) in sorted(states.items(), reverse=True)
        ]
    }


def signatures(name: str, served: Served) -> dict[str, Any]:
    """The signatures of a version, and what latentgen says of it."""
    found = {
        key: {
            "inputs": {
                name: _tensor(f"{key}_{name}:0", tensor)
                for name, tensor in signature.inputs.items()
            },
            "outputs": {
                name: _tensor(f"StatefulPartitionedCall:{place}", tensor)
                for place, (name, tensor) in enumerate(signature.outputs.items())
            },
            "method_name": "tensorflow/serving/predict",
        }
        for key, signature in served.signatures.items()
    }
    return {
        "model_spec": {"name": name, "signature_name": "", "version": str(served.version)},
        "metadata": {
            "signature_def": {"signature_def": found},
            "latentgen": served.description.document,
        },
    }


def _tensor(place: str, tensor: Tensor) -> dict[str, Any]:
    sizes = tensor.shape or ()
    dimensions = [{"size": str(-1 if size is None else size), "name": ""} for size in sizes]
    return {
        "dtype": _TYPES[tensor.dtype],
        "tensor_shape": {"dim": dimensions, "unknown_rank": tensor.shape is None},
        "name": place,
    }
