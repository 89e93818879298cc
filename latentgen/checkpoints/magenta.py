"""Magenta's checkpoints of Sketch-RNN and MusicVAE as models, and models as such checkpoints."""

import json
import os
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from latentgen.checkpoints.archive import is_archive, unpacked
from latentgen.checkpoints.leftovers import is_weight, renamed, sketch_training
from latentgen.checkpoints.mapping import assign, collect
from latentgen.checkpoints.plain_json import read_json
from latentgen.checkpoints.sources import MANIFESTS
from latentgen.checkpoints.tf1 import (
    DATA,
    INDEX,
    find_checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from latentgen.errors import CheckpointError, InputError
from latentgen.files import atomic_file, atomic_folder

if TYPE_CHECKING:
    from latentgen.music.model import MusicDecoder
    from latentgen.music.vae import MusicVAE
    from latentgen.sketch.vae import SketchDecoder, SketchVAE

    Model: TypeAlias = SketchVAE | SketchDecoder | MusicVAE | MusicDecoder

FORMATS = ("tf1", "sketch-rnn-js", "tfjs")
SKETCH_SETTINGS, MUSIC_SETTINGS = "model_config.json", "config.json"
OURS = "latentgen.json"  # what Magenta's files have no place for
SKETCH, MUSIC = ("vector_rnn/", "RNN/"), ("decoder/", "core_decoder", "encoder/")
GLOBAL_STEP = ("global_step", "vector_rnn/global_step")
# The arguments of our models that variables tell too.
TOLD = (
    "autoregressive",
    "bidirectional",
    "control_units",
    "decoder_cell",
    "decoder_units",
    "encoder_cell",
    "encoder_units",
    "hierarchical_encoder",
    "latent_size",
    "mixtures",
    "parts_apart",
    "residual_decoder",
    "residual_encoder",
    "segments",
)


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
            manifest.json (deeplearn.js) of music_vae. A model_config.json or config.json beside a
            checkpoint is read.
        config: MusicVAE's configuration, where the variables leave it open; see `music_model`. Of a
            dictionary the keys are added to config.json's, or to Sketch-RNN's model_config.json's
            (`scale_factor`, `max_seq_len`; see `sketch_model`).
        member: which model of an archive of several.
        rename: (pattern, replacement) pairs of `re.sub`, applied in order to the checkpoint's
            names, that make of them Magenta's of today. (The other way round than Magenta's
            var_name_substitutions, which make the checkpoint's of today's.)

    Returns:
        A SketchVAE, SketchDecoder, MusicVAE or MusicDecoder with the checkpoint's weights.

    Raises:
        FileError: nothing there, damaged or hostile.
        CheckpointError: weights of no model that latentgen knows; says what does not fit.
    """
    path = Path(source)
    part_of_checkpoint = path.name.endswith(INDEX) or DATA.search(path.name)
    if path.is_file() and not part_of_checkpoint and is_archive(path):
        with unpacked(path, member) as prefix:
            return _load_tf1(prefix, path, config, rename)
    _expect_none(path, "no archive", member=member)
    folder = path.parent if path.is_file() and path.name in MANIFESTS else path
    if any((folder / name).is_file() for name in MANIFESTS):
        from latentgen.checkpoints.web import load_web

        _expect_none(path, "no TF1 checkpoint", rename=rename)
        return load_web(folder, config)
    if path.is_file() and path.suffix == ".json":
        from latentgen.checkpoints.sketch_js import load_sketch_js

        _expect_none(path, "no TF1 checkpoint", config=config, rename=rename)
        return load_sketch_js(path)
    return _load_tf1(find_checkpoint(path), path, config, rename)


def _expect_none(path: Path, reason: str, **arguments: Any) -> None:
    for name, value in arguments.items():
        if value:
            raise InputError(f"{name}: expected none, as {path} is {reason}; received {value!r}")


def _load_tf1(
    prefix: Path,
    source: Path,
    config: str | Mapping[str, Any] | None,
    rename: Sequence[tuple[str, str]],
) -> "Model":
    stored = read_checkpoint(prefix, lambda name: is_weight(name) or name in GLOBAL_STEP)
    steps = [stored.pop(name) for name in GLOBAL_STEP if name in stored]
    tensors = renamed(stored, rename)
    described = _beside(prefix, OURS) if config is None else {}
    model: Model
    if any(name.startswith(SKETCH) for name in tensors):
        from latentgen.checkpoints.sketch_model import sketch_model

        if isinstance(config, str):
            raise InputError(
                f"config: expected settings of Sketch-RNN or none, received {config!r}"
            )
        settings = _beside(prefix, SKETCH_SETTINGS) | dict(config or {})
        model = sketch_model(tensors, settings, source)
    elif any(name.startswith(MUSIC) for name in tensors):
        from latentgen.checkpoints.music_model import music_model

        if described:
            model = music_model(tensors, *_music_as_described(described, source))
        else:
            if not isinstance(config, str):
                config = _beside(prefix, MUSIC_SETTINGS) | dict(config or {})
            model = music_model(tensors, config or None, source)
    else:
        raise CheckpointError(
            f"{source}: expected the variables of sketch_rnn or music_vae, found "
            f"{', '.join(sorted(tensors)[:3]) or 'none'}: rename them if they differ"
        )
    if described:
        model = _as_described(model, described, source)
    if steps and steps[0].shape == () and 0 <= steps[0] <= np.iinfo("int32").max:
        model.step.assign(int(steps[0]))
    return model


def _beside(prefix: Path, name: str) -> dict[str, Any]:
    """What a .json beside a checkpoint holds; nothing where there is none, or a list."""
    path = prefix.with_name(name)
    content = read_json(path) if path.is_file() else {}
    return content if isinstance(content, dict) else {}


def _music_as_described(described: Mapping[str, Any], source: Path) -> tuple:
    """Configuration, source and converter for `music_model`."""
    from latentgen.music.converters.described import converter_of

    try:
        arguments = described["config"]
        converter = converter_of(arguments["converter"])
        return {"segments": arguments["segments"]}, source, converter
    except (LookupError, TypeError, ValueError) as error:
        raise _no_description(source, error) from None


def _as_described(model: "Model", described: Mapping[str, Any], source: Path) -> "Model":
    """The model with the arguments that it was written with, as far as variables do not tell."""
    told = model.arguments()
    try:
        arguments = dict(described["config"])
        if described["kind"] != type(model).__name__:
            raise CheckpointError(
                f"{source}: {OURS} describes a {described['kind']}, the variables are a "
                f"{type(model).__name__}'s"
            )
        wrong = [name for name in TOLD if arguments.get(name, told.get(name)) != told.get(name)]
        if wrong:
            raise CheckpointError(f"{source}: {OURS} and the variables differ in {wrong}")
        result = type(model)(**arguments)
    except CheckpointError:
        raise
    except (LookupError, TypeError, ValueError) as error:
        raise _no_description(source, error) from None
    assign(_table(result), collect(_table(model)), source)
    return result


def _no_description(source: Path, error: Exception) -> CheckpointError:
    return CheckpointError(f"{source}: expected a model's arguments in {OURS}: {error!r}")


def _table(model: "Model") -> list:
    if _is_sketch(model):
        from latentgen.checkpoints.magenta_sketch import sketch_table

        return sketch_table(model)
    from latentgen.checkpoints.magenta_music import music_table

    return music_table(model)


def _is_sketch(model: Any) -> bool:
    from latentgen.sketch.vae import SketchDecoder, SketchVAE

    return isinstance(model, SketchVAE | SketchDecoder)


def save_magenta(model: "Model", path: str | os.PathLike, format: str = "tf1") -> None:
    """Writes a model as Magenta's programs (and `load_magenta`) read it, atomically.

    A TF1 checkpoint of Sketch-RNN holds, beside the weights, what Magenta's `load_checkpoint` looks
    for: a training that begins. What Magenta's files have no place for (a drawing's scale, what
    music is as tensors) lies in latentgen.json beside it, which Magenta does not read.

    Args:
        model: a SketchVAE, SketchDecoder, MusicVAE or MusicDecoder.
        path: a folder, which is replaced, or for "tf1" a `.tar`; for "sketch-rnn-js" a `.json`.
        format: "tf1"; "sketch-rnn-js" for drawings; "tfjs" for music.

    Raises:
        InputError: a model that the format has not.
    """
    if format not in FORMATS:
        raise InputError(f"format: expected one of {FORMATS}, received {format!r}")
    if format == "sketch-rnn-js":
        from latentgen.checkpoints.sketch_js import save_sketch_js

        save_sketch_js(model, path)
    elif format == "tfjs":
        from latentgen.checkpoints.web import save_web

        save_web(model, path)
    elif Path(path).suffix == ".tar":
        with tempfile.TemporaryDirectory() as folder, atomic_file(path) as temporary:
            _write_tf1(model, Path(folder))
            with tarfile.open(temporary, "w") as archive:
                for file in sorted(Path(folder).iterdir()):
                    archive.add(file, file.name)
    else:
        with atomic_folder(path) as temporary:
            _write_tf1(model, temporary)


def _write_tf1(model: "Model", folder: Path) -> None:
    from latentgen.music.model import MusicModel

    if not _is_sketch(model) and not isinstance(model, MusicModel):
        raise InputError(
            "model: expected a SketchVAE, SketchDecoder, MusicVAE or MusicDecoder, received a "
            f"{type(model).__name__}"
        )
    tensors, step = collect(_table(model)), int(np.asarray(model.step))
    if _is_sketch(model):
        from latentgen.checkpoints.sketch_model import PREFIX, sketch_settings

        settings = sketch_settings(model)
        tensors = {f"{PREFIX}{name}": tensor for name, tensor in tensors.items()}
        tensors |= sketch_training(tensors, step, settings)
        write_checkpoint(tensors, folder / "vector-0")
        _write_json(folder / SKETCH_SETTINGS, settings)
    else:
        from latentgen.checkpoints.magenta_music import without_rows

        tensors |= without_rows(model.decoder) | {"global_step": np.array(step, "int64")}
        write_checkpoint(tensors, folder / "model.ckpt-0")
    _write_json(folder / OURS, {"kind": type(model).__name__, "config": model.arguments()})


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
