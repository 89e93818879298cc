"""Trains the preset `quickdraw`: a sketch VAE of eight QuickDraw categories.

    python examples/train_preset.py ../shared/data/sketches/quickdraw --out sketch/presets/quickdraw

Killed, it goes on from its last checkpoint when started again.
"""

import argparse
from pathlib import Path

import keras
import numpy as np

from latentgen.sketch import (
    SketchVAE,
    load_quickdraw_folder,
    normalising_scale,
    split_of,
    start_at_origin,
)
from latentgen.sketch.data import SketchBatches
from latentgen.training.checkpoint import fit_resumably
from latentgen.training.schedules import ExponentialApproach

CATEGORIES = (
    "airplane", "bicycle", "camera", "cat", "eye", "guitar", "headphones", "television"
)  # fmt: skip
MAX_LENGTH = 100


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of QuickDraw .ndjson files")
    parser.add_argument("--out", type=Path, default=Path("runs/quickdraw/preset"))
    parser.add_argument("--run", type=Path, default=Path("runs/quickdraw"))
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    sketches = load_quickdraw_folder(arguments.data, CATEGORIES)
    parts: dict[str, list[np.ndarray]] = {"train": [], "valid": [], "test": []}
    for sketch in sketches:
        if len(sketch.drawing) <= MAX_LENGTH:
            parts[split_of(sketch.key_id)].append(start_at_origin(sketch.drawing))
    scale = normalising_scale(parts["train"])

    keras.utils.set_random_seed(arguments.seed)
    vae = SketchVAE.small(
        max_length=MAX_LENGTH,
        scale=scale,
        kl_weight=0.25,
        kl_decay=0.9998,
        kl_floor=0.1,
    )
    vae.compile(
        keras.optimizers.Adam(ExponentialApproach(1e-3, 1e-5, 0.9997), epsilon=1e-8, clipvalue=1.0)
    )
    train = SketchBatches(parts["train"], scale, max_length=MAX_LENGTH, mirror=True)
    fit_resumably(
        vae, train.from_step, arguments.steps, arguments.run, steps_per_epoch=100, verbose=2
    )
    held_out = {
        part: vae.evaluate(
            SketchBatches(parts[part], scale, max_length=MAX_LENGTH).once(),
            return_dict=True,
            verbose=0,
        )
        for part in ("valid", "test")
    }
    vae.save_preset(arguments.out, card(parts, arguments, held_out))


def card(parts, arguments, held_out) -> str:
    """The model card: data, licence, steps and measured quality."""
    lines = [
        f"- {part}: NLL {values['nll']:.1f} nats a drawing given z, KL {values['kl']:.2f} nats "
        f"a latent dimension (mean of {len(parts[part])} drawings)"
        for part, values in held_out.items()
    ]
    return "\n".join(
        [
            "# quickdraw",
            "",
            f"Sketch VAE of eight QuickDraw categories: {', '.join(CATEGORIES)}.",
            "",
            f"- data: {len(parts['train'])} training drawings of at most {MAX_LENGTH} points from "
            "Google's Quick, Draw! dataset (CC BY 4.0, Google Inc.), as drawn and mirrored",
            f"- training: {arguments.steps} steps of 100 drawings, seed {arguments.seed}; "
            "made by examples/train_preset.py",
            *lines,
            "- weights: float16, Apache-2.0",
            "",
        ]
    )


if __name__ == "__main__":
    main()
