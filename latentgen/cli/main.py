"""The command itself: its domains, `demo`, `import`, `export`, `presets`, how an error looks."""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from latentgen import __version__
from latentgen.cli import exporting, importing, music, serving, sketch, text
from latentgen.cli.options import Overwrite, Seed, examples
from latentgen.cli.output import check_free
from latentgen.cli.startup import import_keras, import_note_seq
from latentgen.errors import LatentgenError

app = typer.Typer(
    help="Sequence VAEs whose latent space does what it is asked.",
    epilog=examples(
        "latentgen demo",
        "latentgen sketch sample -n 16 --out sheet.png",
        "latentgen sketch constrain --rule 'number_of_strokes<4' --out few.png",
        "latentgen music sample -n 16 --out melodies.html",
        "latentgen music constrain --rule 'share_in_key(C major) > 0.95' --out in-c.mid",
        "latentgen text constrain --rule 'contains_word(dog) > 0.5' -n 8",
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(sketch.app, name="sketch")
app.add_typer(music.app, name="music")
app.add_typer(text.app, name="text")
app.command("import", epilog=importing.EPILOG)(importing.import_model)
app.command(epilog=exporting.EPILOG)(exporting.export)
app.command(epilog=serving.EPILOG)(serving.serve)


def run() -> None:
    """What the installed command `latentgen` calls."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code: 0, or 2 after one line on stderr.

    `--debug` is taken wherever it stands; with it errors are raised as they are.
    """
    debug = "--debug" in arguments
    _quieten(debug)
    try:
        code = app(
            [argument for argument in arguments if argument != "--debug"],
            prog_name="latentgen",
            standalone_mode=False,
        )
        if code != 130:
            return code if isinstance(code, int) else 0
        message = "interrupted"
    except (LatentgenError, OSError, typer.TyperException, typer.Abort) as error:
        if debug:
            raise
        message = _one_line(error)
        if not message:  # no command was given: Typer has shown the help
            return 0
    # Plain text where stderr is no terminal; never wrapped, so that it stays one line.
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        f"error: {message}", style="red", markup=False
    )
    return 2


def _one_line(error: Exception) -> str:
    if isinstance(error, typer.TyperException):
        message = error.format_message()
        context = getattr(error, "ctx", None)
        if context is not None and message:
            message = f"{message.rstrip('.')}; see {context.command_path} --help"
    elif isinstance(error, OSError) and error.strerror and error.filename:
        message = f"{error.filename}: {error.strerror}"
    else:
        message = str(error) or type(error).__name__
    return " ".join(message.split())


def _quieten(debug: bool) -> None:
    """Keeps start-up chatter of the libraries below out of what a person reads."""
    if not debug:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Keras' own progress bars and our log lines do not mix with the command's.
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="%(message)s")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"latentgen {__version__}")
        raise typer.Exit()


@app.callback()
def latentgen(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which this is.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where an error was raised; at any place.")
    ] = False,
) -> None:
    """Sequence VAEs whose latent space does what it is asked."""


@app.command(
    epilog=examples("latentgen demo", "latentgen demo --out tonight --seed 7"),
)
def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder to write, with an index.html in it.")
    ] = Path("demo-output"),
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Learn latent constraints before your eyes, of drawings, music and text; show what they do."""
    check_free(out, overwrite)
    import_note_seq()
    import_keras()
    from latentgen.demo import run as run_demo

    run_demo(output=out, seed=seed)


@app.command(epilog=examples("latentgen presets"))
def presets() -> None:
    """List the trained models that ship with the package, and Magenta's, to import."""
    from latentgen.cli.presets import print_presets

    print_presets()
