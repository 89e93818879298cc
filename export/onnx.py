"""A folder of ONNX graphs, for whatever runs those: start, step, the whole loop, encode, constrain.

`docs/web.md` says what each graph takes and gives, and shows the loop in ten lines.
"""

import os
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np

from latentgen.compilation import require_backend
from latentgen.constraints.constrained import Constrained
from latentgen.domain import DomainModel
from latentgen.errors import InputError
from latentgen.export import graphs, steps
from latentgen.export.graphs import Graph, Tensor
from latentgen.layers.decoder import Decoder

SMALLEST_HALVED = 1024  # numbers of a weight; what is smaller is not worth an operation


def export_onnx(
    model: DomainModel,
    out: str | os.PathLike,
    constraints: Constrained | None = None,
    *,
    method: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a folder with a graph for each of a model's parts, whole or not at all.

    `start.onnx`, `step.onnx`, `decode.onnx`, the whole loop, `encode.onnx` where there is an
    encoder, `constrain.onnx` where there are constraints, and `latentgen.json`.

    Args:
        model: with a flat decoder of a latent vector; see `steps.flat_decoder`.
        out: the folder.
        constraints: of the model's z.
        method: how they move it; see `moving.way_for`.
        overwrite: whether an exported folder that is there is replaced.

    Raises:
        InputError: a model that cannot be exported so, constraints of another latent size, or
            another backend than TensorFlow.
        FileError: the folder is there already.
    """
    out, parts = Path(out), graphs_of(model, constraints, method)
    with graphs.new_folder(out, overwrite) as folder:
        for name, graph in parts.items():
            write_graph(folder / f"{name}.onnx", graph)
        graphs.write_description(folder, out.name, model, parts, constraints, method)
    return out


def graphs_of(
    model: DomainModel, constraints: Constrained | None = None, method: str | None = None
) -> dict[str, Graph]:
    """What is exported of a model, by the names of the files."""
    decoder = steps.flat_decoder(model)
    parts = graphs.graphs_of(model, constraints, method)
    # ONNX has no operation for how `generate` writes into its samples.
    decode = parts.pop("decode")._replace(
        function=lambda **inputs: {"sequence": steps.loop(decoder, **inputs)}
    )
    return {
        "start": _start(model, decoder),
        "step": _step(model, decoder),
        "decode": decode,
    } | parts


def _sizes(decoder: Decoder) -> dict[str, Tensor]:
    """What goes from step to step."""
    return {
        "element": Tensor((None, decoder.head.element_size), "the element before"),
        "state": Tensor((None, steps.state_size(decoder)), "what every step changes"),
        "context": Tensor((None, steps.context_size(decoder)), "what z adds to every step"),
    }


def _start(model: DomainModel, decoder: Decoder) -> Graph:
    return Graph(
        "What the loop begins with.",
        {"z": Tensor((None, decoder.latent_size), "latent vectors")},
        _sizes(decoder),
        lambda z: steps.start(decoder, z)._asdict(),
        [model],
    )


def _step(model: DomainModel, decoder: Decoder) -> Graph:
    def step(**inputs):
        element, state, ended = steps.step(decoder, **inputs)
        return {"next_element": element, "next_state": state, "ended": ended}

    sizes = _sizes(decoder)
    inputs = sizes | {
        "noise": Tensor((None, decoder.head.noise_size), "fresh uniforms in [0, 1)"),
        "temperature": Tensor((None,), "0 takes the likeliest element, 1 is as taught"),
    }
    # A graph may not call what it takes and what it gives by one name.
    outputs = {
        "next_element": sizes["element"]._replace(doc="the element drawn"),
        "next_state": sizes["state"],
        "ended": Tensor((None,), "whether the element closes its sequence", "bool"),
    }
    return Graph("One step of the loop.", inputs, outputs, step, [model])


def write_graph(path: Path, graph: Graph) -> None:
    """Writes a graph.

    Weights that half precision holds exactly, as those of presets, are stored so: half the size,
    and the same numbers.

    Raises:
        InputError: another backend than TensorFlow, no tf2onnx, or operations that ONNX has not.
    """
    require_backend("export_onnx", "tensorflow")
    try:
        import onnx
        import tf2onnx  # noqa: F401 (Keras's exporter uses it)
    except ImportError as error:
        raise InputError(
            f"ONNX is not installed ({error}): pip install 'latentgen[export]'"
        ) from None
    signature = {
        name: keras.InputSpec(dtype=tensor.dtype, shape=tensor.shape, name=name)
        for name, tensor in graph.inputs.items()
    }
    exported = graphs.Exported(graph.function, graph.layers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of how Keras patches tf2onnx
        exported.export(str(path), format="onnx", input_signature=[signature], verbose=False)
    proto = onnx.load(path)
    try:
        onnx.checker.check_model(proto)
    except onnx.checker.ValidationError as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"model: expected operations that ONNX has: {reason}") from None
    _halve(proto.graph)
    onnx.save(proto, path)


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
