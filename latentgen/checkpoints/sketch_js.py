"""sketch-rnn-js's models, `.gen.json` and `.vae.json`, as @magenta/sketch reads them too.

A file is [info, shapes, weights]. Weights are int16 in base64, 32767 standing for 10, in the order
of `LAYERS`; `info.mode` is 2 ("gen") of a decoder alone, else the model has an encoder and z.
Layouts are those of Magenta's checkpoints: gates i, j, f, o with a forget bias of 1, states c, h.
"""

import base64
import binascii
import json
import logging
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentgen.checkpoints.magenta_sketch import sketch_table
from latentgen.checkpoints.mapping import assign, collect
from latentgen.checkpoints.plain_json import read_json
from latentgen.errors import CheckpointError, FileError, InputError
from latentgen.files import atomic_file

if TYPE_CHECKING:
    from latentgen.sketch.vae import SketchDecoder, SketchVAE

logger = logging.getLogger(__name__)

DECODER = (
    "RNN/output_w",
    "RNN/output_b",
    "RNN/LSTMCell/W_xh",
    "RNN/LSTMCell/W_hh",
    "RNN/LSTMCell/bias",
)
ENCODER = (
    "ENC_RNN/fw/LSTMCell/W_xh",
    "ENC_RNN/fw/LSTMCell/W_hh",
    "ENC_RNN/fw/LSTMCell/bias",
    "ENC_RNN/bw/LSTMCell/W_xh",
    "ENC_RNN/bw/LSTMCell/W_hh",
    "ENC_RNN/bw/LSTMCell/bias",
    "ENC_RNN_mu/super_linear_w",
    "ENC_RNN_mu/super_linear_b",
    "ENC_RNN_sigma/super_linear_w",
    "ENC_RNN_sigma/super_linear_b",
    "linear/super_linear_w",
    "linear/super_linear_b",
)
LAYERS = {False: DECODER, True: ENCODER + DECODER}  # by whether there is an encoder
GENERATORS = (2, "gen")
VERSION = 6
MIXTURES = 20  # which those programs have as a constant
LARGEST, LEVELS = 10.0, 32767
MOST_POINTS = 100_000
MOST_BYTES = 1 << 27


def load_sketch_js(path: str | os.PathLike) -> "SketchVAE | SketchDecoder":
    """Opens a `.gen.json` or `.vae.json`; drawings are in its pixels (`info.scale_factor`).

    Raises:
        FileError: no file, or a damaged or hostile one.
        CheckpointError: weights whose shapes fit no Sketch-RNN.
    """
    from latentgen.sketch.vae import SketchDecoder, SketchVAE

    info, tensors = _read(Path(path))
    scale: Any = info.get("scale_factor")
    longest: Any = info.get("max_seq_len")
    if type(scale) not in (int, float) or not 0 < scale < math.inf:
        raise FileError(f"{path}: expected a positive scale_factor, found {scale!r}")
    if type(longest) is not int or not 0 < longest <= MOST_POINTS:
        raise FileError(
            f"{path}: expected a max_seq_len of 1 to {MOST_POINTS} points, found {longest!r}"
        )
    _check_shapes(tensors, path)
    arguments: dict[str, Any] = {
        "decoder_units": len(tensors["RNN/output_w"]),
        "mixtures": (len(tensors["RNN/output_b"]) - 3) // 6,
        "max_length": longest,
        "scale": float(scale),
    }
    model: SketchVAE | SketchDecoder
    if len(tensors) == len(DECODER):
        model = SketchDecoder(**arguments)
    else:
        latent_size, units = len(tensors[ENCODER[-2]]), len(tensors[ENCODER[1]])
        model = SketchVAE(latent_size=latent_size, encoder_units=units, **arguments)
        version = info.get("version", VERSION)
        if not isinstance(version, int) or version < VERSION:
            logger.warning(
                "%s: version %r: sketch-rnn-js squashed z by tanh before some uses; here it is not",
                path,
                version,
            )
    assign(sketch_table(model), tensors, path)
    return model


