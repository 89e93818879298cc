"""From seventy labels to drawings of what was asked for.

    python examples/seventy_labels.py --out asked

Opens the shipped preset and its labelled drawings, learns the constraints, and draws.
"""

import argparse
from pathlib import Path

from latentgen import LatentConstraints, SketchVAE
from latentgen.sketch import find_preset, read_labelled_drawings, write_gif, write_png


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("asked"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--turns", type=int, default=400, help="of training")
    options = parser.parse_args()

    # A frozen model, and drawings of which some are labelled: None is 'not known'.
    vae = SketchVAE.from_preset("quickdraw")
    drawings, labels = read_labelled_drawings(find_preset("quickdraw") / "labelled")

    # Constraints see z and labels only. The preset's own z of real drawings teach them realism.
    constraints = LatentConstraints(vae.latent_size, seed=options.seed)
    constraints.fit(
        vae.encode(drawings).mean, labels, unlabelled=vae.reference.mean, turns=options.turns
    )
    print(constraints.report)

    def draw(z):
        return vae.decode(z, temperature=0.15, seed=options.seed)

    # Unasked, realistic, asked for one thing, asked for two.
    prior = constraints.sample(10, strength=0, seed=options.seed)
    rows = {
        "unasked": prior,
        "realistic": constraints.transform(prior),
        "cat": constraints.transform(prior, {"cat": True}),
        "wide cat": constraints.transform(prior, {"cat": True, "wide": True}),
        "no cat": constraints.transform(prior, {"cat": False}, method="ascent"),
    }
    sheet = [drawing for z in rows.values() for drawing in draw(z)]
    write_png(options.out / "sheet.png", sheet, columns=10, cell=150, row_titles=list(rows))
    write_gif(options.out / "cats.gif", draw(rows["cat"]), columns=5)
    constraints.save(options.out / "constraints.npz")
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
