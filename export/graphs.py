"""A model's parts as functions of named tensors: a file each in ONNX, LiteRT and StableHLO.

A SavedModel (`saved_model.py`) takes and gives what people have, and draws its own random numbers.
These take the model's own elements and the random numbers too, so that they are pure functions and
any runtime gives the same.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
from keras import ops

from latentgen.constraints.constrained import Constrained
from latentgen.domain import DomainModel
from latentgen.errors import FileError, InputError
from latentgen.export import metadata
from latentgen.export.moving import Way, constrain, way_for
from latentgen.files import atomic_folder
from latentgen.vae import SequenceVAE


class Tensor(NamedTuple):
    """What goes in or out: its shape, None where sizes may differ; what it is; its type."""

    shape: tuple[int | None, ...]
    doc: str
    dtype: str = "float32"


class Graph(NamedTuple):
    """What becomes one file.

    Attributes:
        doc: what it does.
        inputs, outputs: by name, the batch first.
        function: of the inputs by name to the outputs by name, in keras.ops.
        layers: that own the weights which the function reads.
        scans: whether recurrent layers run over a whole sequence in it.
    """

    doc: str
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    function: Callable[..., dict[str, Any]]
    layers: Sequence[Any]
    scans: bool = False


def graphs_of(
    model: DomainModel, constraints: Constrained | None = None, method: str | None = None
) -> dict[str, Graph]:
    """`decode`, `encode` where there is an encoder, `constrain` where there are constraints.

    `method` says how z is moved; see `moving.way_for`.

    Raises:
        InputError: a model that reads a source, something else than a model of one of the domains,
            or constraints of another latent size.
    """
    if not isinstance(model, DomainModel) or hasattr(model, "translate"):
        raise InputError(
            "model: expected a model of drawings, music or text that draws of a latent vector or "
            f"of nothing, received {type(model).__name__}"
        )
    graphs = {"decode": _decode(model)}
    if isinstance(model, SequenceVAE):
        graphs["encode"] = _encode(model)
    if constraints is not None:
        way = way_for(model, constraints, method)._replace(precision="float32")  # LiteRT has that
        graphs["constrain"] = _constrain(constraints, way)
    return graphs


def _decode(model: DomainModel) -> Graph:
    decoder, most = model.decoder, model.max_length
    inputs = {
        "noise": Tensor(
            (None, None, decoder.head.noise_size),
            f"uniforms in [0, 1), (n, T, columns): at most T steps, T up to {most}",
        ),
        "temperature": Tensor((None,), "0 takes the likeliest at each step, 1 is as taught"),
    }
    if decoder.latent_size:
        inputs["z"] = Tensor((None, decoder.latent_size), "latent vectors")
    if model.control_size:
        inputs["control"] = Tensor(
            (None, None, model.control_size), "what each of the T steps is told (chords, beats)"
        )

    def decode(noise, temperature, z=None, control=None):
        greedy = temperature <= 0
        temperature = ops.where(greedy, 1.0, temperature)[:, None]
        control = model.read_control(control)
        return {"sequence": decoder.generate(z, noise, temperature, greedy, control=control)}

    sequence = Tensor((None, None, decoder.head.element_size), "elements, the end's after the end")
    doc = "The whole loop: draws a sequence for each row of noise."
    scans = model.control_encoder is not None
    return Graph(doc, inputs, {"sequence": sequence}, decode, [model], scans)


def _encode(model: SequenceVAE) -> Graph:
    converter = getattr(model, "converter", None)  # of music, whose encoder reads other columns
    read = "input" if converter else "sequence"
    columns = converter.input_depth if converter else model.head.element_size
    tracks = getattr(converter, "instruments", None)  # of performances, each with a length
    inputs = {
        "sequence": Tensor(
            (None, converter.steps if converter else None, columns),
            "elements as decoding gives them, closed by the end's"
            if not converter
            else f"{type(converter).__name__}'s Example.inputs",
        ),
        "length": Tensor((None, tracks) if tracks else (None,), "steps that have content", "int32"),
    }
    if model.control_size:
        inputs["control"] = Tensor(
            (None, converter.steps if converter else None, model.control_size),
            "what each step is told",
        )

    def encode(sequence, length, **control):
        return model.posterior({read: sequence, "length": length, **control})._asdict()

    outputs = {
        name: Tensor((None, model.latent_size), f"the posterior's {what}")
        for name, what in (("mean", "mean"), ("scale", "standard deviation"))
    }
    doc = "Encodes sequences as normal distributions over z."
    return Graph(doc, inputs, outputs, encode, [model], scans=True)


def _constrain(constraints: Constrained, way: Way) -> Graph:
    attributes, latent_size = constraints.attributes, constraints.latent_size
    inputs = {
        "z": Tensor((None, latent_size), "latent vectors"),
        "targets": Tensor(
            (None, len(attributes)),
            "a column an attribute: a class by number, or a value in its units; NaN asks nothing",
        ),
        "strength": Tensor((None,), "how far to go: 0 stays, 1 is as learnt"),
    }

    def move(z, targets, strength):
        return {"moved": constrain(constraints, z, targets, strength, way)}

    outputs = {"moved": Tensor((None, latent_size), "latent vectors that do what is asked")}
    doc = "Moves latent vectors to what is asked."
    return Graph(doc, inputs, outputs, move, [constraints.network])


class Exported(keras.Model):
    """A graph's function as a Keras model, which Keras's exporters take.

    Args:
        function: of named tensors.
        layers: that own its weights.
    """

    def __init__(self, function: Callable[..., dict[str, Any]], layers: Sequence[Any]):
        super().__init__(name="exported")
        self.function, self.parts = function, list(layers)
        self.built = True

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return self.function(**inputs)


@contextlib.contextmanager
def new_folder(out: str | os.PathLike, overwrite: bool) -> Iterator[Path]:
    """A folder to write to, which becomes `out` if all goes well.

    Raises:
        FileError: there is one already that is not to be replaced, or was not exported.
    """
    out = Path(out)
    if out.exists() and not overwrite:
        raise FileError(f"{out}: expected no such folder yet; choose another, or overwrite it")
    if out.exists() and not (out / metadata.FILE).is_file():
        raise FileError(
            f"{out}: expected an exported folder to replace, with {metadata.FILE} in it"
        )
    with atomic_folder(out) as folder:
        yield folder


def write_description(
    folder: Path,
    name: str,
    model: DomainModel,
    graphs: dict[str, Graph],
    constraints: Constrained | None = None,
    method: str | None = None,
) -> None:
    """latentgen.json: what a folder of graphs is; a text model's arguments have its tokenizer."""
    described = metadata.about(model, name, constraints, method)
    described["signatures"] = {
        key: {
            "doc": graph.doc,
            "inputs": {name: tensor._asdict() for name, tensor in graph.inputs.items()},
            "outputs": {name: tensor._asdict() for name, tensor in graph.outputs.items()},
        }
        for key, graph in graphs.items()
    }
    metadata.write(folder, described)
