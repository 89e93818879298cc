"""The actor and the critic of an LC-GAN (Engel, Hoffman, Roberts 2017, arXiv 1711.05772).

Published size: 4 layers of 2048 for 1024 latent dimensions; the defaults suit some hundred.
"""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("latentgen")
class Trunk(keras.layers.Layer):
    """concat[z, Linear(h)(y)], `layers` x (Linear(h), ReLU), Linear(outputs)."""

    def __init__(
        self,
        latent_size: int,
        condition_size: int,
        outputs: int,
        hidden: int,
        layers: int,
        seed: int,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)

        def dense(units: int, index: int, activation: str | None = None) -> keras.layers.Dense:
            initializer = keras.initializers.GlorotUniform(seed=1000 * seed + index)
            return keras.layers.Dense(units, activation, kernel_initializer=initializer)

        self.embed = dense(hidden, 0) if condition_size else None
        self.hidden = [dense(hidden, 1 + index, "relu") for index in range(layers)]
        self.head = dense(outputs, 1 + layers)
        if self.embed is not None:
            self.embed.build((None, condition_size))
        width = latent_size + (hidden if condition_size else 0)
        for layer in self.hidden:
            layer.build((None, width))
            width = hidden
        self.head.build((None, width))
        self.built = True

    def call(self, z: Any, condition: Any) -> Any:
        x = z if self.embed is None else ops.concatenate([z, self.embed(condition)], axis=-1)
        for layer in self.hidden:
            x = layer(x)
        return self.head(x)


def gate(z: Any, output: Any) -> Any:
    """z' = (1 - gates) z + gates dz, with dz and the gates' logits the halves of the output."""
    dz, gates = ops.split(output, 2, axis=-1)
    gates = ops.sigmoid(gates)
    return (1 - gates) * z + gates * dz
