"""Text: a TextVAE beside a language model without z of the same size, on PTB, Yelp and COCO.

    python benchmarks/text.py [--tiny] [ptb] [yelp] [coco] [--out runs/text]

Both are trained by likelihood (the VAE by its bound) and measured on sentences they have not seen:
the bound, and whether z is alive. What the language model of captions writes is measured by BLEU
and self-BLEU beside Texygen's. Killed, the benchmark goes on from its last checkpoint when started
again; the models stay in --out, as presets. Data: the shared folder's data/text; with --tiny,
sentences of a grammar.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from measure import heading, shared, table

BATCH = 64
RATE = 2e-3  # falls to a fiftieth of it
HELD_OUT = 10_000  # sentences measured, at most
IMPORTANCE_SAMPLES = 10


class Task(NamedTuple):
    """Files in data/text to train on and to measure on, sizes, and training steps."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    vocabulary: int
    max_length: int
    latent_size: int
    kl_weight: float
    steps: dict[str, int]


TASKS = {
    "ptb": Task(  # Mikolov's split
        ("ptb/ptb.zip:ptb.train.txt",),
        ("ptb/ptb.zip:ptb.test.txt",),
        vocabulary=10_000,
        max_length=79,
        latent_size=32,
        kl_weight=0.3,
        steps={"TextVAE": 4000, "LanguageModel": 4000},
    ),
    "yelp": Task(  # its dev part is kept for labels and measures
        ("yelp/test.0.gz", "yelp/test.1.gz"),
        ("yelp/dev.0.gz", "yelp/dev.1.gz"),
        vocabulary=9_000,
        max_length=15,
        latent_size=32,
        kl_weight=0.2,
        steps={"TextVAE": 8000, "LanguageModel": 5000},
    ),
    "coco": Task(  # Texygen's 10,000 captions
        ("coco/image_coco.txt.gz",),
        ("coco/test_coco.txt.gz",),
        vocabulary=10_000,
        max_length=39,
        latent_size=32,
        kl_weight=0.2,
        steps={"LanguageModel": 1500},  # more fit the few captions, not others
    ),
}
TINY = Task((), (), 50, 15, 4, 0.2, {"TextVAE": 4, "LanguageModel": 4})
TEXYGEN = (0.731, 0.497, 0.305, 0.189), (0.916, 0.769, 0.583, 0.408)  # BLEU, self-BLEU
SAMPLES = 2000  # sentences whose BLEU is measured
TEMPERATURES = (1.0, 0.7, 0.5)


def read(task: Task) -> tuple[list[str], list[str]]:
    """Sentences to train on and to measure on."""
    from latentgen.text.reading import read_lines

    if not task.train:
        words = [f"{who} {does} {what} ." for who in "abc" for does in "defg" for what in "hijk"]
        return words[::2], words[1::2]
    folder = shared("data/text")
    if folder is None:
        sys.exit("expected data/text in the shared folder, found none; --tiny does without")
    train, test = (
        [line for name in part for line in read_lines(folder / name)] for part in task[:2]
    )
    kept = np.random.default_rng(0).permutation(len(test))[:HELD_OUT]
    return train, [test[k] for k in np.sort(kept)]


def make(kind: str, task: Task, tokenizer, seed: int):
    """An untrained model; all but z and what reads it are the same."""
    from latentgen.text import LanguageModel, TextVAE

    sizes = {"embedding_size": 192, "decoder_units": [384]}
    if not task.train:
        sizes = {"embedding_size": 8, "decoder_units": [12]}
    same = {**sizes, "max_length": task.max_length, "dropout": 0.2, "seed": seed}
    if kind == "LanguageModel":
        return LanguageModel(tokenizer, **same)
    return TextVAE(
        tokenizer,
        task.latent_size,
        encoder_units=[256 if task.train else 8],
        word_dropout=0.3,
        free_bits=0.0,  # the low weight alone keeps the posterior alive
        kl_weight=task.kl_weight,
        kl_cycles=4,
        kl_steps=task.steps[kind] * 4 // 5,
        **same,
    )


def train(kind: str, task: Task, sentences: list[str], folder: Path, seed: int):
    """A trained model; opened where it lies already trained."""
    import keras

    from latentgen.text import LanguageModel, TextVAE, Words
    from latentgen.text.corpus import Corpus
    from latentgen.text.data import TextBatches
    from latentgen.training.checkpoint import fit_resumably
    from latentgen.training.schedules import ExponentialApproach

    preset = folder / kind
    if preset.exists():
        return {"TextVAE": TextVAE, "LanguageModel": LanguageModel}[kind].from_preset(preset)
    keras.utils.set_random_seed(seed)
    model = make(kind, task, Words.learn(sentences, task.vocabulary), seed)
    steps = task.steps[kind]
    rate = ExponentialApproach(RATE, 1e-5, 0.02 ** (1 / steps))
    on_jax = keras.backend.backend() == "jax"
    model.compile(keras.optimizers.Adam(rate, global_clipnorm=5.0), jit_compile=on_jax)
    corpus = Corpus.of(sentences, model.tokenizer, model.max_length)
    run = folder / f"{kind}.training"
    run.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    fit_resumably(
        model,
        TextBatches(corpus, BATCH, seed).from_step,
        steps,
        run,
        steps_per_epoch=min(100, steps),
        callbacks=[keras.callbacks.CSVLogger(run / "log.csv", append=True)],
        verbose=0,
    )
    minutes = (time.perf_counter() - started) / 60
    card = f"# {kind}\n\nTrained by benchmarks/text.py: {steps} steps of {BATCH}, seed {seed}; "
    model.save_preset(preset, f"{card}the last part of it took {minutes:.1f} min.\n", "float32")
    return model


