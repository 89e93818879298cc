"""What every model of text shares, and a language model without a latent vector."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from latentgen import random
from latentgen.compilation import compiled
from latentgen.domain import DomainModel
from latentgen.errors import InputError
from latentgen.generation import in_batches
from latentgen.layers.decoder import Decoder
from latentgen.layers.tokens import TokenHead
from latentgen.text.data import pad_ids
from latentgen.text.tokenizers import END, START, UNKNOWN, Tokenizer, tokenizer_of

PRESETS = Path(__file__).parent / "presets"


class TextScores(NamedTuple):
    """What a model makes of n given sentences of at most T tokens; nats."""

    log_prob: np.ndarray
    """Of each token and of the end behind the last (n, T); 0 after it."""
    tokens: np.ndarray
    """How many count, the end among them (n,)."""
    kl: np.ndarray
    """KL of each posterior from the prior, of a model with a z; else 0 (n,)."""

    @property
    def per_token(self) -> np.ndarray:
        """Mean log-probability of a token (n,); of a VAE's, given z at its posterior's mean."""
        return self.log_prob.sum(axis=1) / self.tokens


class TextModel(DomainModel):
    """Sentences from tensors, by the model's tokenizer."""

    PRESETS = PRESETS
    tokenizer: Tokenizer
    word_dropout: float
    _arguments: dict[str, Any]
    _score: Any = None

    def arguments(self):
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in self._arguments.items()}
        return plain | {"tokenizer": self.tokenizer.arguments()}

    def unroll(self, z, inputs, training=False):
        """As SequenceModel's; in training some words the decoder reads are replaced by 'unknown'.

        What is no longer in the words before has to come from z (Bowman et al. 2016, §3.2).
        """
        if training and self.word_dropout:
            sequence = inputs["sequence"]
            coins = random.uniform(ops.shape(sequence), seed=self.decoder.seed_generator)
            unknown = ops.full_like(sequence, UNKNOWN)
            kept = ops.where(coins < self.word_dropout, unknown, sequence)
            inputs = inputs | {"sequence": kept}
        return super().unroll(z, inputs, training)

    def to_batch(self, sentences: Sequence[str]) -> dict[str, np.ndarray]:
        """Sentences as a batch: ids float32 (n, T, 1), closed and padded with the end's, lengths.

        Raises:
            InputError: something else than sentences, nothing in one, or more than max_length
                tokens; says which.
        """
        sequence, length = pad_ids(self.ids(sentences))
        return {"sequence": sequence, "length": length}

    def ids(self, sentences: Sequence[str], tokenizer: Tokenizer | None = None) -> list[list[int]]:
        """The token ids of each sentence by the model's or another tokenizer; errors as above."""
        tokenizer = tokenizer or self.tokenizer
        if isinstance(sentences, str) or not len(sentences):
            raise InputError(
                "sentences: expected a list of at least one string, "
                f"received {'one string' if isinstance(sentences, str) else 'none'}"
            )
        rows = []
        for index, sentence in enumerate(sentences):
            if not isinstance(sentence, str):
                raise InputError(
                    f"sentences[{index}]: expected a string, received {type(sentence).__name__}"
                )
            ids = tokenizer.encode(sentence)
            if not 0 < len(ids) <= self.max_length:
                raise InputError(
                    f"sentences[{index}]: expected 1 to {self.max_length} tokens, "
                    f"received {len(ids)}"
                )
            rows.append(ids)
        return rows

    def decode(
        self,
        z: Any = None,
        *,
        prefix: str | Sequence[str] | None = None,
        **options: Any,
    ) -> list[str]:
        """A sentence for each z (n, latent_size); without a z, `n` sentences.

        Args:
            z: latent vectors, or what else the model decodes; see SequenceModel.generate.
            prefix: how each sentence begins; one string, or one a sentence.
            **options: temperature, top_k, top_p, greedy, beam, seed, length (in tokens)…; see
                SequenceModel.generate.
        """
        if prefix is not None:
            if isinstance(prefix, str):
                prefix = [prefix] * (options.get("n") or (1 if z is None else len(z)))
            options["prefix"] = [np.array(ids, "float32")[:, None] for ids in self.ids(prefix)]
        return [self.tokenizer.decode(row[:, 0]) for row in self.generate(z, **options)]

    def score(self, sentences: Sequence[str], batch_size: int = 128) -> TextScores:
        """How likely each token of each sentence is; see TextScores."""
        return self._scores(self.to_batch(sentences), batch_size)

    def _scores(self, inputs: dict[str, np.ndarray], batch_size: int) -> TextScores:
        if self._score is None:
            self._score = compiled(self, self._log_prob, jit_compile=False)
        return TextScores(*in_batches(self._score, inputs, batch_size))

    def _log_prob(self, inputs):
        z, kl = self._latents(inputs)
        parameters = self.unroll(z, inputs).parameters
        counted = ops.cast(self.counted(inputs), "float32")
        log_prob = self.head.log_prob(parameters, inputs["sequence"]) * counted
        return log_prob, ops.sum(counted, axis=1), kl

    def _latents(self, inputs) -> tuple[Any, Any]:
        """The z under which a batch is scored, and its KL (B,)."""
        return None, ops.zeros(ops.shape(inputs["length"]))


