"""The verbs that write with a trained model: sample, continue, reconstruct, interpolate."""

from typing import Annotated

import typer

from latentgen.cli.options import Count, Overwrite, Preset, Seed, Temperature, examples
from latentgen.cli.progress import waiting
from latentgen.cli.sampling import Prior, draw
from latentgen.cli.text.model import open_model, open_vae, writing
from latentgen.cli.text.options import CAPTIONS, Output, TopK, TopP
from latentgen.cli.text.sentences import check_given, check_out, read_given, read_one, write

app = typer.Typer()


@app.command(
    epilog=examples(
        "latentgen text sample -n 8",
        "latentgen text sample -n 100 --top-p 0.9 --seed 3 --out captions.txt",
        "latentgen text sample --preset my-text --temperature 0 --out likeliest.html",
    )
)
def sample(
    count: Count = 8,
    preset: Preset = CAPTIONS,
    prior: Prior = False,
    temperature: Temperature = 0.5,
    top_k: TopK = None,
    top_p: TopP = None,
    out: Output = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Write something: latent vectors from the prior, made realistic, decoded."""
    check_out(out, overwrite)
    model = open_model(preset)
    how = writing(temperature, top_k, top_p, seed)
    with waiting(f"Writing {count}"):
        sentences = draw(model, count, prior, how)
    write(out, sentences, f"Sampled from {preset}", f"{count} sentences sampled from {preset}")


@app.command(
    "continue",
    epilog=examples(
        "latentgen text continue 'a man riding' -n 8",
        "latentgen text continue 'two dogs' --preset my-text --temperature 1 --out ways-on.txt",
    ),
)
def continue_(
    beginning: Annotated[str, typer.Argument(help="What each sentence begins with.")],
    count: Count = 8,
    preset: Preset = CAPTIONS,
    temperature: Temperature = 0.5,
    top_k: TopK = None,
    top_p: TopP = None,
    out: Output = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Go on from the beginning of a sentence, in several ways."""
    check_out(out, overwrite)
    model = open_model(preset)
    how = writing(temperature, top_k, top_p, seed)
    with waiting(f"Writing {count}"):
        sentences = model.continue_([beginning] * count, **how)
    title = f"{beginning} …"
    write(out, sentences, title, f"{count} ways to go on from {beginning!r}")


@app.command(
    epilog=examples(
        "latentgen text reconstruct 'a dog sits on a red couch'",
        "latentgen text reconstruct captions.txt -n 20 --out pairs.html",
    )
)
def reconstruct(
    sentences: Annotated[str, typer.Argument(help="A sentence in quotes, a file or a folder.")],
    count: Count = 8,
    preset: Preset = CAPTIONS,
    temperature: Temperature = 0.0,
    top_k: TopK = None,
    top_p: TopP = None,
    out: Output = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Write sentences again from their latent vectors; pages show each below its original."""
    check_out(out, overwrite)
    check_given(sentences)
    vae = open_vae(preset)
    given = read_given(sentences, vae, count)
    with waiting(f"Writing {len(given)} again"):
        again = vae.reconstruct(given, **writing(temperature, top_k, top_p, seed))
    what = f"{len(given)} sentences and what {preset} makes of them"
    write(out, again, what, what, originals=given)


@app.command(
    epilog=examples(
        "latentgen text interpolate 'a dog on a beach' 'two men riding a train' --steps 8",
        "latentgen text interpolate captions.txt:0 captions.txt:5 --out between.html",
    )
)
def interpolate(
    first: Annotated[
        str, typer.Argument(help="A sentence in quotes, FILE, or FILE:NUMBER for another one.")
    ],
    second: Annotated[str, typer.Argument(help="The same for where to arrive.")],
    steps: Annotated[int, typer.Option(min=2, help="How many sentences, both ends included.")] = 8,
    preset: Preset = CAPTIONS,
    temperature: Temperature = 0.0,
    top_k: TopK = None,
    top_p: TopP = None,
    out: Output = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Write what lies between two sentences, on the arc between their latent vectors."""
    check_out(out, overwrite)
    check_given(first, second)
    vae = open_vae(preset)
    begin, end = (read_one(text, vae) for text in (first, second))
    with waiting(f"Writing {steps}"):
        between = vae.interpolate(begin, end, steps, **writing(temperature, top_k, top_p, seed))
    what = f"{steps} sentences from {begin!r} to {end!r}"
    write(out, between, f"From “{begin}” to “{end}”", what)
