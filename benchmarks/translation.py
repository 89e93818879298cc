"""Translation: Multi30k English to German by Seq2Seq, trained by likelihood; BLEU of what it says.

    python benchmarks/translation.py [--tiny] [--seeds 3] [--out runs/translation]

Each seed trains a model of its own. Killed, the benchmark goes on from the last checkpoint when
started again; the losses are logged beside it, in log.csv. Data: the shared folder's
data/text/multi30k; with --tiny, letters to be reversed.
"""

import argparse
import itertools
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measure import heading, shared, spread, table

DATA = "data/text/multi30k"
TESTS = ("test_2016_flickr", "test_2017_flickr", "test_2017_mscoco")
SIZES = {"embedding_size": 192, "encoder_units": [192], "decoder_units": [320], "max_length": 63}
TINY = {"embedding_size": 8, "encoder_units": [8], "decoder_units": [12], "max_length": 15}
VOCABULARY = 5_000  # of each language
BATCH = 64
RATE = 2e-3  # falls to a fiftieth of it

Pairs = list[tuple[str, str]]


def read(tiny: bool) -> dict[str, Pairs]:
    """Pairs of sentences to train on, to validate and to test."""
    if tiny:
        sources = [" ".join(letters) for letters in itertools.product("abcd", repeat=3)]
        pairs = [(source, source[::-1]) for source in sources]
        return {"train": pairs[:48], "val": pairs[48:], "test": pairs[48:]}
    from latentgen.text.reading import read_parallel

    folder = shared(DATA)
    if folder is None:
        sys.exit(f"expected {DATA} in the shared folder, found none; --tiny does without")
    return {
        name: list(read_parallel(folder / f"{name}.en.gz", folder / f"{name}.de.gz"))
        for name in ("train", "val", *TESTS)
    }


def train(pairs: Pairs, seed: int, steps: int, folder: Path, tiny: bool):
    """A model of these pairs, and the seconds that training took this time."""
    import keras

    from latentgen.text.corpus import Corpus
    from latentgen.text.data import ParallelBatches
    from latentgen.text.seq2seq import Seq2Seq
    from latentgen.text.tokenizers import Subwords, Words
    from latentgen.training.checkpoint import fit_resumably
    from latentgen.training.schedules import ExponentialApproach

    sides = [[pair[k] for pair in pairs] for k in (0, 1)]
    tokenizers = [(Words if tiny else Subwords).learn(side, VOCABULARY) for side in sides]
    keras.utils.set_random_seed(seed)
    model = Seq2Seq(*tokenizers, **(TINY if tiny else SIZES), dropout=0.3, seed=seed)
    rate = ExponentialApproach(RATE, 1e-5, 0.02 ** (1 / steps))
    model.compile(
        keras.optimizers.Adam(rate, global_clipnorm=5.0),
        jit_compile=keras.backend.backend() == "jax",
    )
    corpora = [
        Corpus.of(side, tokenizer, model.max_length)
        for side, tokenizer in zip(sides, tokenizers, strict=True)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    fit_resumably(
        model,
        ParallelBatches(*corpora, BATCH, seed).from_step,
        steps,
        folder,
        steps_per_epoch=min(100, steps),
        callbacks=[keras.callbacks.CSVLogger(folder / "log.csv", append=True)],
        verbose=0,
    )
    return model, time.perf_counter() - started


def bleu(model, pairs: Pairs, beam: int, penalty: float) -> tuple[float, float]:
    """BLEU of a translation of all pairs' sources, cased; and sentences a second."""
    from sacrebleu.metrics import BLEU

    sources, targets = zip(*pairs, strict=True)
    started = time.perf_counter()
    found = model.translate(sources, beam=beam, length_penalty=penalty)
    seconds = time.perf_counter() - started
    return BLEU().corpus_score(found, [targets]).score, len(pairs) / seconds


def per_token(model, pairs: Pairs) -> float:
    """−log p(target | source) in nats a token, the end included."""
    scores = model.score(*zip(*pairs, strict=True))
    return float(-scores.log_prob.sum() / scores.tokens.sum())


def measure(arguments: argparse.Namespace, folder: Path) -> None:
    import sacrebleu

    tiny, steps = arguments.tiny, 4 if arguments.tiny else arguments.steps
    data = read(tiny)
    tests = [name for name in data if name.startswith("test")]
    ways = {"greedy": (1, 0.0), "beam 5": (5, arguments.length_penalty)}
    found: dict[tuple[str, str], list[float]] = {}
    rates: dict[str, list[float]] = {way: [] for way in ways}
    rows = []
    for seed in range(arguments.seeds):
        model, seconds = train(data["train"], seed, steps, folder / f"seed_{seed}", tiny)
        rows.append([str(seed), f"{per_token(model, data['val']):.3f}", f"{seconds / 60:.1f} min"])
        for name, (way, settings) in itertools.product(tests, ways.items()):
            score, rate = bleu(model, data[name], *settings)
            found.setdefault((name, way), []).append(score)
            rates[way].append(rate)
    heading(
        f"Translation: {'letters reversed' if tiny else 'Multi30k, English to German'}",
        data=f"{len(data['train']):,} pairs, subwords, {model.source_tokenizer.size:,} and "
        f"{model.tokenizer.size:,}; {', '.join(f'{name} {len(data[name]):,}' for name in tests)}",
        model=f"Seq2Seq with {model.count_params():,} parameters",
        training=f"likelihood, {steps:,} steps of {BATCH} pairs, seeds 0 to {arguments.seeds - 1}",
        bleu=f"sacrebleu {sacrebleu.__version__}, cased, tokenised 13a; beam 5 with length penalty "
        f"{arguments.length_penalty} of Wu et al. 2016",
    )
    table(["seed", "nats a token, val", "training, this time"], rows)
    print()
    table(
        ["test", "decoding", "BLEU, median (min–max)", "of each seed"],
        [
            [name, way, spread(scores, ""), ", ".join(f"{score:.1f}" for score in scores)]
            for (name, way), scores in found.items()
        ],
    )
    for way, values in rates.items():
        print(f"  {way}: {np.median(values):.0f} sentences/s, the first call's tracing included")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--seeds", type=int, help="how many models; 3, or 1 where it is tiny")
    parser.add_argument("--steps", type=int, default=6_800, help="15 passes over the pairs")
    parser.add_argument("--length-penalty", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=Path("runs/translation"))
    arguments = parser.parse_args()
    arguments.seeds = arguments.seeds or (1 if arguments.tiny else 3)
    if arguments.tiny:
        with tempfile.TemporaryDirectory() as folder:
            measure(arguments, Path(folder))
    else:
        measure(arguments, arguments.out)


if __name__ == "__main__":
    main()
