"""`latentgen text …`: the verbs of every domain, for sentences.

`sentences` reads what a person names or types and writes what they asked for; `model` opens a model
and says how it is to write; each other file holds verbs.
"""

import typer

from latentgen.cli.text import constrain, generate, train

app = typer.Typer(help="Sentences: captions, reviews, lines of text.", no_args_is_help=True)
for part in (train, generate, constrain):
    app.add_typer(part.app)
