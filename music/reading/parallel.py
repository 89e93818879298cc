"""A function applied to many items in processes of their own, of which none can end the run."""

import faulthandler
import multiprocessing
import os
import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NamedTuple, TypeVar

from latentgen.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WORKERS = 16
ITEMS_A_WORKER = 16  # fewer are not worth the two seconds in which a process starts


class Failure(NamedTuple):
    """What became of an item without a result.

    Attributes:
        reason: 'too slow' or 'crashed'.
        detail: the error that it raised, or nothing if its process died.
    """

    reason: str
    detail: str = ""


def results(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int | None = None,
    seconds: float = 60.0,
) -> Iterator[tuple[int, Result | Failure]]:
    """Yields (index, result) as they come; a `Failure` for an item that fails in any way.

    Processes are spawned (forking one that runs TensorFlow or JAX may hang), one item at a time
    each, so that it is known which item ended one; then another takes its place.

    Args:
        function: importable, as the items and results are sent to and from other processes.
        items: any.
        workers: processes; as many as there are processors and work for without it. 0: none, all
            in this one, where nothing is stopped that hangs or crashes.
        seconds: a process that takes longer over one item is ended.

    Raises:
        InputError: a negative number, or no process can start.
    """
    if workers is not None and workers < 0:
        raise InputError(f"workers: expected 0 or more processes, received {workers}")
    if not seconds > 0:
        raise InputError(f"seconds: expected more than 0, received {seconds}")
    if workers is None:
        workers = min(os.cpu_count() or 1, MAX_WORKERS, -(-len(items) // ITEMS_A_WORKER))
    if workers == 0:
        for index, item in enumerate(items):
            yield index, _tried(function, item)
        return
    waiting = iter(enumerate(items))
    idle = [_Worker() for _ in range(min(workers, len(items)))]
    running: dict[Future, tuple[int, _Worker, float]] = {}
    try:
        while True:
            while idle and (task := next(waiting, None)):
                worker = idle.pop()
                try:
                    future = worker.pool.submit(_limited, function, task[1], seconds)
                except BrokenProcessPool:  # ended from outside while it had nothing to do
                    worker = _Worker()
                    future = worker.pool.submit(_limited, function, task[1], seconds)
                running[future] = task[0], worker, time.monotonic()
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                index, worker, began = running.pop(future)
                took = time.monotonic() - max(began, worker.ready_at)
                try:
                    outcome = future.result()
                except BrokenProcessPool:
                    worker.check_started()
                    worker.pool.shutdown(wait=False)
                    worker = _Worker()
                    outcome = Failure("too slow" if took >= seconds else "crashed")
                idle.append(worker)
                yield index, outcome
    finally:
        for worker in [*idle, *(worker for _, worker, _ in running.values())]:
            worker.pool.shutdown(wait=False, cancel_futures=True)


class _Worker:
    """One process, replaced as a whole when it dies."""

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        self.ready_at = 0.0
        self.started = self.pool.submit(_start)
        self.started.add_done_callback(self._ready)

    def _ready(self, _: Future) -> None:
        self.ready_at = time.monotonic()

    def check_started(self) -> None:
        """Raises InputError if the process never came to its first item."""
        if self.started.exception() is not None:
            raise InputError(
                "workers: expected a program that other processes can import, received one that "
                "fails there; put its last part under `if __name__ == '__main__':`, or give "
                "workers=0"
            )


def _start() -> None:
    """Makes a new process quiet: interrupts and warnings are the first one's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")


def _limited(function: Callable[[Any], Any], item: Any, seconds: float) -> Any:
    """In a worker: the result, or the end of the process after so many seconds."""
    with open(os.devnull, "w") as nowhere:
        # Its own thread ends the process, whatever holds the interpreter.
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            return _tried(function, item)
        finally:
            faulthandler.cancel_dump_traceback_later()


def _tried(function: Callable[[Any], Any], item: Any) -> Any:
    """The result, or a Failure: an error with one item must not lose the work on all others."""
    try:
        return function(item)
    except Exception as error:
        return Failure("crashed", f"{type(error).__name__}: {error}"[:200])
