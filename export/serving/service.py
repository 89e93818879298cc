"""The service without its wire: what is served, requests joined into batches, replicas asked."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from latentgen.export.serving.batcher import Batcher
from latentgen.export.serving.calls import Call, joined, parted
from latentgen.export.serving.logs import log
from latentgen.export.serving.metrics import Metrics
from latentgen.export.serving.prompts import FORMATS, Prompt
from latentgen.export.serving.refusal import Gone, Refusal, bad, shown
from latentgen.export.serving.worker import ModelReport, Report, Served

Arrays = dict[str, np.ndarray]


class Replicas(Protocol):
    """Whoever runs models: any of several, each as good as the other."""

    async def report(self) -> Report: ...

    async def run(self, model: str, version: int, signature: str, inputs: Arrays) -> Arrays: ...

    async def render(
        self, model: str, version: int, kind: str, outputs: Arrays, prompt: Prompt
    ) -> bytes: ...


@dataclass(frozen=True)
class Limits:
    """What a service takes.

    Attributes:
        rows: of one request, and of one batch.
        wait: seconds that a request waits for others to be answered with.
        places: batches that are answered at a time.
        queue: rows that may wait.
        seconds: until a request is given up.
        body: bytes.
        watch: seconds between two looks at what there is.
    """

    rows: int = 64
    wait: float = 0.005
    places: int = 1
    queue: int = 1024
    seconds: float = 30.0
    body: int = 8 * 2**20
    watch: float = 1.0


class Service:
    """Answers calls, in batches, by replicas; knows what they serve.

    Attributes:
        metrics: what has been answered so far.
        draining: whether no request is taken any more.
        in_flight: requests that are being answered; counted by the wire.
    """

    def __init__(self, replicas: Replicas, limits: Limits = Limits()):
        self.replicas, self.limits, self.metrics = replicas, limits, Metrics()
        self.draining, self.in_flight = False, 0
        self.models: dict[str, ModelReport] = {}
        self._batcher: Batcher[Call, Arrays] = Batcher(
            self._run, limits.rows, limits.wait, limits.places, limits.queue
        )
        self.metrics.waiting.set_function(lambda: self._batcher.waiting)
        self.metrics.in_flight.set_function(lambda: self.in_flight)

    @contextlib.asynccontextmanager
    async def running(self):
        """Watches the replicas as long as the context lasts."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @property
    def ready(self) -> bool:
        """Whether every model has a version that is served."""
        return bool(self.models) and all(each.loaded for each in self.models.values())

    def model(self, name: str) -> ModelReport:
        """What there is of a model; 404 for an unknown one."""
        if name in self.models:
            return self.models[name]
        if not self.models:
            raise Refusal(503, "the models are being loaded; come back", 5)
        raise Refusal(404, f"model {shown(name)}: expected one of {sorted(self.models)}")

    def served(self, name: str, version: int | None = None) -> Served:
        """A version that can be asked, the newest where none is named; 404 or 503 without."""
        loaded = self.model(name).loaded
        if not loaded:
            raise Refusal(503, f"model {name!r} has no version that could be loaded; come back", 5)
        for served in loaded:
            if version is None or served.version == version:
                return served
        known = [served.version for served in loaded]
        raise Refusal(404, f"model {name!r}: expected version {known}, received {version}")

    async def answer(
        self, name: str, version: int | None, make: Callable[[Served], Call]
    ) -> tuple[Served, Arrays]:
        """The outputs of the call that `make` makes for what is served, and of which version.

        Raises:
            Refusal: what the client is to be told.
        """
        for last in (False, True):
            served = self.served(name, version)
            call = make(served)
            key = (name, served.version, *call.shape)
            try:
                outputs = await self._batcher.submit(key, call, call.rows, self.limits.seconds)
            except Gone:
                await self.look()
                if last or version is not None:
                    raise
            else:
                _check_finite(outputs)
                return served, outputs
        raise AssertionError("unreachable")

    async def render(self, name: str, served: Served, kind: str, outputs: Arrays, prompt: Prompt):
        """Pieces as a file."""
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await self.replicas.render(name, served.version, kind, outputs, prompt)
        except TimeoutError:
            raise Refusal(504, f"sample.{kind} was not written in time; ask for less") from None

    async def look(self) -> None:
        """Asks a replica what it has."""
        report = await self.replicas.report()
        self.models = report.models
        self.metrics.replica_memory.set(report.memory)
        for name, model in report.models.items():
            if model.loaded:
                self.metrics.version.labels(name).set(model.loaded[0].version)
        for facts in report.events:
            log(**facts)

    async def _watch(self) -> None:
        while True:
            try:
                async with asyncio.timeout(10):
                    await self.look()
            except Exception as error:
                # What was known stays; a replica that comes back is asked again.
                log("no replica answers", error=f"{type(error).__name__}: {error}"[:300])
            await asyncio.sleep(self.limits.watch)

    async def _run(self, key: Hashable, calls: Sequence[Call]) -> Sequence[Arrays | Exception]:
        assert isinstance(key, tuple)
        name, version, signature = key[:3]
        self.metrics.batch_rows.labels(name, signature).observe(sum(call.rows for call in calls))
        started = time.perf_counter()
        try:
            # Longer than any client waits: a replica that hangs must not keep its place for ever.
            async with asyncio.timeout(2 * self.limits.seconds):
                outputs = await self.replicas.run(name, version, signature, joined(calls))
        except TimeoutError:
            return [Refusal(504, "the model did not answer in time; ask for less")] * len(calls)
        except Refusal as error:
            if len(calls) == 1 or isinstance(error, Gone):
                return [error] * len(calls)
            # One of them is at fault; the others shall not be told so.
            return [(await self._run(key, [call]))[0] for call in calls]
        finally:
            seconds = time.perf_counter() - started
            self.metrics.batch_seconds.labels(name, signature).observe(seconds)
        return parted(outputs, calls)


def _check_finite(outputs: Arrays) -> None:
    for name, array in outputs.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise bad(
                f"what the model made of this is not finite ({name}): expected z nearer to 0, "
                "or a lower temperature or strength"
            )


def describe(name: str, model: ModelReport) -> dict[str, Any]:
    """What a client may want to know of a model before it asks."""
    if not model.loaded:
        return {"name": name, "version": None}
    served = model.loaded[0]
    told = served.description
    return {
        "name": name,
        "version": served.version,
        "domain": told.domain,
        "class": told.kind,
        "latent_size": told.latent_size,
        "max_length": told.max_length,
        "attributes": [
            {"name": a.name, "kind": a.kind, "classes": list(a.classes)} for a in told.attributes
        ],
        "samples": [f"sample.{kind}" for kind in FORMATS[told.domain]],
        "signatures": sorted(served.signatures),
    }
