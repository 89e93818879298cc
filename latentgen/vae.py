"""SequenceVAE: encoder, posterior and decoder, and the loss that trains them."""

import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from latentgen import random
from latentgen.checkpoints.variables import read_arrays
from latentgen.compilation import compiled
from latentgen.errors import CheckpointError, InputError
from latentgen.files import atomic_file
from latentgen.generation import in_batches
from latentgen.layers.decoder import AutoregressiveDecoder
from latentgen.sequence_model import SequenceModel
from latentgen.training.schedules import at_step


class Posterior(NamedTuple):
    """Diagonal Gaussian q(z|x): mean and standard deviation, each (n, latent_size)."""

    mean: Any
    scale: Any

    def sample(self, seed: int = 0) -> np.ndarray:
        """One z of each posterior, (n, latent_size)."""
        noise = np.random.default_rng(seed).standard_normal(self.mean.shape).astype("float32")
        return self.mean + self.scale * noise


class Scores(NamedTuple):
    """What a VAE makes of n given sequences of T steps; nats."""

    parameters: np.ndarray
    """Of each step's distribution (n, T, P), given the steps before it: for symbols, the logits."""
    modes: np.ndarray
    """The most likely element of each step (n, T, D)."""
    log_prob: np.ndarray
    """Log-probability of each step (n, T); 0 for steps that do not count."""
    kl: np.ndarray
    """KL of each posterior from the prior (n,)."""

    @property
    def reconstruction_error(self) -> np.ndarray:
        """−log p(x | z) at the posterior's mean (n,)."""
        return -self.log_prob.sum(axis=1)


def write_posterior(path: str | os.PathLike, posterior: Posterior) -> None:
    """Writes a posterior to an .npz in half precision."""
    halves: dict[str, Any] = {k: np.asarray(v, "float16") for k, v in posterior._asdict().items()}
    with atomic_file(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **halves)


def read_posterior(path: str | os.PathLike, latent_size: int) -> Posterior:
    """Reads what `write_posterior` wrote; a CheckpointError if it is of another latent size."""
    arrays = read_arrays(Path(path))
    shapes = {name: arrays[name].shape for name in Posterior._fields if name in arrays}
    rows = len(next(iter(arrays.values()))) if shapes and () not in shapes.values() else 0
    if shapes != dict.fromkeys(Posterior._fields, (rows, latent_size)):
        raise CheckpointError(
            f"{path}: expected the mean and scale of z with {latent_size} dimensions, "
            f"found {shapes or list(arrays)}"
        )
    parts = [arrays[name] for name in Posterior._fields]
    if any(part.dtype.kind != "f" or not np.isfinite(part).all() for part in parts):
        raise CheckpointError(f"{path}: expected finite numbers, found NaN, infinity or no numbers")
    return Posterior(*(part.astype("float32") for part in parts))


def kl_divergence(mean, scale):
    """KL(N(mean, scale²) ‖ N(0, 1)) per dimension, nats."""
    return 0.5 * (ops.square(mean) + ops.square(scale) - 1.0) - ops.log(scale)


def slerp(a: np.ndarray, b: np.ndarray, steps: int) -> np.ndarray:
    """Spherical interpolation from a to b, both ends included: (z,), (z,) → (steps, z).

    Equal, opposite or zero vectors have no arc between them and are interpolated linearly.
    """
    if steps < 1:
        raise InputError(f"steps: expected how many points, 1 or more, received {steps}")
    shares = np.linspace(0.0, 1.0, steps)[:, None]
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    cosine = np.dot(a, b) / norms if norms > 0 else 1.0
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    if np.sin(angle) < 1e-6:
        return ((1.0 - shares) * a + shares * b).astype("float32")
    path = np.sin((1.0 - shares) * angle) * a + np.sin(shares * angle) * b
    return (path / np.sin(angle)).astype("float32")


