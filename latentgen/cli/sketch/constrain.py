"""`latentgen sketch constrain`: draw what a few labels, or a rule, ask for."""

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from latentgen.cli.labels import parse_wants, typed_value
from latentgen.cli.options import Count, Out, Overwrite, Preset, Seed, Temperature, examples
from latentgen.cli.output import check_file, wrote
from latentgen.cli.progress import progress_bar, waiting
from latentgen.cli.sketch.drawings import ENDINGS, READABLE, read_file, shorten, write
from latentgen.cli.sketch.model import decoding, open_vae
from latentgen.cli.sketch.rules import Rule, parse_rule
from latentgen.errors import InputError
from latentgen.labels import read_labelled, typed

if TYPE_CHECKING:
    import numpy as np

    from latentgen.constraints.latent_constraints import LatentConstraints
    from latentgen.sketch.vae import SketchVAE

app = typer.Typer()
RULE = "rule"


class Method(enum.StrEnum):
    """How a constrained z is found."""

    actor = "actor"
    ascent = "ascent"
    density = "density"
    hmc = "hmc"
    rejection = "rejection"
    vector = "vector"


@app.command(
    epilog=examples(
        "latentgen sketch constrain my-labels/ --want round=yes --out round.png",
        "latentgen sketch constrain cats.ndjson --labels happy.csv --want happy=yes --out cats.gif",
        "latentgen sketch constrain quickdraw/ --want cat --method ascent --out cats.svg",
        "latentgen sketch constrain cats.ndjson --out like-these.png",
        "latentgen sketch constrain --rule 'number_of_strokes<4' --out few.png",
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
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV or JSON with a column for each attribute, a row for each drawing."),
    ] = None,
    want: Annotated[
        list[str], typer.Option(help="attribute=value, or a class; may be given several times.")
    ] = [],  # noqa: B006
    rule: Annotated[
        list[str],
        typer.Option(help="A measured attribute and its bound, in place of labels; several too."),
    ] = [],  # noqa: B006
    change: Annotated[
        Path | None, typer.Option(help="Drawings to change; without it new ones are made.")
    ] = None,
    keep: Annotated[
        list[str], typer.Option(help="An attribute that must stay as it is; several too.")
    ] = [],  # noqa: B006
    method: Annotated[
        Method | None,
        typer.Option(
            help="How to get there.", show_default="actor; density where nothing is asked for"
        ),
    ] = None,
    strength: Annotated[
        float, typer.Option(min=0.0, help="How far to go: 0 stays, 1 as learnt, beyond at will.")
    ] = 1.0,
    turns: Annotated[
        int, typer.Option(min=1, help="How long to learn: turns of critic and actor.")
    ] = 500,
    limit: Annotated[int | None, typer.Option(min=1, help="Read at most so many of each file.")] = (
        None
    ),
    count: Count = 16,
    preset: Preset = "quickdraw",
    temperature: Temperature = 0.2,
    out: Out = Path("constrained.png"),
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Draw what seventy labels, or a rule, ask for. Learnt in seconds; the model stays as it is."""
    check_file(out, ENDINGS, overwrite)
    if bool(rule) == (labelled is not None):
        raise InputError(
            "expected drawings to learn from, or --rule in their place, "
            f"received {'both' if rule else 'neither'}"
        )
    changed = read_file(change)[:count] if change else []
    columns: dict[str, list[Any]] = {}
    drawings: list[np.ndarray] = []
    obeys = parse_rule(rule)
    if labelled is not None:
        drawings, columns = _examples(labelled, labels, limit, bool(want))
    wanted = {RULE: True} if rule else _wanted(want, columns)

    vae = open_vae(preset)
    if rule:
        constraints = _learn_rule(vae, obeys, turns, temperature, seed)
    else:
        constraints = _learn(vae, drawings, columns, turns, seed)
    changed = [shorten(drawing, vae.max_length) for drawing in changed]
    how: dict[str, Any] = {
        "method": (method or (Method.actor if wanted else Method.density)).value,
        "strength": strength,
        "keep": keep,
        "seed": seed,
    }
    with waiting("Drawing what was asked for"):
        if changed:
            z = constraints.transform(vae.encode(changed).mean, wanted, **how)
        else:
            z = constraints.sample(count, wanted, **how)
        drawn = vae.decode(z, seed=seed, **decoding(temperature))
    write(out, drawn, originals=changed)
    asked = rule or [f"{name}={value}" for name, value in wanted.items()] or ["nothing but realism"]
    wrote(out, f"{len(drawn)} drawings, asked for {', '.join(asked)}")
    if rule:
        obeyed = sum(map(obeys, drawn))
        Console(highlight=False).print(f"{obeyed} of {len(drawn)} obey the rule")


def _examples(
    source: Path, table: Path | None, limit: int | None, with_labels: bool
) -> "tuple[list[np.ndarray], dict[str, list[Any]]]":
    """Drawings and their labels; the drawings alone where nothing is asked of the labels."""

    def read(path: Path) -> "list[np.ndarray]":
        return read_file(path)[:limit]

    if not with_labels and source.is_file() and table is None:
        return read(source), {}
    found = read_labelled(source, table, read, READABLE)
    columns = {name: typed(texts) for name, texts in found.labels.items()}
    return found.examples, columns if with_labels else {}


def _wanted(wants: list[str], columns: dict[str, list[Any]]) -> dict[str, Any]:
    return {
        name: typed_value(name, text, columns[name])
        for name, text in parse_wants(wants, columns).items()
    }


def _learn(
    vae: "SketchVAE",
    drawings: "list[np.ndarray]",
    columns: dict[str, list[Any]],
    turns: int,
    seed: int,
) -> "LatentConstraints":
    """Constraints from labels (none: realism alone), with a word on how well each was learnt."""
    from latentgen.constraints.latent_constraints import LatentConstraints

    constraints = LatentConstraints(vae.latent_size, seed=seed)
    with progress_bar(f"Learning from {len(drawings)} drawings", 100) as advance:
        posterior = vae.encode([shorten(drawing, vae.max_length) for drawing in drawings])
        constraints.fit(
            posterior.mean,
            columns,
            scale=posterior.scale,
            unlabelled=vae.reference.mean if vae.reference else None,
            turns=turns,
            progress=lambda share, what: advance(round(100 * share), what),
        )
    _say_how_well(constraints)
    return constraints


def _learn_rule(
    vae: "SketchVAE", obeys: Rule, turns: int, temperature: float, seed: int
) -> "LatentConstraints":
    """Constraints from what a rule says of the model's own drawings."""
    from latentgen.constraints.latent_constraints import LatentConstraints

    def decode(z: "np.ndarray") -> "list[np.ndarray]":
        return vae.decode(z, seed=seed, **decoding(temperature))

    constraints = LatentConstraints(vae.latent_size, seed=seed)
    with progress_bar("Learning the rule", 100) as advance:
        constraints.fit_reward(
            decode,
            {RULE: obeys},
            turns=turns,
            progress=lambda share, what: advance(round(100 * share), what),
        )
    _say_how_well(constraints)
    return constraints


def _say_how_well(constraints: "LatentConstraints") -> None:
    Console(highlight=False, soft_wrap=True).print(str(constraints.report), markup=False)
