"""Replicas on Ray Serve: processes that hold the models, on this machine or on those of a cluster.

What a batch gives depends on nothing but the batch, so one whose replica is lost goes to another.
"""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayActorError, WorkerCrashedError
from ray.serve.exceptions import ReplicaUnavailableError
from ray.serve.handle import DeploymentHandle

from latentgen.export.serving.logs import log
from latentgen.export.serving.prompts import Prompt
from latentgen.export.serving.refusal import Refusal
from latentgen.export.serving.service import Arrays
from latentgen.export.serving.worker import Report, Worker

LOST = (RayActorError, WorkerCrashedError, ReplicaUnavailableError)
TRIES = 3
WATCH = 1.0  # seconds between two looks at the disk
OBJECTS = 100 * 2**20  # bytes of memory that Ray shares between processes; batches are small


class Replica:
    """A `Worker` behind Ray; refusals are returned, as what is raised comes with a traceback."""

    def __init__(self, folders: Mapping[str, str], rows: int):
        from latentgen.export.serving.models import SavedModel, load, sizes

        self._started = False

        def loaded(folder: Path) -> SavedModel:
            model = load(folder)
            if self._started:  # requests go to the version before, until this one is at its best
                model.warm_up(sizes(rows))
            return model

        paths = {name: Path(folder) for name, folder in folders.items()}
        self._worker = Worker(paths, loaded)
        threading.Thread(target=self._watch, args=(sizes(rows),), daemon=True).start()

    def _watch(self, sizes: Sequence[int]) -> None:
        try:
            for model in self._worker.models():
                model.warm_up(sizes)
        except Exception as error:  # it answers as it is; what is compiled later takes longer
            log("not warmed up", logging.WARNING, error=str(error)[:300])
        self._started = True
        while True:
            time.sleep(WATCH)
            with contextlib.suppress(OSError):  # a disk that is away for a moment
                self._worker.refresh()

    async def report(self) -> Report:
        """See `Worker`."""
        return self._worker.report()

    async def run(self, *arguments: Any) -> Arrays | Refusal:
        """See `Worker`."""
        try:
            return await asyncio.to_thread(self._worker.run, *arguments)
        except Refusal as refusal:
            return refusal

    async def render(self, *arguments: Any) -> bytes | Refusal:
        """See `Worker`."""
        try:
            return await asyncio.to_thread(self._worker.render, *arguments)
        except Refusal as refusal:
            return refusal


class OnRay:
    """The replicas as a `Service` sees them; what one that is lost was asked, another is asked."""

    def __init__(self, handle: DeploymentHandle):
        """`retries` is called whenever a batch is sent again."""
        self._handle = handle
        self.retries: Callable[[], None] = lambda: None

    async def report(self) -> Report:
        return await self._ask("report")

    async def run(self, model: str, version: int, signature: str, inputs: Arrays) -> Arrays:
        return await self._ask("run", model, version, signature, inputs)

    async def render(
        self, model: str, version: int, kind: str, outputs: Arrays, prompt: Prompt
    ) -> bytes:
        return await self._ask("render", model, version, kind, outputs, prompt)

    async def _ask(self, method: str, *arguments: Any) -> Any:
        for left in reversed(range(TRIES)):
            try:
                result = await getattr(self._handle, method).remote(*arguments)
            except LOST as error:
                log("replica lost", logging.WARNING, method=method, error=type(error).__name__)
                if not left:
                    raise Refusal(503, "the models are being loaded again; come back", 5) from None
                self.retries()
                await asyncio.sleep(0.1)
            else:
                if isinstance(result, Refusal):
                    raise result
                return result
        raise AssertionError("unreachable")


@contextlib.contextmanager
def replicas_on_ray(
    folders: Mapping[str, Path],
    *,
    name: str,
    replicas: int,
    gpus: float,
    rows: int,
    address: str | None,
) -> Iterator[OnRay]:
    """Replicas that are ready to answer; what was started for them ends with the context.

    Args:
        folders: of the models by name; on a cluster every node must see them.
        name: of the application, on a cluster; one that runs under it is replaced.
        replicas: how many.
        gpus: of each; a share if several use one.
        rows: most rows of a batch.
        address: of a cluster; without it Ray is started on this machine, for this process alone.
    """
    for logger in ("ray", "ray.serve"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address is None:
        cores = max(replicas, os.cpu_count() or 1)  # a replica is no reason to refuse another
        ray.init(
            address="local",
            num_cpus=cores,
            include_dashboard=False,
            object_store_memory=OBJECTS,
            **quiet,
        )
    else:
        ray.init(address=address, **quiet)
    try:
        serve.start(
            proxy_location="Disabled",  # this process speaks HTTP
            logging_config={"log_level": "ERROR", "enable_access_log": False},
        )
        deployment = serve.deployment(
            name="replica",
            num_replicas=replicas,
            max_ongoing_requests=16,
            ray_actor_options={"num_cpus": 1, "num_gpus": gpus},
            health_check_period_s=2,
            graceful_shutdown_timeout_s=5,
            graceful_shutdown_wait_loop_s=0.2,
        )(Replica)
        held = deployment.bind({key: str(path) for key, path in folders.items()}, rows)
        yield OnRay(serve.run(held, name=name, route_prefix=None))
    finally:
        if address is not None:
            serve.delete(name)
        ray.shutdown()  # of this machine alone, it takes all processes with it
