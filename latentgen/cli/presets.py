"""The presets that ship with the package, found without opening any, and published models."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DOMAINS = ("sketch", "music", "text")


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


def print_presets() -> None:
    """What ships, and what `latentgen import` fetches: a line a model, drawings together."""
    from rich.console import Console
    from rich.table import Table

    from latentgen.checkpoints.published import PREFIX, published

    console = Console(highlight=False)
    table = Table("domain", "preset", "what it is", box=None)
    for preset in list_presets():
        table.add_row(preset.domain, preset.name, preset.description)
    console.print(table)
    console.print("\nPublished by Magenta, for [cyan]latentgen import NAME --out FOLDER[/cyan]:")
    table = Table(box=None)
    table.add_column("name", no_wrap=True)
    table.add_column("what it makes")
    drawings = []
    for model in published().values():
        if model.name.startswith(f"{PREFIX}/sketch_rnn/"):
            drawings.append(model.name.removeprefix(f"{PREFIX}/sketch_rnn/"))
        else:
            table.add_row(model.name, model.description)
    console.print(table)
    console.print(f"{PREFIX}/sketch_rnn/… (drawings): {' '.join(drawings)}")


def _first_line(card: Path) -> str:
    """The card's first line of prose, else its title."""
    lines = card.read_text(encoding="utf-8").splitlines() if card.exists() else []
    prose = [line for line in lines if line.strip() and not line.startswith(("#", "-", "|", "`"))]
    return (prose or [line.lstrip("# ") for line in lines if line.strip()] or [""])[0].strip()
