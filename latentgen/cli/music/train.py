"""Training a MusicVAE on a folder of music, and measuring one on music it has not seen."""

import random
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentgen.cli.music.model import open_vae
from latentgen.cli.music.options import MELODIES, Tracks, track_names
from latentgen.cli.options import Overwrite, Preset, Seed, examples
from latentgen.cli.output import say, wrote
from latentgen.cli.progress import counted, progress_bar, waiting
from latentgen.cli.startup import import_keras, import_note_seq
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
    from latentgen.music.converters import Converter
    from latentgen.music.evaluation import Evaluation
    from latentgen.music.reading.collection import Collection
    from latentgen.music.vae import MusicVAE

app = typer.Typer()
MEASURED_AT_ONCE = 128
TRANSPOSE = 5

Data = Annotated[
    Path, typer.Argument(help="A folder of MIDI, MusicXML and ABC, with its subfolders; or a file.")
]
HopBars = Annotated[
    int | None,
    typer.Option(
        min=1, help="From one window's start to the next.", show_default="windows do not overlap"
    ),
]


@app.command(
    epilog=examples(
        "latentgen music train songs/ --hop-bars 1 --out my-melodies",
        "latentgen music train songs/ --config cat-mel_2bar_small --steps 50000 --out as-published",
        "latentgen music train drums/ --config drums_2bar --transpose 0 --out my-beats",
        "latentgen music train waltzes/ --bars 4 --meter 3/4 --tracks each --out my-waltzes",
    )
)
def train(
    data: Data,
    out: TrainedPreset,
    config: Annotated[
        str,
        typer.Option(
            help="melody_2bar or drums_2bar, as the shipped presets, or one of Magenta's 23, such "
            "as cat-mel_2bar_small."
        ),
    ] = MELODIES,
    bars: Annotated[
        int | None, typer.Option(min=1, help="Of a window.", show_default="the configuration's")
    ] = None,
    meter: Annotated[
        str, typer.Option(help="Of a bar, such as 3/4.", show_default="the configuration's, 4/4")
    ] = "",
    hop_bars: HopBars = None,
    tracks: Tracks = "",
    transpose: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=12,
            help="Semitones up or down by which what is learnt from is moved, at random.",
            show_default="5 for melodies and trios",
        ),
    ] = None,
    steps: TrainingSteps = 10_000,
    batch_size: Annotated[int, typer.Option("--batch", min=1, help="Windows a step.")] = 256,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Teach a model to play. If interrupted, the same command carries on where it was.

    Says what of the music was taken, and why the rest was not. The state of the training is kept
    in FOLDER.training; give more --steps to train on.
    """
    import_note_seq()
    from latentgen.music.data import MusicBatches

    arguments = _arguments(config, bars, meter)
    collection = _read(data, arguments["converter"], hop_bars, tracks)
    transpose = _transposition(arguments["converter"], transpose)
    train_on, held_out = _parts(collection, data)
    settings = {
        "data": str(data.resolve()),
        "windows": len(train_on),
        "config": config,
        "bars": arguments["converter"].bars,
        "meter": meter,
        "hop_bars": hop_bars,
        "tracks": tracks,
        "transpose": transpose,
        "batch_size": batch_size,
        "seed": seed,
        "steps_between_checkpoints": min(steps, STEPS_BETWEEN_CHECKPOINTS),
    }
    run = run_folder(out)
    settings = begin_or_resume(run, settings, out, overwrite)
    vae = _train(arguments, train_on, settings, steps, run)
    vae.reference = reference(vae, train_on, MusicBatches, seed)
    measured = _measure(vae, held_out, seed) if len(held_out) else None
    vae.save_preset(out, card=_card(settings, int(vae.step), measured))
    wrote(out, f"a preset trained for {int(vae.step)} steps on {len(train_on)} windows")
    say(measured or "nothing was held out to measure it on: give more files")


@app.command(
    epilog=examples(
        "latentgen music evaluate songs/ --tracks each --preset my-music",
        "latentgen music evaluate drums/ --preset my-drums --split valid",
    )
)
def evaluate(
    data: Data,
    preset: Preset = MELODIES,
    split: Annotated[Split, typer.Option(help="Which part of the data.")] = Split.test,
    hop_bars: HopBars = None,
    tracks: Tracks = "",
    seed: Seed = 0,
) -> None:
    """Measure how well a model knows music: likelihood, and accuracy in both unrolls."""
    vae = open_vae(preset)
    part = _read(data, vae.converter, hop_bars, tracks).part(split.value)
    if not len(part):
        raise InputError(
            f"{data}: expected windows in the part {split.value!r}, received none; give another "
            "--split, or more files"
        )
    say(_measure(vae, part, seed))


def _arguments(config: str, bars: int | None, meter: str) -> dict[str, Any]:
    """MusicVAE's arguments for a configuration, with windows of so many bars of a meter."""
    from latentgen.music.configurations import configuration

    arguments = configuration(config)
    converter = arguments["converter"]
    changed = {} if bars is None else {"bars": bars}
    if meter:
        changed["steps_per_bar"] = _steps_per_bar(meter, converter.steps_per_quarter)
    made = type(converter)(**converter.arguments() | changed)
    return arguments | {"converter": made}


