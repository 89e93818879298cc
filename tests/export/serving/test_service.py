"""The service without its wire: neighbours in a batch, and replicas that come and go."""

import asyncio
import shutil

import numpy as np
import pytest

from latentgen.export.serving.calls import make_call
from latentgen.export.serving.refusal import Refusal
from latentgen.export.serving.service import Limits, Service
from tests.export.serving.fakes import LATENT, InProcess, write_version


@pytest.fixture
def folder(tmp_path):
    write_version(tmp_path / "cats", 1)
    return tmp_path / "cats"


def decoding(seed):
    """What makes the call that decodes a row by a seed."""

    def make(served):
        inputs = {
            "z": np.full((1, LATENT), seed, "float32"),
            "temperature": np.float32(1),
            "seed": np.int32(seed),
        }
        signature = served.signatures["decode"]
        return make_call("decode", inputs, signature, served.description, 64)

    return make


def serving(folder, test, **limits):
    """Runs a coroutine function with a service of the folder, and its replicas."""

    async def run():
        replicas = InProcess({"cats": folder})
        service = Service(replicas, Limits(**limits))
        await service.look()
        return await test(service, replicas)

    return asyncio.run(run())


def test_one_that_the_model_refuses_does_not_spoil_its_batch(folder):
    async def test(service, replicas):
        asked = (service.answer("cats", None, decoding(seed)) for seed in (1, 13, 2))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        calls = replicas.worker.models()[0].calls
        assert calls[0][1]["z"] == (4, LATENT)  # three, padded: they were together
        return answers

    first, wrong, second = serving(folder, test, wait=0.05)
    assert isinstance(wrong, Refusal)
    assert wrong.status == 400
    for (served, outputs), z in ((first, 1), (second, 2)):
        assert served.version == 1
        assert outputs["strokes"][0, 1, 0] == z


def test_what_was_asked_of_a_version_that_is_gone_is_asked_of_the_one_there_is(folder):
    async def test(service, replicas):
        # Another replica takes the place of the one that said what there is.
        said = service.models
        write_version(folder, 2)
        shutil.rmtree(folder / "1")
        replicas.worker = InProcess({"cats": folder}).worker
        with pytest.raises(Refusal, match="version 1") as refused:
            await service.answer("cats", 1, decoding(0))
        assert refused.value.status == 404
        service.models = said
        return await service.answer("cats", None, decoding(0))

    served, outputs = serving(folder, test)
    assert served.version == outputs["strokes"][0, 0, 0] == 2


def test_without_a_replica_what_is_known_stays(folder):
    async def test(service, replicas):
        async def fail():
            raise ConnectionError

        replicas.report = fail
        async with service.running():
            await asyncio.sleep(0.05)
        return service.ready, await service.answer("cats", None, decoding(0))

    ready, (served, _) = serving(folder, test, watch=0.01)
    assert ready
    assert served.version == 1


def test_a_replica_that_hangs_does_not_keep_its_place(folder):
    async def test(service, replicas):
        replicas.delay = 60
        with pytest.raises(Refusal) as refused:
            await service.answer("cats", None, decoding(0))
        assert refused.value.status == 504
        replicas.delay = 0
        await asyncio.sleep(0.15)
        return await service.answer("cats", None, decoding(0))

    served, _ = serving(folder, test, seconds=0.1)
    assert served.version == 1


def test_before_anything_is_loaded_clients_come_back(folder):
    service = Service(InProcess({"cats": folder}))
    assert not service.ready
    with pytest.raises(Refusal) as refused:
        service.model("cats")
    assert (refused.value.status, refused.value.retry_after) == (503, 5)
