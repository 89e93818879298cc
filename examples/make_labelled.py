"""Makes the small labelled set that the demonstration learns from, of the preset's own drawings.

    python examples/make_labelled.py

For each of the six wishes 35 drawings have it and 35 have not; what is left blank is not known to
the demonstration. Kinds are labelled by the judge where it is sure, measures by their rules.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from latentgen.demo.wishes import KINDS, wishes
from latentgen.files import atomic_folder
from latentgen.sketch import SketchClassifier, SketchVAE, find_preset, write_ndjson

EACH = 35


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=find_preset("quickdraw") / "labelled")
    parser.add_argument("--candidates", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    seed = options.seed
    vae = SketchVAE.from_preset("quickdraw")
    judge = SketchClassifier.from_preset("quickdraw-judge")
    random = np.random.default_rng(seed)
    rows = random.choice(len(vae.reference.mean), options.candidates, replace=False)
    drawn = vae.decode(vae.reference.mean[rows], temperature=0.15, seed=seed)
    drawn = [d.round(1) for d in drawn if len(d) > 1]
    sure = judge.probabilities(drawn)
    kind = np.array(judge.categories)[sure.argmax(1)]
    kind[sure.max(1) < 0.9] = "unsure"

    groups = [np.flatnonzero(kind == name)[:EACH] for name in KINDS]
    others = np.flatnonzero(~np.isin(kind, (*KINDS, "unsure")))[: 2 * EACH]
    chosen = random.permutation(np.concatenate([*groups, others]))
    drawings = [drawn[k] for k in chosen]
    columns = {}
    for wish in wishes(judge):
        holds = kind[chosen] == wish.name if wish.name in KINDS else wish.holds(drawings)
        known = [random.permutation(np.flatnonzero(holds == v))[:EACH] for v in (True, False)]
        words = np.full(len(chosen), "", dtype=object)
        words[known[0]], words[known[1]] = "yes", "no"
        columns[wish.name] = words
        print(f"{wish.name}: {len(known[0])} yes, {len(known[1])} no")

    with atomic_folder(options.out) as folder:
        write_ndjson(folder / "drawings.ndjson", drawings)
        with open(folder / "labels.csv", "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["file", "index", *columns])
            for index, words in enumerate(zip(*columns.values(), strict=True)):
                table.writerow(["drawings.ndjson", index, *words])


if __name__ == "__main__":
    main()
