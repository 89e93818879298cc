"""Where results go: nothing is replaced unasked, and what was written is said."""

from collections.abc import Collection
from pathlib import Path

from rich.console import Console

from latentgen.errors import InputError


def check_free(out: Path, overwrite: bool, option: str = "--out") -> None:
    """Refuses a name that is taken, before any work is done. An empty folder is free."""
    taken = out.exists() and not (out.is_dir() and not any(out.iterdir()))
    if taken and not overwrite:
        raise InputError(f"{out} exists: give --overwrite to replace it, or another {option}")


def check_file(out: Path, endings: Collection[str], overwrite: bool, option: str = "--out") -> None:
    """Refuses an ending nobody can write, a folder, and a name that is taken."""
    if out.suffix.lower() not in endings:
        raise InputError(
            f"{option} {out}: expected a name that ends in {', '.join(endings)}, "
            f"received {out.suffix or 'none'!r}"
        )
    if out.is_dir():
        raise InputError(f"{option} {out}: expected the name of a file, received a folder")
    check_free(out, overwrite, option)


def wrote(out: Path, what: str) -> None:
    """Tells what lies where."""
    say(f"Wrote {out}: {what}")


def say(what: object) -> None:
    """Prints a text as it is, with nothing coloured or folded."""
    Console(soft_wrap=True, highlight=False).print(str(what), markup=False, emoji=False)
