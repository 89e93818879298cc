"""What the models of every domain share: plain arguments, presets, and the verbs of a VAE."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from latentgen.checkpoints.presets import (
    LATENTS,
    find_preset,
    read_config,
    read_preset,
    write_preset,
)
from latentgen.sequence_model import SequenceModel
from latentgen.vae import Posterior, SequenceVAE, read_posterior, slerp, write_posterior


class DomainModel(SequenceModel):
    """A sequence model that is built from plain arguments, and kept as a preset folder."""

    PRESETS: Path
    """Folder of the presets that ship with the domain."""
    reference: Posterior | None = None
    """Posteriors of training pieces where a preset ships them: unlabelled real z for constraints
    to learn realism from. A decoder alone has none."""

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON can hold them."""
        raise NotImplementedError

    def save_preset(self, folder: str | os.PathLike, card: str = "", dtype: str = "float16"):
        """Writes configuration, weights and model card to a folder that `from_preset` opens."""
        arguments = self.arguments()
        write_preset(folder, type(self).__name__, arguments, self.weights, card, dtype, self._add)

    def _add(self, folder: Path) -> None:
        """Writes what else belongs to a preset."""

    @classmethod
    def from_preset(cls, name: str | os.PathLike):
        """Opens a preset folder, or one shipped with the package by its name."""
        folder = find_preset(name, cls.PRESETS)
        return read_preset(folder, cls.__name__, lambda config: cls(**config))

    @classmethod
    def any_from_preset(cls, name: str | os.PathLike, *others: "type[DomainModel]"):
        """The same of a preset of this class or of one of the others, whichever it is."""
        classes = {each.__name__: each for each in (cls, *others)}
        kind, _ = read_config(find_preset(name, cls.PRESETS), *classes)
        return classes[kind].from_preset(name)

    def get_config(self):
        config = {"name": self.name, **self.arguments()}
        if self.objective is not None:
            config["objective"] = keras.saving.serialize_keras_object(self.objective)
        return config


class DomainVAE(DomainModel, SequenceVAE):
    """A VAE of what people make: drawings, music or sentences ("pieces") ↔ latent vectors."""

    def encode(self, pieces: Sequence[Any]) -> Posterior:
        """Posterior of each piece: mean and scale (n, latent_size)."""
        raise NotImplementedError

    def decode(self, z: np.ndarray, **options: Any) -> list[Any]:
        """A piece for each z (n, latent_size); options as in SequenceModel.generate."""
        raise NotImplementedError

    def sample(self, n: int, *, seed: int = 0, **options: Any) -> list[Any]:
        """n pieces from the prior; options as in `decode`."""
        return self.decode(self.sample_prior(n, seed), seed=seed, **options)

    def reconstruct(self, pieces: Sequence[Any], **options: Any) -> list[Any]:
        """Encodes each piece to its posterior's mean and decodes that."""
        return self.decode(self.encode(pieces).mean, **options)

    def interpolate(self, first: Any, second: Any, steps: int = 10, **options: Any) -> list[Any]:
        """`steps` pieces on the arc between the latent vectors of two."""
        mean = self.encode([first, second]).mean
        return self.decode(slerp(mean[0], mean[1], steps), **options)

    def _add(self, folder):
        if self.reference is not None:
            write_posterior(folder / LATENTS, self.reference)

    @classmethod
    def from_preset(cls, name: str | os.PathLike):
        model = super().from_preset(name)
        path = find_preset(name, cls.PRESETS) / LATENTS
        if path.exists():
            model.reference = read_posterior(path, model.latent_size)
        return model
