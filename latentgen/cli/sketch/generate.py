"""The verbs that draw with a trained model: sample, reconstruct, interpolate."""

from pathlib import Path
from typing import Annotated

import typer

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
from latentgen.cli.sketch.drawings import ENDINGS, read_file, read_one, shorten, write
from latentgen.cli.sketch.model import open_model, open_vae

app = typer.Typer()


@app.command(
    epilog=examples(
        "latentgen sketch sample -n 16 --out sheet.png",
        "latentgen sketch sample -n 100 --temperature 0.7 --seed 3 --out drawings.ndjson",
        "latentgen sketch sample --preset my-model --out moving.gif",
    )
)
def sample(
    count: Count = 16,
    preset: Preset = "quickdraw",
    temperature: Temperature = 0.25,
    out: Out = Path("sketches.png"),
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Draw something: latent vectors from the prior, decoded."""
    check_file(out, ENDINGS, overwrite)
    model = open_model(preset)
    with waiting(f"Drawing {count}"):
        drawings = model.sample(count, seed=seed, **decoding(temperature))
    write(out, drawings)
    wrote(out, f"{count} drawings sampled from {preset}")


@app.command(
    epilog=examples(
        "latentgen sketch reconstruct cats.ndjson --out pairs.png",
        "latentgen sketch reconstruct logo.svg --temperature 0 --out again.svg",
    )
)
def reconstruct(
    drawings: Annotated[Path, typer.Argument(help="A file, or a folder of files, with drawings.")],
    count: Count = 8,
    preset: Preset = "quickdraw",
    temperature: Temperature = 0.2,
    out: Out = Path("reconstructions.png"),
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Draw drawings again from their latent vectors; pictures show each beside its original."""
    check_file(out, ENDINGS, overwrite)
    given = read_file(drawings)[:count]
    vae = open_vae(preset)
    given = [shorten(drawing, vae.max_length) for drawing in given]
    with waiting(f"Drawing {len(given)} again"):
        again = vae.reconstruct(given, seed=seed, **decoding(temperature))
    write(out, again, originals=given)
    wrote(out, f"{len(given)} drawings and what {preset} makes of them")


@app.command(
    epilog=examples(
        "latentgen sketch interpolate cat.svg pig.svg --steps 8 --out between.png",
        "latentgen sketch interpolate cats.ndjson:0 cats.ndjson:5 --out between.gif",
    )
)
def interpolate(
    first: Annotated[str, typer.Argument(help="FILE, or FILE:NUMBER for another than the first.")],
    second: Annotated[str, typer.Argument(help="The same for where to arrive.")],
    steps: Annotated[int, typer.Option(min=2, help="How many drawings, both ends included.")] = 8,
    preset: Preset = "quickdraw",
    temperature: Temperature = 0.1,
    out: Out = Path("interpolation.png"),
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Draw what lies between two drawings, on the arc between their latent vectors."""
    check_file(out, ENDINGS, overwrite)
    ends = read_one(first), read_one(second)
    vae = open_vae(preset)
    begin, end = (shorten(drawing, vae.max_length) for drawing in ends)
    with waiting(f"Drawing {steps}"):
        drawings = vae.interpolate(begin, end, steps, seed=seed, **decoding(temperature))
    write(out, drawings, columns=min(steps, 10))
    wrote(out, f"{steps} drawings from {first} to {second}")
