"""Trains the presets of the sketch domain: the sketch VAE `quickdraw` and its judge.

    python examples/train_preset.py ../shared/data/sketches/quickdraw --out sketch/presets

Killed, it goes on from its last checkpoint when started again.
"""

import argparse
from pathlib import Path

import keras
import numpy as np

from latentgen.sketch import (
    SketchClassifier,
    SketchVAE,
    load_quickdraw_folder,
    normalising_scale,
    start_at_origin,
)
from latentgen.sketch.data import SketchBatches
from latentgen.splits import split_of
from latentgen.training.batches import of_any_length
from latentgen.training.checkpoint import fit_resumably
from latentgen.training.schedules import ExponentialApproach

CATEGORIES = (
    "airplane", "bicycle", "camera", "cat", "eye", "guitar", "headphones", "television"
)  # fmt: skip
MAX_LENGTH = 100
PARTS = ("train", "valid", "test")

VAE_CARD = """\
# quickdraw

Sketch VAE of eight categories of Quick, Draw!: {categories}.

- data: {train} training drawings that the game recognised, of at most {longest} points, as drawn
  and mirrored, of Google's Quick, Draw! dataset (CC BY 4.0, Google Inc.); split by key_id
- training: {steps} steps of 100 drawings, seed {seed}, by examples/train_preset.py
- held out: {valid}
- held out, never looked at before: {test}
- latents.npz: posteriors of the training drawings, for constraints to learn realism from
- weights: float16, Apache-2.0
- expect drawings as people make them in twenty seconds; the prior alone (no constraint) has holes
"""

JUDGE_CARD = """\
# quickdraw-judge

Says which of eight categories of Quick, Draw! a drawing shows: {categories}.

- data: {train} training drawings of Google's Quick, Draw! dataset (CC BY 4.0, Google Inc.) and
  their mirror images; {epochs} epochs, seed {seed}, by examples/train_preset.py
- accuracy on {test} held-out drawings: {accuracy:.3f}
- weights: float16, Apache-2.0
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of QuickDraw .ndjson files")
    parser.add_argument("--out", type=Path, default=Path("runs/presets"))
    parser.add_argument("--run", type=Path, default=Path("runs/quickdraw"), help="checkpoints")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=15, help="of the judge")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    drawings, categories = read(options.data)
    train_vae(drawings, options)
    train_judge(drawings, categories, options)


def read(folder: Path) -> tuple[dict[str, list[np.ndarray]], dict[str, list[str]]]:
    """Drawings and their categories, by part."""
    drawings: dict[str, list[np.ndarray]] = {part: [] for part in PARTS}
    categories: dict[str, list[str]] = {part: [] for part in PARTS}
    for sketch in load_quickdraw_folder(folder, CATEGORIES):
        if len(sketch.drawing) <= MAX_LENGTH:
            part = split_of(sketch.key_id)
            drawings[part].append(start_at_origin(sketch.drawing))
            categories[part].append(sketch.category)
    return drawings, categories


def train_vae(drawings: dict[str, list[np.ndarray]], options: argparse.Namespace) -> None:
    scale = normalising_scale(drawings["train"])
    keras.utils.set_random_seed(options.seed)
    vae = SketchVAE.small(
        max_length=MAX_LENGTH, scale=scale, kl_weight=0.25, kl_decay=0.9998, kl_floor=0.1
    )
    rate = ExponentialApproach(1e-3, 1e-5, 0.9997)
    vae.compile(keras.optimizers.Adam(rate, epsilon=1e-8, clipvalue=1.0))
    batches = SketchBatches(drawings["train"], scale, max_length=MAX_LENGTH, mirror=True)
    fit_resumably(
        vae,
        batches.from_step,
        options.steps,
        options.run,
        steps_per_epoch=min(100, options.steps),
        verbose=2,
    )
    held_out = {}
    for part in ("valid", "test"):
        once = SketchBatches(drawings[part], scale, max_length=MAX_LENGTH).once()
        found = vae.evaluate(of_any_length(once), return_dict=True, verbose=0)
        kl = found["kl"] * vae.latent_size
        held_out[part] = (
            f"{found['nll']:.1f} nats a drawing given z, KL {kl:.1f} nats, so a bound of "
            f"{found['nll'] + kl:.1f} ({len(drawings[part])} drawings)"
        )
    vae.reference = vae.encode(drawings["train"])
    card = VAE_CARD.format(
        categories=", ".join(CATEGORIES),
        train=len(drawings["train"]),
        longest=MAX_LENGTH,
        steps=options.steps,
        seed=options.seed,
        **held_out,
    )
    vae.save_preset(options.out / "quickdraw", card)


def train_judge(
    drawings: dict[str, list[np.ndarray]],
    categories: dict[str, list[str]],
    options: argparse.Namespace,
) -> None:
    keras.utils.set_random_seed(options.seed)
    judge = SketchClassifier(CATEGORIES)
    judge.fit_drawings(drawings["train"], categories["train"], options.epochs, verbose=2)
    test = drawings["valid"] + drawings["test"]
    named = np.array(CATEGORIES)[judge.probabilities(test).argmax(1)]
    card = JUDGE_CARD.format(
        categories=", ".join(CATEGORIES),
        train=len(drawings["train"]),
        epochs=options.epochs,
        seed=options.seed,
        test=len(test),
        accuracy=float(np.mean(named == np.array(categories["valid"] + categories["test"]))),
    )
    judge.save_preset(options.out / "quickdraw-judge", card)


if __name__ == "__main__":
    main()
