"""MusicVAE: the family of Roberts et al. 2018 (arXiv 1803.05428) and GrooVAE (2019)."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from note_seq import NoteSequence

from latentgen.domain import DomainVAE
from latentgen.errors import InputError
from latentgen.music.architecture import make_decoder, make_encoder, sampling_of
from latentgen.music.converters import Converter, Example
from latentgen.music.converters.described import converter_of
from latentgen.music.model import MusicModel
from latentgen.training.schedules import ExponentialApproach
from latentgen.vae import Posterior, Scores


@keras.saving.register_keras_serializable("latentgen")
class MusicVAE(MusicModel, DomainVAE):
    """Windows of music ↔ latent vectors; the defaults are cat-mel_2bar_small's.

    Args:
        converter: what the music is as tensors, and back; or its arguments and "kind".
        latent_size: size of z.
        encoder_units: hidden size of each layer of the encoder.
        decoder_units: of the decoder; of the conductor too, where there is one.
        segments: how many segments a conductor leads through, such as a bar each; 0 for none.
        autoregressive: whether the conductor reads what was decoded of the segments before.
        hierarchical_encoder: whether segments are encoded first, then their embeddings.
        bidirectional: whether the encoder is.
        residual_encoder, residual_decoder: whether layers add to what they read.
        parts_apart: whether each part of a trio has a decoder of its own.
        control_units: layers that read all of the control before the decoder does; none: no such.
        dropout: share of each layer's inputs dropped in training.
        free_bits: bits of KL an example has for nothing; beta: final weight of the rest, reached
            as beta·(1 − beta_rate^step).
        sampling: how the share of its own samples that the decoder reads in training depends on the
            step: 'constant' (sampling_rate), 'exponential' (1 − sampling_rate^step) or
            'inverse_sigmoid' (see InverseSigmoid).
        seed: of what is random in training.
    """

    def __init__(
        self,
        converter: Converter | Mapping[str, Any],
        latent_size: int = 256,
        encoder_units: Sequence[int] = (512,),
        decoder_units: Sequence[int] = (256, 256),
        segments: int = 0,
        autoregressive: bool = False,
        hierarchical_encoder: bool = False,
        bidirectional: bool = True,
        residual_encoder: bool = False,
        residual_decoder: bool = False,
        parts_apart: bool = False,
        control_units: Sequence[int] = (),
        dropout: float = 0.0,
        free_bits: float = 0.0,
        beta: float = 0.2,
        beta_rate: float = 0.99999,
        sampling: str = "constant",
        sampling_rate: float = 0.0,
        seed: int = 0,
        **kwargs,
    ):
        self._arguments = {
            k: v for k, v in locals().items() if k not in ("self", "__class__", "kwargs")
        }
        self.converter = converter_of(converter)
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
        encoder = make_encoder(
            self.converter,
            encoder_units,
            segments if hierarchical_encoder else 0,
            bidirectional,
            residual_encoder,
            dropout,
            seed,
        )
        if hierarchical_encoder and not segments:
            raise InputError("segments: expected 1 or more for a hierarchical encoder, received 0")
        super().__init__(
            encoder,
            decoder,
            self.converter.steps,
            kl_weight=ExponentialApproach(0.0, beta, beta_rate),
            free_bits=free_bits,
            scale_activation="softplus",
            scored_steps="before_end",
            mean_over_steps=False,
            sampling=sampling_of(sampling, sampling_rate),
            control_encoder=control_encoder,
            **kwargs,
        )

    @classmethod
    def from_config(cls, config):
        """A model of one of Magenta's configurations by its name, or what `get_config` returned."""
        if isinstance(config, str):
            from latentgen.music.configurations import configuration

            config = configuration(config)
        return super().from_config(config)

    def to_batch(self, music: Sequence[NoteSequence]) -> dict[str, np.ndarray]:
        """Windows of music as a batch (see SequenceModel), each of the converter's length.

        Raises:
            InputError: music that the converter cannot represent; says which and why.
        """
        if not len(music):
            raise InputError("music: expected at least one window, received none")
        examples = []
        for index, notes in enumerate(music):
            try:
                examples.append(self.converter.encode(notes))
            except InputError as error:
                raise InputError(f"music[{index}]: {error}") from error
        return self.batch_of(examples)

    def batch_of(self, examples: Sequence[Example]) -> dict[str, np.ndarray]:
        """Examples of the converter as a batch."""
        batch = {
            "sequence": np.stack([example.outputs for example in examples]).astype("float32"),
            "input": np.stack([example.inputs for example in examples]).astype("float32"),
            "length": np.array([example.length for example in examples], dtype="int32"),
        }
        if self.control_size:
            controls = np.stack([example.controls for example in examples])
            batch["control"] = controls.astype("float32")
        return batch

    def encode(self, music: Sequence[NoteSequence]) -> Posterior:
        """Posterior of each window: mean and scale (n, latent_size)."""
        return self.encode_batch(self.to_batch(music))

    def score(self, music: Sequence[NoteSequence]) -> Scores:
        """Logits, log-likelihoods and reconstruction error of each window; see Scores."""
        return self.score_batch(self.to_batch(music))

    def continue_(
        self, beginnings: Sequence[NoteSequence], steps: int, *, z=None, **options: Any
    ) -> list[NoteSequence]:
        """Music that begins with the first `steps` steps of what is given, and goes on.

        Args:
            beginnings: windows; what they have after `steps` steps is neither kept nor read.
            z: (n, latent_size), of which to go on; that of the beginning alone if None.
            **options: as in `decode`.
        """
        if not 0 < steps < self.max_length:
            raise InputError(
                f"steps: expected between 1 and {self.max_length - 1}, received {steps}"
            )
        batch = self.to_batch(beginnings)
        if z is None:
            z = self.encode_batch(batch | {"length": np.full(len(beginnings), steps, "int32")}).mean
        prefix = [sequence[:steps] for sequence in batch["sequence"]]
        control = options.pop("control", batch.get("control"))
        return self.decode(z, prefix=prefix, control=control, **options)
