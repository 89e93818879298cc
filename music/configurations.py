"""The 23 configurations that Magenta published for MusicVAE, and two of ours, by their names.

A configuration is what it represents (its converter), its size, and how its decoder is built; what
configurations share is written once. (Magenta's configs.py, of which sizes and names are kept.)
"""

from typing import Any

from latentgen.errors import InputError
from latentgen.music.converters import (
    Converter,
    DrumConverter,
    GrooveConverter,
    MelodyConverter,
    PerformanceConverter,
    TrioConverter,
)

SMALL = {"latent_size": 256, "encoder_units": [512], "decoder_units": [256, 256]}
MEDIUM = {"latent_size": 256, "encoder_units": [1024], "decoder_units": [512, 512, 512]}
BIG = {"latent_size": 512, "encoder_units": [2048], "decoder_units": [2048, 2048, 2048]}
PHRASE = {"latent_size": 512, "encoder_units": [2048, 2048], "decoder_units": [2048, 2048, 2048]}
CONDUCTED = {"latent_size": 512, "encoder_units": [2048, 2048], "decoder_units": [1024, 1024]}
HIERARCHICAL = {"latent_size": 512, "encoder_units": [1024], "decoder_units": [1024, 1024]}

# To reconstruct well rather than to sample well from the prior: constraints make up for that.
SHIPPED = {"beta": 0.1, "beta_rate": 0.999, "free_bits": 48.0}
PLAIN = {"beta": 1.0, "beta_rate": 0.0}
SCHEDULED = {"sampling": "inverse_sigmoid", "sampling_rate": 1000.0}
FREE_48 = PLAIN | {"free_bits": 48.0, "beta": 0.2}
FREE_256 = PLAIN | {"free_bits": 256.0, "beta": 0.2}
DRUMS = SCHEDULED | FREE_48
NADE_DRUMS = DRUMS | {"latent_size": 256, "encoder_units": [1024], "decoder_units": [512, 512]}
GROOVE = SMALL | FREE_48 | {"dropout": 0.7}
BARS = {"segments": 16}
ENCODED_BARS = BARS | {"hierarchical_encoder": True}
TRACKS = PLAIN | {"latent_size": 512, "segments": 8, "hierarchical_encoder": True}
MULTI_MEDIUM = TRACKS | {"encoder_units": [1024], "decoder_units": [512, 512, 512]}
MULTI_BIG = TRACKS | {"encoder_units": [2048], "decoder_units": [1024, 1024, 1024]}


def _family(name: str) -> tuple[Converter, dict[str, Any]] | None:
    """The converter and the model's arguments of a name; None of one that is none of these."""
    match name:
        case "cat-mel_2bar_small":
            return MelodyConverter(top_line=True), SMALL | SCHEDULED | {
                "beta": 0.2,
                "beta_rate": 0.99999,
            }
        case "cat-mel_2bar_big":
            return MelodyConverter(top_line=True), BIG | SCHEDULED | {
                "beta": 0.5,
                "beta_rate": 0.99999,
            }
        case "cat-mel_2bar_med_chords":
            converter = MelodyConverter(chords=True, top_line=True)
            return converter, MEDIUM | PLAIN
        case "cat-drums_2bar_small":
            return DrumConverter(), SMALL | DRUMS
        case "cat-drums_2bar_big":
            return DrumConverter(), BIG | DRUMS
        case "nade-drums_2bar_reduced":
            return DrumConverter(roll_output=True), NADE_DRUMS
        case "nade-drums_2bar_full":
            return DrumConverter(full=True, roll_output=True), NADE_DRUMS
        case "flat-trio_16bar":
            return TrioConverter(top_line=True), PHRASE | PLAIN
        case "hierdec-trio_16bar":
            return TrioConverter(top_line=True), CONDUCTED | FREE_256 | BARS | {"parts_apart": True}
        case "hier-trio_16bar":
            apart = ENCODED_BARS | {"parts_apart": True}
            return TrioConverter(top_line=True), HIERARCHICAL | FREE_256 | apart
        case "flat-mel_16bar":
            return MelodyConverter(bars=16, top_line=True), PHRASE | FREE_256
        case "hierdec-mel_16bar":
            return MelodyConverter(bars=16, top_line=True), CONDUCTED | FREE_256 | BARS
        case "hier-mel_16bar":
            return MelodyConverter(bars=16, top_line=True), HIERARCHICAL | FREE_256 | ENCODED_BARS
        case "hier-multiperf_vel_1bar_med":
            return PerformanceConverter(), MULTI_MEDIUM
        case "hier-multiperf_vel_1bar_big":
            return PerformanceConverter(), MULTI_BIG
        case "hier-multiperf_vel_1bar_med_chords":
            return PerformanceConverter(chords=True), MULTI_MEDIUM
        case "hier-multiperf_vel_1bar_big_chords":
            return PerformanceConverter(chords=True), MULTI_BIG
        case "groovae_4bar":
            return GrooveConverter(bars=4), GROOVE
        case "groovae_2bar_humanize":
            return GrooveConverter(humanize=True), GROOVE
        case "groovae_2bar_tap_fixed_velocity" | "groovae_2bar_tap_fixed_velocity_note_dropout":
            return GrooveConverter(tap=True, fixed_velocities=True), GROOVE
        case "groovae_2bar_add_closed_hh":
            return GrooveConverter(add=[2]), GROOVE
        case "groovae_2bar_hits_control_tfds":
            return GrooveConverter(hits_as_controls=True), GROOVE
        case "melody_2bar":
            sizes = {"latent_size": 96, "encoder_units": [192], "decoder_units": [384]}
            return MelodyConverter(), SHIPPED | sizes
        case "drums_2bar":
            sizes = {"latent_size": 64, "encoder_units": [160], "decoder_units": [320]}
            return DrumConverter(), SHIPPED | sizes
    return None


NAMES = (
    "cat-mel_2bar_small",
    "cat-mel_2bar_big",
    "cat-mel_2bar_med_chords",
    "cat-drums_2bar_small",
    "cat-drums_2bar_big",
    "nade-drums_2bar_reduced",
    "nade-drums_2bar_full",
    "flat-trio_16bar",
    "hierdec-trio_16bar",
    "hier-trio_16bar",
    "flat-mel_16bar",
    "hierdec-mel_16bar",
    "hier-mel_16bar",
    "hier-multiperf_vel_1bar_med",
    "hier-multiperf_vel_1bar_big",
    "hier-multiperf_vel_1bar_med_chords",
    "hier-multiperf_vel_1bar_big_chords",
    "groovae_4bar",
    "groovae_2bar_humanize",
    "groovae_2bar_tap_fixed_velocity",
    "groovae_2bar_tap_fixed_velocity_note_dropout",
    "groovae_2bar_add_closed_hh",
    "groovae_2bar_hits_control_tfds",
)

OWN_NAMES = ("melody_2bar", "drums_2bar")


def configuration(name: str) -> dict[str, Any]:
    """MusicVAE's arguments for one of Magenta's `NAMES`, or of `OWN_NAMES`, the shipped presets'.

    'groovae_2bar_tap_fixed_velocity_note_dropout' differs from the one without in its training
    data alone: see `MusicBatches`.

    Raises:
        InputError: a name that is none of them.
    """
    found = _family(name)
    if found is None:
        raise InputError(
            f"configuration: expected one of {', '.join([*OWN_NAMES, *NAMES])}; received {name!r}"
        )
    converter, arguments = found
    return {"converter": converter, **arguments}
