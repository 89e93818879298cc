"""The verbs that play with a trained model: sample, continue, reconstruct, interpolate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentgen.cli.music.model import open_model, open_vae, playing
from latentgen.cli.music.options import (
    MELODIES,
    Chords,
    Key,
    Program,
    Tempo,
    Tracks,
    track_names,
)
from latentgen.cli.music.passages import check_exists, check_out, read_one, read_passages, write
from latentgen.cli.options import Count, Out, Overwrite, Preset, Seed, Temperature, examples
from latentgen.cli.output import wrote
from latentgen.cli.progress import waiting
from latentgen.cli.sampling import Prior, draw
from latentgen.errors import InputError

if TYPE_CHECKING:
    import numpy as np

app = typer.Typer()


@app.command(
    epilog=examples(
        "latentgen music sample -n 16 --out melodies.html",
        "latentgen music sample --preset my-music -n 4 --tempo 96 --program 11 --out four.mid",
        "latentgen music sample --preset my-chords --chords 'C Am F G' --out over-chords.wav -n 1",
    )
)
def sample(
    count: Count = 16,
    preset: Preset = MELODIES,
    prior: Prior = False,
    temperature: Temperature = 0.5,
    tempo: Tempo = None,
    program: Program = None,
    chords: Chords = "",
    key: Key = "",
    out: Out = Path("music.html"),
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Play something: latent vectors from the prior, made realistic, decoded."""
    check_out(out, count, overwrite)
    model = open_model(preset)
    how = playing(model, temperature, tempo, program, chords, key, seed)
    with waiting(f"Playing {count}"):
        passages = draw(model, count, prior, how)
    write(out, passages, f"Sampled from {preset}")
    wrote(out, f"{count} passages sampled from {preset}")


@app.command(
    "continue",
    epilog=examples(
        "latentgen music continue tune.mid -n 8 --out ways-on.html",
        "latentgen music continue tune.mid:1 --beginning 1.5 -n 1 --out on.mid",
    ),
)
def continue_(
    beginning: Annotated[
        str, typer.Argument(help="FILE, or FILE:NUMBER for another passage than the first.")
    ],
    bars: Annotated[
        float | None,
        typer.Option(
            "--beginning", min=0.0, help="Bars to keep of it.", show_default="half of the model's"
        ),
    ] = None,
    count: Count = 8,
    preset: Preset = MELODIES,
    temperature: Temperature = 0.5,
    tempo: Tempo = None,
    program: Program = None,
    chords: Chords = "",
    key: Key = "",
    tracks: Tracks = "",
    out: Out = Path("continued.html"),
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Go on from the beginning of a passage, in several ways."""
    check_out(out, count, overwrite)
    check_exists(beginning)
    vae = open_vae(preset)
    converter = vae.converter
    if converter.steps != converter.window_steps:
        raise InputError(
            f"{preset}: expected a model whose steps are times, received one of events; "
            "give another --preset"
        )
    bars = converter.bars / 2 if bars is None else bars
    steps = round(bars * converter.steps_per_bar)
    if not 0 < steps < converter.steps:
        raise InputError(f"--beginning: expected less than {converter.bars} bars, received {bars}")
    given = read_one(beginning, converter, track_names(tracks))
    how = playing(vae, temperature, tempo, program, chords, key, seed, [given] * count)
    with waiting(f"Playing {count}"):
        passages = vae.continue_([given] * count, steps, **how)
    write(out, passages, f"{beginning}, continued after {bars:g} bars")
    wrote(out, f"{count} ways to go on from {bars:g} bars of {beginning}")


@app.command(
    epilog=examples(
        "latentgen music reconstruct tune.mid --out pairs.png",
        "latentgen music reconstruct folk.abc --temperature 0 --out again.mid",
    )
)
def reconstruct(
    music: Annotated[Path, typer.Argument(help="A file of music, or a folder of files.")],
    count: Count = 8,
    preset: Preset = MELODIES,
    temperature: Temperature = 0.1,
    tempo: Tempo = None,
    program: Program = None,
    chords: Chords = "",
    key: Key = "",
    tracks: Tracks = "",
    out: Out = Path("reconstructions.html"),
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Play passages again from their latent vectors; pictures show each beside its original."""
    check_out(out, count, overwrite)
    check_exists(music)
    vae = open_vae(preset)
    given = read_passages(music, vae.converter, track_names(tracks))[:count]
    check_out(out, len(given), overwrite)  # one is not numbered
    how = playing(vae, temperature, tempo, program, chords, key, seed, given)
    with waiting(f"Playing {len(given)} again"):
        again = vae.reconstruct(given, **how)
    write(out, again, f"{music} and what {preset} makes of it", originals=given)
    wrote(out, f"{len(given)} passages and what {preset} makes of them")


@app.command(
    epilog=examples(
        "latentgen music interpolate tune.mid other.mid --steps 8 --out between.html",
        "latentgen music interpolate tune.mid:0 tune.mid:1 --out between.mid",
    )
)
def interpolate(
    first: Annotated[str, typer.Argument(help="FILE, or FILE:NUMBER for another than the first.")],
    second: Annotated[str, typer.Argument(help="The same for where to arrive.")],
    steps: Annotated[int, typer.Option(min=2, help="How many passages, both ends included.")] = 8,
    preset: Preset = MELODIES,
    temperature: Temperature = 0.1,
    tempo: Tempo = None,
    program: Program = None,
    chords: Chords = "",
    key: Key = "",
    tracks: Tracks = "",
    out: Out = Path("interpolation.html"),
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Play what lies between two passages, on the arc between their latent vectors."""
    check_out(out, steps, overwrite)
    check_exists(first, second)
    vae = open_vae(preset)
    names = track_names(tracks)
    begin, end = (read_one(name, vae.converter, names) for name in (first, second))
    how = playing(vae, temperature, tempo, program, chords, key, seed, [begin, end])
    if "control" in how:
        how["control"] = _from_one_to_other(how["control"], steps)
    with waiting(f"Playing {steps}"):
        passages = vae.interpolate(begin, end, steps, **how)
    write(out, passages, f"From {first} to {second}")
    wrote(out, f"{steps} passages from {first} to {second}")


def _from_one_to_other(control: "np.ndarray", steps: int) -> "np.ndarray":
    """The controls (steps, T, depth): the first's for the first half, then the second's."""
    import numpy as np

    return control[np.arange(steps) * 2 // steps]
