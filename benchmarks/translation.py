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


def bleu(model, pairs: Pairs, beam: int, penalty: float) -> float:
    """BLEU of a translation of all pairs' sources, cased."""
    from sacrebleu.metrics import BLEU

    sources, targets = zip(*pairs, strict=True)
    found = model.translate(sources, beam=beam, length_penalty=penalty)
    return BLEU().corpus_score(found, [targets]).score


def per_token(model, pairs: Pairs) -> float:
    """−log p(target | source) in nats a token, the end included."""
    scores = model.score(*zip(*pairs, strict=True))
    return float(-scores.log_prob.sum() / scores.tokens.sum())


def scores(model, data: dict[str, Pairs], penalty: float) -> dict[tuple[str, str], float]:
    """BLEU of each test set by each way of decoding."""
    return {
        (name, way): bleu(model, data[name], *settings)
        for name in data
        if name.startswith("test")
        for way, settings in {"greedy": (1, 0.0), "beam 5": (5, penalty)}.items()
    }


def show(rows: list[list[str]], found: dict[str, list[dict[tuple[str, str], float]]]) -> None:
    """Prints what each model took, and BLEU of every objective over the seeds measured so far."""
    table(["seed", "objective", "minutes, this time", "nats a token, val"], rows)
    print()
    of_each = {
        (*key, objective): [scores[key] for scores in seeds]
        for objective, seeds in found.items()
        for key in seeds[0]
    }
    table(
        ["test", "decoding", "objective", "BLEU, median (min–max)", "of each seed"],
        [
            [*key, spread(values, ""), ", ".join(f"{value:.1f}" for value in values)]
            for key, values in sorted(of_each.items(), key=lambda item: item[0][:2])
        ],
    )
    print(flush=True)


def measure(arguments: argparse.Namespace, folder: Path) -> None:
    import sacrebleu

    from latentgen.objectives import maximum_likelihood, sequence_matching

    tiny, seeds = arguments.tiny, range(arguments.seeds)
    steps, more = (4, 2) if tiny else (arguments.steps, arguments.more)
    data = read(tiny)
    pairs = data["train"]
    models = [untrained(pairs, seed, tiny) for seed in seeds]
    heading(
        f"Translation: {'letters reversed' if tiny else 'Multi30k, English to German'}",
        data=f"{len(pairs):,} pairs, {models[0].tokenizer.size:,} subwords of both languages; "
        + ", ".join(f"{name} {len(data[name]):,}" for name in data if name.startswith("test")),
        model=f"Seq2Seq with {models[0].count_params():,} parameters",
        training=f"{steps:,} steps of {BATCH} pairs by likelihood, then {more:,} by each "
        f"objective; seeds 0 to {arguments.seeds - 1}",
        bleu=f"sacrebleu {sacrebleu.__version__}, cased, tokenised 13a; beam 5 with length penalty "
        f"{arguments.length_penalty} of Wu et al. 2016",
    )
    rows: list[list[str]] = []
    found: dict[str, list[dict[tuple[str, str], float]]] = {}

    def note(objective: str, seed: int, model, minutes: float) -> None:
        maximum_likelihood(model)
        rows.append(
            [str(seed), objective, f"{minutes:.1f}", f"{per_token(model, data['val']):.3f}"]
        )
        found.setdefault(objective, []).append(scores(model, data, arguments.length_penalty))

    for seed, model in zip(seeds, models, strict=True):
        minutes = train(model, pairs, seed, steps, RATE, folder / f"seed_{seed}")
        note("what they start from", seed, model, minutes)
    show(rows, found)
    starts = [model.get_weights() for model in models]
    objectives = [*OBJECTIVES.items()][:: 2 if tiny else 1]
    for seed, (objective, weights) in itertools.product(seeds, objectives):
        model = untrained(pairs, seed, tiny)
        model.set_weights(starts[seed])
        if weights:
            sequence_matching(model, **weights)
        own = folder / f"seed_{seed}_{''.join(filter(str.isalnum, objective))}"
        minutes = train(model, pairs, seed + 1000, more, LATER_RATE, own)
        note(objective, seed, model, minutes)
    show(rows, found)


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
