import os
import time

import pytest

from latentgen.errors import InputError
from latentgen.music.reading.parallel import Failure, results


def work(item):
    """What an item says: a number is squared; others end badly."""
    if item == "raise":
        raise KeyError("no such thing")
    if item == "die":
        os._exit(3)
    if item == "hang":
        time.sleep(60)
    return item * item


def test_no_item_ends_the_run():
    items = [1, "die", 2, "raise", "hang", 3, "die", 4]
    found = dict(results(work, items, workers=2, seconds=3.0))
    assert found == {
        0: 1,
        1: Failure("crashed"),
        2: 4,
        3: Failure("crashed", "KeyError: 'no such thing'"),
        4: Failure("too slow"),
        5: 9,
        6: Failure("crashed"),
        7: 16,
    }


def test_without_processes():
    assert dict(results(work, [1, "raise", 3], workers=0)) == {
        0: 1,
        1: Failure("crashed", "KeyError: 'no such thing'"),
        2: 9,
    }


def test_nothing_to_do():
    assert list(results(work, [])) == []


@pytest.mark.parametrize("options", [{"workers": -1}, {"seconds": 0}])
def test_arguments(options):
    with pytest.raises(InputError, match=next(iter(options))):
        list(results(work, [1], **options))


def test_a_script_that_cannot_be_imported_is_said_to_be_one(tmp_path, monkeypatch):
    import __main__

    script = tmp_path / "script.py"
    script.write_text("raise RuntimeError('read twice')\n")
    monkeypatch.setattr(__main__, "__file__", str(script), raising=False)
    monkeypatch.setattr(__main__, "__spec__", None)
    with pytest.raises(InputError, match="__main__"):
        list(results(work, [1], workers=1))
