"""The site's folder: the page's own files, the models as ONNX, and the runtime."""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latentgen import __version__, page
from latentgen.constraints.constrained import Constrained
from latentgen.domain import DomainModel
from latentgen.errors import InputError
from latentgen.export import metadata, steps
from latentgen.export.graphs import new_folder
from latentgen.export.onnx import graphs_of, write_graph
from latentgen.export.web.runtime import write_runtime
from latentgen.layers.mixture_density import MixtureDensityHead

SITE = Path(__file__).parent / "site"
GRAPHS = ("start", "step", "constrain")  # what the page runs
MOST_POINTS = 256  # 64 kB
# How careful the presets draw best, as `latentgen sketch sample` and `latentgen music sample` do.
TEMPERATURES = {"sketch": 0.25, "melody": 0.5, "drums": 0.5}

Exhibit = tuple[DomainModel, Constrained | None, str]


def write_site(
    models: Sequence[Exhibit],
    out: str | os.PathLike,
    *,
    cards: Mapping[str, str] | None = None,
    runtime: str | os.PathLike | None = None,
    method: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a static site that draws and plays on its visitor's machine, whole or not at all.

    Any server of files will do; nothing on the page asks another one for anything.

    Args:
        models: what the page shows, from the top: a model of drawings, melodies or drums,
            constraints of its z or None, and a name for its folder and file names.
        out: the folder.
        cards: model cards by those names, which the page links to.
        runtime: onnxruntime-web at hand, a tarball or a folder; see `runtime.write_runtime`.
        method: how z is moved; see `moving.way_for`.
        overwrite: whether a site that is there is replaced.

    Raises:
        InputError: a model that the page cannot show or that cannot be exported; two of one name.
        FileError: the folder is there already; or the runtime cannot be had.
    """
    out = Path(out)
    names = [name for _, _, name in models]
    if not names or len(set(names)) != len(names):
        raise InputError(f"models: expected one or more, of different names, received {names}")
    for name in names:
        if not re.fullmatch(r"[A-Za-z][\w-]*", name, re.ASCII):
            raise InputError(
                f"models: expected names of letters, digits, - and _, received {name!r}"
            )
    exhibits = [facts(*each, method) for each in models]
    for exhibit in exhibits:
        exhibit["card"] = bool(cards and cards.get(exhibit["name"]))
    with new_folder(out, overwrite) as folder:
        shutil.copytree(SITE, folder, dirs_exist_ok=True)
        (folder / "runtime").mkdir()
        write_runtime(folder / "runtime", runtime)
        _write_shared(folder)
        for (model, constraints, _), exhibit in zip(models, exhibits, strict=True):
            parts = folder / exhibit["folder"]
            parts.mkdir(parents=True)
            if cards and exhibit["card"]:
                # A browser shows a text, but saves a README.md.
                (parts / "card.txt").write_text(cards[exhibit["name"]], encoding="utf-8")
            if exhibit["points"]:
                _points(model).astype("<f4").tofile(parts / "points.bin")
            for name, graph in graphs_of(model, constraints, method).items():
                if name in GRAPHS:
                    write_graph(parts / f"{name}.onnx", graph)
        site = {"format": metadata.FORMAT, "latentgen": __version__, "exhibits": exhibits}
        metadata.write(folder, site)
    return out


def facts(
    model: DomainModel, constraints: Constrained | None, name: str, method: str | None = None
) -> dict[str, Any]:
    """What the page is told of a model."""
    decoder, kind = steps.flat_decoder(model), _kind(model)
    return metadata.about(model, name, constraints, method) | {
        "kind": kind,
        "folder": f"models/{name}",
        "temperature": TEMPERATURES[kind],
        "noise_size": decoder.head.noise_size,
        "points": len(_points(model)),
    }


def _points(model: DomainModel) -> np.ndarray:
    """Latent vectors (m, latent_size) of pieces that people made, if the preset ships any.

    The page starts from them, because the prior also has points where nothing is drawn.
    """
    if model.reference is None:
        return np.zeros((0, 1), "float32")
    means = model.reference.mean
    return means[np.random.default_rng(0).permutation(len(means))[:MOST_POINTS]]


def _kind(model: DomainModel) -> str:
    """How the page shows a model."""
    if isinstance(model.head, MixtureDensityHead) and hasattr(model, "scale"):
        return "sketch"
    shown = getattr(model, "converter", model)
    kind = {"MelodyConverter": "melody", "DrumConverter": "drums"}.get(type(shown).__name__)
    if kind is None or getattr(shown, "full", False):
        raise InputError(
            "models: expected drawings, melodies or nine drums, which the page can show, received "
            f"{type(shown).__name__}"
        )
    return kind


def _write_shared(folder: Path) -> None:
    """The house's style, and the player of latentgen's other pages."""
    from latentgen.music.rendering import player

    (folder / "house.css").write_text(page.STYLE + player.STYLE, encoding="utf-8")
    (folder / "player.js").write_text(player.SCRIPT, encoding="utf-8")
