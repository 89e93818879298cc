"""The `latentgen` command: the same verbs in every domain.

A domain is a folder with a Typer `app` (see sketch/) and its line in main.py. Nothing heavy is
imported at the top of a file here, so that `latentgen --help` answers at once.
"""
