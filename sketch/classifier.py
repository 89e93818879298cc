"""SketchClassifier: says what a drawing shows, by looking at its picture.

It judges what latent constraints draw: it was trained on other drawings and sees pixels, not z.
"""

import os
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from latentgen.checkpoints.presets import read_preset, write_preset
from latentgen.errors import InputError
from latentgen.sketch.strokes import bounds, check_drawing, to_lines

MARGIN = 2  # pixels around a drawing
OVERSAMPLING = 4


def rasterise(drawings: Sequence[np.ndarray], size: int = 32) -> np.ndarray:
    """Pictures (n, size, size), float32, ink 1 on paper 0, each drawing fitted to the square.

    An empty drawing is blank paper.
    """
    from PIL import Image, ImageDraw

    pictures = np.zeros((len(drawings), size, size), dtype="float32")
    for picture, drawing in zip(pictures, drawings, strict=True):
        if not len(drawing):
            continue
        left, top, right, bottom = bounds(check_drawing(drawing))
        extent = max(right - left, bottom - top, 1e-6)
        scale = OVERSAMPLING * (size - 2 * MARGIN - 1) / extent
        centre = np.array([left + right, top + bottom]) / 2
        canvas = Image.new("L", (size * OVERSAMPLING,) * 2)
        pen = ImageDraw.Draw(canvas)
        for line in to_lines(drawing):
            points = (line - centre) * scale + size * OVERSAMPLING / 2
            pen.line([tuple(p) for p in points.tolist()], fill=255, width=OVERSAMPLING)
        picture[:] = np.asarray(canvas.resize((size, size), Image.Resampling.BOX)) / 255.0
    return pictures


@keras.saving.register_keras_serializable("latentgen")
class SketchClassifier(keras.Model):
    """Small convolutional network on pictures of drawings.

    Args:
        categories: what it tells apart.
        size: pixels of a picture's side, a multiple of 8.
        channels: of its three convolutions.
    """

    def __init__(
        self,
        categories: Sequence[str],
        size: int = 32,
        channels: Sequence[int] = (24, 48, 96),
        **kwargs,
    ):
        super().__init__(**kwargs)
        if len(set(categories)) < 2 or size % 8:
            raise InputError(
                "SketchClassifier expected two or more different categories and a size that is a "
                f"multiple of 8, received {list(categories)} and {size}"
            )
        self.categories, self.size, self.channels = list(categories), size, list(channels)
        self.convolutions = [
            keras.layers.Conv2D(
                c, 3, strides=2, padding="same", activation="relu", name=f"conv_{k}"
            )
            for k, c in enumerate(self.channels)
        ]
        self.dropout = keras.layers.Dropout(0.4, seed=0)
        self.output_layer = keras.layers.Dense(len(self.categories), name="logits")
        shape: tuple = (None, size, size, 1)
        for convolution in self.convolutions:
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
        self.output_layer.build((None, shape[1] * shape[2] * shape[3]))
        self.built = True

    def build(self, input_shape=None):
        """Nothing is left to do: the constructor builds every part."""

    def features(self, pictures):
        """What the last layer sees: (n, size, size) → (n, f)."""
        x = ops.expand_dims(pictures, -1)
        for convolution in self.convolutions:
            x = convolution(x)
        return ops.reshape(x, (-1, int(np.prod(x.shape[1:]))))

    def call(self, pictures, training=False):
        return self.output_layer(self.dropout(self.features(pictures), training=training))

    def fit_drawings(
        self,
        drawings: Sequence[np.ndarray],
        categories: Sequence[str],
        epochs: int = 20,
        seed: int = 0,
        **options,
    ) -> keras.callbacks.History:
        """Trains on drawings, each also mirrored, and their categories."""
        pictures = rasterise(drawings, self.size)
        pictures = np.concatenate([pictures, pictures[:, :, ::-1]])
        labels = np.array([self.categories.index(c) for c in categories] * 2, dtype="int32")
        order = np.random.default_rng(seed).permutation(len(pictures))
        self.compile(
            keras.optimizers.Adam(2e-3),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        return self.fit(
            pictures[order], labels[order], batch_size=64, epochs=epochs, shuffle=False, **options
        )

    def probabilities(self, drawings: Sequence[np.ndarray]) -> np.ndarray:
        """(n, categories), rows summing to 1."""
        logits = [
            ops.convert_to_numpy(
                self(ops.convert_to_tensor(rasterise(drawings[k : k + 256], self.size)))
            )
            for k in range(0, len(drawings), 256)
        ]
        return ops.convert_to_numpy(ops.softmax(np.concatenate(logits), axis=-1))

    def is_a(self, category: str, drawings: Sequence[np.ndarray]) -> np.ndarray:
        """Whether each drawing shows the category more than any other, bool (n,)."""
        if category not in self.categories:
            raise InputError(f"category: expected one of {self.categories}, received {category!r}")
        return self.probabilities(drawings).argmax(1) == self.categories.index(category)

    def get_config(self):
        return {"categories": self.categories, "size": self.size, "channels": self.channels}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def save_preset(self, folder: str | os.PathLike, card: str = "") -> None:
        """Writes configuration, weights and model card to a folder that `from_preset` opens."""
        write_preset(folder, type(self).__name__, self.get_config(), self.weights, card)

    @classmethod
    def from_preset(cls, name: str | os.PathLike) -> "SketchClassifier":
        """Opens a preset folder, or one shipped with the package by its name."""
        from latentgen.sketch.vae import find_preset

        return read_preset(find_preset(name), cls.__name__, lambda config: cls(**config))
