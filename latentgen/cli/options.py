"""Options that mean the same in every domain, declared once."""

from pathlib import Path
from typing import Annotated, Any

import typer


def examples(*commands: str) -> str:
    """The epilog of a `--help`: each command on its own line."""
    return "\n".join(["[bold]Examples[/bold]", *(f"  [cyan]{c}[/cyan]" for c in commands)])


Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same result.")]
Count = Annotated[int, typer.Option("--count", "-n", min=1, help="How many to make.")]
Temperature = Annotated[
    float,
    typer.Option(min=0.0, help="How daring: 0 is the likeliest line each time, 1 as taught."),
]
Preset = Annotated[
    str,
    typer.Option("--preset", "-p", help="A shipped model's name, or a folder from train."),
]
Out = Annotated[
    Path,
    typer.Option("--out", "-o", help="What to write; its ending says how."),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what is already there under that name.")
]


def decoding(temperature: float) -> dict[str, Any]:
    """Arguments of `decode` for a temperature; 0 is the likeliest each time."""
    return {"temperature": temperature} if temperature > 0 else {"greedy": True}
