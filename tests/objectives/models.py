"""A tiny model of every kind that objectives train, and a batch for each."""

import keras
import numpy as np

from tests.text.tiny import SENTENCES, tiny_language_model, tiny_vae
from tests.tiny import strokes


def language_model():
    model = tiny_language_model()
    return model, model.to_batch(SENTENCES[:4])


def text_vae():
    model = tiny_vae()
    return model, model.to_batch(SENTENCES[:4])


def music_vae():
    from latentgen.music.converters import MelodyConverter
    from latentgen.music.vae import MusicVAE

    keras.utils.set_random_seed(0)
    model = MusicVAE(
        MelodyConverter(bars=1), latent_size=3, encoder_units=[4], decoder_units=[5], segments=2
    )
    melodies = np.random.default_rng(0).integers(0, 90, (3, 16))
    sequence = np.eye(90, dtype="float32")[melodies]
    length = np.full(3, 16, "int32")
    return model, {"sequence": sequence, "input": sequence, "length": length}


def sketch_vae():
    from latentgen.sketch import SketchVAE

    keras.utils.set_random_seed(0)
    model = SketchVAE(
        latent_size=3, encoder_units=4, decoder_units=6, mixtures=2, max_length=6, scale=20.0
    )
    return model, strokes()


MODELS = {
    "language model": language_model,
    "text VAE": text_vae,
    "music VAE": music_vae,
    "sketch VAE": sketch_vae,
}
