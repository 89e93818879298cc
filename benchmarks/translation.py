"""Translation: Multi30k English to German by Seq2Seq; BLEU by likelihood and with transport losses.

    python benchmarks/translation.py [--tiny] [--seeds 3] [--out runs/translation]

Each seed trains a model of its own by likelihood, which then goes on by every objective: likelihood
alone, with L_seq (transport to the reference), and with L_copy (to the source) too, in the model's
own embeddings (Chen et al. 2019). Both languages are in one vocabulary, so that the two sides share
a table, in which a copied word is near itself. Killed, the benchmark goes on from the last
checkpoint when started again; the losses are logged beside it, in log.csv. Data: the shared
folder's data/text/multi30k; with --tiny, letters to be reversed.
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
VOCABULARY = 6_000  # of both languages
BATCH = 64
RATE, LATER_RATE = 2e-3, 4e-4  # fall to a fiftieth of it
OBJECTIVES: dict[str, dict[str, float]] = {
    "likelihood": {},
    "+ L_seq": {"weight": 0.1},
    "+ L_seq + L_copy": {"weight": 0.1, "copy_weight": 0.1},
}

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


def untrained(pairs: Pairs, seed: int, tiny: bool):
    """A model for these pairs."""
    import keras

    from latentgen.text.seq2seq import Seq2Seq
    from latentgen.text.tokenizers import Subwords, Words

    tokenizer = (Words if tiny else Subwords).learn(itertools.chain(*pairs), VOCABULARY)
    keras.utils.set_random_seed(seed)
    return Seq2Seq(tokenizer, **(TINY if tiny else SIZES), dropout=0.3, seed=seed)


def train(model, pairs: Pairs, seed: int, steps: int, rate: float, folder: Path) -> float:
    """Trains for so many steps in all; the minutes that it took this time."""
    import keras

    from latentgen.text.corpus import Corpus
    from latentgen.text.data import ParallelBatches
    from latentgen.training.checkpoint import fit_resumably
    from latentgen.training.schedules import ExponentialApproach

    falling = ExponentialApproach(rate, 1e-5, 0.02 ** (1 / steps))
    model.compile(
        keras.optimizers.Adam(falling, global_clipnorm=5.0),
        jit_compile=keras.backend.backend() == "jax",
    )
    corpora = [
        Corpus.of([pair[k] for pair in pairs], model.tokenizer, model.max_length) for k in (0, 1)
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
    return (time.perf_counter() - started) / 60


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

    from latentgen.objectives import maximum_likelihood, sequence_matching

    tiny = arguments.tiny
    steps, more = (4, 2) if tiny else (arguments.steps, arguments.more)
    data = read(tiny)
    tests = [name for name in data if name.startswith("test")]
    ways = {"greedy": (1, 0.0), "beam 5": (5, arguments.length_penalty)}
    found: dict[tuple[str, str, str], list[float]] = {}
    rates: dict[str, list[float]] = {way: [] for way in ways}
    rows = []
    objectives = [*OBJECTIVES.items()][:: 2 if tiny else 1]
    for seed, (objective, weights) in itertools.product(range(arguments.seeds), objectives):
        if not weights:
            model = untrained(data["train"], seed, tiny)
            minutes = train(model, data["train"], seed, steps, RATE, folder / f"seed_{seed}")
            rows.append([str(seed), "what they start from", f"{minutes:.1f}", "–"])
            start = model.get_weights()
        model = untrained(data["train"], seed, tiny)
        model.set_weights(start)
        if weights:
            sequence_matching(model, **weights)
        own = folder / f"seed_{seed}_{''.join(filter(str.isalnum, objective))}"
        minutes = train(model, data["train"], seed + 1000, more, LATER_RATE, own)
        maximum_likelihood(model)
        loss = f"{per_token(model, data['val']):.3f}"
        rows.append([str(seed), objective, f"{minutes:.1f}", loss])
        for name, (way, settings) in itertools.product(tests, ways.items()):
            score, rate = bleu(model, data[name], *settings)
            found.setdefault((name, way, objective), []).append(score)
            rates[way].append(rate)
    heading(
        f"Translation: {'letters reversed' if tiny else 'Multi30k, English to German'}",
        data=f"{len(data['train']):,} pairs, {model.tokenizer.size:,} subwords of both "
        f"languages; {', '.join(f'{name} {len(data[name]):,}' for name in tests)}",
        model=f"Seq2Seq with {model.count_params():,} parameters",
        training=f"{steps:,} steps of {BATCH} pairs by likelihood, then {more:,} by each "
        f"objective; seeds 0 to {arguments.seeds - 1}",
        bleu=f"sacrebleu {sacrebleu.__version__}, cased, tokenised 13a; beam 5 with length penalty "
        f"{arguments.length_penalty} of Wu et al. 2016",
    )
    table(["seed", "objective", "minutes, this time", "nats a token, val"], rows)
    print()
    table(
        ["test", "decoding", "objective", "BLEU, median (min–max)", "of each seed"],
        [
            [*key, spread(scores, ""), ", ".join(f"{score:.1f}" for score in scores)]
            for key, scores in sorted(found.items(), key=lambda item: item[0][:2])
        ],
    )
    for way, values in rates.items():
        print(f"  {way}: {np.median(values):.0f} sentences/s, the first call's tracing included")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--seeds", type=int, help="how many models; 3, or 1 where it is tiny")
    parser.add_argument("--steps", type=int, default=5_000, help="11 passes over the pairs")
    parser.add_argument("--more", type=int, default=1_500, help="steps by each objective")
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