@keras.saving.register_keras_serializable("latentgen")
class LanguageModel(TextModel):
    """A recurrent language model: sentences without a latent vector, their likelihood exact.

    Args:
        tokenizer: what sentences are as ids, and back; or its arguments.
        embedding_size, decoder_units, max_length, word_dropout, dropout, tied: see TextVAE.
        seed: of what is random in training.
    """

    def __init__(
        self,
        tokenizer: Tokenizer | Mapping[str, Any],
        embedding_size: int = 192,
        decoder_units: Sequence[int] = (384,),
        max_length: int = 48,
        word_dropout: float = 0.0,
        dropout: float = 0.2,
        tied: bool = True,
        seed: int = 0,
        **kwargs,
    ):
        self._arguments = {
            k: v for k, v in locals().items() if k not in ("self", "__class__", "kwargs")
        }
        self.tokenizer = tokenizer_of(tokenizer)
        self.word_dropout = share("word_dropout", word_dropout)
        decoder = make_decoder(
            self.tokenizer, 0, embedding_size, decoder_units, dropout, tied, seed
        )
        super().__init__(decoder, max_length, mean_over_steps=False, **kwargs)

    def sample(
        self, n: int, *, temperature: float = 1.0, seed: int = 0, **options: Any
    ) -> list[str]:
        """n sentences; options as in `decode`, `prefix` among them."""
        return self.decode(n=n, temperature=temperature, seed=seed, **options)

    def continue_(self, beginnings: Sequence[str], **options: Any) -> list[str]:
        """A sentence for each beginning that begins so; options as in `decode`."""
        return self.decode(n=len(beginnings), prefix=beginnings, **options)


def make_decoder(
    tokenizer: Tokenizer,
    latent_size: int,
    embedding_size: int,
    units: Sequence[int],
    dropout: float,
    tied: bool,
    seed: int,
) -> Decoder:
    """A recurrent decoder of a tokenizer's tokens; arguments as TextVAE's."""
    units = list(units)
    head = TokenHead(
        units[-1], tokenizer.size, embedding_size, tied, end_id=END, start_id=START, name="head"
    )
    return Decoder(
        head,
        units,
        latent_size,
        input_dropout=share("dropout", dropout),
        learned_start=True,
        seed=seed,
        name="decoder",
    )


def share(name: str, value: float) -> float:
    """A share of something dropped, from 0 to below 1."""
    if not 0 <= value < 1:
        raise InputError(f"{name}: expected a share from 0 to below 1, received {value}")
    return value
