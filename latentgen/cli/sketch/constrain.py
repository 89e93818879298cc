"""`latentgen sketch constrain`: draw what a few labels, or a rule, ask for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentgen.cli import constrain as constraining
from latentgen.cli.constrain import (
    Keep,
    Labels,
    Method,
    Rules,
    Save,
    Strength,
    Turns,
    Want,
)
from latentgen.cli.options import (
    Count,
    Out,
    Overwrite,
    Preset,
    Seed,
    Temperature,
    decoding,
    examples,
)
from latentgen.cli.output import check_file, wrote
from latentgen.cli.progress import waiting
from latentgen.cli.rules import Rule, parse_rule
from latentgen.cli.sketch.drawings import ENDINGS, READABLE, read_file, shorten, write
from latentgen.cli.sketch.model import open_vae

if TYPE_CHECKING:
    import numpy as np

app = typer.Typer()


@app.command(
    epilog=examples(
        "latentgen sketch constrain my-labels/ --want round=yes --out round.png",
        "latentgen sketch constrain cats.ndjson --labels happy.csv --want happy=yes --out cats.gif",
        "latentgen sketch constrain quickdraw/ --want cat --method ascent --out cats.svg",
        "latentgen sketch constrain cats.ndjson --out like-these.png",
        "latentgen sketch constrain --rule 'number_of_strokes<4' --out few.png --save few.npz",
        "latentgen sketch constrain quickdraw/ --want cat --change pig.svg --out changed.png",
    )
)
def constrain(
    labelled: Annotated[
        Path | None,
        typer.Argument(
            help="Labelled drawings: a folder with labels.csv (file, then a column for each "
            "attribute), a folder of a folder or a file for each class, or a file with --labels. "
            "Without --want: drawings that look like these."
        ),
    ] = None,
    labels: Labels = None,
    want: Want = [],  # noqa: B006
    rule: Rules = [],  # noqa: B006
    change: Annotated[
        Path | None, typer.Option(help="Drawings to change; without it new ones are made.")
    ] = None,
    keep: Keep = [],  # noqa: B006
    method: Annotated[
        Method | None,
        typer.Option(
            help="How to get there.",
            show_default="density; actor for --change, and where real drawings are not known",
        ),
    ] = None,
    strength: Strength = 1.0,
    turns: Turns = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read at most so many of each file.")] = (
        None
    ),
    count: Count = 16,
    preset: Preset = "quickdraw",
    temperature: Temperature = 0.2,
    out: Out = Path("constrained.png"),
    save: Save = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Draw what seventy labels, or a rule, ask for. Learnt in seconds; the model stays as it is."""
    check_file(out, ENDINGS, overwrite)
    constraining.check_save(save, overwrite)
    constraining.check_source(labelled, rule, "drawings")
    changed = read_file(change)[:count] if change else []
    columns: dict[str, list[Any]] = {}
    drawings: list[np.ndarray] = []
    obeys = _rule(rule)
    if labelled is not None:
        drawings, columns = constraining.read_examples(
            labelled, labels, bool(want), lambda path: read_file(path)[:limit], READABLE
        )
    wanted = constraining.obedience(rule) or constraining.wanted_values(want, keep, columns)

    vae = open_vae(preset)
    how_drawn = {"seed": seed, **decoding(temperature)}
    if rule:
        constraints = constraining.learn_rule(
            vae, lambda z: vae.decode(z, **how_drawn), rule, obeys, turns, seed, vae.reference
        )
    else:
        short = [shorten(drawing, vae.max_length) for drawing in drawings]
        constraints = constraining.learn(vae, short, columns, turns, seed)
    constraining.keep_learnt(constraints, save)
    changed = [shorten(drawing, vae.max_length) for drawing in changed]
    near = bool(changed) or vae.reference is None  # or like what people draw
    with waiting("Drawing what was asked for"):
        z = constraining.constrained(
            constraints,
            vae,
            count,
            wanted,
            changed,
            method=method or (Method.actor if wanted and near else Method.density),
            strength=strength,
            keep=keep,
            seed=seed,
        )
        drawn = vae.decode(z, **how_drawn)
    write(out, drawn, originals=changed)
    wrote(out, f"{len(drawn)} drawings, asked for {constraining.in_words(rule, wanted)}")
    if rule:
        constraining.say_what_obeys(obeys, drawn)


def _rule(texts: list[str]) -> Rule:
    from latentgen.sketch import attributes

    return parse_rule(texts, attributes, example="number_of_strokes<4")
