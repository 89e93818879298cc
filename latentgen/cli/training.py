"""What `train` is in every domain: a run that is begun, or carried on with the same settings."""

import enum
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentgen.cli.output import check_free
from latentgen.cli.progress import on_each_batch, progress_bar
from latentgen.errors import FileError, InputError
from latentgen.files import atomic_file

if TYPE_CHECKING:
    from latentgen.domain import DomainVAE
    from latentgen.sequence_model import SequenceModel
    from latentgen.vae import Posterior

STEPS_BETWEEN_CHECKPOINTS = 100
REFERENCE = 1500  # posteriors that are kept with a preset
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


def fit(
    model: "SequenceModel", batches: Any, settings: dict[str, Any], steps: int, run: Path
) -> None:
    """Trains a compiled model up to so many steps, in a run that may be carried on; with a bar."""
    from latentgen.training.checkpoint import fit_resumably

    with progress_bar("Training", steps) as advance:
        fit_resumably(
            model,
            batches.from_step,
            steps,
            run,
            steps_per_epoch=settings["steps_between_checkpoints"],
            callbacks=[on_each_batch(advance, ("loss", "nll", "kl"))],
            verbose=0,
        )


def reference(vae: "DomainVAE", collection: Any, make_batches: Any, seed: int) -> "Posterior":
    """Posteriors of some of what was learnt from: they tell constraints what real z are like."""
    import numpy as np

    rows = np.random.default_rng(seed).permutation(len(collection))[:REFERENCE]
    chosen = collection.take(np.sort(rows))
    return vae.encode_batch(next(make_batches(chosen, len(rows)).once())[0])
