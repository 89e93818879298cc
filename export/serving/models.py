"""A SavedModel in memory: its signatures, called by arrays. The one file that knows TensorFlow."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from latentgen.errors import FileError
from latentgen.export.serving.calls import joined, make_call
from latentgen.export.serving.description import Description, read_description
from latentgen.export.serving.refusal import bad
from latentgen.export.serving.signatures import DTYPES, SCALARS, TARGETS, Signature, Tensor

TAGS = "serve"


class SavedModel:
    """A version of a model, ready to answer.

    Attributes:
        signatures: by name, as the file states them.
        description: what the exporter said of the model.
    """

    def __init__(
        self, loaded: Any, signatures: dict[str, Signature], description: Description
    ) -> None:
        self._loaded = loaded  # without it the variables would go
        self.signatures = signatures
        self.description = description

    def run(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs of a signature.

        Raises:
            Refusal: 400 where the graph says that an input is none.
        """
        import tensorflow as tf

        stated = self.signatures[signature].inputs
        tensors = {
            name: tf.constant(array, dtype=stated[name].dtype) for name, array in inputs.items()
        }
        try:
            outputs = self._loaded.signatures[signature](**tensors)
            return {name: tensor.numpy() for name, tensor in outputs.items()}
        except tf.errors.InvalidArgumentError as error:
            raise bad(_what_was_wrong(error.message)) from None

    def try_out(self, name: str, rows: int) -> dict[str, np.ndarray]:
        """The outputs of a signature for some inputs of so many rows."""
        signature = self.signatures[name]
        inputs = _any(signature, rows, self.description)
        call = make_call(name, inputs, signature, self.description, rows)
        return self.run(name, joined([call]))

    def warm_up(self, sizes: Iterable[int]) -> None:
        """Has the loop that draws compiled for batches of these sizes; signatures share it."""
        for size in sizes if "sample" in self.signatures else ():
            self.try_out("sample", size)


def load(folder: Path) -> SavedModel:
    """Loads a version and asks each of its signatures once.

    Raises:
        FileError: no SavedModel, none of ours, or one whose signatures do not answer.
    """
    import tensorflow as tf

    description = read_description(folder)
    if not (folder / "saved_model.pb").is_file():
        raise FileError(f"{folder}: expected saved_model.pb, found none")
    loaded = tf.saved_model.load(str(folder), tags=[TAGS])
    signatures = {name: _signature(folder, f) for name, f in loaded.signatures.items()}
    model = SavedModel(loaded, signatures, description)
    for name in signatures:
        if any(len(array) != 1 for array in model.try_out(name, 1).values()):
            raise FileError(f"{folder}: expected one row of signature {name!r}, received more")
    return model


def _signature(folder: Path, function: Any) -> Signature:
    _, inputs = function.structured_input_signature
    return Signature(
        {name: _tensor(folder, spec) for name, spec in inputs.items()},
        {name: _tensor(folder, spec) for name, spec in function.structured_outputs.items()},
    )


def _tensor(folder: Path, spec: Any) -> Tensor:
    if spec.dtype.name not in DTYPES:
        raise FileError(f"{folder}: expected inputs and outputs of {list(DTYPES)}, found {spec}")
    return Tensor(spec.dtype.name, None if spec.shape.rank is None else tuple(spec.shape))


def _any(signature: Signature, rows: int, description: Description) -> dict[str, np.ndarray]:
    """Inputs that a signature can answer, of so many rows."""
    found: dict[str, np.ndarray] = {}
    ends = 2 if "steps" in signature.inputs else rows
    for name, tensor in signature.inputs.items():
        if name in ("n", "steps"):
            found[name] = np.asarray(rows, "int32")
            continue
        shape: tuple[int, ...] = ()
        if name == TARGETS:
            shape = (len(description.attributes),)
        elif name not in SCALARS:
            sizes = tensor.shape or (None,)
            shape = (ends, *(size or max(1, description.max_length) for size in sizes[1:]))
        if tensor.dtype == "string":
            found[name] = np.full(shape, b"a", dtype=object)
        else:
            value = np.nan if name == TARGETS else 1 if name in ("length", "temperature") else 0
            found[name] = np.full(shape, value, dtype=DTYPES[tensor.dtype])
    return found


def _what_was_wrong(message: str) -> str:
    """The graph's own line, without the names of its nodes."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    told = [line for line in lines if "expected" in line] or lines or ["an input cannot be used"]
    return told[0].removeprefix("assertion failed:").strip(" []'")[:300]


def sizes(rows: int) -> tuple[int, ...]:
    """Of batches of up to so many rows: powers of two, to which they are padded."""
    return tuple(1 << k for k in range((rows - 1).bit_length() + 1))
