"""A model's versions in memory: the newest that loads is served, older ones until nobody asks."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from latentgen.export.serving.refusal import Gone, Refusal
from latentgen.export.serving.repository import versions

LINGER = 60.0  # seconds that a version stays after it was last asked for


@dataclass
class Loaded:
    """A version in memory and when it was last asked for (seconds of a monotonic clock)."""

    version: int
    fingerprint: str
    model: Any
    used: float = 0.0


class Event(NamedTuple):
    """Something to be logged of a version: 'loaded', 'skipped' or 'dropped', and why."""

    what: str
    version: int
    message: str = ""


@dataclass
class Shelf:
    """The versions of one model.

    `refresh` looks at the disk; call it now and then, from any thread. A version is loaded once its
    files have stayed as they are from one look to the next; if it does not load it is skipped until
    they change. The version served is replaced only by one that has loaded. Where its folder is
    gone, the newest that is left takes its place, or, if there is none, it stays.

    Args:
        folder: of the numbered folders.
        load: from a version's folder to a model that is ready to answer; raises what it likes.
        linger: seconds that a replaced version stays after it was last asked for.
        clock: seconds, monotonic.
    """

    folder: Path
    load: Callable[[Path], Any]
    linger: float = LINGER
    clock: Callable[[], float] = time.monotonic
    serving: Loaded | None = None
    failed: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Versions that did not load: their fingerprints, and why."""
    _older: list[Loaded] = field(default_factory=list)
    _seen: dict[int, str] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> list[Event]:
        """Loads what is new, drops what is no longer asked for, and says what it did."""
        with self._lock:
            found = versions(self.folder)
            # At the first look there is nothing to compare with, and somebody waits.
            seen, self._seen = (found if self._seen is None else self._seen), found
            self.failed = {v: why for v, why in self.failed.items() if v in found}
            return [*self._renew(found, seen), *self._drop()]

    def get(self, version: int | None = None) -> Loaded:
        """A version in memory, the one that is served where none is named.

        Raises:
            Refusal: 404 if it is not in memory; 503 if none is.
        """
        serving = self.serving
        if serving is None:
            raise Refusal(503, "expected a version that can be loaded, found none yet", 5)
        for loaded in (serving, *self._older):
            if version is None or loaded.version == version:
                loaded.used = self.clock()
                return loaded
        raise Gone(404, f"version {version}: expected {serving.version}, the one that is served")

    def loaded(self) -> list[Loaded]:
        """The versions in memory, the one that is served first."""
        return [each for each in (self.serving, *self._older) if each is not None]

    def _renew(self, found: dict[int, str], seen: dict[int, str]) -> list[Event]:
        events = []
        for version in sorted(found, reverse=True):
            fingerprint, serving = found[version], self.serving
            if serving and (serving.version, serving.fingerprint) == (version, fingerprint):
                break
            if seen.get(version) == fingerprint != self.failed.get(version, ("", ""))[0]:
                try:
                    model = self.load(self.folder / str(version))
                except Exception as error:  # whatever a damaged file makes TensorFlow raise
                    why = _one_line(error)
                    self.failed[version] = fingerprint, why
                    events.append(Event("skipped", version, why))
                else:
                    self.failed.pop(version, None)
                    self.serving = Loaded(version, fingerprint, model, self.clock())
                    if serving:
                        serving.used = self.clock()
                        self._older.insert(0, serving)
                    events.append(Event("loaded", version))
                    break
            if serving and serving.version == version:
                break  # its files are damaged or being replaced; what is in memory is whole
        return events

    def _drop(self) -> list[Event]:
        now = self.clock()
        old = [each for each in self._older if now - each.used > self.linger]
        self._older = [each for each in self._older if each not in old]
        return [Event("dropped", each.version) for each in old]


def _one_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300]
