"""`latentgen sketch constrain`: draw what a few labels, or a rule, ask for."""

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from latentgen.cli.labels import parse_wants, read_labelled, typed, typed_value
from latentgen.cli.options import Count, Out, Overwrite, Preset, Seed, Temperature, examples
from latentgen.cli.output import check_file, wrote
from latentgen.cli.progress import waiting
from latentgen.cli.sketch.drawings import ENDINGS, READABLE, read_file, shorten, write
from latentgen.cli.sketch.model import decoding, open_vae
from latentgen.cli.sketch.rules import parse_rule
from latentgen.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from latentgen.constraints import LatentConstraints
    from latentgen.sketch.vae import SketchVAE

app = typer.Typer()
RULE = "rule"


class Method(enum.StrEnum):
    """How a constrained z is found."""

    actor = "actor"
    ascent = "ascent"
    hmc = "hmc"
    rejection = "rejection"
    vector = "vector"


@app.command(
    epilog=examples(
        "latentgen sketch constrain my-labels/ --want round=yes --out round.png",
        "latentgen sketch constrain cats.ndjson --labels happy.csv --want happy=yes --out cats.gif",
        "latentgen sketch constrain quickdraw/ --want cat --method ascent --out cats.svg",
        "latentgen sketch constrain --rule 'number_of_strokes<4' --out few.png",
        "latentgen sketch constrain quickdraw/ --want cat --change pig.svg --out changed.png",
    )
)
def constrain(
    labelled: Annotated[
        Path | None,
        typer.Argument(
            help="Labelled drawings: a folder with labels.csv (file, then a column for each "
            "attribute), a folder of a folder or a file for each class, or a file with --labels."
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
    method: Annotated[Method, typer.Option(help="How to get there.")] = Method.actor,
    strength: Annotated[
        float, typer.Option(min=0.0, help="How far to go: 0 stays, 1 as learnt, beyond at will.")
    ] = 1.0,
    limit: Annotated[int | None, typer.Option(min=1, help="Read at most so many of each file.")] = (
        None
    ),
    count: Count = 16,
    preset: Preset = "quickdraw",
    temperature: Temperature = 0.3,
    out: Out = Path("constrained.png"),
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Draw what seventy labels, or a rule, ask for. Learnt in seconds; the model stays as it is."""
    check_file(out, ENDINGS, overwrite)
    if bool(rule) == (labelled is not None):
        raise InputError(
            "expected labelled drawings and --want, or --rule, "
            f"received {'both' if rule else 'neither'}"
        )
    changed = read_file(change) if change else None
    if labelled is not None:
        drawings, columns = _labelled_drawings(labelled, labels, limit)
        wanted = _wanted(want, columns)
    vae = open_vae(preset)
    if labelled is None:
        constraints = _from_rule(vae, rule, seed)
        wanted = {RULE: True}
    else:
        constraints = _from_labels(vae, drawings, columns, seed)
    with waiting("Drawing what was asked for"):
        if changed is None:
            z = constraints.sample(
                count, wanted, method=method.value, strength=strength, keep=keep, seed=seed
            )
        else:
            changed = [shorten(drawing, vae.max_length) for drawing in changed[:count]]
            z = constraints.transform(
                vae.encode(changed).mean,
                wanted,
                method=method.value,
                strength=strength,
                keep=keep,
                seed=seed,
            )
        drawn = vae.decode(z, seed=seed, **decoding(temperature))
    write(out, drawn, originals=changed or ())
    asked = ", ".join(rule or [f"{name}={value}" for name, value in wanted.items()])
    wrote(out, f"{len(drawn)} drawings of {preset} with {asked}")
    if rule:
        obeyed = sum(map(parse_rule(rule), drawn))
        Console(highlight=False).print(f"{obeyed} of {len(drawn)} obey the rule")


def _labelled_drawings(
    source: Path, table: Path | None, limit: int | None
) -> "tuple[list[np.ndarray], dict[str, list[Any]]]":
    def read(path: Path) -> "list[np.ndarray]":
        return read_file(path)[:limit]

    found = read_labelled(source, table, read, READABLE)
    return found.examples, {name: typed(texts) for name, texts in found.labels.items()}


def _wanted(wants: list[str], columns: dict[str, list[Any]]) -> dict[str, Any]:
    if not wants:
        raise InputError(f"--want: expected attribute=value for one of {sorted(columns)}")
    return {
        name: typed_value(name, text, columns[name])
        for name, text in parse_wants(wants, columns).items()
    }


def _from_labels(
    vae: "SketchVAE", drawings: "list[np.ndarray]", columns: dict[str, list[Any]], seed: int
) -> "LatentConstraints":
    from latentgen.constraints import LatentConstraints

    with waiting(f"Learning from {len(drawings)} drawings"):
        z = vae.encode([shorten(drawing, vae.max_length) for drawing in drawings]).mean
        constraints = LatentConstraints(vae.latent_size, seed=seed).fit(z, columns)
    for report in constraints.reports:
        Console(highlight=False, soft_wrap=True).print(f"  {report}", markup=False)
    return constraints


def _from_rule(vae: "SketchVAE", rule: list[str], seed: int) -> "LatentConstraints":
    from latentgen.constraints import LatentConstraints

    obeys = parse_rule(rule)
    with waiting("Learning the rule"):
        return LatentConstraints(vae.latent_size, seed=seed).fit_reward(vae, {RULE: obeys})
