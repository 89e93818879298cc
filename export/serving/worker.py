"""What a replica does: holds every model, answers batches, writes files, watches the disk."""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentgen.export.serving.description import Description
from latentgen.export.serving.prompts import Prompt
from latentgen.export.serving.refusal import Gone, Refusal
from latentgen.export.serving.rendering import render
from latentgen.export.serving.shelf import LINGER, Loaded, Shelf
from latentgen.export.serving.signatures import Signature


@dataclass(frozen=True)
class Served:
    """What can be asked of a version in memory."""

    version: int
    signatures: dict[str, Signature]
    description: Description


@dataclass(frozen=True)
class ModelReport:
    """A model's versions: those in memory, the served one first, and why others did not load."""

    loaded: tuple[Served, ...]
    failed: dict[int, str]


@dataclass(frozen=True)
class Report:
    """What a replica has, and what has happened since it was last asked.

    Attributes:
        models: by name.
        events: facts to be logged.
        process: its id.
        memory: resident bytes.
    """

    models: dict[str, ModelReport]
    events: tuple[dict[str, Any], ...]
    process: int
    memory: int


class Worker:
    """Every model of a service, in this process; its methods may be called from several threads.

    Args:
        folders: of the models by name.
        load: from a version's folder to a model with `signatures`, `description` and `run`.
        linger: seconds that a replaced version stays after it was last asked for.
    """

    def __init__(
        self, folders: Mapping[str, Path], load: Callable[[Path], Any], linger: float = LINGER
    ):
        self._shelves = {name: Shelf(path, load, linger) for name, path in folders.items()}
        self._events: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self.refresh()

    def refresh(self) -> None:
        """Looks at the disk."""
        for name, shelf in self._shelves.items():
            self._log(name, shelf)

    def models(self) -> list[Any]:
        """Those that are served."""
        return [shelf.serving.model for shelf in self._shelves.values() if shelf.serving]

    def report(self) -> Report:
        """What there is now."""
        with self._lock:
            events, self._events = tuple(self._events), []
        models = {
            name: ModelReport(
                tuple(_served(loaded) for loaded in shelf.loaded()),
                {version: why for version, (_, why) in shelf.failed.items()},
            )
            for name, shelf in self._shelves.items()
        }
        return Report(models, events, os.getpid(), _resident())

    def run(
        self, model: str, version: int, signature: str, inputs: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """The outputs of a signature.

        Raises:
            Gone: the version is not here, even after a look at the disk.
            Refusal: 400 where the model says that an input is none.
        """
        return self._find(model, version).model.run(signature, inputs)

    def render(
        self,
        model: str,
        version: int,
        kind: str,
        outputs: dict[str, np.ndarray],
        prompt: Prompt,
    ) -> bytes:
        """Pieces as a file; see `latentgen.export.serving.rendering`."""
        return render(kind, outputs, prompt, self._find(model, version).model.description)

    def _find(self, model: str, version: int) -> Loaded:
        shelf = self._shelves[model]
        try:
            return shelf.get(version)
        except Refusal:
            # Another replica was faster to see the version, or this one is new.
            self._log(model, shelf)
        try:
            return shelf.get(version)
        except Refusal as error:
            raise Gone(404, error.message) from None

    def _log(self, name: str, shelf: Shelf) -> None:
        happened = [
            {"event": f"version {event.what}", "model": name, "version": event.version}
            | ({"why": event.message} if event.message else {})
            for event in shelf.refresh()
        ]
        with self._lock:
            self._events += [{**facts, "replica": os.getpid()} for facts in happened]


def _served(loaded: Loaded) -> Served:
    return Served(loaded.version, loaded.model.signatures, loaded.model.description)


def _resident() -> int:
    """Resident memory in bytes; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
