"""LiteRT (TensorFlow Lite): a folder of .tflite files, for phones and small machines."""

import os
from pathlib import Path

import keras

from latentgen.compilation import require_backend
from latentgen.constraints.constrained import Constrained
from latentgen.domain import DomainModel
from latentgen.errors import InputError
from latentgen.export.graphs import (
    Exported,
    Graph,
    Tensor,
    graphs_of,
    new_folder,
    write_description,
)


def export_litert(
    model: DomainModel,
    out: str | os.PathLike,
    constraints: Constrained | None = None,
    *,
    method: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a folder with a .tflite file for each of a model's parts, whole or not at all.

    `decode.tflite`, the whole loop, `encode.tflite` where there is an encoder, `constrain.tflite`
    where there are constraints, and `latentgen.json`. They need the operations of LiteRT alone. A
    runtime may resize the batch but where a recurrent layer reads a whole sequence, in encoders:
    LiteRT holds its outputs in lists of tensors of one size, so that the batch is 1.

    Args:
        model: of one of the domains. Texts are ids in these files, not strings.
        out: the folder.
        constraints: of the model's z.
        method: how they move it; see `moving.way_for`.
        overwrite: whether an exported folder that is there is replaced.

    Returns:
        The folder.

    Raises:
        InputError: a model that cannot be exported so, constraints of another latent size, or
            another backend than TensorFlow.
        FileError: the folder is there already, or is no exported one.
    """
    require_backend("LiteRT", "tensorflow")
    graphs = {name: _sized(graph) for name, graph in graphs_of(model, constraints, method).items()}
    with new_folder(out, overwrite) as folder:
        for name, graph in graphs.items():
            _write(folder / f"{name}.tflite", graph)
        write_description(folder, Path(out).resolve().name, model, graphs, constraints, method)
    return Path(out)


def _sized(graph: Graph) -> Graph:
    """The graph with a batch of 1 where LiteRT cannot have another."""
    if not graph.scans:
        return graph

    def alone(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        return {k: v._replace(shape=(1, *v.shape[1:])) for k, v in tensors.items()}

    return graph._replace(inputs=alone(graph.inputs), outputs=alone(graph.outputs))


def _write(path: Path, graph: Graph) -> None:
    import tensorflow as tf
    from tensorflow.lite.python.convert import ConverterError

    signature = {
        name: keras.InputSpec(dtype=tensor.dtype, shape=tensor.shape, name=name)
        for name, tensor in graph.inputs.items()
    }
    try:
        Exported(graph.function, graph.layers).export(
            str(path),
            format="litert",
            input_signature=[signature],
            verbose=False,
            # None of TensorFlow's own, which LiteRT's runtime does not come with.
            target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]},
        )
    except ConverterError as error:
        reason = str(error).strip().splitlines()[-1][:200]
        raise InputError(
            f"model: expected operations that LiteRT has, received others: {reason}"
        ) from None
