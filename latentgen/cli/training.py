"""What `train` is in every domain: a run that is begun, or carried on with the same settings."""

import enum
import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from latentgen.cli.output import check_free
from latentgen.errors import FileError, InputError
from latentgen.files import atomic_file

STEPS_BETWEEN_CHECKPOINTS = 100
SETTINGS = "settings.json"

TrainedPreset = Annotated[Path, typer.Option("--out", "-o", help="Folder for the trained preset.")]
TrainingSteps = Annotated[int, typer.Option(min=1, help="Training steps in all.")]


class Split(enum.StrEnum):
    """A part of a data set."""

    train = "train"
    valid = "valid"
    test = "test"


def run_folder(out: Path) -> Path:
    """Where the state of the training of a preset is kept."""
    return out.resolve().with_name(out.resolve().name + ".training")


def begin_or_resume(
    run: Path, settings: dict[str, Any], out: Path, overwrite: bool
) -> dict[str, Any]:
    """The settings of the run that is carried on, or these, of one that begins."""
    path = run / SETTINGS
    if overwrite:
        shutil.rmtree(run, ignore_errors=True)
    if not path.exists():
        check_free(out, overwrite)
        check_free(run, overwrite)
        with atomic_file(path) as temporary:
            temporary.write_text(json.dumps(settings, indent=1) + "\n")
        return settings
    try:
        stored = json.loads(path.read_text())
    except ValueError as error:
        raise FileError(f"{path}: expected the settings of a training, {error}") from error
    settings = settings | {"steps_between_checkpoints": stored.get("steps_between_checkpoints")}
    for name, value in settings.items():
        if stored.get(name) != value:
            raise InputError(
                f"{run}: expected to carry on a training with {name} {stored.get(name)!r}, "
                f"received {value!r}; give that, another --out, or --overwrite to begin anew"
            )
    return stored
