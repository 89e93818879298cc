"""Opens a preset of any domain: what is exported is named by its folder or its shipped name."""

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from latentgen.checkpoints.presets import CARD, find_preset, read_config

if TYPE_CHECKING:
    from latentgen.domain import DomainModel

MODULES = {
    "SketchVAE": "latentgen.sketch.vae",
    "SketchDecoder": "latentgen.sketch.vae",
    "MusicVAE": "latentgen.music.vae",
    "MusicDecoder": "latentgen.music.model",
    "TextVAE": "latentgen.text.vae",
    "LanguageModel": "latentgen.text.model",
}


def preset_folder(name: str | os.PathLike) -> Path:
    """The folder of a preset: a path, or the name of one that ships with any domain.

    Raises:
        InputError: neither.
    """
    domains = [importlib.import_module(f"latentgen.{name}") for name in ("sketch", "music", "text")]
    return find_preset(name, *(Path(domain.__path__[0]) / "presets" for domain in domains))


def open_model(name: str | os.PathLike) -> "DomainModel":
    """The model of a preset, whatever its class.

    Raises:
        InputError: no such preset.
        FileError, CheckpointError: a folder without one, damaged, or of a model that draws nothing.
    """
    folder = preset_folder(name)
    kind, _ = read_config(folder, *MODULES)
    return getattr(importlib.import_module(MODULES[kind]), kind).from_preset(folder)


def card_of(name: str | os.PathLike) -> str:
    """A preset's model card; nothing where it has none."""
    card = preset_folder(name) / CARD
    return card.read_text(encoding="utf-8") if card.exists() else ""
