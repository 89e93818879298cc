"""Progress to watch: a bar with a time estimate on a terminal, elsewhere a line now and then."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

SECONDS_BETWEEN_LINES = 60.0

T = TypeVar("T")
Advance = Callable[..., None]
"""(done, note, total): how many steps are done, what is worth knowing about them if anything, and
how many there are, where that is found out on the way."""


@contextlib.contextmanager
def progress_bar(what: str, total: int) -> Iterator[Advance]:
    """A bar for `total` steps. Where there is no terminal, a line a minute, for the log."""
    console = Console()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[note]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total, note="")
        last = time.monotonic()

        def advance(done: int, note: str = "", total: int = total) -> None:
            nonlocal last
            progress.update(task, completed=done, note=note, total=total)
            if not console.is_terminal and time.monotonic() - last > SECONDS_BETWEEN_LINES:
                console.print(f"{what}: {done} of {total} {note}", markup=False, highlight=False)
                last = time.monotonic()

        yield advance


def counted(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """The items one after the other, with a bar of how many have been used."""
    with progress_bar(what, total) as advance:
        for index, item in enumerate(items, start=1):
            yield item
            advance(index)


@contextlib.contextmanager
def waiting(what: str) -> Iterator[None]:
    """For work whose length is not known: what it is and for how long already."""
    console = Console()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        progress.add_task(what, total=None)
        yield


def on_each_batch(advance: Advance, names: tuple[str, ...] = ("loss",)) -> Any:
    """A Keras callback that reports the model's own step and the named metrics."""
    import keras

    class Report(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            shown = [f"{name} {float(logs[name]):.3f}" for name in names if name in (logs or {})]
            advance(int(self.model.optimizer.iterations), "  ".join(shown))

    return Report()
