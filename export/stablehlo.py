"""StableHLO: a folder of programs for whatever compiles those, as `jax.export` writes them."""

import os
from pathlib import Path

from latentgen.compilation import require_backend
from latentgen.constraints.constrained import Constrained
from latentgen.domain import DomainModel
from latentgen.export.graphs import Graph, graphs_of, new_folder, write_description

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")


def export_stablehlo(
    model: DomainModel,
    out: str | os.PathLike,
    constraints: Constrained | None = None,
    *,
    method: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a folder with a StableHLO program for each of a model's parts, whole or not at all.

    `decode.stablehlo`, the whole loop, `encode.stablehlo` where there is an encoder,
    `constrain.stablehlo` where there are constraints, and `latentgen.json`. They are read by
    `jax.export.deserialize`: `.call(**tensors)` of what it gives runs one for any batch and length,
    and `.mlir_module()` is the program itself.

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
            another backend than JAX.
        FileError: the folder is there already, or is no exported one.
    """
    require_backend("StableHLO", "jax")
    graphs = graphs_of(model, constraints, method)
    with new_folder(out, overwrite) as folder:
        for name, graph in graphs.items():
            (folder / f"{name}.stablehlo").write_bytes(_serialized(graph))
        write_description(folder, Path(out).resolve().name, model, graphs, constraints, method)
    return Path(out)


def _serialized(graph: Graph) -> bytes:
    import jax
    from jax import export

    n, steps = export.symbolic_shape("n, t")
    tensors = {
        name: jax.ShapeDtypeStruct(
            (n, *(steps if size is None else size for size in tensor.shape[1:])), tensor.dtype
        )
        for name, tensor in graph.inputs.items()
    }
    exported = export.export(jax.jit(graph.function), platforms=PLATFORMS)(**tensors)
    return bytes(exported.serialize())