def save_sketch_js(
    model: "SketchVAE | SketchDecoder", path: str | os.PathLike, name: str | None = None
) -> None:
    """Writes a model as sketch-rnn-js and @magenta/sketch read it, atomically.

    Weights are rounded to multiples of 10/32767; those that came from such a file stay as they are.
    @magenta/sketch draws with decoders alone; sketch-rnn-js reads both kinds.

    Args:
        path: such as `cat.gen.json`; `cat.vae.json` of a model with an encoder.
        name: what it draws; the file's name as far as its first dot if None.

    Raises:
        InputError: a model that the format cannot hold: another cell than 'lstm', another number
            of mixtures than 20, or a weight beyond ±10.
    """
    from latentgen.sketch.vae import SketchDecoder, SketchVAE

    if not isinstance(model, SketchVAE | SketchDecoder):
        raise InputError(
            f"model: expected a SketchVAE or SketchDecoder, received a {type(model).__name__}"
        )
    arguments = model.arguments()
    for key, expected in (
        ("decoder_cell", "lstm"),
        ("encoder_cell", "lstm"),
        ("mixtures", MIXTURES),
    ):
        if arguments.get(key, expected) != expected:
            raise InputError(
                f"model: expected {key} {expected!r}, the only one that sketch-rnn-js has, "
                f"received {arguments[key]!r}; save it as a TF1 checkpoint"
            )
    tensors = collect(sketch_table(model))
    has_encoder = len(tensors) > len(DECODER)
    shapes, weights = [], []
    for layer in LAYERS[has_encoder]:
        levels = np.round(tensors[layer].astype("float64") * (LEVELS / LARGEST))
        if not (levels.min() + 1 >= -LEVELS and levels.max() <= LEVELS):  # NaN is refused too
            raise InputError(
                f"model: expected weights within ±{LARGEST:g}, which is what sketch-rnn-js holds, "
                f"received {np.abs(tensors[layer]).max():g} in {layer}"
            )
        shapes.append(list(levels.shape))
        weights.append(base64.b64encode(levels.astype("<i2").tobytes()).decode("ascii"))
    info = {
        "mode": 1 if has_encoder else 2,
        "version": VERSION,
        "max_seq_len": model.max_length,
        "name": Path(path).name.split(".")[0] if name is None else name,
        "scale_factor": float(model.scale),
    }
    with atomic_file(path) as temporary:
        text = json.dumps([info, shapes, weights], separators=(",", ":"))
        temporary.write_text(text + "\n", encoding="utf-8")


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the file says of the model, and its weights by Magenta's names."""
    content = read_json(path, MOST_BYTES)
    try:
        info, shapes, blobs = content
        layers = LAYERS[info.get("mode") not in GENERATORS]
        if not len(layers) == len(shapes) == len(blobs):
            raise ValueError(f"{len(shapes)} shapes and {len(blobs)} weights, not {len(layers)}")
        tensors = {
            layer: _decode(shape, blob)
            for layer, shape, blob in zip(layers, shapes, blobs, strict=True)
        }
    except (TypeError, AttributeError, ValueError, binascii.Error) as error:
        raise FileError(
            f"{path}: expected a model of sketch-rnn-js: [info, shapes, weights]: {error}"
        ) from None
    return info, tensors


def _decode(shape: list[int], blob: str) -> np.ndarray:
    levels = np.frombuffer(base64.b64decode(blob, validate=True), "<i2")
    plain = len(shape) in (1, 2) and all(type(n) is int and n > 0 for n in shape)
    if not plain or math.prod(shape) != levels.size:
        raise ValueError(f"{levels.size} numbers do not have the shape {shape}")
    return (LARGEST * levels.astype("float64") / LEVELS).astype("float32").reshape(shape)


def _check_shapes(tensors: dict[str, np.ndarray], path: str | os.PathLike) -> None:
    """Refuses shapes that do not fit together before a model is made of them."""
    expected = _shapes(tensors)
    wrong = [
        f"{layer} has shape {tensor.shape}, expected {expected[layer]}"
        for layer, tensor in tensors.items()
        if tensor.shape != expected[layer]
    ]
    if wrong:
        raise CheckpointError(f"{path}: expected the weights of a Sketch-RNN: {'; '.join(wrong)}")


def _shapes(tensors: dict[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    """The shapes that go with the sizes which some tensors tell."""
    units, mixtures = len(tensors["RNN/output_w"]), max(1, (tensors["RNN/output_b"].size - 3) // 6)
    latent = len(tensors["linear/super_linear_w"]) if len(tensors) > len(DECODER) else 0
    outputs = 3 + 6 * mixtures
    shapes: list[tuple[int, ...]] = [
        (units, outputs),
        (outputs,),
        (5 + latent, 4 * units),
        (units, 4 * units),
        (4 * units,),
    ]
    if latent:
        n = len(tensors["ENC_RNN/fw/LSTMCell/W_hh"])
        direction = [(5, 4 * n), (n, 4 * n), (4 * n,)]
        head = [(2 * n, latent), (latent,)]
        shapes = [*direction * 2, *head * 2, (latent, 2 * units), (2 * units,), *shapes]
    return dict(zip(LAYERS[bool(latent)], shapes, strict=True))
