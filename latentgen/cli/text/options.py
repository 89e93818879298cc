"""Options that mean the same in every verb of text."""

from pathlib import Path
from typing import Annotated

import typer

CAPTIONS = "coco"

TopK = Annotated[
    int | None,
    typer.Option(min=1, help="Draw each token of so many likeliest.", show_default="all"),
]
TopP = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=1.0,
        help="Draw each token of the fewest that have this share of the probability.",
        show_default="all",
    ),
]
Column = Annotated[
    str | None,
    typer.Option(help="Of a table, the sentences.", show_default="text, sentence or the only one"),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        help="A .txt, .json or .html to write.",
        show_default="told on the terminal",
    ),
]
