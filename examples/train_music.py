"""Trains the presets of the music domain: two-bar melodies, or two-bar drum patterns.

    python examples/train_music.py melody ../shared/data/music/pop909 --out music/presets
    python examples/train_music.py drums ../shared/data/music/groove --out music/presets

Killed, it goes on from its last checkpoint when started again.
"""

import argparse
from pathlib import Path

import keras
import numpy as np

from latentgen.music.configurations import configuration
from latentgen.music.converters import DrumConverter, MelodyConverter
from latentgen.music.data import MusicBatches
from latentgen.music.evaluation import evaluate
from latentgen.music.optimizer import MusicAdam
from latentgen.music.reading.collection import Collection, groove_splits, read_collection
from latentgen.music.vae import MusicVAE
from latentgen.training.checkpoint import fit_resumably
from latentgen.training.schedules import ExponentialApproach

REFERENCE = 1500  # posteriors that ship with a preset

SOURCES = {
    "melody": "the MELODY tracks of POP909 (Wang et al. 2020; MIT licence)",
    "drums": "Groove MIDI dataset v1.0.0 (Gillick et al. 2019, Google LLC; CC BY 4.0)",
}

CARD = """\
# {name}

MusicVAE (Roberts et al. 2018) of two bars in 4/4: {data}.

- examples: {train:,} different windows to train on; {held} by whole performances or songs
- training: {steps:,} steps of {batch} windows, seed {seed}, by examples/train_music.py
- held out (valid): {valid}
- held out, never looked at before (test): {test}
- the paper's two-bar melodies: 0.986 teacher-forced, 0.951 free (recalled, not verified), of a
  larger model that learnt from some 1.5 million MIDI files from the web
- latents.npz: posteriors of {reference} training windows, for constraints to learn realism from
- weights: float16, Apache-2.0
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=SOURCES)
    parser.add_argument("data", type=Path, help="folder of POP909 or of Groove")
    parser.add_argument("--out", type=Path, default=Path("runs/presets"))
    parser.add_argument("--run", type=Path, help="checkpoints; runs/<what> without it")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    collection = read(options.what, options.data)
    print(collection.report)
    keras.utils.set_random_seed(options.seed)
    vae = MusicVAE(**configuration(f"{options.what}_2bar"), seed=options.seed)
    rate = ExponentialApproach(1e-3, 1e-5, 0.02 ** (1 / options.steps))
    vae.compile(MusicAdam(rate), jit_compile=False)
    train = collection.part("train")
    transpose = 5 if options.what == "melody" else 0
    batches = MusicBatches(train, options.batch, transpose, options.seed)
    fit_resumably(
        vae,
        batches.from_step,
        options.steps,
        options.run or Path("runs") / options.what,
        steps_per_epoch=min(100, options.steps),
        verbose=2,
    )
    held_out = {
        part: " ".join(str(evaluate(vae, MusicBatches(collection.part(part)).once())).split())
        for part in ("valid", "test")
    }
    random = np.random.default_rng(options.seed)
    rows = random.permutation(len(train))[:REFERENCE]
    once = next(MusicBatches(train.take(np.sort(rows)), len(rows)).once())[0]
    vae.reference = vae.encode_batch(once)
    card = CARD.format(
        name=f"{options.what}_2bar",
        data=SOURCES[options.what],
        train=len(train),
        held="the official splits" if options.what == "drums" else "held out",
        steps=options.steps,
        batch=options.batch,
        seed=options.seed,
        reference=len(rows),
        **held_out,
    )
    vae.save_preset(options.out / f"{options.what}_2bar", card)
    print(card)


def read(what: str, folder: Path) -> Collection:
    if what == "drums":
        return read_collection(
            folder, DrumConverter(), hop_bars=1, min_notes=3, split=groove_splits(folder)
        )
    return read_collection(folder, MelodyConverter(), hop_bars=1, tracks=["MELODY"], min_notes=3)


if __name__ == "__main__":
    main()
