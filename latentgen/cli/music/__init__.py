"""`latentgen music …`: the verbs of every domain, for melodies, drums, trios and performances.

`passages` reads what a person names and writes what they asked for; `model` opens a model and says
how it is to play; each other file holds verbs.
"""

import typer

from latentgen.cli.music import constrain, generate, train

app = typer.Typer(help="Music: melodies, drums; MIDI, MusicXML, ABC.", no_args_is_help=True)
for part in (train, generate, constrain):
    app.add_typer(part.app)
