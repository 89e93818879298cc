"""TextVAE: sentences ↔ latent vectors (Bowman et al. 2016, arXiv 1511.06349)."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from latentgen.domain import DomainVAE
from latentgen.errors import InputError
from latentgen.layers.encoder import BidirectionalEncoder
from latentgen.text.model import TextModel, make_decoder, share
from latentgen.text.tokenizers import Tokenizer, tokenizer_of
from latentgen.training.schedules import Cyclical
from latentgen.vae import Posterior, kl_divergence


@keras.saving.register_keras_serializable("latentgen")
class TextVAE(TextModel, DomainVAE):
    """Sentences ↔ latent vectors, with what keeps a strong decoder from doing without them.

    Encoder and decoder read words from one embedding table, of which the decoder's logits are made
    too (see TokenHead). loss = −log p(x|z) + kl_weight(step) · max(KL − free_bits, 0) a sentence.

    Args:
        tokenizer: what sentences are as ids, and back; or its arguments.
        latent_size: size of z.
        embedding_size: of a token.
        encoder_units: hidden size of each of the encoder's layers, in each direction.
        decoder_units: of the decoder's. z sets its first state and is beside every input.
        max_length: most tokens of a sentence, its end not counted.
        word_dropout: share of the words that the decoder reads replaced by 'unknown' in training.
        dropout: share of each layer's inputs dropped in training.
        free_bits: bits of KL a sentence has for nothing (Kingma et al. 2016).
        kl_weight: of the KL term at the end of training.
        kl_cycles, kl_steps: the weight rises from 0 to its end that often, over so many steps in
            all, each time in half a cycle (Fu et al. 2019, arXiv 1903.10145); 0 for a constant one.
        tied: whether the logits are made of the embedding table.
        seed: of what is random in training.
    """

    def __init__(
        self,
        tokenizer: Tokenizer | Mapping[str, Any],
        latent_size: int = 64,
        embedding_size: int = 192,
        encoder_units: Sequence[int] = (256,),
        decoder_units: Sequence[int] = (384,),
        max_length: int = 48,
        word_dropout: float = 0.3,
        dropout: float = 0.2,
        free_bits: float = 8.0,
        kl_weight: float = 0.5,
        kl_cycles: int = 4,
        kl_steps: int = 0,
        tied: bool = True,
        seed: int = 0,
        **kwargs,
    ):
        self._arguments = {
            k: v for k, v in locals().items() if k not in ("self", "__class__", "kwargs")
        }
        self.tokenizer = tokenizer_of(tokenizer)
        self.word_dropout = share("word_dropout", word_dropout)
        if latent_size < 1:
            raise InputError(
                f"latent_size: expected 1 or more, received {latent_size}; without a z there is "
                "LanguageModel"
            )
        if kl_cycles < 1 or kl_steps < 0:
            raise InputError(
                "kl_cycles, kl_steps: expected at least 1 cycle and 0 steps, "
                f"received {kl_cycles} and {kl_steps}"
            )
        decoder = make_decoder(
            self.tokenizer, latent_size, embedding_size, decoder_units, dropout, tied, seed + 1
        )
        encoder = BidirectionalEncoder(
            list(encoder_units), embedding_size, input_dropout=dropout, seed=seed, name="encoder"
        )
        super().__init__(
            encoder,
            decoder,
            max_length,
            kl_weight=Cyclical(0.0, kl_weight, kl_steps, kl_cycles) if kl_steps else kl_weight,
            free_bits=free_bits,
            mean_over_steps=False,
            **kwargs,
        )

    def encode(self, sentences: Sequence[str]) -> Posterior:
        """Posterior of each sentence: mean and scale (n, latent_size)."""
        return self.encode_batch(self.to_batch(sentences))

    def reconstruct(self, pieces: Sequence[str], *, greedy: bool = True, **options: Any):
        """Encodes each sentence to its posterior's mean and decodes that."""
        return super().reconstruct(pieces, greedy=greedy, **options)

    def interpolate(self, first: str, second: str, steps: int = 10, *, greedy=True, **options: Any):
        """`steps` sentences on the arc between the latent vectors of two."""
        return super().interpolate(first, second, steps, greedy=greedy, **options)

    def continue_(
        self, beginnings: Sequence[str], *, z: np.ndarray | None = None, **options: Any
    ) -> list[str]:
        """A sentence for each beginning that begins so, going on from z or from its own."""
        z = self.encode(beginnings).mean if z is None else z
        return self.decode(z, prefix=beginnings, **options)

    def _latents(self, inputs):
        mean, scale = self.posterior(inputs)
        return mean, ops.sum(kl_divergence(mean, scale), axis=-1)
