"""A toy language, and tiny models of it: three words a sentence, 4 · 3 · 3 of them."""

import itertools

import keras
import numpy as np

from latentgen.text.model import LanguageModel
from latentgen.text.tokenizers import Words
from latentgen.text.vae import TextVAE

SUBJECTS = ("dogs", "cats", "we", "they")
VERBS = ("see", "like", "hear")
OBJECTS = ("bones", "mice", "trains")
SENTENCES = [" ".join(words) for words in itertools.product(SUBJECTS, VERBS, OBJECTS)]
WORDS = Words.learn(SENTENCES)
PLAIN = {"jit_compile": False}


def tiny_vae(**options) -> TextVAE:
    keras.utils.set_random_seed(0)
    sizes = {"latent_size": 4, "embedding_size": 6, "encoder_units": [5], "decoder_units": [8]}
    return TextVAE(options.pop("tokenizer", WORDS), **(sizes | {"max_length": 7} | options))


def tiny_language_model(**options) -> LanguageModel:
    keras.utils.set_random_seed(0)
    sizes = {"embedding_size": 6, "decoder_units": [8], "max_length": 7}
    return LanguageModel(options.pop("tokenizer", WORDS), **(sizes | options))


def train(model, steps: int, rate: float = 0.01, batch: int = 32, seed: int = 0):
    """Trains on the toy language and returns the last steps' mean metrics."""
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=5.0)
    model.compile(optimizer, jit_compile=keras.backend.backend() == "jax")  # slow there without
    everything, random = model.to_batch(SENTENCES), np.random.default_rng(seed)
    for step in range(steps):
        if step == steps - 20:
            model.reset_metrics()
        rows = random.integers(0, len(SENTENCES), batch)
        model.train_on_batch({name: array[rows] for name, array in everything.items()})
    return {metric.name: float(metric.result()) for metric in model.metrics}
