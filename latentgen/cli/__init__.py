"""The `latentgen` command: the same verbs in every domain.

A domain is one file with a Typer `app` (see sketch.py) and its line in main.py. Nothing heavy is
imported at the top of a file here, so that `latentgen --help` answers at once.
"""
