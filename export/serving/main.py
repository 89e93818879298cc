"""Starts the service, and ends it when it is told to, once those that came have been answered."""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

import uvicorn

from latentgen.errors import FileError, InputError
from latentgen.export.serving.app import make_app
from latentgen.export.serving.logs import LOGGER, JsonFormatter
from latentgen.export.serving.service import Limits, Service

KEEP_ALIVE = 60  # seconds that a connection may be idle

# Read by Ray and TensorFlow when they are imported, and by the processes that Ray starts.
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent anywhere
    "RAY_enable_metrics_collection": "0",  # the service has its own
    "RAY_worker_niceness": "0",  # they are what the service is for
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
}


def serve(
    folders: Mapping[str, Path],
    limits: Limits,
    *,
    host: str,
    port: int,
    key: str | None,
    replicas: int,
    gpus: float,
    address: str | None,
    ready: Callable[[], None],
) -> None:
    """Serves until SIGTERM or Ctrl-C.

    Args:
        folders: of the models by name.
        key: the digest of the API key, if requests need one.
        replicas, gpus, address: see `latentgen.export.serving.deployment.replicas_on_ray`.
        ready: called when requests are answered.

    Raises:
        FileError: a model of which no version can be loaded.
        InputError: the address is taken.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if address is None:
        # Ray listens on every interface; only who knows this may ask it anything.
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    from latentgen.export.serving.deployment import replicas_on_ray

    with (
        _bound(host, port) as place,
        replicas_on_ray(
            folders,
            name=f"latentgen-{socket.gethostname()}-{port}",
            replicas=replicas,
            gpus=gpus,
            rows=limits.rows,
            address=address,
        ) as held,
        _logging(),
    ):
        service = Service(held, limits)
        held.retries = service.metrics.retries.inc
        asyncio.run(_listen(service, place, key, ready))


async def _listen(
    service: Service, place: socket.socket, key: str | None, ready: Callable[[], None]
) -> None:
    await service.look()
    for name, model in service.models.items():
        if not model.loaded:
            why = "; ".join(model.failed.values()) or "there is none"
            raise FileError(f"{name}: expected a version that can be loaded: {why}")
    server = _Server(service, make_app(service, key), ready)
    with _ignored(signal.SIGTERM, signal.SIGINT):  # but for the server's own handlers
        await server.serve(sockets=[place])


class _Server(uvicorn.Server):
    """Says when it listens, and tells the service that it ends."""

    def __init__(self, service: Service, app: Callable, ready: Callable[[], None]):
        self._service, self._ready = service, ready
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=max(1, round(service.limits.seconds)),
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._service.draining = True
        super().handle_exit(sig, frame)


@contextlib.contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket of the address, taken before anything is loaded."""
    place = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    with place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind((host, port))
        except OSError as error:
            raise InputError(
                f"--host {host} --port {port}: expected an address that is free: {error.strerror}"
            ) from None
        yield place


@contextlib.contextmanager
def _logging() -> Iterator[None]:
    """Log lines as JSON on stderr, uvicorn's too."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    loggers = (LOGGER, logging.getLogger("uvicorn"))
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    LOGGER.setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


@contextlib.contextmanager
def _ignored(*signals: signal.Signals) -> Iterator[None]:
    before = {number: signal.signal(number, lambda *_: None) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
