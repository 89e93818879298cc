"""Seq2Seq: sentences to sentences, by an encoder and a decoder that attends to it."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from latentgen.errors import InputError
from latentgen.layers.attention import AttentionDecoder, Source
from latentgen.layers.encoder import BidirectionalEncoder
from latentgen.layers.tokens import TokenHead
from latentgen.text.data import pad_ids
from latentgen.text.model import TextModel, TextScores, share
from latentgen.text.tokenizers import END, START, Tokenizer, tokenizer_of


@keras.saving.register_keras_serializable("latentgen")
class Seq2Seq(TextModel):
    """Sentences ↦ sentences: translation, rewriting (Sutskever et al. 2014; Luong et al. 2015).

    A bidirectional encoder reads the source, and an AttentionDecoder writes the target, its first
    state set by the encoder's last. Trained on batches of `ParallelBatches`: `source` (B, S, 1) and
    `source_length` (B,) beside `sequence` and `length`.

    Args:
        source_tokenizer: of the sentences that are read; or its arguments.
        tokenizer: of those that are written; without one, the same as of those that are read. Equal
            tokenizers share one embedding table, of which the logits are made too (see TokenHead).
        embedding_size: of a token.
        encoder_units: hidden size of each of the encoder's layers, in each direction.
        decoder_units: of the decoder's.
        max_length: most tokens of a sentence, on either side, its end not counted.
        word_dropout: share of the words that the decoder reads replaced by 'unknown' in training.
        dropout: share of each layer's inputs, and of the decoder's features, dropped in training.
        tied: whether the logits are made of the embedding table.
        seed: of what is random in training.
    """

    def __init__(
        self,
        source_tokenizer: Tokenizer | Mapping[str, Any],
        tokenizer: Tokenizer | Mapping[str, Any] | None = None,
        embedding_size: int = 256,
        encoder_units: Sequence[int] = (256,),
        decoder_units: Sequence[int] = (512,),
        max_length: int = 64,
        word_dropout: float = 0.0,
        dropout: float = 0.3,
        tied: bool = True,
        seed: int = 0,
        **kwargs,
    ):
        self._arguments = {
            k: v for k, v in locals().items() if k not in ("self", "__class__", "kwargs")
        }
        self.source_tokenizer = tokenizer_of(source_tokenizer)
        self.tokenizer = self.source_tokenizer if tokenizer is None else tokenizer_of(tokenizer)
        self.word_dropout = share("word_dropout", word_dropout)
        dropout, units = share("dropout", dropout), list(decoder_units)
        encoder = BidirectionalEncoder(
            list(encoder_units), embedding_size, input_dropout=dropout, seed=seed, name="encoder"
        )
        head = TokenHead(
            units[-1], self.tokenizer.size, embedding_size, tied, END, START, name="head"
        )
        decoder = AttentionDecoder(
            head, units, encoder.output_size, dropout=dropout, seed=seed + 1, name="decoder"
        )
        super().__init__(decoder, max_length, mean_over_steps=False, **kwargs)
        self.encoder = encoder
        self.encoder.build()
        self.source_embedding = None
        if self.source_tokenizer != self.tokenizer:
            self.source_embedding = keras.layers.Embedding(
                self.source_tokenizer.size,
                embedding_size,
                keras.initializers.RandomNormal(stddev=0.1),
                name="source_embedding",
            )
            self.source_embedding.build()

    def arguments(self):
        source, target = self.source_tokenizer, self.tokenizer
        return super().arguments() | {
            "source_tokenizer": source.arguments(),
            "tokenizer": None if source == target else target.arguments(),
        }

    def condition(self, inputs, training=False):
        """The encoded source."""
        return {"z": self.read_z(inputs, training)}

    def embed_source(self, ids):
        """Ids (B, S, 1) of the source's tokenizer → their embeddings (B, S, embedding_size)."""
        if self.source_embedding is None:
            return self.head.embed(ids)
        return self.source_embedding(ops.cast(ids[..., 0], "int32"))

    def read_z(self, z, training=False):
        """The encoded source of a batch with `source` and `source_length`, as a Source."""
        length = z["source_length"]
        embedding, encodings = self.encoder.read(self.embed_source(z["source"]), length, training)
        return Source(embedding, encodings, length)

    def checked_z(self, z, n):
        """A batch with `source` (n, S, 1) and `source_length` (n,), see `to_sources`."""
        if not isinstance(z, Mapping) or not {"source", "source_length"} <= z.keys():
            raise InputError(
                "z: expected a batch with source and source_length, as to_sources(sentences) "
                f"makes it, received {'none' if z is None else type(z).__name__}"
            )
        source, length = np.asarray(z["source"], "float32"), np.asarray(z["source_length"], "int32")
        if source.shape[2:] != (1,) or length.shape != source.shape[:1] or not len(length):
            raise InputError(
                "z: expected source (n, S, 1) and source_length (n,), "
                f"received {source.shape} and {length.shape}"
            )
        size, steps = self.source_tokenizer.size, source.shape[1]
        known = (source >= 0).all() and (source < size).all()
        if not known or not ((length >= 1) & (length <= steps)).all():
            raise InputError(
                f"z: expected ids from 0 to {size - 1} and lengths from 1 to {steps}, received "
                "others: do they belong to another vocabulary?"
            )
        return {"source": source, "source_length": length}, len(length)

    def to_sources(self, sentences: Sequence[str]) -> dict[str, np.ndarray]:
        """Sentences to read as a batch: `source` float32 (n, S, 1), `source_length` int32 (n,).

        Raises:
            InputError: as `to_batch`.
        """
        source, length = pad_ids(self.ids(sentences, self.source_tokenizer))
        return {"source": source, "source_length": length}

    def to_batch(  # type: ignore[override]  # a sentence here is a pair
        self, sources: Sequence[str], targets: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Pairs of sentences as a batch.

        Raises:
            InputError: something else than sentences, nothing in one, more than max_length tokens,
                or not as many targets as sources; says which.
        """
        batch = self.to_sources(sources) | super().to_batch(targets)
        if len(batch["source"]) != len(batch["sequence"]):
            raise InputError(
                f"targets: expected {len(batch['source'])}, as many as there are sources, "
                f"received {len(batch['sequence'])}"
            )
        return batch

    def translate(
        self,
        sentences: Sequence[str],
        *,
        beam: int = 1,
        temperature: float | None = None,
        **options: Any,
    ) -> list[str]:
        """The target of each sentence: the likeliest that is found, or with a temperature drawn.

        Args:
            beam: how many beginnings the search goes on with at each step; 1 is greedy.
            temperature: > 0; lower is more careful.
            **options: length_penalty of the search, top_k and top_p of what is drawn, prefix, seed,
                length (in tokens)…; see `decode`. With jit_compile XLA compiles the loop, anew for
                sources of another length: worth it for many of them, not on a CPU.
        """
        if temperature is not None and beam != 1:
            raise InputError(
                "beam, temperature: expected a search or a temperature to draw at, received both"
            )
        options = {"jit_compile": False} | options
        if temperature is not None:
            options["temperature"] = temperature
        elif beam == 1:
            options["greedy"] = True
        else:
            options["beam"] = beam
        return self.decode(self.to_sources(sentences), n=len(sentences), **options)

    def score(  # type: ignore[override]
        self, sources: Sequence[str], targets: Sequence[str], batch_size: int = 128
    ) -> TextScores:
        """How likely each token of each target is, given its source; see TextScores."""
        return self._scores(self.to_batch(sources, targets), batch_size)

    def _latents(self, inputs):
        return self.read_z(inputs), super()._latents(inputs)[1]
