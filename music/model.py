"""What every model of music shares, and a decoder without its encoder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from note_seq import NoteSequence

from latentgen.domain import DomainModel
from latentgen.music.architecture import make_decoder, sampling_of
from latentgen.music.converters import Converter
from latentgen.music.converters.described import converter_of

PRESETS = Path(__file__).parent / "presets"


class MusicModel(DomainModel):
    """Music from tensors, by the model's converter."""

    PRESETS = PRESETS
    converter: Converter
    _arguments: dict[str, Any]

    def arguments(self):
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in self._arguments.items()}
        kind = type(self.converter).__name__
        return plain | {"converter": {"kind": kind, **self.converter.arguments()}}

    def decode(
        self,
        z: np.ndarray | None,
        *,
        control: np.ndarray | None = None,
        tempo: float = 120.0,
        program: int | None = None,
        **options: Any,
    ) -> list[NoteSequence]:
        """Music for each z (n, latent_size); without a z, `n` windows.

        Args:
            control: (n, T, control_depth), or (T, control_depth) for all, of a model with controls.
            tempo: quarter notes a minute.
            program: General MIDI program of the (first) part; see the converter.
            **options: temperature, seed, greedy, length…; see SequenceModel.generate.
        """
        if control is not None:
            control = np.asarray(control, dtype="float32")
            if control.ndim == 2:
                count = options["n"] if z is None else len(z)
                control = np.repeat(control[None], count, axis=0)
        sequences = self.generate(z, control=control, **options)
        return [
            self.converter.decode(
                sequence,
                controls=None if control is None else control[row],
                tempo=tempo,
                program=program,
            )
            for row, sequence in enumerate(sequences)
        ]


@keras.saving.register_keras_serializable("latentgen")
class MusicDecoder(MusicModel):
    """A MusicVAE's decoder alone: what there is of a model whose encoder is lost, or never was.

    Arguments as MusicVAE's; with latent_size 0 it is a language model of music.
    """

    def __init__(
        self,
        converter: Converter | Mapping[str, Any],
        latent_size: int = 256,
        decoder_units: Sequence[int] = (256, 256),
        segments: int = 0,
        autoregressive: bool = False,
        residual_decoder: bool = False,
        parts_apart: bool = False,
        control_units: Sequence[int] = (),
        dropout: float = 0.0,
        sampling: str = "constant",
        sampling_rate: float = 0.0,
        seed: int = 0,
        **kwargs,
    ):
        self._arguments = {
            k: v for k, v in locals().items() if k not in ("self", "__class__", "kwargs")
        }
        self.converter = converter_of(converter)
        self.latent_size = latent_size
        decoder, control_encoder = make_decoder(
            self.converter,
            latent_size,
            decoder_units,
            segments,
            autoregressive,
            residual_decoder,
            parts_apart,
            control_units,
            dropout,
            seed + 1,
        )
        super().__init__(
            decoder,
            self.converter.steps,
            scored_steps="before_end",
            mean_over_steps=False,
            sampling=sampling_of(sampling, sampling_rate),
            control_encoder=control_encoder,
            **kwargs,
        )

    def sample(self, n: int, *, seed: int = 0, **options: Any) -> list[NoteSequence]:
        """n windows, of z from the prior where there is a z; options as in `decode`."""
        z = self.sample_prior(n, seed) if self.latent_size else None
        return self.decode(z, n=None if self.latent_size else n, seed=seed, **options)
