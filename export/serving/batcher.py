"""Requests that arrive together are answered together."""

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from latentgen.export.serving.refusal import Refusal

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(eq=False)
class _Job(Generic[Item, Result]):
    item: Item
    rows: int
    arrived: float
    future: "asyncio.Future[Result]"
    running: bool = False


class Batcher(Generic[Item, Result]):
    """Joins items of the same key and has them answered, so many batches at a time.

    A batch leaves when it is full, or when its first item has waited for `wait` and one of the
    places is free; while all are taken, batches grow. The key that has waited longest is next.

    Args:
        run: answers the items of a key: a result or an exception for each.
        rows: most rows of a batch.
        wait: seconds that an item waits for company where a place is free.
        places: how many batches run at a time.
        queue: most rows that may wait.
    """

    def __init__(
        self,
        run: Callable[[Hashable, Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        rows: int = 64,
        wait: float = 0.005,
        places: int = 1,
        queue: int = 1024,
    ):
        self._run, self._rows, self._wait, self._queue = run, rows, wait, queue
        self._jobs: dict[Hashable, deque[_Job[Item, Result]]] = {}
        self._free = places
        self._running: set[asyncio.Task] = set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Rows that wait."""
        return sum(job.rows for jobs in self._jobs.values() for job in jobs)

    async def submit(self, key: Hashable, item: Item, rows: int, timeout: float) -> Result:
        """The result of an item.

        Raises:
            Refusal: 429 if too many rows wait; 503 if it waited, and 504 if it ran, too long.
        """
        if self.waiting + rows > self._queue:
            raise Refusal(429, "the service has more requests than it can answer; come back", 1)
        loop = asyncio.get_running_loop()
        job = _Job[Item, Result](item, rows, loop.time(), loop.create_future())
        self._jobs.setdefault(key, deque()).append(job)
        self._dispatch()
        try:
            async with asyncio.timeout(timeout):
                return await job.future
        except TimeoutError:
            if job.running:
                message = f"the model did not answer in {timeout:g} seconds; ask for less"
                raise Refusal(504, message) from None
            message = f"the request waited for {timeout:g} seconds; come back"
            raise Refusal(503, message, 1) from None
        finally:
            if not job.running and key in self._jobs and job in self._jobs[key]:
                self._remove(key, [job])

    def _dispatch(self) -> None:
        """Starts what may be started now, and comes back when the next batch is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        while self._free and self._jobs:
            due = {key: self._due(jobs) for key, jobs in self._jobs.items()}
            key = min(due, key=due.__getitem__)
            if due[key] > loop.time():
                self._timer = loop.call_at(due[key], self._dispatch)
                return
            self._start(key)

    def _due(self, jobs: deque[_Job[Item, Result]]) -> float:
        full = sum(job.rows for job in jobs) >= self._rows
        return jobs[0].arrived + (0 if full else self._wait)

    def _start(self, key: Hashable) -> None:
        sums = itertools.accumulate(job.rows for job in self._jobs[key])
        count = max(1, sum(rows <= self._rows for rows in sums))
        batch = list(itertools.islice(self._jobs[key], count))
        self._remove(key, batch)
        for job in batch:
            job.running = True
        self._free -= 1
        task = asyncio.get_running_loop().create_task(self._answer(key, batch))
        self._running.add(task)  # the loop alone would not keep it
        task.add_done_callback(self._running.discard)

    def _remove(self, key: Hashable, batch: list[_Job[Item, Result]]) -> None:
        for job in batch:
            self._jobs[key].remove(job)
        if not self._jobs[key]:
            del self._jobs[key]

    async def _answer(self, key: Hashable, batch: list[_Job[Item, Result]]) -> None:
        try:
            results = await self._run(key, [job.item for job in batch])
        except Exception as error:
            results = [error] * len(batch)
        finally:
            self._free += 1
            self._dispatch()
        for job, result in zip(batch, results, strict=True):
            if job.future.done():  # nobody waits any more
                continue
            if isinstance(result, Exception):
                job.future.set_exception(result)
            else:
                job.future.set_result(result)
