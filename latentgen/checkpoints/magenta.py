"""Magenta's checkpoints of Sketch-RNN and MusicVAE as models, and models as such checkpoints."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from latentgen.music.model import MusicDecoder
    from latentgen.music.vae import MusicVAE
    from latentgen.sketch.vae import SketchDecoder, SketchVAE

    Model: TypeAlias = SketchVAE | SketchDecoder | MusicVAE | MusicDecoder


def load_magenta(
    source: str | os.PathLike,
    config: str | Mapping[str, Any] | None = None,
    member: str | None = None,
    rename: Sequence[tuple[str, str]] = (),
) -> "Model":
    """Opens what Magenta published or trained: the format is found out from the files.

    Args:
        source: a TF1 checkpoint (prefix, file or folder) of sketch_rnn or music_vae; a .tar, .tgz
            or .zip of one; a sketch-rnn-js .json; a folder with weights_manifest.json (TF.js) or
            manifest.json (deeplearn.js) of music_vae.
        config: MusicVAE's configuration, where the variables leave it open; see `music_model`.
        member: which model of an archive of several.
        rename: (pattern, replacement) pairs of `re.sub`, applied in order to the checkpoint's
            names, that make of them Magenta's of today.

    Returns:
        A SketchVAE, SketchDecoder, MusicVAE or MusicDecoder with the checkpoint's weights.

    Raises:
        FileError: nothing there, damaged or hostile.
        CheckpointError: weights of no model that latentgen knows; says what does not fit.
    """
    raise NotImplementedError


def save_magenta(model: "Model", path: str | os.PathLike, format: str = "tf1") -> None:
    """Writes a model as Magenta's programs (and `load_magenta`) read it, atomically.

    Args:
        model: a SketchVAE, SketchDecoder, MusicVAE or MusicDecoder.
        path: a folder, or for "tf1" a `.tar`; for "sketch-rnn-js" a `.json`.
        format: "tf1"; "sketch-rnn-js" for drawings; "tfjs" for music.
    """
    raise NotImplementedError
