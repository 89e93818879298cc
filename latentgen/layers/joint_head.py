"""Joint head: an element of several parts, such as melody, bass and drums at one step."""

from collections.abc import Sequence

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.layers.heads import OutputHead, require_tfp


@keras.saving.register_keras_serializable("latentgen")
class JointHead(OutputHead):
    """Several heads as one, independent given the features.

    An element, its parameters and a sample's noise are those of the parts, one after the other;
    log-densities and losses are the parts' sums. A sequence has ended where any of its parts has.

    Args:
        heads: one a part.
        shared: True: every part reads all features (MusicVAE's MultiOutCategoricalLstmDecoder; its
            output projection's columns are the parts'). False: part k reads its own slice of the
            features, in order (SplitMultiOutLstmDecoder; see ParallelCells).
    """

    def __init__(self, heads: Sequence[OutputHead], shared: bool = True, **kwargs):
        sizes = [head.feature_size for head in heads]
        if shared and len(set(sizes)) > 1:
            raise InputError(
                f"heads: expected one feature_size where features are shared, received {sizes}"
            )
        if any(head.input_size != head.element_size for head in heads):
            raise InputError(
                "heads: expected parts that are read as they are, received embedded ones"
            )
        super().__init__(sizes[0] if shared else sum(sizes), **kwargs)
        self.heads = list(heads)
        self.shared = shared
        self.element_sizes = [head.element_size for head in self.heads]
        self.parameter_sizes = [head.parameter_size for head in self.heads]
        self.noise_sizes = [head.noise_size for head in self.heads]
        self.element_size = sum(self.element_sizes)
        self.parameter_size = sum(self.parameter_sizes)
        self.noise_size = sum(self.noise_sizes)

    def build(self, input_shape=None):
        for head in self.heads:
            if not head.built:  # one that was deserialised is
                head.build()
        self.built = True

    def call(self, features):
        parts = [features] * len(self.heads)
        if not self.shared:
            parts = _split(features, [head.feature_size for head in self.heads])
        return _joined([head(part) for head, part in zip(self.heads, parts, strict=True)])

    def start(self, batch):
        return _joined([head.start(batch) for head in self.heads])

    def ended(self, elements):
        parts = self.split_elements(elements)
        ended = [head.ended(part) for head, part in zip(self.heads, parts, strict=True)]
        return ops.any(ops.stack(ended, axis=-1), axis=-1)

    def end(self, batch):
        return _joined([head.end(batch) for head in self.heads])

    def split_elements(self, elements) -> list:
        """Elements (…, D) → the parts' (…, D_k)."""
        return _split(elements, self.element_sizes)

    def split_parameters(self, parameters) -> list:
        """Parameters (…, P) → the parts' (…, P_k)."""
        return _split(parameters, self.parameter_sizes)

    def part_log_probs(self, parameters, elements):
        """Log-density of each part of elements (…, D) → (…, parts)."""
        parts = self._parts(parameters, self.split_elements(elements))
        return ops.stack([head.log_prob(p, e) for head, p, e in parts], axis=-1)

    def part_losses(self, parameters, elements):
        """What each part of elements (…, D) adds to the loss → (…, parts)."""
        parts = self._parts(parameters, self.split_elements(elements))
        return ops.stack([head.loss(p, e) for head, p, e in parts], axis=-1)

    def log_prob(self, parameters, elements):
        return ops.sum(self.part_log_probs(parameters, elements), axis=-1)

    def loss(self, parameters, elements):
        return ops.sum(self.part_losses(parameters, elements), axis=-1)

    def sample(self, parameters, noise, temperature=1.0):
        parts = self._parts(parameters, _split(noise, self.noise_sizes))
        return _joined([head.sample(p, u, temperature) for head, p, u in parts])

    def mode(self, parameters):
        parts = zip(self.heads, self.split_parameters(parameters), strict=True)
        return _joined([head.mode(p) for head, p in parts])

    @property
    def relax_noise_size(self):
        return sum(head.relax_noise_size for head in self.heads)

    def relax(self, parameters, noise, temperature=1.0):
        sizes = [head.relax_noise_size for head in self.heads]
        parts = self._parts(parameters, _split(noise, sizes))
        return _joined([head.relax(p, u, temperature) for head, p, u in parts])

    def _parts(self, parameters, others):
        """(head, its parameters, its one of `others`) of each part."""
        return zip(self.heads, self.split_parameters(parameters), others, strict=True)

    def as_tfp(self, parameters):
        """tfd.Blockwise of the parts' distributions."""
        tfd = require_tfp("as_tfp").distributions
        parts = zip(self.heads, self.split_parameters(parameters), strict=True)
        return tfd.Blockwise([head.as_tfp(p) for head, p in parts])

    def get_config(self):
        config = super().get_config()
        del config["feature_size"]  # the heads' own
        heads = [keras.saving.serialize_keras_object(head) for head in self.heads]
        return config | {"heads": heads, "shared": self.shared}

    @classmethod
    def from_config(cls, config):
        heads = [keras.saving.deserialize_keras_object(head) for head in config["heads"]]
        return cls(**config | {"heads": heads})


def _split(x, sizes: list[int]) -> list:
    """x (…, Σ sizes) in parts of these sizes."""
    bounds = [sum(sizes[:k]) for k in range(1, len(sizes))]
    return list(ops.split(x, bounds, axis=-1))


def _joined(parts):
    return ops.concatenate(parts, axis=-1)
