"""Hierarchical encoder: segments → embeddings → one embedding."""

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.layers.encoder import RecurrentEncoder


@keras.saving.register_keras_serializable("latentgen")
class HierarchicalEncoder(keras.layers.Layer):
    """Encodes each segment, then the sequence of the segments' embeddings.

    (MusicVAE's HierarchicalLstmEncoder.) A segment without a valid step embeds as zeros; the upper
    level reads the embeddings of all segments.

    Args:
        lower: encoder of a segment.
        upper: encoder of embeddings; its input_size is the lower one's output_size.
        segment_length: steps of a segment; sequences are whole numbers of segments.
    """

    def __init__(
        self, lower: RecurrentEncoder, upper: RecurrentEncoder, segment_length: int, **kwargs
    ):
        super().__init__(**kwargs)
        if upper.input_size != lower.output_size:
            raise InputError(
                f"upper: expected input_size {lower.output_size}, the lower level's output, "
                f"received {upper.input_size}"
            )
        self.lower = lower
        self.upper = upper
        self.segment_length = segment_length
        self.input_size = lower.input_size
        self.output_size = upper.output_size

    def build(self, input_shape=None):
        for level in (self.lower, self.upper):
            if not level.built:  # one that was deserialised is
                level.build()
        self.built = True

    def call(self, sequence, length, training=False):
        """Embeds sequence (B, T, D) → (B, upper.output_size).

        Args:
            length: valid steps of each sequence (B,), or of each of its segments (B, segments).
        """
        steps = sequence.shape[1]
        if steps is None or steps % self.segment_length:
            raise InputError(
                f"sequence: expected a whole number of segments of {self.segment_length} steps, "
                f"received {steps} steps"
            )
        count = steps // self.segment_length
        length = ops.reshape(segment_lengths(length, count, self.segment_length), (-1,))
        segments = ops.reshape(sequence, (-1, self.segment_length, self.input_size))
        embeddings = self.lower(segments, length, training=training)
        embeddings = embeddings * ops.cast(length > 0, embeddings.dtype)[:, None]
        embeddings = ops.reshape(embeddings, (-1, count, self.lower.output_size))
        every = ops.full((ops.shape(embeddings)[0],), count, dtype="int32")
        return self.upper(embeddings, every, training=training)

    def get_config(self):
        return super().get_config() | {
            "lower": keras.saving.serialize_keras_object(self.lower),
            "upper": keras.saving.serialize_keras_object(self.upper),
            "segment_length": self.segment_length,
        }

    @classmethod
    def from_config(cls, config):
        levels = {
            name: keras.saving.deserialize_keras_object(config[name]) for name in ("lower", "upper")
        }
        return cls(**config | levels)


def segment_lengths(length, count: int, segment_length: int):
    """Valid steps of each of `count` segments (B, count), of lengths (B,) or (B, count)."""
    length = ops.cast(length, "int32")
    if len(length.shape) == 2:
        return length
    starts = ops.arange(count, dtype="int32") * segment_length
    return ops.clip(length[:, None] - starts[None, :], 0, segment_length)