@keras.saving.register_keras_serializable("latentgen")
class SequenceVAE(SequenceModel):
    """Variational autoencoder of sequences (Ha & Eck 2017; Roberts et al. 2018).

    loss = reconstruction + kl_weight(step) · KL + objective.

    Args:
        encoder: called as encoder(sequence, length, training=…) → embedding (B, output_size). It
            reads a batch's `input`, (B, T, …), or its `sequence` where there is none, as the head
            embeds it, beside its `control`.
        decoder: z → sequence; its latent_size is the size of z.
        kl_weight: a number or a schedule over steps.
        kl_reduction: 'mean' of the KL over z's dimensions, as sketches have it, or 'sum'.
        kl_floor: the KL term never counts less than this, on the batch's mean (Sketch-RNN's 0.2).
        free_bits: bits of KL an example has for nothing (MusicVAE's 48 or 256).
        scale_activation: how the encoder's output becomes the posterior's standard deviation:
            'exp' of half of it (it is a log-variance) or 'softplus'.
        max_length, **kwargs: see SequenceModel.
    """

    def __init__(
        self,
        encoder: keras.layers.Layer,
        decoder: AutoregressiveDecoder,
        max_length: int,
        kl_weight=1.0,
        kl_reduction: str = "sum",
        kl_floor: float = 0.0,
        free_bits: float = 0.0,
        scale_activation: str = "exp",
        **kwargs,
    ):
        super().__init__(decoder, max_length, **kwargs)
        if kl_reduction not in ("mean", "sum"):
            raise InputError(f"kl_reduction: expected 'mean' or 'sum', received {kl_reduction!r}")
        if scale_activation not in ("exp", "softplus"):
            raise InputError(
                f"scale_activation: expected 'exp' or 'softplus', received {scale_activation!r}"
            )
        self.encoder = encoder
        self.latent_size = decoder.latent_size
        self.kl_weight = kl_weight
        self.kl_reduction = kl_reduction
        self.kl_floor = kl_floor
        self.free_bits = free_bits
        self.scale_activation = scale_activation
        small = keras.initializers.RandomNormal(stddev=0.001)
        self.mean_layer, self.scale_layer = (
            keras.layers.Dense(self.latent_size, kernel_initializer=small.clone(), name=name)
            for name in ("posterior_mean", "posterior_scale")
        )
        self.kl_tracker = keras.metrics.Mean(name="kl")
        self.kl_weight_tracker = keras.metrics.Mean(name="kl_weight")
        self.seed_generator = keras.random.SeedGenerator(decoder.seed)
        self._encode: Any = None
        self._score: Any = None
        if not encoder.built:
            encoder.build()
        self.mean_layer.build((None, encoder.output_size))
        self.scale_layer.build((None, encoder.output_size))

    def posterior(self, inputs, training=False) -> Posterior:
        """q(z|x) of a batch, as tensors."""
        sequence = inputs["input"] if "input" in inputs else self.head.embed(inputs["sequence"])
        if self.control_size:
            sequence = ops.concatenate([sequence, inputs["control"]], axis=-1)
        embedding = self.encoder(sequence, inputs["length"], training=training)
        mean, raw = self.mean_layer(embedding), self.scale_layer(embedding)
        scale = ops.exp(0.5 * raw) if self.scale_activation == "exp" else ops.softplus(raw)
        return Posterior(mean, scale)

    def condition(self, inputs, training=False):
        """A z of each example's posterior, and its mean and scale."""
        mean, scale = self.posterior(inputs, training)
        noise = random.normal(ops.shape(mean), seed=self.seed_generator)
        return {"z": mean + scale * noise, "mean": mean, "scale": scale}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        weight = at_step(self.kl_weight, self.step)
        kl, cost = self.kl_terms(y_pred["mean"], y_pred["scale"])
        self.kl_tracker.update_state(kl)
        self.kl_weight_tracker.update_state(ops.ones_like(kl) * weight)
        likelihood = super().compute_loss(x, y, y_pred, sample_weight, training)
        return likelihood + weight * cost

    def kl_terms(self, mean, scale):
        """KL of each example in nats (B,), and what of their mean the loss counts."""
        kl = kl_divergence(mean, scale)
        kl = ops.mean(kl, axis=-1) if self.kl_reduction == "mean" else ops.sum(kl, axis=-1)
        cost = ops.mean(ops.maximum(kl - self.free_bits * math.log(2.0), 0.0))
        if not self.free_bits:
            cost = ops.maximum(ops.mean(kl), self.kl_floor)
        return kl, cost

    def encode_batch(self, inputs: dict[str, np.ndarray], batch_size: int = 128) -> Posterior:
        """Posterior of a batch of any size, as NumPy arrays."""
        if self._encode is None:
            self._encode = compiled(self, self.posterior, jit_compile=False)
        return Posterior(*in_batches(self._encode, inputs, batch_size))

    def score_batch(self, inputs: dict[str, np.ndarray], batch_size: int = 128) -> Scores:
        """Parameters, likelihood and reconstruction of each example, at its posterior's mean."""
        if self._score is None:

            def score(inputs):
                mean, scale = self.posterior(inputs)
                sequence = inputs["sequence"]
                control = self.read_control(inputs.get("control"), length=inputs["length"])
                unrolled = self.decoder.teacher_forced(mean, sequence, control=control)
                log_prob = self.head.log_prob(unrolled.parameters, sequence)
                log_prob = log_prob * ops.cast(self.counted(inputs), log_prob.dtype)
                kl = ops.sum(kl_divergence(mean, scale), axis=-1)
                return unrolled.parameters, unrolled.samples, log_prob, kl

            self._score = compiled(self, score, jit_compile=False)
        return Scores(*in_batches(self._score, inputs, batch_size))

    def get_config(self) -> dict[str, Any]:
        weight = self.kl_weight
        return super().get_config() | {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "kl_weight": keras.saving.serialize_keras_object(weight)
            if callable(weight)
            else weight,
            "kl_reduction": self.kl_reduction,
            "kl_floor": self.kl_floor,
            "free_bits": self.free_bits,
            "scale_activation": self.scale_activation,
        }
