"""From labels to a model that a server, or anybody with TensorFlow, can ask for what they want.

    python examples/export.py --out served/quickdraw

Learns constraints of the shipped preset's z, writes both as a SavedModel, and then asks that, by
TensorFlow alone.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from latentgen import LatentConstraints, SketchVAE
from latentgen.export import export_saved_model
from latentgen.sketch import find_preset, read_labelled_drawings, write_png


def learn_and_export(preset, out, turns):
    vae = SketchVAE.from_preset(preset)
    drawings, labels = read_labelled_drawings(find_preset("quickdraw") / "labelled")
    constraints = LatentConstraints(vae.latent_size)
    constraints.fit(vae.encode(drawings).mean, labels, unlabelled=vae.reference.mean, turns=turns)
    return export_saved_model(vae, out, constraints, card="# Drawings, to be asked for\n")


def ask(version, wishes, n=10):
    """Drawings that are as asked; nothing here knows of latentgen."""
    signatures = tf.saved_model.load(str(version)).signatures
    description = json.loads((version / "assets.extra" / "latentgen.json").read_text())
    targets = np.full(len(description["attributes"]), np.nan, "float32")  # nothing asked
    for index, attribute in enumerate(description["attributes"]):
        if attribute["name"] in wishes:
            targets[index] = attribute["classes"].index(wishes[attribute["name"]])
    drawn = signatures["sample_constrained"](
        n=tf.constant(n),
        targets=tf.constant(targets),
        strength=tf.constant(1.0),
        temperature=tf.constant(0.15),
        seed=tf.constant(0),
    )
    return [row[:end] for row, end in zip(drawn["strokes"].numpy(), drawn["length"], strict=True)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="quickdraw")
    parser.add_argument("--out", type=Path, default=Path("served/quickdraw"))
    parser.add_argument("--turns", type=int, default=400, help="of training")
    options = parser.parse_args()
    version = learn_and_export(options.preset, options.out, options.turns)
    rows = [({}, "realistic"), ({"cat": True}, "cat"), ({"cat": True, "wide": True}, "wide cat")]
    sheet = [drawing for wishes, _ in rows for drawing in ask(version, wishes)]
    write_png("asked.png", sheet, columns=10, cell=150, row_titles=[title for _, title in rows])
    print(f"wrote {version} and asked.png")


if __name__ == "__main__":
    main()
