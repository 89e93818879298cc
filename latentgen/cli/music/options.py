"""Options that mean the same in every verb of music."""

from typing import Annotated

import typer

MELODIES = "melody_2bar"

Tempo = Annotated[
    float | None,
    typer.Option(
        min=4.0, max=2000.0, help="Quarters a minute.", show_default="that of the music, else 120"
    ),
]
Program = Annotated[
    int | None,
    typer.Option(min=0, max=127, help="General MIDI program, from 0.", show_default="the model's"),
]
Chords = Annotated[
    str,
    typer.Option(
        help="Chords over the passage, such as 'C Am F G', of a model that goes by chords; '' are "
        "those of the music."
    ),
]
Key = Annotated[str, typer.Option(help="Such as 'C' or 'A minor', of a model that goes by keys.")]
Tracks = Annotated[
    str,
    typer.Option(
        help="Which tracks to read, with commas: names, programs, 'drums', or 'each' by itself.",
        show_default="all together",
    ),
]


def track_names(tracks: str) -> list[str | int] | None:
    """`"MELODY, 33"` → `["MELODY", 33]`; None for all."""
    names = [name.strip() for name in tracks.split(",") if name.strip()]
    return [int(name) if name.isdecimal() else name for name in names] or None
