"""Training a model on sentences, and measuring one on sentences it has not seen."""

import enum
import random
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentgen.cli.options import Overwrite, Preset, Seed, examples
from latentgen.cli.output import say, wrote
from latentgen.cli.progress import counted, waiting
from latentgen.cli.startup import import_keras
from latentgen.cli.text.model import open_model
from latentgen.cli.text.options import CAPTIONS, Column
from latentgen.cli.training import (
    STEPS_BETWEEN_CHECKPOINTS,
    Split,
    TrainedPreset,
    TrainingSteps,
    begin_or_resume,
    fit,
    reference,
    run_folder,
)
from latentgen.errors import InputError

if TYPE_CHECKING:
    from latentgen.text.corpus import Corpus
    from latentgen.text.evaluation import Evaluation
    from latentgen.text.model import LanguageModel
    from latentgen.text.tokenizers import Tokenizer
    from latentgen.text.vae import TextVAE

app = typer.Typer()
MEASURED_AT_ONCE = 128
KL_CYCLES, KL_STEPS = 4, 8_000
RATE, LAST_RATE, RATE_STEPS = 2e-3, 4e-5, 10_000  # the learning rate falls by so much in so long


class Kind(enum.StrEnum):
    """A model with a z, or one without."""

    vae = "vae"
    language_model = "language-model"


class Tokens(enum.StrEnum):
    """What a sentence is made of."""

    words = "words"
    subwords = "subwords"
    characters = "characters"


Data = Annotated[
    Path,
    typer.Argument(
        help="A file with a sentence on each line, a table (.csv, .tsv), either gzipped too, a "
        "folder of them, or corpus.zip:train.txt."
    ),
]


