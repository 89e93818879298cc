"""TensorFlow Serving's REST form: a request's JSON as the inputs of a signature, and answers.

Row form: {"instances": [{"z": […], "temperature": 0.3, …}, …]}. Columnar: {"inputs": {"z": [[…]]}}.
Both take "signature_name". Where a signature has one input its values may stand there alone.
"""

import base64
import json
from typing import Any

import numpy as np
import orjson

from latentgen.export.serving.refusal import bad, shown
from latentgen.export.serving.signatures import COUNTS, Signature, read_tensor

DEFAULT = "serving_default"


def read_json(body: bytes) -> Any:
    """A body as JSON; NaN and Infinity are read as TensorFlow Serving reads them.

    Raises:
        Refusal: 400 where it is none.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        where = isinstance(error, json.JSONDecodeError) and f" (line {error.lineno}: {error.msg})"
        raise bad(f"expected JSON in UTF-8, received something else{where or ''}") from None


def read_request(document: Any) -> tuple[str, str, Any]:
    """(signature's name, "instances" or "inputs", what stands there).

    Raises:
        Refusal: 400 where it is no such request.
    """
    if not isinstance(document, dict):
        raise bad(f"expected a JSON object, received {shown(document)}")
    name = document.get("signature_name", DEFAULT)
    if not isinstance(name, str):
        raise bad(f"signature_name: expected a string, received {shown(name)}")
    forms = [form for form in ("instances", "inputs") if form in document]
    if len(forms) != 1:
        raise bad(f"expected one of 'instances' and 'inputs', received {forms or list(document)!r}")
    return name or DEFAULT, forms[0], document[forms[0]]


def read_inputs(form: str, values: Any, signature: Signature) -> dict[str, np.ndarray]:
    """The arrays of a signature's inputs.

    Raises:
        Refusal: 400: an input too many or too few, or one that cannot be read.
    """
    columns = _columns_of_rows(values, signature) if form == "instances" else values
    names = list(signature.inputs)
    if not isinstance(columns, dict) or (len(names) == 1 and set(columns) == {"b64"}):
        if len(names) != 1:
            raise bad(f"{form}: expected an object of {names}, received {shown(columns)}")
        columns = {names[0]: columns}
    if unknown := [name for name in columns if name not in signature.inputs]:
        raise bad(f"{form}: expected {names}, received {shown(unknown[0])} too")
    if missing := [name for name in names if name not in columns]:
        raise bad(f"{form}: expected {names}, received no {missing[0]!r}")
    return {
        name: read_tensor(name, columns[name], tensor) for name, tensor in signature.inputs.items()
    }


def _columns_of_rows(rows: Any, signature: Signature) -> Any:
    """[{"z": …}, …] → {"z": […]}; the rows of a single input as they are."""
    if not isinstance(rows, list) or not rows:
        raise bad(f"instances: expected a list of rows, received {shown(rows)}")
    if count := [name for name in COUNTS if name in signature.inputs]:
        raise bad(
            f"instances: expected 'inputs' in their place, as {count[0]} is one number for all rows"
        )
    named = [isinstance(row, dict) and set(row) != {"b64"} for row in rows]
    if not any(named):
        return rows
    if not all(named) or any(row.keys() != rows[0].keys() for row in rows):
        raise bad("instances: expected the same inputs in every row")
    return {name: [row[name] for row in rows] for name in rows[0]}


def write_answer(form: str, outputs: dict[str, np.ndarray]) -> bytes:
    """The answer's JSON: {"predictions": rows} or {"outputs": columns}, as was asked."""
    columns = {name: _plain(name, array) for name, array in outputs.items()}
    alone = next(iter(columns.values())) if len(columns) == 1 else None
    if form == "inputs":
        return write_json({"outputs": columns if alone is None else alone})
    if alone is not None:
        return write_json({"predictions": alone})
    rows = zip(*columns.values(), strict=True)
    return write_json({"predictions": [dict(zip(columns, row, strict=True)) for row in rows]})


def write_json(document: Any) -> bytes:
    """Strict JSON in UTF-8; arrays are lists, and their numbers no longer than they need to be."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY, default=_of_numpy)


def _of_numpy(value: Any) -> Any:
    return value.tolist()  # an array that is not in one piece


def _plain(name: str, array: np.ndarray) -> Any:
    if array.dtype.kind != "O":
        return array
    # TensorFlow Serving's rule: outputs named …_bytes hold no text.
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(text).decode()} for text in array]
    return [text.decode("utf-8", "replace") for text in array]
