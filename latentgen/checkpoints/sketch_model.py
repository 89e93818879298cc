"""Sketch-RNN from Magenta's variables: every size is inferred from them."""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from latentgen.checkpoints.leftovers import weights
from latentgen.checkpoints.magenta_sketch import ELEMENT, SCOPES, sketch_table
from latentgen.checkpoints.mapping import assign
from latentgen.errors import CheckpointError

if TYPE_CHECKING:
    from latentgen.sketch.vae import SketchDecoder, SketchVAE

PREFIX = "vector_rnn/"
CELLS = dict(zip(("lstm", "layer_norm", "hyper"), SCOPES.values(), strict=True))
HYPER_UNITS = 256  # fixed in Magenta's HyperLSTMCell
MAX_LENGTH = 250  # Magenta's default
# Of the settings, those that the variables tell too, by our names.
TOLD = {
    "enc_model": "encoder_cell",
    "dec_model": "decoder_cell",
    "enc_rnn_size": "encoder_units",
    "dec_rnn_size": "decoder_units",
    "z_size": "latent_size",
    "num_mixture": "mixtures",
}
_log = logging.getLogger(__name__)


def sketch_model(
    tensors: Mapping[str, np.ndarray],
    settings: Mapping[str, Any] | Sequence[str] | None = None,
    source: Any = "checkpoint",
) -> "SketchVAE | SketchDecoder":
    """The model that these variables are of, with their values.

    What the variables do not tell is taken from the settings, or else is as Magenta's default: 250
    points at most. No checkpoint of Magenta's tells the scale of its training data, by which
    drawings are divided: it is 1 (encode drawings whose offsets have a standard deviation of 1, or
    build the model with another `scale`) unless `settings` has a `scale_factor`. Samples follow
    Magenta's temperature rule.

    Args:
        tensors: Magenta's variables by name, with or without `vector_rnn/` before it.
        settings: what `model_config.json` holds: a dictionary, the list of names that Magenta's
            trainer writes (which says nothing), or None.
        source: what errors call the file.

    Raises:
        CheckpointError: variables are missing, left over, of shapes that fit no model, or not what
            the settings say.
    """
    from latentgen.sketch.vae import SketchDecoder, SketchVAE

    tensors = {k.removeprefix(PREFIX): v for k, v in weights(tensors).items()}
    settings = settings if isinstance(settings, Mapping) else {}
    sizes = _sizes(tensors, source)
    conditional = "latent_size" in sizes
    _agree(settings, sizes, conditional, source)
    kind = SketchVAE if conditional else SketchDecoder
    try:
        model = kind(**sizes, **_training(settings, conditional))
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{source}: its settings fit no model: {error}") from None
    assign(sketch_table(model), tensors, source)
    if "max_seq_len" not in settings:
        _log.info("%s does not tell the longest drawing: taken to be %d", source, model.max_length)
    return model


def _sizes(tensors: Mapping[str, np.ndarray], source: Any) -> dict[str, Any]:
    """The sizes and kinds that the variables tell, as our constructors' arguments.

    All are read off matrices that have them, so that no model is much larger than its file.
    """

    def shape(name: str) -> tuple[int, int]:
        if name not in tensors:
            raise CheckpointError(
                f"{source}: expected Sketch-RNN's weights, missing {PREFIX}{name}"
            )
        if tensors[name].ndim != 2:
            raise CheckpointError(
                f"{source}: expected a matrix, {PREFIX}{name} has shape {tensors[name].shape}"
            )
        return tensors[name].shape

    def cell(scope: str) -> tuple[str, int, int]:
        """The kind of a cell, its units, and how many columns it reads."""
        kinds = [k for k, s in CELLS.items() if f"{scope}/{s}/W_hh" in tensors] or ["lstm"]
        name = f"{scope}/{CELLS[kinds[0]]}"
        units, gates = shape(f"{name}/W_hh")
        reads, columns = shape(f"{name}/W_xh")
        if len(kinds) > 1 or gates != 4 * units or columns != gates or reads < ELEMENT:
            raise CheckpointError(
                f"{source}: expected one cell with matrices of (n, 4n) in {PREFIX}{scope}, found "
                f"{', '.join(CELLS[k] for k in kinds)} with {(units, gates)}, {(reads, columns)}"
            )
        if kinds[0] == "hyper":
            check(f"{name}/{CELLS['layer_norm']}/W_xh", (reads + units, 4 * HYPER_UNITS))
        return kinds[0], units, reads

    def check(name: str, expected: tuple[int, int]) -> None:
        if shape(name) != expected:
            raise CheckpointError(
                f"{source}: expected {PREFIX}{name} of shape {expected}, found {shape(name)}"
            )

    kind, units, reads = cell("RNN")
    outputs, rest = divmod(shape("RNN/output_w")[1] - 3, 6)
    if rest or outputs < 1:
        raise CheckpointError(
            f"{source}: expected 3 + 6·mixtures outputs, {PREFIX}RNN/output_w has "
            f"{shape('RNN/output_w')[1]}"
        )
    sizes = {"decoder_cell": kind, "decoder_units": units, "mixtures": outputs}
    if reads == ELEMENT and not any(name.startswith(("ENC_RNN", "linear")) for name in tensors):
        return sizes
    latent, states = reads - ELEMENT, units + (HYPER_UNITS if kind == "hyper" else 0)
    kind, units, _ = cell("ENC_RNN/fw")
    check("ENC_RNN_mu/super_linear_w", (2 * units, latent))
    check("linear/super_linear_w", (latent, 2 * states))
    return sizes | {"encoder_cell": kind, "encoder_units": units, "latent_size": latent}


