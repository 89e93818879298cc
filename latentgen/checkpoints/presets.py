"""Presets: a trained model as a folder of config.json, weights.npz (float16) and README.md.

A VAE's preset may hold latents.npz too: posteriors of training examples, which tell constraints
what real latent vectors look like, without the examples.
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from latentgen.checkpoints.variables import read_variables, write_variables
from latentgen.errors import CheckpointError, FileError, InputError
from latentgen.files import atomic_folder

CONFIG, WEIGHTS, CARD, LATENTS = "config.json", "weights.npz", "README.md", "latents.npz"


def write_preset(
    folder: str | os.PathLike,
    kind: str,
    config: dict[str, Any],
    variables: Sequence,
    card: str,
    dtype: str = "float16",
    add: Callable[[Path], None] | None = None,
) -> None:
    """Writes a preset as a whole; an older one at `folder` is replaced only by a finished one.

    Args:
        kind: the model's class name; `from_preset` of another class refuses it.
        config: the constructor's arguments.
        dtype: of the stored weights.
        add: writes what else belongs into the folder.
    """
    with atomic_folder(folder) as temporary:
        text = json.dumps({"kind": kind, "config": config}, indent=1, sort_keys=True)
        (temporary / CONFIG).write_text(text + "\n")
        (temporary / CARD).write_text(card)
        write_variables(temporary / WEIGHTS, variables, dtype)
        if add is not None:
            add(temporary)


def read_config(folder: str | os.PathLike, *kinds: str) -> tuple[str, dict[str, Any]]:
    """The kind of a preset, one of those given, and the constructor's arguments stored in it."""
    path = Path(folder) / CONFIG
    try:
        stored = json.loads(path.read_text())
        found, config = stored["kind"], stored["config"]
    except FileNotFoundError:
        raise FileError(f"{folder}: expected a preset folder with {CONFIG}, found none") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"{path}: expected a preset's configuration: {error}") from None
    if found not in kinds:
        expected = " or ".join(kinds)
        raise CheckpointError(f"{folder}: expected a preset of {expected}, found one of {found}")
    return found, config


def read_preset(folder: str | os.PathLike, kind: str, build: Callable[[dict], Any]) -> Any:
    """Builds a model by `build(config)` and gives it the preset's weights."""
    _, config = read_config(folder, kind)
    try:
        model = build(config)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{folder}: its configuration fits no {kind}: {error}") from None
    read_variables(Path(folder) / WEIGHTS, model.weights)
    return model


def shipped_presets(folder: Path) -> list[Path]:
    """The preset folders inside a package's folder, by name."""
    return sorted(path.parent for path in folder.glob(f"*/{CONFIG}"))


def find_preset(name: str | os.PathLike, *shipped: Path) -> Path:
    """The folder of a preset: a path, or the name of one in the package's folders `shipped`."""
    named = {path.name: path for folder in shipped for path in shipped_presets(folder)}
    if Path(name).is_dir():
        return Path(name)
    if str(name) in named:
        return named[str(name)]
    raise InputError(f"preset: expected a folder or one of {sorted(named)}, received {str(name)!r}")