def _steps_per_bar(meter: str, steps_per_quarter: int) -> int:
    numerator, _, denominator = meter.partition("/")
    if not (numerator.isdecimal() and denominator in ("1", "2", "4", "8", "16")):
        raise InputError(f"--meter: expected one such as 3/4 or 6/8, received {meter!r}")
    steps, rest = divmod(4 * steps_per_quarter * int(numerator), int(denominator))
    if rest:
        raise InputError(f"--meter: expected bars of whole sixteenths, received {meter!r}")
    return steps


def _read(data: Path, converter: "Converter", hop_bars: int | None, tracks: str) -> "Collection":
    """The examples in a folder; says what was taken of it."""
    from latentgen.music.reading.collection import read_collection

    with progress_bar("Reading", 100) as advance:
        collection = read_collection(
            data,
            converter,
            hop_bars=hop_bars,
            tracks=track_names(tracks),
            progress=lambda share: advance(round(100 * share)),
        )
    say(collection.report)
    if not len(collection):
        messages = collection.report.messages.values()
        raise InputError(
            f"{data}: expected windows of {converter.bars} bars for a "
            f"{type(converter).__name__}, received none; choose with --tracks, or another --config"
            + (f" ({next(iter(messages))})" if messages else "")
        )
    return collection


def _parts(collection: "Collection", data: Path) -> "tuple[Collection, Collection]":
    """What is learnt from and what is held out: whole files, all to learn from if they are few."""
    import numpy as np

    train_on = collection.part("train")
    held_out = collection.take(np.flatnonzero(collection.splits != "train"))
    return (train_on, held_out) if len(train_on) else (collection, train_on)


def _transposition(converter: "Converter", transpose: int | None) -> int:
    from latentgen.music.augment import pitch_columns

    if transpose == 0:
        return 0
    try:
        pitch_columns(converter)
    except InputError:
        if transpose is None:
            return 0
        raise InputError(
            f"--transpose: expected 0 for a {type(converter).__name__}, received {transpose}"
        ) from None
    return TRANSPOSE if transpose is None else transpose


def _train(
    arguments: dict[str, Any],
    collection: "Collection",
    settings: dict[str, Any],
    steps: int,
    run: Path,
) -> "MusicVAE":
    with waiting("Starting"):
        import_keras()
        from latentgen.music.data import MusicBatches
        from latentgen.music.optimizer import MusicAdam
        from latentgen.music.vae import MusicVAE

    seed = settings["seed"]
    random.seed(seed)  # initial weights draw their seeds from here
    vae = MusicVAE(**arguments, seed=seed)
    vae.compile(MusicAdam())
    batches = MusicBatches(collection, settings["batch_size"], settings["transpose"], seed)
    fit(vae, batches, settings, steps, run)
    return vae


def _measure(vae: "MusicVAE", collection: "Collection", seed: int) -> "Evaluation":
    from latentgen.music.data import MusicBatches
    from latentgen.music.evaluation import evaluate

    batches = MusicBatches(collection, MEASURED_AT_ONCE)
    return evaluate(vae, counted(batches.once(), "Measuring", batches.batches_per_pass), seed)


def _card(settings: dict[str, Any], steps: int, measured: "Evaluation | None") -> str:
    """The model card: what it was trained on, how, and how well it does."""
    lines = [
        f"# A MusicVAE, {settings['config']}",
        "",
        f"- Data: {Path(settings['data']).name}, {settings['windows']:,} different windows of "
        f"{settings['bars']} bars ({settings['tracks'] or 'all tracks'}); their licence is that of "
        "the data",
        f"- Training: {steps} steps of {settings['batch_size']} windows, transposed by up to "
        f"{settings['transpose']} semitones, seed {settings['seed']}",
    ]
    if measured:
        lines.append(f"- Held-out files: {' '.join(str(measured).split())}")
    return "\n".join(lines) + "\n"