def _agree(
    settings: Mapping[str, Any], sizes: Mapping[str, Any], conditional: bool, source: Any
) -> None:
    """CheckpointError where settings and variables contradict one another."""
    told = {theirs: sizes[ours] for theirs, ours in TOLD.items() if ours in sizes}
    told["conditional"] = conditional
    wrong = [
        f"{name} {settings[name]!r} there, {value!r} in the variables"
        for name, value in told.items()
        if name in settings and settings[name] != value  # released ones have 1 for true
    ]
    if wrong:
        raise CheckpointError(
            f"{source}: its settings belong to other variables: {'; '.join(wrong)}"
        )


def _training(settings: Mapping[str, Any], conditional: bool) -> dict[str, Any]:
    """What of the settings no variable tells, as our constructors' arguments."""
    given = {
        "max_length": int(settings.get("max_seq_len", MAX_LENGTH)),
        "scale": float(settings.get("scale_factor", 1.0)),
        "recurrent_dropout": round(1.0 - settings.get("recurrent_dropout_prob", 0.9), 9),
        "temperature_rule": "magenta",
    }
    if not settings.get("use_recurrent_dropout", True):
        given["recurrent_dropout"] = 0.0
    if conditional:
        for theirs, ours in (
            ("kl_weight", "kl_weight"),
            ("kl_weight_start", "kl_weight_start"),
            ("kl_decay_rate", "kl_decay"),
            ("kl_tolerance", "kl_floor"),
        ):
            if theirs in settings:
                given[ours] = float(settings[theirs])
    return given


def sketch_settings(model: "SketchVAE | SketchDecoder") -> dict[str, Any]:
    """A model's `model_config.json`: Magenta's settings, all of them, by its names."""
    from latentgen.sketch.vae import SketchVAE

    own = model.arguments()
    kinds = {"enc_model": "lstm", "enc_rnn_size": 256, "z_size": 128}
    told = {theirs: own.get(ours, kinds.get(theirs)) for theirs, ours in TOLD.items()}
    return {
        "data_set": [],
        "num_steps": 10_000_000,
        "save_every": 500,
        "max_seq_len": own["max_length"],
        **told,
        "kl_weight": own.get("kl_weight", 0.5),
        "kl_weight_start": own.get("kl_weight_start", 0.01),
        "kl_tolerance": own.get("kl_floor", 0.2),
        "batch_size": 100,
        "grad_clip": 1.0,
        "learning_rate": 0.001,
        "decay_rate": 0.9999,
        "kl_decay_rate": own.get("kl_decay", 0.99995),
        "min_learning_rate": 0.00001,
        "use_recurrent_dropout": own["recurrent_dropout"] > 0,
        "recurrent_dropout_prob": round(1.0 - own["recurrent_dropout"], 9),
        "use_input_dropout": False,
        "input_dropout_prob": 0.9,
        "use_output_dropout": False,
        "output_dropout_prob": 0.9,
        "random_scale_factor": 0.15,
        "augment_stroke_prob": 0.1,
        "conditional": isinstance(model, SketchVAE),
        "is_training": True,
    }
