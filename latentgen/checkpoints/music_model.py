"""MusicVAE from Magenta's variables: the architecture is inferred from their names and shapes."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from latentgen.checkpoints.leftovers import weights
from latentgen.checkpoints.magenta_music import music_table
from latentgen.checkpoints.mapping import assign
from latentgen.checkpoints.music_representation import fitted, known, plain, training, whole
from latentgen.checkpoints.music_structure import Structure, read_structure
from latentgen.errors import CheckpointError, InputError

if TYPE_CHECKING:
    from latentgen.music.converters import Converter
    from latentgen.music.model import MusicDecoder
    from latentgen.music.vae import MusicVAE

logger = logging.getLogger(__name__)


def music_model(
    tensors: Mapping[str, np.ndarray],
    config: str | Mapping[str, Any] | None = None,
    source: Any = "checkpoint",
    converter: "Converter | None" = None,
) -> "MusicVAE | MusicDecoder":
    """The model that these variables are of, with their values.

    Sizes, layers and the kind of decoder are the variables'. What they do not tell is what the
    music is as tensors, of how many steps, and into how many segments a conductor divides them:

    - `config` is the name of one of Magenta's configurations (`latentgen.music.NAMES`), whose sizes
      may have been changed by --hparams; or
    - a dictionary, as lies beside the checkpoint of a model with a representation of its user's
      own: `T` (or `steps`), `kind` ('categorical', 'boolean', 'nade', 'groove', or what their
      config.json calls them), `output_depths` of an output of several parts, `segments`, and
      Magenta's `hparams`; the model then takes and gives arrays, unless one of Magenta's
      configurations has such tensors; or
    - None: the one configuration of Magenta's that fits.

    Args:
        tensors: Magenta's variables by name (`decoder/multi_rnn_cell/cell_0/lstm_cell/kernel`…).
        config: see above.
        source: what errors call the file.
        converter: in the place of the configuration's.

    Returns:
        A MusicVAE, or a MusicDecoder where there is no encoder (it is logged that there is none).

    Raises:
        CheckpointError: variables are missing, left over or of another shape than the
            configuration's; or several configurations fit, or none.
        InputError: a name or a dictionary that is no configuration.
    """
    tensors = weights(tensors)
    structure = read_structure(tensors, source)
    settings = dict(config) if isinstance(config, Mapping) else {}
    arguments = training(settings, structure, source)
    segments = settings.get("segments") and whole(settings["segments"], "segments")
    if converter is None:
        found = known(structure, config if isinstance(config, str) else None, settings, source)
        if found is None:
            converter = plain(structure, settings, source)
        else:
            converter = found["converter"]
            arguments = found["training"] | arguments
            segments = segments or found["segments"]
    converter = fitted(converter, structure)
    _check_depths(structure, converter, source)
    if structure.conducted and not segments:
        raise CheckpointError(
            f"{source}: expected to be told into how many segments its conductor divides "
            f"{converter.steps} steps, which no variable says: give config={{'segments': …}}"
        )
    return _model(tensors, structure, converter, segments or 0, arguments, source)


def _check_depths(structure: Structure, converter: "Converter", source: Any) -> None:
    encoder = structure.encoder
    expected = {
        "columns out": (converter.output_depth, sum(structure.outputs)),
        "columns of control": (converter.control_depth, structure.control_depth),
    }
    if encoder is not None:
        expected["columns in"] = converter.input_depth, encoder.input_depth
    wrong = [
        f"{ours} {name}, found {theirs}"
        for name, (ours, theirs) in expected.items()
        if ours != theirs
    ]
    if wrong:
        raise CheckpointError(
            f"{source}: these weights are of another representation than "
            f"{type(converter).__name__}'s: expected {'; '.join(wrong)}"
        )


def _model(
    tensors: dict[str, np.ndarray],
    structure: Structure,
    converter: "Converter",
    segments: int,
    arguments: dict[str, Any],
    source: Any,
) -> "MusicVAE | MusicDecoder":
    from latentgen.music.model import MusicDecoder
    from latentgen.music.vae import MusicVAE

    encoder = structure.encoder
    common = {
        "converter": converter,
        "latent_size": structure.latent_size,
        "decoder_units": structure.units,
        "segments": segments if structure.conducted else 0,
        "autoregressive": structure.autoregressive,
        "residual_decoder": structure.residual,
        "parts_apart": structure.parts_apart,
        "control_units": structure.control_units,
    }
    model: MusicVAE | MusicDecoder
    try:
        if encoder is None:
            decoding = ("dropout", "sampling", "sampling_rate")
            model = MusicDecoder(**common, **{k: arguments[k] for k in decoding if k in arguments})
        else:
            model = MusicVAE(
                **common,
                encoder_units=encoder.units,
                hierarchical_encoder=encoder.hierarchical,
                bidirectional=encoder.bidirectional,
                residual_encoder=encoder.residual,
                **arguments,
            )
    except InputError as error:
        raise CheckpointError(f"{source}: {error}") from None
    assign(music_table(model), tensors, source)
    if encoder is None and structure.latent_size:
        logger.warning("%s has no encoder: it opens as a decoder alone", source)
    return model
