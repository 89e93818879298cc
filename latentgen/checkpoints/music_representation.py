"""What the music of a MusicVAE's checkpoint is as tensors, which its variables only hint at."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from latentgen.checkpoints.music_structure import Structure
from latentgen.errors import CheckpointError, InputError

if TYPE_CHECKING:
    from latentgen.music.converters import Converter
    from latentgen.music.converters.plain import PlainConverter

logger = logging.getLogger(__name__)

KINDS = {  # of outputs, by what people call them
    "oh": "categorical",
    "multi": "categorical",
    "bool": "boolean",
}
HPARAMS = {  # Magenta's, by ours
    "free_bits": "free_bits",
    "max_beta": "beta",
    "beta_rate": "beta_rate",
    "sampling_schedule": "sampling",
    "sampling_rate": "sampling_rate",
}
NADE_HIDDEN = 128
TRAINING = ("free_bits", "beta", "beta_rate", "sampling", "sampling_rate", "dropout")


def training(settings: Mapping[str, Any], structure: Structure, source: Any) -> dict[str, Any]:
    """MusicVAE's arguments that Magenta's `hparams` in the settings say of its training.

    Raises:
        CheckpointError: sizes there are not the variables'.
    """
    hparams = settings.get("hparams", {})
    if not isinstance(hparams, Mapping):
        raise InputError(f"config: expected a dictionary of hparams, received {hparams!r}")
    told = {
        "z_size": structure.latent_size,
        "dec_rnn_size": structure.units,
        "residual_decoder": structure.residual,
    }
    if structure.encoder is not None:
        told |= {
            "enc_rnn_size": structure.encoder.units,
            "residual_encoder": structure.encoder.residual,
        }
    if structure.control_units:
        told["control_preprocessing_rnn_size"] = structure.control_units
    wrong = [
        f"{name} {hparams[name]!r} there, {value!r} in the variables"
        for name, value in told.items()
        if name in hparams and hparams[name] != value
    ]
    if wrong:
        raise CheckpointError(
            f"{source}: its settings belong to other variables: {'; '.join(wrong)}"
        )
    found = {ours: hparams[theirs] for theirs, ours in HPARAMS.items() if theirs in hparams}
    if "dropout_keep_prob" in hparams:
        found["dropout"] = round(1.0 - hparams["dropout_keep_prob"], 9)
    return found


def known(
    structure: Structure, name: str | None, settings: Mapping[str, Any], source: Any
) -> dict[str, Any] | None:
    """What Magenta's configuration of a name, or the one that fits, says.

    Args:
        name: of the configuration; None for the one that fits.
        settings: with 'T' or 'steps', of which configurations of other lengths do not fit.

    Returns:
        `converter`, `segments` and `training`; None where no configuration fits and the settings
        tell how many steps there are: a representation of one's own.

    Raises:
        CheckpointError: the named one does not fit, or several do, or none.
    """
    from latentgen.music.configurations import NAMES, configuration

    if name is not None:
        arguments = configuration(name)
        problems = _misfits(structure, arguments)
        if problems:
            raise CheckpointError(f"{source}: not the weights of {name}: {'; '.join(problems)}")
        return _said(arguments)
    steps = _steps(settings)
    fitting = {
        name: arguments
        for name in NAMES
        if not _misfits(structure, arguments := configuration(name))
        and steps in (None, arguments["converter"].steps)
    }
    if not fitting:
        if steps is not None:
            return None
        raise CheckpointError(
            f"{source}: expected columns as one of Magenta's configurations has them, found "
            f"{_depths(structure)}: give config={{'T': steps, 'kind': …}} to open it as a model of "
            "arrays"
        )
    for alike in (_same_sizes, _same_layers):
        closer = {n: a for n, a in fitting.items() if alike(structure, a)}
        if closer:
            fitting = closer
            break
    first = next(iter(fitting))
    different = {str(_representation(a)) for a in fitting.values()}
    if len(different) > 1:
        raise CheckpointError(
            f"{source}: the variables fit {', '.join(fitting)}, which differ in what no variable "
            f"tells: give config, such as config={first!r}"
        )
    logger.info("%s: taken to be %s by its variables", source, " or ".join(fitting))
    return _said(fitting[first])


def plain(structure: Structure, settings: Mapping[str, Any], source: Any) -> "PlainConverter":
    """A representation of one's own, as the settings describe it.

    Raises:
        InputError: they do not say enough; CheckpointError: or not what the variables say.
    """
    from latentgen.music.converters.plain import OUTPUTS, PlainConverter

    depth, encoder = sum(structure.outputs), structure.encoder
    told = {"output_depth": depth, "control_depth": structure.control_depth}
    if encoder is not None:
        told["input_depth"] = encoder.input_depth
    parts = settings.get("output_depths") or structure.outputs
    parts = [whole(part, "output_depths") for part in parts]
    wrong = [f"{k} {settings[k]!r}" for k, v in told.items() if settings.get(k, v) != v]
    if sum(parts) != depth or (structure.parts_apart and parts != structure.outputs):
        wrong.append(f"output_depths {parts}")
    if wrong:
        raise CheckpointError(
            f"{source}: its settings say {', '.join(wrong)}, its variables {_depths(structure)}"
        )
    kind = str(settings.get("kind")).lower()
    kind = KINDS.get(kind, kind)
    if structure.hidden:
        kind = "nade"
    elif len(parts) > 1:
        kind = "categorical"
    elif depth == 1:
        kind = "boolean"
    if kind not in OUTPUTS:
        raise InputError(
            f"config: expected the 'kind' of the output, one of {OUTPUTS}, received "
            f"{settings.get('kind')!r}"
        )
    steps = _steps(settings)
    if steps is None:
        raise InputError("config: expected 'T', how many steps there are")
    return PlainConverter(
        steps,
        kind,
        parts,
        encoder.input_depth if encoder else None,
        structure.control_depth,
    )


def _steps(settings: Mapping[str, Any]) -> int | None:
    hparams = settings.get("hparams", {})
    steps = settings.get("steps", settings.get("T", hparams.get("max_seq_len")))
    return None if steps is None else whole(steps, "T")


def fitted(converter: "Converter", structure: Structure) -> "Converter":
    """The converter with what of it the variables alone tell: the size of a NADE's hidden layer."""
    from latentgen.music.converters.plain import PlainConverter

    if not isinstance(converter, PlainConverter) or not structure.hidden:
        return converter
    return PlainConverter(**converter.arguments() | {"hidden": structure.hidden})


