"""Tiny models of each domain, exported once, and how to ask what was loaded again."""

from typing import Any, NamedTuple

import keras
import numpy as np

from latentgen.constraints import LatentConstraints, combine
from tests.tiny import randomise

LATENT = 4


class Exported(NamedTuple):
    """A model, its SavedModel opened again, pieces it can encode, and constraints."""

    model: Any
    folder: Any
    signatures: Any
    pieces: Any
    inputs: dict[str, Any]
    constraints: Any = None


def ask(signatures, name, **inputs):
    """What a signature gives, as arrays."""
    import tensorflow as tf

    function = signatures[name]
    specs = function.structured_input_signature[1]
    given = {key: tf.constant(value, specs[key].dtype) for key, value in inputs.items()}
    return {key: value.numpy() for key, value in function(**given).items()}


def latents(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, LATENT)).astype("float32")


def constraints(seed: int = 0):
    """Two that were learnt apart: yes or no and one of three; a number."""
    z = latents(120, seed)
    discrete = {"first": z[:, 0] > 0, "kind": np.array(["a", "b", "c"])[(np.argmax(z[:, :3], 1))]}
    quick = {"turns": 2, "batch_size": 8, "critic_steps": 2}
    small = {"hidden": 8, "layers": 1, "seed": 1}
    return combine(
        LatentConstraints(LATENT, **small).fit(z, discrete, **quick),
        LatentConstraints(LATENT, **small).fit(z, {"size": 10 + 3 * z[:, 3]}, **quick),
    )


def sketches(cls: str = "SketchVAE"):
    """A model that draws short drawings which depend on z."""
    from latentgen import sketch

    keras.utils.set_random_seed(0)
    sizes = {"decoder_units": 8, "mixtures": 2, "max_length": 12, "scale": 20.0}
    if cls == "SketchVAE":
        sizes |= {"latent_size": LATENT, "encoder_units": 5}
    return randomise(getattr(sketch, cls)(**sizes), scale=0.4)


def melodies(**options):
    from latentgen.music import MelodyConverter, MusicVAE

    keras.utils.set_random_seed(0)
    converter = MelodyConverter(bars=1, **options)
    return randomise(MusicVAE(converter, LATENT, [5], [8]), scale=0.3)
