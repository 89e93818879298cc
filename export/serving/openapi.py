"""The service's description of itself: OpenAPI, with the names of the models that it serves."""

import re
from collections.abc import Mapping
from typing import Any

from latentgen.export.serving.calls import HIGHEST
from latentgen.export.serving.prompts import FORMATS, TEMPERATURES
from latentgen.export.serving.worker import ModelReport

MODEL, VERSION = "/v1/models/{name}", "/v1/models/{name}/versions/{version}"
_WHY = {
    400: "Something in the request cannot be used; `error` says what was expected.",
    401: "An API key is needed.",
    404: "Unknown model, version, or kind of file.",
    405: "Another method is expected.",
    408: "The body did not come in time.",
    413: "The body is too large.",
    429: "More requests wait than can be answered; come back after `Retry-After` seconds.",
    503: "Loading, stopping, or the request waited too long; come back.",
    504: "The model took too long.",
}


def errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The errors that an operation may answer, of _WHY."""
    schema = {"$ref": "#/components/schemas/Error"}
    return {
        code: {"description": _WHY[code], "content": {"application/json": {"schema": schema}}}
        for code in codes
    }


def answers(description: str, *kinds: str) -> dict[int | str, dict[str, Any]]:
    """The answer of an operation that succeeds, in media types."""
    return {200: {"description": description, "content": {kind: {} for kind in kinds}}}


def body(schema: str) -> dict[str, Any]:
    """The body of an operation, of one of the schemas that `complete` adds."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"requestBody": {"required": True, "content": content}}


_TENSOR: dict[str, Any] = {"description": "A value, or nested lists of them."}


def prompt_parameters(most: int) -> list[dict[str, Any]]:
    """The parameters of a prompt's address."""
    numbers = [
        {"name": name, "in": "query", "schema": schema, "description": schema.pop("description")}
        for name, schema in _numbers(most).items()
    ]
    wanted = {
        "name": "attributes",
        "in": "query",
        "description": "Any other parameter is an attribute of the model and what it should be, by "
        "its class's name, yes or no, or a number: `&round=yes&class=cat`. See `GET /v1/models`.",
        "style": "form",
        "explode": True,
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        "examples": {"none": {"value": {}}},
    }
    return [*numbers, wanted]


def complete(
    document: dict[str, Any], models: Mapping[str, ModelReport], most: int, secured: bool
) -> dict[str, Any]:
    """FastAPI's document with the schemas, and the models that can be named."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.clear()  # of FastAPI's own errors, which are not ours
    schemas |= {
        "Error": {
            "type": "object",
            "properties": {"error": {"type": "string", "description": "One line."}},
            "required": ["error"],
        },
        "Predict": {
            "type": "object",
            "description": "TensorFlow Serving's: rows in `instances`, or columns in `inputs`.",
            "properties": {
                "signature_name": {"type": "string"},
                "instances": {"type": "array", "items": {}},
                "inputs": _TENSOR,
            },
            "oneOf": [{"required": ["instances"]}, {"required": ["inputs"]}],
            "examples": _examples(models),
        },
        "Prompt": {
            "type": "object",
            "properties": {
                **_numbers(most),
                "attributes": {
                    "type": "object",
                    "description": "What the pieces should be like, by attribute.",
                    "additionalProperties": {
                        "type": ["boolean", "number", "string", "null"],
                    },
                },
            },
            "additionalProperties": False,
        },
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["parameters"] = [
                {"name": name, "in": "path", "required": True, "schema": _named(name, models)}
                for name in re.findall(r"{(\w+)}", path)
            ] + [each for each in operation.get("parameters", ()) if each["in"] != "path"]
    if secured:
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"key": []}]
    return document


def _numbers(most: int) -> dict[str, dict[str, Any]]:
    def number(
        text: str, kind: str, low: float, high: float, usual: float | None = None
    ) -> dict[str, Any]:
        limits = {"minimum": low, "maximum": high}
        default = {} if usual is None else {"default": usual}
        return {"type": kind, "description": text, **limits, **default}

    return {
        "n": number("How many pieces; 1 where a file holds one.", "integer", 1, most, 1),
        "seed": number("The same seed gives the same pieces.", "integer", 0, 2**31 - 1, 0),
        "temperature": number(
            "How daring: 0 is the likeliest step each time, 1 as taught; by default "
            + ", ".join(f"{usual} of {domain}" for domain, usual in TEMPERATURES.items()),
            "number", 0, HIGHEST["temperature"],
        ),
        "strength": number(
            "How far to go towards the attributes: 0 stays, 1 as learnt.",
            "number", 0, HIGHEST["strength"], 1,
        ),
        "tempo": number("Of music: quarter notes a minute.", "number", 20, 400, 120),
    }  # fmt: skip


def _named(name: str, models: Mapping[str, ModelReport]) -> dict[str, Any]:
    if name == "name" and models:
        return {"type": "string", "enum": sorted(models)}
    if name == "version":
        return {"type": "string", "pattern": "^[0-9]{1,9}$"}
    if name == "kind":
        return {"type": "string", "enum": sorted({k for kinds in FORMATS.values() for k in kinds})}
    return {"type": "string"}


def _examples(models: Mapping[str, ModelReport]) -> list[dict[str, Any]]:
    """A request for each signature that is asked by numbers alone."""
    found = []
    for model in models.values():
        for served in model.loaded[:1]:
            size = served.description.latent_size
            values = {
                "n": 2,
                "z": [[0.0] * size],
                "temperature": 0.5,
                "seed": 1,
                "strength": 1.0,
                "targets": [None] * len(served.description.attributes),
            }
            found += [
                {"signature_name": name, "inputs": {key: values[key] for key in signature.inputs}}
                for name, signature in served.signatures.items()
                if set(signature.inputs) <= set(values)
            ]
    return found