def measure(name: str, task: Task, folder: Path, seed: int) -> None:
    """Trains, and prints what the models make of what they have not seen."""
    from latentgen.text.corpus import Corpus
    from latentgen.text.data import TextBatches
    from latentgen.text.evaluation import evaluate

    sentences, held_out = read(task)
    rows, models = [], {}
    for kind in task.steps:
        model = models[kind] = train(kind, task, sentences, folder / name, seed)
        corpus = Corpus.of(held_out, model.tokenizer, model.max_length)
        found = evaluate(model, TextBatches(corpus, 64).once(), seed, IMPORTANCE_SAMPLES)
        parts = [f"{found.nll:.2f}", f"{found.perplexity:.1f}"]
        if found.latent_size is not None:
            parts += [f"{found.importance_weighted:.2f}", f"{found.reconstruction:.2f}"]
            parts += [f"{found.kl:.2f}", f"{found.active_units} of {found.latent_size}"]
            parts.append(f"{found.mutual_information:.2f}")
        rows.append([kind, f"{model.count_params():,}", f"{task.steps[kind]:,}", *parts])
    heading(
        f"Text: {name}",
        data=f"{len(sentences):,} sentences to train on, {len(corpus):,} measured, "
        f"{model.tokenizer.size:,} words, {corpus.report.unknown_share:.2%} of theirs unknown",
        training=f"batches of {BATCH}, seed {seed}; KL weight of the VAE {task.kl_weight} "
        "at the end of four cycles, word dropout 0.3",
        nll="nats a sentence, its end included: exact of a language model; of a VAE the bound, "
        f"and a tighter one by {IMPORTANCE_SAMPLES} importance-weighted z",
    )
    header = ["model", "parameters", "steps", "NLL", "perplexity", "tighter", "reconstruction"]
    header += ["KL", "active units", "mutual information"]
    table(header, [row + ["–"] * (len(header) - len(row)) for row in rows])
    if name in ("coco", "a grammar"):
        table_of_bleu(models["LanguageModel"], sentences, held_out, seed)
        sweep_of_bleu(models["LanguageModel"], held_out, seed, folder / name)


def table_of_bleu(model, sentences: list[str], references: list[str], seed: int) -> None:
    """Quality and diversity of what a language model writes, as Texygen measures them."""
    from latentgen.evaluation.bleu import texygen_bleu, texygen_self_bleu
    from latentgen.text.spelling import small_tokens

    # Cut as Texygen cuts them: small letters, punctuation apart.
    real = [*map(small_tokens, references)]
    learnt = [*map(small_tokens, sentences)]
    found = {
        "people, held out": (texygen_bleu(real[1::2], real[::2]), texygen_self_bleu(real)),
        "people, trained on": (texygen_bleu(learnt, real), texygen_self_bleu(learnt)),
    }
    found["Texygen's MLE, published"] = TEXYGEN
    for temperature in TEMPERATURES:
        n = min(SAMPLES, 4 * len(references))
        written = [*map(small_tokens, model.sample(n, temperature=temperature, seed=seed))]
        scores = texygen_bleu(written, real), texygen_self_bleu(written)
        found[f"ours, temperature {temperature:g}"] = scores
    print(f"\n  {len(written):,} sentences each of ours, orders 2 to 5")
    table(
        ["", "BLEU", "self-BLEU"],
        [
            [who, *("  ".join(f"{v:.3f}" for v in row) for row in rows)]
            for who, rows in found.items()
        ],
    )


def sweep_of_bleu(model, references: list[str], seed: int, folder: Path) -> None:
    """BLEU-4 and self-BLEU-4 over temperatures; a figure of them beside Texygen's and people."""
    from latentgen.evaluation.bleu import texygen_bleu, texygen_self_bleu
    from latentgen.evaluation.sweep import Sweep, temperature_sweep
    from latentgen.evaluation.sweep_figure import draw_sweep
    from latentgen.text.spelling import small_tokens

    real = [*map(small_tokens, references)]
    n = min(SAMPLES, 4 * len(references))
    metrics = {
        "BLEU-4": lambda written: texygen_bleu(written, real)[2],
        "self-BLEU-4": lambda written: texygen_self_bleu(written)[2],
    }

    def write(temperature: float) -> list[list[str]]:
        return [*map(small_tokens, model.sample(n, temperature=temperature, seed=seed))]

    sweep = temperature_sweep(write, metrics)
    people = texygen_bleu(real[1::2], real[::2])[2], texygen_self_bleu(real)[2]
    others = {"people, held out": people, "Texygen's MLE": (TEXYGEN[0][2], TEXYGEN[1][2])}
    points = {
        who: Sweep((1.0,), {name: (value,) for name, value in zip(metrics, values, strict=True)})
        for who, values in others.items()
    }
    print(f"\n  {n:,} sentences at each temperature; also {folder / 'sweep.png'}\n")
    print("\n".join(f"  {line}" for line in str(sweep).splitlines()))
    sweep.save(folder / "sweep.csv")
    draw_sweep(
        {"likelihood": sweep},
        folder / "sweep.png",
        "self-BLEU-4",
        "BLEU-4",
        x_label="self-BLEU-4 (low: diverse)",
        y_label="BLEU-4 (high: like what people write)",
        published=points,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*TASKS, []], help="all without")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/text"))
    arguments = parser.parse_args()
    if arguments.tiny:
        with tempfile.TemporaryDirectory() as folder:
            measure("a grammar", TINY, Path(folder), arguments.seed)
        return
    for name in arguments.names or TASKS:
        measure(name, TASKS[name], arguments.out, arguments.seed)


if __name__ == "__main__":
    main()
