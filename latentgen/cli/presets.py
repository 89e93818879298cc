"""The presets that ship with the package, found without opening any."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DOMAINS = ("sketch", "music")


class ShippedPreset(NamedTuple):
    """A preset's domain, name and the first sentence of its model card."""

    domain: str
    name: str
    description: str


def list_presets() -> Iterator[ShippedPreset]:
    """Every shipped preset, by domain and name."""
    from latentgen.checkpoints.presets import CARD, shipped_presets

    for domain in DOMAINS:
        package = importlib.import_module(f"latentgen.{domain}")
        for folder in shipped_presets(Path(package.__path__[0]) / "presets"):
            card = folder / CARD
            yield ShippedPreset(domain, folder.name, _first_line(card))


def _first_line(card: Path) -> str:
    """The card's first line of prose, else its title."""
    lines = card.read_text(encoding="utf-8").splitlines() if card.exists() else []
    prose = [line for line in lines if line.strip() and not line.startswith(("#", "-", "|", "`"))]
    return (prose or [line.lstrip("# ") for line in lines if line.strip()] or [""])[0].strip()
