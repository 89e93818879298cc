"""`latentgen sketch …`: the verbs of every domain, for drawings.

`drawings` reads what a person names and writes what they asked for; each other file holds verbs.
"""

import typer

from latentgen.cli.sketch import constrain, generate, train

app = typer.Typer(help="Drawings: strokes, QuickDraw, SVG.", no_args_is_help=True)
for part in (train, generate, constrain):
    app.add_typer(part.app)
