"""Asking replicas on Ray: one that is lost, one that refuses. Ray itself runs in test_command."""

import asyncio

import pytest

from latentgen.export.serving.refusal import Refusal

deployment = pytest.importorskip("latentgen.export.serving.deployment")


class Handle:
    """Answers as a handle of Ray Serve does, one answer after the other."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.run = self

    async def remote(self, *arguments):
        self.asked.append(arguments)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception) and not isinstance(answer, Refusal):
            raise answer
        return answer


def ask(handle):
    replicas, retries = deployment.OnRay(handle), []
    replicas.retries = lambda: retries.append(1)
    try:
        return asyncio.run(replicas.run("cats", 1, "sample", {})), len(retries)
    except Refusal as refusal:
        return refusal, len(retries)


def lost():
    from ray.exceptions import ActorDiedError

    return ActorDiedError()


def test_what_a_lost_replica_was_asked_another_is_asked():
    handle = Handle(lost(), lost(), {"z": 1})
    assert ask(handle) == ({"z": 1}, 2)
    assert handle.asked == [("cats", 1, "sample", {})] * 3


def test_where_all_are_lost_the_client_comes_back():
    refusal, retries = ask(Handle(lost(), lost(), lost()))
    assert (refusal.status, refusal.retry_after, retries) == (503, 5, 2)


def test_a_refusal_is_returned_by_the_replica_and_raised_here():
    refusal, retries = ask(Handle(Refusal(400, "z: expected less")))
    assert (refusal.status, str(refusal), retries) == (400, "z: expected less", 0)


def test_a_fault_of_the_model_is_not_asked_again():
    with pytest.raises(ZeroDivisionError):
        ask(Handle(ZeroDivisionError()))


def test_a_refusal_survives_the_way_between_processes():
    import pickle

    from latentgen.export.serving.refusal import Gone

    for refusal in (Refusal(503, "later", 5), Gone(404, "gone")):
        again = pickle.loads(pickle.dumps(refusal))
        assert type(again) is type(refusal)
        assert vars(again) == vars(refusal)
