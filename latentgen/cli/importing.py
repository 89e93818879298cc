"""`latentgen import`: Magenta's and TF.js's published models as presets."""

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentgen.cli.options import Overwrite, examples
from latentgen.cli.output import check_free, wrote
from latentgen.cli.progress import progress_bar, waiting
from latentgen.cli.startup import import_keras, import_note_seq
from latentgen.errors import InputError

if TYPE_CHECKING:
    from latentgen.checkpoints.sources import Source

EPILOG = examples(
    "latentgen import magenta/cat-mel_2bar_big --out melodies",
    "latentgen import magenta/sketch_rnn/cat --out cats",
    "latentgen import my-run/ --config cat-mel_2bar_small --out mine",
    "latentgen import sheep.gen.json --out sheep",
)

CARD = """\
# {name}

{what}, imported by `latentgen import {source}`.

- it came from {address}
{sums}- weights: {count:,} numbers, {dtype}
- licence: its author's; Magenta's published models are under the Apache licence 2.0
"""


class Dtype(enum.StrEnum):
    """How weights are kept."""

    float32 = "float32"
    float16 = "float16"


def import_model(
    source: Annotated[
        str,
        typer.Argument(
            help="A file, a folder, an http(s) address, or a name from `latentgen presets`."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the preset to write.")],
    config: Annotated[
        str | None,
        typer.Option(help="MusicVAE's configuration, such as cat-mel_2bar_small, if it is needed."),
    ] = None,
    segments: Annotated[
        int | None,
        typer.Option(min=1, help="Segments that a conductor leads, where no configuration fits."),
    ] = None,
    member: Annotated[
        str | None, typer.Option(help="Which model, of an archive that holds several.")
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(help="PATTERN=REPLACEMENT for names of variables that differ; several too."),
    ] = None,
    sha256: Annotated[str | None, typer.Option(help="What a downloaded file must be.")] = None,
    dtype: Annotated[
        Dtype, typer.Option(help="float32 keeps every bit, float16 takes half the room.")
    ] = Dtype.float32,
    overwrite: Overwrite = False,
) -> None:
    """Open a model of Magenta's or of TF.js's, and keep it as a preset."""
    check_free(out, overwrite)
    renamed = [_pair(text) for text in rename or ()]
    found = _find(source, sha256)
    with waiting(f"Opening {found.path}"):
        import_note_seq()
        import_keras()
        from latentgen.checkpoints.magenta import load_magenta

        chosen: Any = config or found.config
        if chosen is None and segments:
            chosen = {"segments": segments}
        model = load_magenta(found.path, chosen, member or found.member, renamed)
    kind, count = type(model).__name__, model.count_params()
    what = f"A {kind}{_represents(model)}"
    model.save_preset(out, _card(out, source, found, what, count, dtype), dtype)
    domain = "sketch" if kind.startswith("Sketch") else "music"
    wrote(out, f"{what[2:]}, {count:,} numbers; latentgen {domain} sample --preset {out}")


def _pair(text: str) -> tuple[str, str]:
    pattern, equals, replacement = text.partition("=")
    if not pattern or not equals:
        raise InputError(f"--rename: expected PATTERN=REPLACEMENT, received {text!r}")
    return pattern, replacement


def _find(source: str, sha256: str | None) -> "Source":
    """The source's files; a bar while they are fetched."""
    from latentgen.checkpoints.sources import find_source

    if Path(source).exists():
        return find_source(source)
    with progress_bar(f"Fetching {source} (MB)", 0) as advance:
        return find_source(
            source, sha256, lambda done, total: advance(done >> 20, total=(total or done) >> 20)
        )


def _represents(model: Any) -> str:
    """What goes in and out of it, and the size of z."""
    converter = getattr(model, "converter", None)
    between = "" if converter is None else f" of {type(converter).__name__}"
    size = model.decoder.latent_size
    return f"{between}, z of {size}" if size else f"{between}, without z"


def _card(out: Path, source: str, found: "Source", what: str, count: int, dtype: str) -> str:
    from latentgen.checkpoints.download import sha256_of

    sums = f"- SHA-256: {sha256_of(found.path)}\n" if found.path.is_file() else ""
    return CARD.format(
        name=out.name,
        what=what,
        source=source,
        address=found.path,
        sums=sums,
        count=count,
        dtype=dtype,
    )
