"""Tiny models and data for the tests of the core: units 8, z 4, six steps, batches of three."""

import numpy as np

from latentgen.layers.decoder import Decoder
from latentgen.layers.encoder import BidirectionalEncoder
from latentgen.layers.heads import CategoricalHead, OutputHead
from latentgen.layers.mixture_density import MixtureDensityHead
from latentgen.sequence_model import SequenceModel
from latentgen.vae import SequenceVAE

UNITS, LATENT, STEPS, BATCH, CLASSES = 8, 4, 6, 3, 5


def mixture_head(units: int = UNITS, **options) -> MixtureDensityHead:
    return MixtureDensityHead(units, **({"mixtures": 3, "name": "head"} | options))


def decoder(head: OutputHead | None = None, **options) -> Decoder:
    options = {"units": UNITS, "latent_size": LATENT, "seed": 2, "name": "decoder"} | options
    result = Decoder(head or mixture_head(), **options)
    result.build()
    return result


def randomise(layer, seed: int = 0, scale: float = 0.5):
    """Every weight random: no test passes because a bias is 0 or a scale 1."""
    generator = np.random.default_rng(seed)
    for variable in layer.trainable_variables:
        noise = generator.normal(size=variable.shape).astype("float32")
        variable.assign(np.asarray(variable) + scale * noise)
    return layer


def sequence_vae(head: OutputHead | None = None, dropout: float = 0.0, **options) -> SequenceVAE:
    head = head or mixture_head()
    encoder = BidirectionalEncoder(
        UNITS, head.input_size, recurrent_dropout=dropout, seed=1, name="encoder"
    )
    return SequenceVAE(
        encoder, decoder(head, recurrent_dropout=dropout), **({"max_length": STEPS} | options)
    )


def categorical_vae(**options) -> SequenceVAE:
    return sequence_vae(CategoricalHead(UNITS, CLASSES, end_class=0, name="head"), **options)


def sequence_model(**options) -> SequenceModel:
    return SequenceModel(decoder(latent_size=0), **({"max_length": STEPS} | options))


def strokes(lengths=(5, 3, 1), steps: int = STEPS, seed: int = 0) -> dict[str, np.ndarray]:
    """A batch of stroke-5 sequences, closed by the end element and padded with it."""
    generator = np.random.default_rng(seed)
    sequence = np.zeros((len(lengths), steps, 5), dtype="float32")
    sequence[:, :, 4] = 1.0
    for row, length in zip(sequence, lengths, strict=True):
        row[:length] = 0.0
        row[:length, :2] = generator.normal(size=(length, 2))
        row[np.arange(length), 2 + generator.integers(0, 2, length)] = 1.0
    return {"sequence": sequence, "length": np.array(lengths, dtype="int32")}


def symbols(lengths=(5, 3, 1), steps: int = STEPS, seed: int = 0) -> dict[str, np.ndarray]:
    """A batch of one-hot sequences; class 0 ends them."""
    generator = np.random.default_rng(seed)
    classes = np.zeros((len(lengths), steps), dtype="int64")
    for row, length in zip(classes, lengths, strict=True):
        row[:length] = generator.integers(1, CLASSES, length)
    return {
        "sequence": np.eye(CLASSES, dtype="float32")[classes],
        "length": np.array(lengths, dtype="int32"),
    }


def random_posterior(n: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Means and deviations (n, z) of some posterior."""
    generator = np.random.default_rng(0)
    mean = generator.normal(size=(n, LATENT)).astype("float32")
    return mean, np.exp(generator.normal(size=(n, LATENT))).astype("float32")


def values(layer) -> list[np.ndarray]:
    """The weights of a layer as arrays."""
    return [np.array(v) for v in layer.weights]
