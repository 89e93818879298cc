"""A folder of ONNX graphs, for whatever runs those: start, step and the whole loop, encoder, actor.

`docs/web.md` says what each graph takes and gives, and shows the loop in ten lines.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from latentgen.constraints.constrained import Constrained
from latentgen.errors import FileError, InputError
from latentgen.export import steps
from latentgen.files import atomic_folder
from latentgen.generation import GenerativeModel
from latentgen.layers.decoder import Decoder
from latentgen.vae import SequenceVAE

SMALLEST_HALVED = 1024  # numbers of a weight; what is smaller is not worth an operation

Shape = tuple[int | None, ...]


class Graph(NamedTuple):
    """What becomes one file."""

    function: Callable[..., dict[str, Any]]
    """Of named tensors."""
    inputs: dict[str, Shape]
    """The shapes of what it takes; float32 but for lengths, which are int32."""


def export_onnx(
    model: GenerativeModel,
    out: str | os.PathLike,
    constraints: Constrained | None = None,
    *,
    overwrite: bool = False,
) -> Path:
    """Writes a folder with a graph for each of a model's parts, whole or not at all.

    `start.onnx`, `step.onnx`, `decode.onnx`, the whole loop, `encode.onnx` where there is an
    encoder, `constrain.onnx` where there are constraints, and `latentgen.json`.

    Args:
        model: with a flat decoder of a latent vector; see `steps.flat_decoder`.
        out: the folder.
        constraints: of the model's z.
        overwrite: whether a folder that is there is replaced.

    Raises:
        InputError: a model that cannot be exported so, constraints of another latent size, or
            another backend than TensorFlow.
        FileError: the folder is there already.
    """
    graphs = graphs_of(model, constraints)
    layers = [model] if constraints is None else [model, constraints.network]
    out = Path(out)
    if out.exists() and not overwrite:
        raise FileError(f"{out}: expected no such folder yet; choose another, or overwrite it")
    with atomic_folder(out) as folder:
        for name, graph in graphs.items():
            write_graph(folder / f"{name}.onnx", graph, layers)
    return out


def graphs_of(model: GenerativeModel, constraints: Constrained | None = None) -> dict[str, Graph]:
    """What is exported of a model, by the names of the files."""
    decoder = steps.flat_decoder(model)
    z = (None, decoder.latent_size)
    noise = decoder.head.noise_size
    graphs = {
        "start": Graph(lambda z: steps.start(decoder, z)._asdict(), {"z": z}),
        "step": Graph(
            lambda **inputs: _step(decoder, inputs),
            {
                "element": (None, decoder.head.element_size),
                "state": (None, steps.state_size(decoder)),
                "context": (None, steps.context_size(decoder)),
                "noise": (None, noise),
                "temperature": (None,),
            },
        ),
        "decode": Graph(
            lambda z, noise, temperature: {"sequence": steps.loop(decoder, z, noise, temperature)},
            {"z": z, "noise": (None, None, noise), "temperature": (None,)},
        ),
    }
    if isinstance(model, SequenceVAE):
        graphs["encode"] = _encode(model)
    if constraints is not None:
        graphs["constrain"] = _constrain(constraints, z)
    return graphs


def _step(decoder: Decoder, inputs: dict[str, Any]) -> dict[str, Any]:
    stepped = steps.step(decoder, **inputs)
    # A graph may not call what it takes and what it gives by one name.
    return {"next_element": stepped.element, "next_state": stepped.state, "ended": stepped.ended}


def _encode(model: SequenceVAE) -> Graph:
    converter = getattr(model, "converter", None)  # of music, whose encoder reads other columns
    read = "input" if converter else "sequence"
    columns = converter.input_depth if converter else model.head.element_size
    return Graph(
        lambda sequence, length: model.posterior({read: sequence, "length": length})._asdict(),
        {"sequence": (None, None, columns), "length": (None,)},
    )


def _constrain(constraints: Constrained, z: Shape) -> Graph:
    if constraints.latent_size != z[-1]:
        raise InputError(
            f"constraints: expected ones for latent size {z[-1]}, received "
            f"{constraints.latent_size}; fit them on this model's z"
        )
    return Graph(
        lambda z, targets, strength: {"moved": steps.constrain(constraints, z, targets, strength)},
        {"z": z, "targets": (None, len(constraints.attribute_names)), "strength": (None,)},
    )


def write_graph(path: Path, graph: Graph, layers: Sequence[keras.layers.Layer]) -> None:
    """Writes a graph; `layers` own the weights that its function reads.

    Weights that half precision holds exactly, as those of presets, are stored so: half the size,
    and the same numbers.

    Raises:
        InputError: another backend than TensorFlow, or operations that ONNX has not.
    """
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            "export_onnx needs the TensorFlow backend, received "
            f"{keras.backend.backend()!r}: set KERAS_BACKEND=tensorflow before Python starts"
        )
    import onnx

    signature = {
        name: keras.InputSpec(
            dtype="int32" if name == "length" else "float32", shape=shape, name=name
        )
        for name, shape in graph.inputs.items()
    }
    exported = _Exported(graph.function, layers)
    exported.export(str(path), format="onnx", input_signature=[signature], verbose=False)
    proto = onnx.load(path)
    try:
        onnx.checker.check_model(proto)
    except onnx.checker.ValidationError as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"model: expected operations that ONNX has, received others: {reason}"
        ) from None
    _halve(proto.graph)
    onnx.save(proto, path)


class _Exported(keras.Model):
    """A function of named tensors as a Keras model."""

    def __init__(self, function: Callable[..., dict[str, Any]], layers: Sequence[Any]):
        super().__init__(name="exported")
        self.function, self.parts = function, list(layers)
        self.built = True

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return self.function(**inputs)


def _halve(graph: Any) -> None:
    """Stores large weights as float16 and casts them as the graph begins, where that is exact."""
    from onnx import TensorProto, helper, numpy_helper

    for weight in graph.initializer:
        full = numpy_helper.to_array(weight)
        if full.dtype != np.float32 or full.size < SMALLEST_HALVED:
            continue
        with np.errstate(over="ignore"):
            half = full.astype("float16")
        if not np.array_equal(half, full):
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(half, f"{name}/half"))
        graph.node.insert(0, helper.make_node("Cast", [weight.name], [name], to=TensorProto.FLOAT))