def whole(value: Any, name: str) -> int:
    """A whole number from 1 of the settings, or InputError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"config: expected {name} to be a whole number from 1, received {value!r}")
    return value


def _depths(structure: Structure) -> str:
    encoder = structure.encoder
    read = "" if encoder is None else f"{encoder.input_depth} columns in, "
    return f"{read}{sum(structure.outputs)} out, {structure.control_depth} of control"


def _misfits(structure: Structure, arguments: Mapping[str, Any]) -> list[str]:
    """How a configuration of Magenta's differs from variables in more than sizes."""
    converter: Converter = arguments["converter"]
    encoder, roll = structure.encoder, getattr(converter, "roll_output", False)
    expected = {
        "columns out": (converter.output_depth, sum(structure.outputs)),
        "columns of control": (converter.control_depth, structure.control_depth),
        "conductor": (bool(arguments.get("segments")), structure.conducted),
        "parts apart": (arguments.get("parts_apart", False), structure.parts_apart),
        "hidden layer": (NADE_HIDDEN if roll else 0, structure.hidden),
    }
    if encoder is not None:
        hierarchical = arguments.get("hierarchical_encoder", False)
        expected |= {
            "columns in": (converter.input_depth, encoder.input_depth),
            "hierarchical encoder": (hierarchical, encoder.hierarchical),
        }
    return [
        f"{name}: {_word(theirs)} expected, {_word(found)} found"
        for name, (theirs, found) in expected.items()
        if theirs != found
    ]


def _word(value: Any) -> str:
    return {True: "one", False: "none"}[value] if isinstance(value, bool) else str(value)


def _same_sizes(structure: Structure, arguments: Mapping[str, Any]) -> bool:
    encoder = structure.encoder
    return (
        arguments["latent_size"] == structure.latent_size
        and arguments["decoder_units"] == structure.units
        and (encoder is None or arguments["encoder_units"] == encoder.units)
    )


def _same_layers(structure: Structure, arguments: Mapping[str, Any]) -> bool:
    encoder = structure.encoder
    return len(arguments["decoder_units"]) == len(structure.units) and (
        encoder is None or len(arguments["encoder_units"]) == len(encoder.units)
    )


def _representation(arguments: Mapping[str, Any]) -> tuple:
    converter = arguments["converter"]
    return type(converter).__name__, converter.arguments(), arguments.get("segments")


def _said(arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        "converter": arguments["converter"],
        "segments": arguments.get("segments", 0),
        "training": {k: v for k, v in arguments.items() if k in TRAINING},
    }
