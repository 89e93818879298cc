"""Discriminators: which of two kinds a sequence is of, such as drawn by a model or by people."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from latentgen import random
from latentgen.errors import InputError
from latentgen.layers.heads import OutputHead, SymbolHead


@keras.saving.register_keras_serializable("latentgen")
class ElementEmbedding(keras.layers.Layer):
    """What a discriminator reads of a sequence's elements, from weights of its own.

    The row of a table for a symbol, the rows' mean for a relaxed one, an affine map of any other
    element.

    Args:
        input_size: K, how many symbols there are; of other elements their size D.
        size: E, of what is read.
        ids: whether elements are symbols' numbers (…, 1), as TokenHead's, rather than vectors.
    """

    built: bool

    def __init__(self, input_size: int, size: int, ids: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.input_size, self.size, self.ids = input_size, size, ids
        self.build()

    @classmethod
    def of(cls, head: OutputHead, size: int) -> "ElementEmbedding":
        """One for the elements of a head, relaxed ones too."""
        if isinstance(head, SymbolHead) and head.element_size == 1:
            return cls(head.parameter_size, size, ids=True, name="elements")
        return cls(head.element_size, size, name="elements")

    @property
    def output_size(self) -> int:
        return self.size

    def build(self, input_shape=None):
        if self.built:  # by the constructor
            return
        self.table = self.add_weight(shape=(self.input_size, self.size), name="table")
        self.bias = self.add_weight(shape=(self.size,), initializer="zeros", name="bias")
        self.built = True

    def call(self, elements):
        """Elements (…, D), or relaxed symbols (…, K) → (…, E)."""
        if self.ids and elements.shape[-1] == 1:
            return ops.take(self.table, ops.cast(elements[..., 0], "int32"), axis=0) + self.bias
        return ops.matmul(elements, self.table) + self.bias

    def get_config(self):
        return super().get_config() | {
            "input_size": self.input_size,
            "size": self.size,
            "ids": self.ids,
        }


class Discriminator(keras.layers.Layer):
    """What discriminators share: what they read, and the condition beside it.

    Built by its constructor. What the mask leaves out changes nothing.

    Args:
        embedding: a built layer, from whatever steps are called to vectors (B, T, output_size).
        latent_size: size of z, which stands beside every step of a conditional model's; 0 for none.
        dropout: share of the features dropped in training.
        seed: of dropout.
    """

    built: bool

    def __init__(
        self,
        embedding: keras.layers.Layer,
        latent_size: int = 0,
        dropout: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not 0 <= dropout < 1:
            raise InputError(f"dropout: expected a share from 0 to below 1, received {dropout}")
        self.embedding, self.latent_size = embedding, latent_size
        self.dropout, self.seed = dropout, seed
        self.input_size = embedding.output_size + latent_size
        self.draws = keras.random.SeedGenerator(seed)

    def read(self, steps: Any, mask: Any, z: Any = None) -> Any:
        """The embedded steps, z beside each, (B, T, input_size); zeros where the mask is."""
        embedded = self.embedding(steps)
        if self.latent_size:
            beside = ops.repeat(z[:, None], ops.shape(embedded)[1], axis=1)
            embedded = ops.concatenate([embedded, beside], axis=-1)
        return embedded * ops.cast(mask, embedded.dtype)[..., None]

    def drop(self, features: Any, training: bool) -> Any:
        """The features, in training without a share of them."""
        if not (training and self.dropout):
            return features
        return random.dropout(features, self.dropout, self.draws)

    def get_config(self):
        return super().get_config() | {
            "embedding": keras.saving.serialize_keras_object(self.embedding),
            "latent_size": self.latent_size,
            "dropout": self.dropout,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        embedding = keras.saving.deserialize_keras_object(config["embedding"])
        return cls(**config | {"embedding": embedding})


@keras.saving.register_keras_serializable("latentgen")
class ConvolutionalDiscriminator(Discriminator):
    """Filters of several widths, the maximum of each over time, a highway layer, one logit.

    (Kim 2014, arXiv 1408.5882; with the highway layer as SeqGAN has it, Yu et al. 2017, arXiv
    1609.05473.) A window begins at each step that counts, and may run over the end.

    Args:
        widths: steps that a filter sees.
        filters: of each width.
        embedding, latent_size, dropout, seed: see Discriminator.
    """

    def __init__(
        self,
        embedding: keras.layers.Layer,
        widths: Sequence[int] = (1, 2, 3, 4, 5),
        filters: int = 100,
        latent_size: int = 0,
        dropout: float = 0.25,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(embedding, latent_size, dropout, seed, **kwargs)
        self.widths, self.filters = list(widths), filters
        self.convolutions = [
            keras.layers.Conv1D(filters, width, activation="relu", name=f"width_{width}")
            for width in self.widths
        ]
        self.output_size = len(self.widths) * filters
        self.candidate = keras.layers.Dense(self.output_size, "relu", name="candidate")
        closed = keras.initializers.Constant(-2.0)  # at first most passes as it is
        self.gate = keras.layers.Dense(
            self.output_size, "sigmoid", bias_initializer=closed, name="gate"
        )
        self.projection = keras.layers.Dense(1, name="projection")
        self.build()

    def build(self, input_shape=None):
        if self.built:
            return
        for layer in self.convolutions:
            layer.build((None, None, self.input_size))
        for layer in (self.candidate, self.gate, self.projection):
            layer.build((None, self.output_size))
        self.built = True

    def features(self, steps, mask, z=None, training=False):
        """What the logit is made of, (B, output_size); arguments as `call`."""
        read = self.read(steps, mask, z)
        counts = ops.cast(mask, read.dtype)[..., None]
        highest = [
            ops.max(layer(ops.pad(read, [[0, 0], [0, width - 1], [0, 0]])) * counts, axis=1)
            for width, layer in zip(self.widths, self.convolutions, strict=True)
        ]  # at least 0, as filters are
        pooled = ops.concatenate(highest, axis=-1)
        gate = self.gate(pooled)
        return self.drop(gate * self.candidate(pooled) + (1.0 - gate) * pooled, training)

    def call(self, steps, mask, z=None, training=False):
        """Logits (B,) of steps (B, T, …), of which those count where the mask (B, T) is true."""
        return self.projection(self.features(steps, mask, z, training))[:, 0]

    def get_config(self):
        return super().get_config() | {"widths": self.widths, "filters": self.filters}


@keras.saving.register_keras_serializable("latentgen")
class RecurrentDiscriminator(Discriminator):
    """A GRU over time, and at each step the same network of three layers, with one logit.

    (Professor forcing's, Lamb et al. 2016, arXiv 1610.09038.) A sequence's logit is the mean of
    its steps'.

    Args:
        units: of the GRU, in each direction.
        hidden: of the network's first two layers.
        bidirectional: False lets each step's logit know of what came before it alone.
        per_step: a logit a step, not one a sequence (ScratchGAN's, d'Autume et al. 2019, arXiv
            1905.09922, which is not bidirectional).
        embedding, latent_size, dropout, seed: see Discriminator.
    """

    def __init__(
        self,
        embedding: keras.layers.Layer,
        units: int = 128,
        hidden: int = 128,
        bidirectional: bool = True,
        per_step: bool = False,
        latent_size: int = 0,
        dropout: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(embedding, latent_size, dropout, seed, **kwargs)
        self.units, self.hidden = units, hidden
        self.bidirectional, self.per_step = bidirectional, per_step
        self.directions = [
            # cuDNN's would keep XLA from compiling the step.
            keras.layers.GRU(
                units,
                return_sequences=True,
                go_backwards=back,
                use_cudnn=False,
                seed=seed,
                name=name,
            )
            for back, name in ((False, "forward"), (True, "backward"))[: 1 + bidirectional]
        ]
        self.network = [
            keras.layers.Dense(hidden, "relu", name="hidden_0"),
            keras.layers.Dense(hidden, "relu", name="hidden_1"),
            keras.layers.Dense(1, name="projection"),
        ]
        self.build()

    def build(self, input_shape=None):
        if self.built:
            return
        for rnn in self.directions:
            rnn.build((None, None, self.input_size))
        size = units = len(self.directions) * self.units
        for layer in self.network:
            layer.build((None, size))
            size = self.hidden
        self.output_size = units
        self.built = True

    def features(self, steps, mask, z=None, training=False):
        """The GRU's outputs (B, T, output_size); arguments as `call`."""
        mask = ops.cast(mask, "bool")
        read = self.read(steps, mask, z)
        ahead, *back = (rnn(read, mask=mask) for rnn in self.directions)
        # What goes backwards gives its outputs in its own order of steps.
        both = ops.concatenate([ahead, *(ops.flip(outputs, axis=1) for outputs in back)], axis=-1)
        return self.drop(both, training)

    def call(self, steps, mask, z=None, training=False):
        """Logits of steps (B, T, …), of which those count where the mask (B, T) is true.

        Returns:
            (B,), or (B, T) where there is one a step; 0 at steps that do not count.
        """
        x = self.features(steps, mask, z, training)
        for layer in self.network:
            x = layer(x)
        counts = ops.cast(mask, x.dtype)
        logits = x[..., 0] * counts
        if self.per_step:
            return logits
        return ops.sum(logits, axis=1) / ops.maximum(ops.sum(counts, axis=1), 1.0)

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "hidden": self.hidden,
            "bidirectional": self.bidirectional,
            "per_step": self.per_step,
        }


def discriminator_of(model: Any, seed: int = 0) -> ConvolutionalDiscriminator:
    """What tells a SequenceModel's own sequences from true ones, given z if it has one."""
    return ConvolutionalDiscriminator(
        ElementEmbedding.of(model.head, 64),
        latent_size=model.decoder.latent_size,
        seed=seed,
        name="critic",
    )
