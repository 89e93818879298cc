"""What a piece of each domain is as tensors: what clients of an exported model give and get.

A domain states the tensors of its pieces, makes of them a batch that the model's encoder reads, and
makes pieces of the elements that its decoder draws.
"""

from typing import Any, NamedTuple

import tensorflow as tf

from latentgen.errors import InputError
from latentgen.export.rows import checked, finite
from latentgen.sequence_model import SequenceModel


class Port(NamedTuple):
    """A tensor that goes in or out, and what it is."""

    spec: tf.TensorSpec
    doc: str


def port(shape: Any, dtype: tf.DType, doc: str) -> Port:
    """A tensor by its shape, None where it may differ (None alone: any number of dimensions)."""
    return Port(tf.TensorSpec(shape, dtype), doc)


class Pieces(tf.Module):
    """Base class: how a model's pieces are told.

    Attributes:
        inputs: what the encoder is given, by name; (n, …) each.
        outputs: what decoding gives.
    """

    inputs: dict[str, Port]
    outputs: dict[str, Port]

    def read(self, pieces: dict[str, Any]) -> dict[str, Any]:
        """Inputs as a batch for `SequenceVAE.posterior`."""
        raise NotImplementedError

    def write(self, elements: Any) -> dict[str, Any]:
        """Outputs of elements (n, T, D)."""
        raise NotImplementedError


def pieces_of(model: SequenceModel) -> Pieces:
    """How a model's pieces are told.

    Raises:
        InputError: a model of something else than drawings, music and sentences.
    """
    from latentgen.sketch.vae import SketchDecoder, SketchVAE

    if isinstance(model, SketchVAE | SketchDecoder):
        return Drawings(model)
    if hasattr(model, "converter"):
        return Music(model)
    if hasattr(model, "tokenizer"):
        return Sentences(model)
    raise InputError(
        "model: expected a model of drawings, music or text, such as SketchVAE.from_preset opens, "
        f"received {type(model).__name__}"
    )


class Drawings(Pieces):
    """Stroke-3 rows, as in `latentgen.sketch.strokes`."""

    def __init__(self, model: Any):
        super().__init__()
        self.scale, self.max_length = float(model.scale), int(model.max_length)
        strokes = "a drawing a row: (dx, dy, pen lifted after this point) of each point, in the "
        strokes += "units of the data, y downwards; zeros after its end"
        most = f"points of each drawing, up to {self.max_length}"
        self.outputs = self.inputs = {
            "strokes": port((None, None, 3), tf.float32, strokes),
            "length": port((None,), tf.int32, most),
        }

    def read(self, pieces):
        from latentgen.sketch.strokes import MAX_OFFSET

        strokes, length = finite(pieces["strokes"], "strokes"), pieces["length"]
        steps = tf.shape(strokes)[1]
        most = tf.minimum(steps, self.max_length)
        good = tf.reduce_all((length >= 1) & (length <= most))
        expected = f"expected from 1 to the rows of strokes, and up to {self.max_length}"
        length = checked(length, good, f"length: {expected}, received others")
        drawn = (tf.range(steps) < length[:, None])[..., None]  # (n, T, 1)
        lifted = strokes[..., 2:]
        pens = tf.reduce_all(~drawn | (lifted == 0) | (lifted == 1))
        lifted = checked(lifted, pens, "strokes: expected pens of 0 or 1, received others")
        moves = tf.clip_by_value(strokes[..., :2], -MAX_OFFSET, MAX_OFFSET) / self.scale
        first = tf.range(steps)[:, None] == 0  # a drawing starts at the origin
        moves = tf.where(first, 0.0, moves)
        none = tf.zeros_like(lifted)
        going = tf.concat([moves, 1 - lifted, lifted, none], axis=-1)
        end = tf.one_hot(4, 5)
        return {"sequence": tf.where(drawn, going, end), "length": length}

    def write(self, elements):
        going = 1.0 - elements[..., 4:]
        pen = elements[..., 3:4]
        strokes = tf.concat([self.scale * elements[..., :2], pen], axis=-1)
        length = tf.reduce_sum(tf.cast(going[..., 0] > 0.5, tf.int32), axis=1)
        return {"strokes": strokes * going, "length": length}


class Music(Pieces):
    """Rows of a converter's arrays; what they mean is the converter's to say."""

    def __init__(self, model: Any):
        from latentgen.music.converters import PerformanceConverter

        super().__init__()
        converter = model.converter
        self.ended, self.steps = model.head.ended, converter.steps
        kind = type(converter).__name__
        # Performances are several tracks, each with an end of its own that counts as a step.
        tracks = converter.instruments if isinstance(converter, PerformanceConverter) else 0
        self.tracks = tracks
        of = "steps of each track, its end included" if tracks else "steps that have content"
        length = port((None, tracks) if tracks else (None,), tf.int32, of)
        self.inputs = {
            "sequence": port(
                (None, self.steps, converter.input_depth),
                tf.float32,
                f"a window a row, as latentgen's {kind} has it in Example.inputs",
            ),
            "length": length,
        }
        self.outputs = {
            "sequence": port(
                (None, self.steps, converter.output_depth),
                tf.float32,
                f"a window a row, as latentgen's {kind} has it in Example.outputs",
            ),
            "length": length,
        }

    def read(self, pieces):
        length, most = pieces["length"], self.steps // max(self.tracks, 1)
        good = tf.reduce_all((length >= 1) & (length <= most))
        length = checked(length, good, f"length: expected from 1 to {most}, received others")
        return {"input": finite(pieces["sequence"], "sequence"), "length": length}

    def write(self, elements):
        ended = tf.cast(self.ended(elements), tf.int32)  # (n, T)
        most = self.steps // max(self.tracks, 1)
        ended = tf.reshape(ended, [-1, max(self.tracks, 1), most])
        going = tf.reduce_sum(tf.cast(tf.cumsum(ended, axis=-1) == 0, tf.int32), axis=-1)
        length = tf.minimum(going + 1, most) if self.tracks else going[:, 0]
        return {"sequence": elements, "length": length}


class Sentences(Pieces):
    """Strings, as a person writes them."""

    def __init__(self, model: Any):
        from latentgen.export.text_in_graph import TextInGraph

        super().__init__()
        self.max_length = int(model.max_length)
        self.text = TextInGraph(model.tokenizer)
        doc = f"a sentence a row, as a person writes it, of up to {self.max_length} tokens"
        self.outputs = self.inputs = {"sentences": port((None,), tf.string, doc)}

    def read(self, pieces):
        ids, length = self.text.encode(pieces["sentences"])
        good = tf.reduce_all((length >= 1) & (length <= self.max_length))
        expected = f"sentences: expected 1 to {self.max_length} tokens each, received others"
        length = checked(length, good, expected)
        return {"sequence": tf.cast(ids, tf.float32)[..., None], "length": length}

    def write(self, elements):
        return {"sentences": self.text.decode(tf.cast(elements[..., 0], tf.int32))}
