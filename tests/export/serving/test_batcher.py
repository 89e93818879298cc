"""Joining what arrives together."""

import asyncio

import pytest

from latentgen.export.serving.batcher import Batcher
from latentgen.export.serving.refusal import Refusal


class Model:
    """Notes the batches it is asked, and answers each item by itself once `gate` is open."""

    def __init__(self):
        self.batches = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, key, items):
        self.batches.append((key, list(items)))
        await self.gate.wait()
        return [item if item != "bad" else ValueError("bad") for item in items]


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


def test_what_arrives_together_is_answered_together():
    async def run():
        model = Model()
        batcher = Batcher(model, rows=8, wait=0.01)
        answers = await asyncio.gather(*(batcher.submit("a", k, 1, 5) for k in range(5)))
        assert answers == [0, 1, 2, 3, 4]
        assert model.batches == [("a", [0, 1, 2, 3, 4])]
        assert batcher.waiting == 0

    asyncio.run(run())


def test_a_full_batch_does_not_wait_and_none_is_larger():
    async def run():
        model = Model()
        batcher = Batcher(model, rows=4, wait=60, places=3)
        tasks = [asyncio.create_task(batcher.submit("a", k, 3, 5)) for k in range(2)]
        tasks.append(asyncio.create_task(batcher.submit("a", 9, 4, 5)))
        await settle()
        # 3 + 3 rows are more than 4: the first leaves alone, then the second, then the third.
        assert model.batches == [("a", [0]), ("a", [1]), ("a", [9])]
        assert await asyncio.gather(*tasks) == [0, 1, 9]

    asyncio.run(run())


def test_batches_grow_while_the_places_are_taken_and_keys_take_turns():
    async def run():
        model = Model()
        model.gate.clear()
        batcher = Batcher(model, rows=8, wait=0, places=1)
        tasks = [asyncio.create_task(batcher.submit(key, key, 1, 5)) for key in "abaab"]
        await settle()
        assert model.batches == [("a", ["a"])]
        assert batcher.waiting == 4
        model.gate.set()
        await asyncio.gather(*tasks)
        assert model.batches[1:] == [("b", ["b", "b"]), ("a", ["a", "a"])]

    asyncio.run(run())


def test_one_that_fails_does_not_fail_the_others():
    async def run():
        batcher = Batcher(Model(), wait=0.01)
        first, second = await asyncio.gather(
            batcher.submit("a", "bad", 1, 5), batcher.submit("a", "good", 1, 5),
            return_exceptions=True,
        )  # fmt: skip
        assert isinstance(first, ValueError)
        assert second == "good"

    asyncio.run(run())


def test_a_model_that_fails_fails_its_batch_and_frees_its_place():
    async def fail(key, items):
        raise RuntimeError("no")

    async def run():
        batcher = Batcher(fail, wait=0)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="no"):
                await batcher.submit("a", 1, 1, 5)

    asyncio.run(run())


def test_too_much_and_too_long_are_refused():
    async def run():
        model = Model()
        model.gate.clear()
        batcher = Batcher(model, rows=2, wait=0, queue=3)
        running = asyncio.create_task(batcher.submit("a", 1, 2, 0.05))
        await settle()
        waiting = asyncio.create_task(batcher.submit("a", 2, 2, 0.05))
        await settle()
        with pytest.raises(Refusal) as refused:
            await batcher.submit("a", 3, 2, 5)
        assert (refused.value.status, refused.value.retry_after) == (429, 1)
        codes = []
        for task in (running, waiting):
            with pytest.raises(Refusal) as refused:
                await task
            codes.append(refused.value.status)
        assert codes == [504, 503]
        assert batcher.waiting == 0
        model.gate.set()
        assert await batcher.submit("a", 4, 2, 5) == 4

    asyncio.run(run())


def test_one_whose_client_has_left_is_not_answered():
    async def run():
        model = Model()
        model.gate.clear()
        batcher = Batcher(model, wait=0)
        first = asyncio.create_task(batcher.submit("a", 1, 1, 5))
        await settle()
        left = asyncio.create_task(batcher.submit("a", 2, 1, 5))
        await settle()
        left.cancel()
        first.cancel()  # its batch is under way, and ends for nobody
        await settle()
        model.gate.set()
        assert await batcher.submit("a", 3, 1, 5) == 3
        assert model.batches == [("a", [1]), ("a", [3])]

    asyncio.run(run())