@app.command(
    epilog=examples(
        "latentgen text train captions.txt --out my-captions",
        "latentgen text train reviews/ --tokens subwords --vocabulary 4000 --steps 20000 --out new",
        "latentgen text train captions.txt --tokens characters --max-length 120 --out spelled",
        "latentgen text train reviews.csv --column text --kind language-model --out without-z",
    )
)
def train(
    data: Data,
    out: TrainedPreset,
    kind: Annotated[Kind, typer.Option(help="With a latent vector, or without.")] = Kind.vae,
    tokens: Annotated[Tokens, typer.Option(help="What a sentence is made of.")] = Tokens.words,
    vocabulary: Annotated[
        int | None,
        typer.Option(
            min=4,
            help="How many different tokens at most; rarer ones are unknown.",
            show_default="20000 words, 8000 subwords, 512 characters",
        ),
    ] = None,
    minimum_count: Annotated[
        int, typer.Option(min=1, help="Words that occur more seldom are unknown.")
    ] = 1,
    max_length: Annotated[
        int, typer.Option(min=1, help="Tokens; longer sentences are left out.")
    ] = 48,
    column: Column = None,
    kl_weight: Annotated[
        float,
        typer.Option(min=0.0, help="Lower keeps more of a sentence in z, higher samples better."),
    ] = 0.5,
    steps: TrainingSteps = 10_000,
    batch_size: Annotated[int, typer.Option("--batch", min=1, help="Sentences a step.")] = 64,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Teach a model to write. If interrupted, the same command carries on where it was.

    Says what of the text was taken. The state of the training is kept in FOLDER.training; give
    more --steps to train on.
    """
    tokenizer = _learn_tokens(data, column, tokens, vocabulary, minimum_count)
    corpus = _read(data, tokenizer, max_length, column)
    train_on, held_out = _parts(corpus)
    settings = {
        "data": str(data.resolve()),
        "sentences": len(train_on),
        "kind": kind.value,
        "tokens": tokens.value,
        "vocabulary": tokenizer.size,
        "minimum_count": minimum_count,
        "max_length": max_length,
        "column": column,
        "kl_weight": kl_weight,
        "batch_size": batch_size,
        "seed": seed,
        "steps_between_checkpoints": min(steps, STEPS_BETWEEN_CHECKPOINTS),
    }
    run = run_folder(out)
    settings = begin_or_resume(run, settings, out, overwrite)
    model = _train(train_on, settings, steps, run)
    measured = _measure(model, held_out, seed) if len(held_out) else None
    model.save_preset(out, card=_card(settings, int(model.step), measured))
    wrote(out, f"a preset trained for {int(model.step)} steps on {len(train_on):,} sentences")
    say(measured or "nothing was held out to measure it on: give more sentences")


@app.command(
    epilog=examples(
        "latentgen text evaluate captions.txt --preset my-text",
        "latentgen text evaluate reviews.csv --column text --preset my-text --split valid",
    )
)
def evaluate(
    data: Data,
    preset: Preset = CAPTIONS,
    split: Annotated[Split, typer.Option(help="Which part of the data.")] = Split.test,
    column: Column = None,
    seed: Seed = 0,
) -> None:
    """Measure how well a model knows sentences: likelihood, and what z says about them."""
    from latentgen.text.reading import files_of

    files_of(data)
    model = open_model(preset)
    part = _read(data, model.tokenizer, model.max_length, column).part(split.value)
    if not len(part):
        raise InputError(
            f"{data}: expected sentences in the part {split.value!r}, received none; give another "
            "--split, or more sentences"
        )
    say(_measure(model, part, seed))


def _learn_tokens(
    data: Path, column: str | None, tokens: Tokens, vocabulary: int | None, minimum_count: int
) -> "Tokenizer":
    """The tokens of the sentences that are learnt from."""
    from latentgen.text.corpus import split_of_sentence
    from latentgen.text.reading import read_lines
    from latentgen.text.tokenizers import Characters, Subwords, Words

    kinds: dict[Tokens, type[Words] | type[Subwords] | type[Characters]] = {
        Tokens.words: Words,
        Tokens.subwords: Subwords,
        Tokens.characters: Characters,
    }
    size = {} if vocabulary is None else {"size": vocabulary}
    with waiting("Learning the vocabulary"):
        lines = read_lines(data, column)
        learnt_from = (line for line in lines if split_of_sentence(line) == "train")
        return kinds[tokens].learn(learnt_from, minimum_count=minimum_count, **size)


def _read(data: Path, tokenizer: "Tokenizer", max_length: int, column: str | None) -> "Corpus":
    """The different sentences of files; says what was taken of them."""
    from latentgen.text.corpus import read_corpus

    with waiting("Reading"):
        corpus = read_corpus(data, tokenizer, max_length, column, unique=True)
    say(corpus.report)
    return corpus


def _parts(corpus: "Corpus") -> "tuple[Corpus, Corpus]":
    """What is learnt from and what is held out."""
    import numpy as np

    train_on = corpus.part("train")
    if not len(train_on):
        raise InputError(f"expected more than {len(corpus)} sentences, to learn from some of them")
    return train_on, corpus.take(np.flatnonzero(corpus.splits))


def _train(
    corpus: "Corpus", settings: dict[str, Any], steps: int, run: Path
) -> "TextVAE | LanguageModel":
    with waiting("Starting"):
        import_keras()
        import keras

        from latentgen.text.data import TextBatches
        from latentgen.text.model import LanguageModel
        from latentgen.text.vae import TextVAE
        from latentgen.training.schedules import ExponentialApproach

    seed = settings["seed"]
    random.seed(seed)  # initial weights draw their seeds from here
    alike = {"max_length": settings["max_length"], "seed": seed}
    model: TextVAE | LanguageModel
    if settings["kind"] == Kind.vae:
        kl = {"kl_weight": settings["kl_weight"], "kl_cycles": KL_CYCLES, "kl_steps": KL_STEPS}
        model = TextVAE(corpus.tokenizer, **kl, **alike)
    else:
        model = LanguageModel(corpus.tokenizer, **alike)
    rate = ExponentialApproach(RATE, LAST_RATE, (LAST_RATE / RATE) ** (1 / RATE_STEPS))
    model.compile(keras.optimizers.Adam(rate, global_clipnorm=5.0), jit_compile=False)
    fit(model, TextBatches(corpus, settings["batch_size"], seed), settings, steps, run)
    if isinstance(model, TextVAE):
        model.reference = reference(model, corpus, TextBatches, seed)
    return model


def _measure(model: "TextVAE | LanguageModel", corpus: "Corpus", seed: int) -> "Evaluation":
    from latentgen.text.data import TextBatches
    from latentgen.text.evaluation import evaluate

    batches = TextBatches(corpus, MEASURED_AT_ONCE)
    return evaluate(model, counted(batches.once(), "Measuring", batches.batches_per_pass), seed)


def _card(settings: dict[str, Any], steps: int, measured: "Evaluation | None") -> str:
    """The model card: what it was trained on, how, and how well it does."""
    name = "TextVAE" if settings["kind"] == Kind.vae else "LanguageModel"
    lines = [
        f"# A {name} of {settings['tokens']}",
        "",
        f"- Data: {Path(settings['data']).name}, {settings['sentences']:,} different sentences of "
        f"at most {settings['max_length']} tokens, {settings['vocabulary']:,} different ones; "
        "their licence is that of the data",
        f"- Training: {steps} steps of {settings['batch_size']} sentences, seed {settings['seed']}",
    ]
    if measured:
        lines.append(f"- Held out: {measured}")
    return "\n".join(lines) + "\n"
