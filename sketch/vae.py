"""SketchVAE, a sequence VAE of drawings, and SketchDecoder, its unconditional sibling."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from latentgen.checkpoints import presets
from latentgen.domain import DomainModel, DomainVAE
from latentgen.errors import InputError
from latentgen.layers.decoder import Decoder
from latentgen.layers.encoder import BidirectionalEncoder
from latentgen.layers.mixture_density import MixtureDensityHead
from latentgen.sketch.data import pad_drawings
from latentgen.sketch.strokes import check_drawing, normalise, start_at_origin, to_stroke3
from latentgen.training.schedules import ExponentialApproach
from latentgen.vae import Posterior

PRESETS = Path(__file__).parent / "presets"


class _Drawings(DomainModel):
    """What SketchVAE and SketchDecoder share: drawings in and out."""

    PRESETS = PRESETS
    scale: float

    def to_sequences(
        self, drawings: Sequence[np.ndarray], name: str = "drawings"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Checked, normalised and padded: stroke-5 sequences (n, T, 5) and lengths (n,)."""
        if not len(drawings):
            raise InputError(f"{name}: expected at least one, received none")
        checked = [
            check_drawing(d, f"{name}[{k}]", allow_empty=False) for k, d in enumerate(drawings)
        ]
        longest = max(len(d) for d in checked)
        if longest > self.max_length:
            raise InputError(
                f"{name}: expected at most {self.max_length} points each, received one of "
                f"{longest}: simplify it (latentgen.sketch.simplify)"
            )
        steps = min(-(-(longest + 1) // 32) * 32, self.max_length + 1)
        return pad_drawings([normalise(start_at_origin(d), self.scale) for d in checked], steps)

    def to_drawings(self, sequences: np.ndarray) -> list[np.ndarray]:
        """Stroke-5 elements (n, T, 5) → stroke-3 drawings in the data's own units."""
        drawings = [to_stroke3(sequence) for sequence in sequences]
        return [d * np.array([self.scale, self.scale, 1.0], "float32") for d in drawings]

    def _prefix(self, drawings: Sequence[np.ndarray] | None) -> list[np.ndarray] | None:
        if drawings is None:
            return None
        sequences, lengths = self.to_sequences(drawings, "prefix")
        return [s[:n] for s, n in zip(sequences, lengths, strict=True)]


@keras.saving.register_keras_serializable("latentgen")
class SketchVAE(_Drawings, DomainVAE):
    """Sketch-RNN (Ha & Eck 2017, arXiv 1704.03477): drawings ↔ latent vectors.

    The defaults are the published ones; `SketchVAE.small()` suits laptops and presets.

    Args:
        latent_size: size of z.
        encoder_units, encoder_cell: each direction's hidden size; 'lstm', 'layer_norm', 'hyper'.
        decoder_units, decoder_cell: of the decoder.
        mixtures: Gaussians of the output.
        max_length: points of the longest drawing.
        scale: standard deviation of the training offsets, which drawings are divided by.
        recurrent_dropout: share dropped of both networks' candidates in training.
        kl_weight: final weight of the KL term, reached from `kl_weight_start` at the rate
            `kl_decay` a step; kl_floor: the KL, a mean over z, counts at least this.
        scored_steps, density_floor, temperature_rule: see SequenceModel and MixtureDensityHead.
            Sketch-RNN's own training loss is scored_steps='all' on batches padded to max_length.
        seed: of dropout and of the posterior's noise. (Initial weights follow
            keras.utils.set_random_seed, as any Keras model's.)
    """

    def __init__(
        self,
        latent_size: int = 128,
        encoder_units: int = 256,
        encoder_cell: str = "lstm",
        decoder_units: int = 512,
        decoder_cell: str = "lstm",
        mixtures: int = 20,
        max_length: int = 250,
        scale: float = 1.0,
        recurrent_dropout: float = 0.1,
        kl_weight: float = 0.5,
        kl_weight_start: float = 0.01,
        kl_decay: float = 0.99995,
        kl_floor: float = 0.2,
        scored_steps: str = "until_end",
        density_floor: float = 1e-6,
        temperature_rule: str = "paper",
        seed: int = 0,
        **kwargs,
    ):
        self._arguments = {
            k: v for k, v in locals().items() if k not in ("self", "__class__", "kwargs")
        }
        super().__init__(
            BidirectionalEncoder(
                encoder_units, 5, encoder_cell, recurrent_dropout, seed, name="encoder"
            ),
            Decoder(
                MixtureDensityHead(
                    decoder_units, mixtures, density_floor, temperature_rule, name="head"
                ),
                decoder_units,
                latent_size,
                decoder_cell,
                recurrent_dropout,
                seed + 1,
                name="decoder",
            ),
            max_length,
            kl_weight=ExponentialApproach(kl_weight_start, kl_weight, kl_decay),
            kl_reduction="mean",
            kl_floor=kl_floor,
            scored_steps=scored_steps,
            **kwargs,
        )
        self.scale = _positive(scale)

    @classmethod
    def small(cls, **overrides):
        """A size for laptops and presets: z 64, encoder 192, layer-norm decoder 384."""
        sizes: dict[str, Any] = {
            "latent_size": 64,
            "encoder_units": 192,
            "decoder_units": 384,
            "decoder_cell": "layer_norm",
        }
        return cls(**(sizes | overrides))

    def arguments(self):
        return dict(self._arguments)

    def encode(self, drawings: Sequence[np.ndarray]) -> Posterior:
        """Posterior of each drawing (stroke-3 in the data's units): mean and scale (n, z)."""
        sequences, lengths = self.to_sequences(drawings)
        return self.encode_batch({"sequence": sequences, "length": lengths})

    def decode(
        self, z: np.ndarray, *, prefix: Sequence[np.ndarray] | None = None, **options
    ) -> list[np.ndarray]:
        """Draws a drawing for each z (n, latent_size): stroke-3 arrays.

        Args:
            prefix: a beginning for each drawing, to be continued.
            **options: temperature, seed, greedy, length…; see SequenceModel.generate.
        """
        return self.to_drawings(self.generate(z, prefix=self._prefix(prefix), **options))


@keras.saving.register_keras_serializable("latentgen")
class SketchDecoder(_Drawings):
    """Sketch-RNN without encoder and z: learns to draw, and to finish a drawing begun.

    Arguments as SketchVAE's.
    """

    def __init__(
        self,
        decoder_units: int = 512,
        decoder_cell: str = "lstm",
        mixtures: int = 20,
        max_length: int = 250,
        scale: float = 1.0,
        recurrent_dropout: float = 0.1,
        scored_steps: str = "until_end",
        density_floor: float = 1e-6,
        temperature_rule: str = "paper",
        seed: int = 0,
        **kwargs,
    ):
        self._arguments = {
            k: v for k, v in locals().items() if k not in ("self", "__class__", "kwargs")
        }
        head = MixtureDensityHead(
            decoder_units, mixtures, density_floor, temperature_rule, name="head"
        )
        super().__init__(
            Decoder(
                head, decoder_units, 0, decoder_cell, recurrent_dropout, seed + 1, name="decoder"
            ),
            max_length,
            scored_steps=scored_steps,
            **kwargs,
        )
        self.scale = _positive(scale)

    def arguments(self):
        return dict(self._arguments)

    def sample(self, n: int, **options) -> list[np.ndarray]:
        """n drawings; options as in SequenceModel.generate."""
        return self.to_drawings(self.generate(n=n, **options))

    def finish(self, drawings: Sequence[np.ndarray], **options) -> list[np.ndarray]:
        """Continues each drawing to an end."""
        prefix = self._prefix(drawings)
        return self.to_drawings(self.generate(n=len(drawings), prefix=prefix, **options))


def _positive(scale: float) -> float:
    if not 0 < scale < np.inf:
        raise InputError(f"scale: expected a positive number, received {scale}")
    return scale


def published_optimizer() -> keras.optimizers.Optimizer:
    """Adam as Sketch-RNN trains: lr (1e-3 − 1e-5)·0.9999^step + 1e-5, gradients clipped to ±1."""
    return keras.optimizers.Adam(
        ExponentialApproach(1e-3, 1e-5, 0.9999), epsilon=1e-8, clipvalue=1.0
    )


def find_preset(name: str | os.PathLike) -> Path:
    """The folder of a preset: a path, or the name of one shipped with the package."""
    return presets.find_preset(name, PRESETS)
