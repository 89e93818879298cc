"""How the parts of a MusicVAE are put together from plain arguments."""

from collections.abc import Sequence
from typing import Any

import keras

from latentgen.errors import InputError
from latentgen.layers.decoder import AutoregressiveDecoder, Decoder
from latentgen.layers.encoder import BidirectionalEncoder, ForwardEncoder
from latentgen.layers.hierarchical_decoder import HierarchicalDecoder
from latentgen.layers.hierarchical_encoder import HierarchicalEncoder
from latentgen.music.converters import Converter
from latentgen.music.output import output_head
from latentgen.training.schedules import ExponentialApproach, InverseSigmoid

SAMPLING = ("constant", "exponential", "inverse_sigmoid")


def make_decoder(
    converter: Converter,
    latent_size: int,
    units: Sequence[int],
    segments: int,
    autoregressive: bool,
    residual: bool,
    parts_apart: bool,
    control_units: Sequence[int],
    dropout: float,
    seed: int,
) -> tuple[AutoregressiveDecoder, BidirectionalEncoder | None]:
    """The decoder, and what reads its control first; arguments as MusicVAE's."""
    if segments and converter.steps % segments:
        raise InputError(
            f"segments: expected a number that divides {converter.steps}, received {segments}"
        )
    if segments and not latent_size:
        raise InputError("segments: expected 0 without a latent vector, as there is no conductor")
    depth = converter.control_depth
    control_encoder = None
    if control_units and depth:
        control_encoder = BidirectionalEncoder(
            list(control_units),
            depth,
            seed=seed + 1,
            input_dropout=dropout,
            residual=residual,
            name="control_encoder",
        )
        for rnn in (control_encoder.forward[-1], control_encoder.backward[-1]) if residual else ():
            rnn.cell.cells[-1].skip = True  # its outputs are read, not its states
    units = list(units)
    options: dict[str, Any] = {"input_dropout": dropout, "residual": residual, "seed": seed}
    core = Decoder(
        output_head(converter, units[-1], parts_apart),
        units,
        units[-1] if segments else latent_size,
        control_size=control_encoder.output_size if control_encoder else depth,
        learned_start=True,
        name="core" if segments else "decoder",
        **options,
    )
    if not segments:
        return core, control_encoder
    length = converter.steps // segments
    decoder = HierarchicalDecoder(
        core, units, latent_size, length, autoregressive, name="decoder", **options
    )
    return decoder, control_encoder


def make_encoder(
    converter: Converter,
    units: Sequence[int],
    segments: int,
    bidirectional: bool,
    residual: bool,
    dropout: float,
    seed: int,
) -> keras.layers.Layer:
    """The encoder; hierarchical with segments. Arguments as MusicVAE's."""
    make = BidirectionalEncoder if bidirectional else ForwardEncoder

    def level(size: int, name: str) -> BidirectionalEncoder | ForwardEncoder:
        options: dict[str, Any] = {"input_dropout": dropout, "residual": residual}
        return make(list(units), size, seed=seed, name=name, **options)

    depth = converter.input_depth + converter.control_depth
    if not segments:
        return level(depth, "encoder")
    lower = level(depth, "lower")
    upper = level(lower.output_size, "upper")
    return HierarchicalEncoder(lower, upper, converter.steps // segments, name="encoder")


def sampling_of(schedule: str, rate: float) -> Any:
    """The share of a model's own samples in training: a number, or a schedule over steps."""
    if schedule not in SAMPLING:
        raise InputError(f"sampling: expected one of {SAMPLING}, received {schedule!r}")
    if schedule == "exponential":
        return ExponentialApproach(0.0, 1.0, rate)
    return InverseSigmoid(rate) if schedule == "inverse_sigmoid" else rate
