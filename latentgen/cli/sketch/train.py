"""Training a SketchVAE on drawings, and measuring one on drawings it has not seen."""

import enum
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentgen.cli.options import Overwrite, Preset, Seed, examples
from latentgen.cli.output import say, wrote
from latentgen.cli.progress import progress_bar, waiting
from latentgen.cli.sketch.drawings import read_splits
from latentgen.cli.sketch.model import open_vae
from latentgen.cli.startup import import_keras
from latentgen.cli.training import (
    STEPS_BETWEEN_CHECKPOINTS,
    Split,
    TrainedPreset,
    TrainingSteps,
    begin_or_resume,
    fit,
    run_folder,
)
from latentgen.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from latentgen.sketch.vae import SketchVAE

app = typer.Typer()


class Size(enum.StrEnum):
    """Of the network: as published, or for a laptop."""

    default = "default"
    small = "small"


Data = Annotated[
    Path,
    typer.Argument(help="A sketch-rnn .npz, a QuickDraw .ndjson, or a folder of them or of .svg."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Read at most so many of each file.")]
Categories = Annotated[
    str, typer.Option(help="Which files of the folder to read, with commas: 'cat,ice cream'.")
]


@app.command(
    epilog=examples(
        "latentgen sketch train cats.npz --out my-cats",
        "latentgen sketch train quickdraw/ --categories 'cat,pig' --steps 20000 --out farm",
        "latentgen sketch sample --preset my-cats --out cats.png",
    )
)
def train(
    data: Data,
    out: TrainedPreset,
    preset_size: Annotated[Size, typer.Option(help="Of the network.")] = Size.small,
    steps: TrainingSteps = 10_000,
    batch_size: Annotated[int, typer.Option(min=1, help="Drawings a step.")] = 100,
    categories: Categories = "",
    limit: Limit = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Teach a model to draw. If interrupted, the same command carries on where it was.

    The state of the training is kept in FOLDER.training; give more --steps to train on.
    """
    splits = read_splits(data, _names(categories), limit)
    settings = {
        "data": str(data.resolve()),
        "drawings": len(splits["train"]),
        "categories": categories,
        "size": preset_size.value,
        "batch_size": batch_size,
        "seed": seed,
        "steps_between_checkpoints": min(steps, STEPS_BETWEEN_CHECKPOINTS),
    }
    run = run_folder(out)
    settings = begin_or_resume(run, settings, out, overwrite)
    vae = _train(splits["train"], settings, steps, run)
    held_out = _short(splits["valid"] or splits["test"], vae.max_length)
    measured = measure(vae, held_out, seed) if held_out else {}
    vae.save_preset(out, card=_card(settings, int(vae.step), measured))
    wrote(out, f"a preset trained for {int(vae.step)} steps on {len(splits['train'])} drawings")
    _print_measures(measured)


@app.command(
    epilog=examples(
        "latentgen sketch evaluate cats.npz --preset my-cats",
        "latentgen sketch evaluate quickdraw/ --categories cat --split test --limit 500",
    )
)
def evaluate(
    data: Data,
    preset: Preset = "quickdraw",
    split: Annotated[Split, typer.Option(help="Which part of the data.")] = Split.test,
    categories: Categories = "",
    limit: Limit = None,
    seed: Seed = 0,
) -> None:
    """Measure how well a model predicts drawings: likelihood, and what z says about them."""
    drawings = read_splits(data, _names(categories), limit)[split.value]
    if not drawings:
        raise InputError(
            f"{data}: expected drawings in the part {split.value!r}, received none; "
            "give another --split, or a larger --limit"
        )
    _print_measures(measure(open_vae(preset), drawings, seed))


def measure(vae: "SketchVAE", drawings: "Sequence[np.ndarray]", seed: int = 0) -> dict[str, float]:
    """What a model says of drawings, averaged over them; those too long for it are left out.

    Returns:
        `drawings`, how many; `nll`, nats a drawing given z ~ q(z|x), until its end; `kl`, nats of
        q(z|x) from the prior, summed over z; `bound`, the sum of both, at least the true NLL.
    """
    from latentgen.sketch.data import SketchBatches

    short = _short(drawings, vae.max_length)
    if not short:
        raise InputError(
            f"drawings: expected some of at most {vae.max_length} points, which is what the model "
            "was built for, received none"
        )
    if not vae.compiled:
        vae.compile()
    vae.seed_generator.state.assign([seed, 0])
    batches = SketchBatches(short, vae.scale, max_length=vae.max_length)
    nll = kl = done = 0.0
    with progress_bar("Measuring", len(short)) as advance:
        for (batch,) in batches.once():
            vae.reset_metrics()  # else each answer would be the mean over all batches so far
            values = vae.test_on_batch(batch, return_dict=True)
            size = len(batch["length"])
            nll += size * float(values["nll"])
            kl += size * float(values["kl"]) * vae.latent_size  # the model reports the mean over z
            done += size
            advance(int(done))
    nll, kl = nll / done, kl / done
    return {"drawings": done, "nll": nll, "kl": kl, "bound": nll + kl}


def _train(
    drawings: "Sequence[np.ndarray]", settings: dict[str, Any], steps: int, run: Path
) -> "SketchVAE":
    with waiting("Starting"):
        import_keras()
        from latentgen.sketch.data import SketchBatches
        from latentgen.sketch.strokes import normalising_scale
        from latentgen.sketch.vae import SketchVAE, published_optimizer

    # Initial weights draw their seeds from here. (keras.utils.set_random_seed would import
    # TensorFlow on JAX too.)
    random.seed(settings["seed"])
    longest = max(len(drawing) for drawing in drawings)
    make = SketchVAE.small if settings["size"] == Size.small else SketchVAE
    vae = make(
        scale=normalising_scale(drawings), max_length=min(longest, 250), seed=settings["seed"]
    )
    vae.compile(published_optimizer())
    short = _short(drawings, vae.max_length)
    if len(short) < len(drawings):
        say(f"Left out {len(drawings) - len(short)} drawings of more than {vae.max_length} points")
    batches = SketchBatches(
        short, vae.scale, settings["batch_size"], vae.max_length, seed=settings["seed"]
    )
    fit(vae, batches, settings, steps, run)
    return vae


def _card(settings: dict[str, Any], steps: int, measured: dict[str, float]) -> str:
    """The model card: what it was trained on, how, and how well it does."""
    lines = [
        f"# A {settings['size']} SketchVAE",
        "",
        f"- Data: {Path(settings['data']).name}, {settings['drawings']} drawings "
        f"({settings['categories'] or 'all categories'}); their licence is that of the data",
        f"- Training: {steps} steps of {settings['batch_size']} drawings, seed {settings['seed']}",
    ]
    if measured:
        lines.append(
            f"- Held-out ({measured['drawings']:.0f} drawings): NLL {measured['nll']:.2f} nats a "
            f"drawing given z, KL {measured['kl']:.2f} nats"
        )
    return "\n".join(lines) + "\n"


def _print_measures(measured: dict[str, float]) -> None:
    if measured:
        say(
            f"{measured['drawings']:.0f} held-out drawings: NLL {measured['nll']:.2f} nats a "
            f"drawing given z, KL {measured['kl']:.2f} nats, together {measured['bound']:.2f}"
        )


def _short(drawings: "Sequence[np.ndarray]", max_length: int) -> "list[np.ndarray]":
    return [drawing for drawing in drawings if len(drawing) <= max_length]


def _names(categories: str) -> list[str]:
    return [name.strip() for name in categories.split(",") if name.strip()]
