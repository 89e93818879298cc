"""MusicVAE as web pages have it: a folder of weights and what @magenta/music is told of them."""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentgen.checkpoints import manifest, tfjs
from latentgen.checkpoints.leftovers import weights
from latentgen.checkpoints.magenta_music import music_table
from latentgen.checkpoints.mapping import collect
from latentgen.checkpoints.music_model import music_model
from latentgen.checkpoints.plain_json import read_json
from latentgen.checkpoints.sources import DESCRIPTIONS
from latentgen.errors import FileError, InputError
from latentgen.files import atomic_folder

if TYPE_CHECKING:
    from latentgen.music.model import MusicDecoder
    from latentgen.music.vae import MusicVAE

logger = logging.getLogger(__name__)

ENCODER = "encoder/"
PAIRS = {"kernel": "bias", "bias": "kernel"}


def load_web(
    folder: str | os.PathLike, config: str | Mapping[str, Any] | None = None
) -> "MusicVAE | MusicDecoder":
    """Opens a TF.js or deeplearn.js export of MusicVAE.

    Args:
        folder: with weights_manifest.json (or model.json, or manifest.json), the files that it
            lists, and config.json or converter.json.
        config: the name of a configuration, in the place of config.json; or a dictionary of what
            is to be added to it; see `music_model`.

    Returns:
        A MusicVAE; a MusicDecoder where the encoder is not there, or not all of it, which is
        logged.

    Raises:
        FileError: a file is missing, damaged or hostile.
        CheckpointError: the weights fit no MusicVAE, or not the one that config.json describes.
    """
    from latentgen.checkpoints.web_converters import read_description

    folder = Path(folder)
    tensors = _weights(folder)
    paths = [folder / name for name in DESCRIPTIONS if (folder / name).is_file()]
    if isinstance(config, str) or not paths:
        return music_model(tensors, config, folder)
    hidden = [t.shape[-1] for name, t in tensors.items() if name.endswith("nade/w_enc") and t.ndim]
    converter, segments = read_description(read_json(paths[0]), paths[0], *hidden[:1])
    settings = {"segments": segments} | dict(config or {})
    return music_model(tensors, settings, folder, converter)


def save_web(model: "MusicVAE | MusicDecoder", folder: str | os.PathLike) -> None:
    """Writes weights_manifest.json, shards and config.json, as @magenta/music reads them.

    A MusicDecoder is written too: `load_web` reads it, @magenta/music wants an encoder.

    Raises:
        InputError: a model that @magenta/music cannot be; says what differs.
    """
    from latentgen.checkpoints.web_converters import describe
    from latentgen.music.model import MusicDecoder
    from latentgen.music.vae import MusicVAE

    if not isinstance(model, MusicVAE | MusicDecoder):
        raise InputError(
            f"model: expected a MusicVAE or MusicDecoder, received a {type(model).__name__}"
        )
    _check_architecture(model.arguments())
    description = describe(model.converter, model.arguments()["segments"])
    if isinstance(model, MusicDecoder):
        logger.warning("%s: a decoder alone: @magenta/music opens models with an encoder", folder)
    with atomic_folder(folder) as temporary:
        tfjs.write_tfjs(collect(music_table(model)), temporary)
        text = json.dumps(description, indent=1)
        (temporary / DESCRIPTIONS[0]).write_text(text + "\n", encoding="utf-8")


def _check_architecture(arguments: dict[str, Any]) -> None:
    """What @magenta/music's MusicVAE has one of alone."""
    apart = arguments["converter"]["kind"] == "TrioConverter"
    for name, expected in (
        ("bidirectional", True),
        ("residual_encoder", False),
        ("residual_decoder", False),
        ("autoregressive", False),
        ("parts_apart", apart),
        ("hierarchical_encoder", bool(arguments["segments"])),
    ):
        if bool(arguments.get(name, expected)) != expected:
            raise InputError(
                f"model: expected {name} to be {expected}, as @magenta/music has it for such "
                "models; save it as a TF1 checkpoint"
            )
    for name, most in (("encoder_units", 1), ("control_units", 1)):
        if len(arguments.get(name, ())) > most:
            raise InputError(
                f"model: expected {most} layer in {name}, as @magenta/music has it, received "
                f"{arguments[name]}; save it as a TF1 checkpoint"
            )
    if not arguments["latent_size"]:
        raise InputError("model: expected a latent vector, which @magenta/music needs")


def _weights(folder: Path) -> dict[str, np.ndarray]:
    """The model's variables by Magenta's names, without an encoder that is not all there."""
    absent: list[str] = []
    if (folder / tfjs.MANIFEST).is_file() or (folder / tfjs.TOPOLOGY).is_file():
        tensors = tfjs.read_tfjs(folder)
    elif (folder / manifest.MANIFEST).is_file():
        tensors, absent = manifest.read_manifest(folder)
    else:
        raise FileError(
            f"{folder}: expected a folder with {tfjs.MANIFEST}, {tfjs.TOPOLOGY} or "
            f"{manifest.MANIFEST}, found none"
        )
    lost = [name for name in absent if not name.startswith(ENCODER)]
    if lost:
        raise FileError(f"{folder}: expected the files of {', '.join(lost[:5])}, found none")
    tensors = weights(tensors)
    encoder = [name for name in tensors if name.startswith(ENCODER)]
    missing = _missing(encoder)
    if encoder and missing:
        logger.warning(
            "%s: the encoder is not all there (no %s): a decoder alone", folder, ", ".join(missing)
        )
        tensors = {name: tensor for name, tensor in tensors.items() if name not in encoder}
    return tensors


def _missing(encoder: list[str]) -> list[str]:
    """What an encoder with some of these variables would have too."""
    wanted = {f"{ENCODER}mu/kernel", f"{ENCODER}sigma/kernel"}
    for name in encoder:
        scope, _, part = name.rpartition("/")
        if part in PAIRS:
            wanted.add(f"{scope}/{PAIRS[part]}")
    if not any("lstm_cell" in name for name in encoder):
        wanted.add(f"{ENCODER}…/lstm_cell/kernel")
    return sorted(wanted - set(encoder))
