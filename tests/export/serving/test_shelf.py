"""Versions on disk and in memory: what is new, damaged, replaced or removed."""

import shutil

import pytest

from latentgen.errors import FileError, InputError
from latentgen.export.serving.description import read_description
from latentgen.export.serving.refusal import Gone, Refusal
from latentgen.export.serving.repository import model_folders, versions
from latentgen.export.serving.shelf import Shelf
from tests.export.serving.fakes import changed, load, write_version


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def shelf(tmp_path):
    write_version(tmp_path / "cats", 1)
    shelf = Shelf(tmp_path / "cats", load, linger=10, clock=Clock())
    assert told(shelf) == [("loaded", 1)]
    return shelf


def told(shelf):
    return [(event.what, event.version) for event in shelf.refresh()]


def in_memory(shelf):
    return [loaded.version for loaded in shelf.loaded()]


def test_versions_are_folders_whose_names_are_numbers(tmp_path):
    for name in ("1", "12", "03", "x", ".4", "-5", "²"):
        (tmp_path / name).mkdir()
    (tmp_path / "6").write_text("a file")
    assert sorted(versions(tmp_path)) == [1, 12]
    assert versions(tmp_path / "nowhere") == {}


def test_a_version_changes_when_a_file_of_it_does(tmp_path):
    path = write_version(tmp_path, 1)
    before = versions(tmp_path)
    assert versions(tmp_path) == before
    changed(path / "saved_model.pb")
    assert versions(tmp_path) != before


def test_the_models_are_named_as_their_folders(tmp_path):
    for name in ("cats", "a b"):
        write_version(tmp_path / name, 1)
    assert model_folders([tmp_path / "cats"]) == {"cats": tmp_path / "cats"}
    with pytest.raises(InputError, match="two of 'cats'"):
        model_folders([tmp_path / "cats", tmp_path / "cats"])
    with pytest.raises(InputError, match="rename"):
        model_folders([tmp_path / "a b"])
    with pytest.raises(FileError, match="found none"):
        model_folders([tmp_path / "dogs"])
    with pytest.raises(FileError, match="a folder for each version"):
        model_folders([tmp_path / "cats" / "1"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, "format 1"),
        ({"domain": "film"}, "domain"),
        ({"latent_size": None}, "description"),
        ({"attributes": [{"name": "x", "kind": "binary"}]}, "'x'"),
        ({"attributes": [3]}, "description"),
    ],
)
def test_a_description_that_is_none_is_refused(tmp_path, changes, words):
    path = write_version(tmp_path, 1, **changes)
    with pytest.raises(FileError, match=words):
        read_description(path)


def test_a_new_version_is_served_once_its_files_stand_still(shelf):
    path = write_version(shelf.folder, 2)
    assert told(shelf) == []  # seen for the first time
    changed(path / "saved_model.pb")
    assert told(shelf) == []  # still being written
    assert shelf.get().version == 1
    assert told(shelf) == [("loaded", 2)]
    assert shelf.get().version == 2
    assert shelf.get(1).version == 1


def test_a_replaced_version_stays_until_nobody_asks_for_it(shelf):
    write_version(shelf.folder, 2)
    shelf.refresh(), shelf.refresh()
    shelf.clock.now = 9
    shelf.get(1)
    shelf.clock.now = 18
    assert told(shelf) == []
    shelf.clock.now = 20
    assert told(shelf) == [("dropped", 1)]
    assert in_memory(shelf) == [2]
    with pytest.raises(Gone, match="version 1"):
        shelf.get(1)


def test_a_damaged_version_is_skipped_until_it_changes(shelf):
    path = write_version(shelf.folder, 2)
    whole = (path / "saved_model.pb").read_bytes()
    (path / "saved_model.pb").write_bytes(b"half")
    shelf.refresh()
    [event] = shelf.refresh()
    assert (event.what, event.version, event.message) == ("skipped", 2, "damaged")  # one line
    assert told(shelf) == []  # said once
    assert shelf.get().version == 1
    (path / "saved_model.pb").write_bytes(whole)
    shelf.refresh()
    assert told(shelf) == [("loaded", 2)]
    assert shelf.failed == {}


def test_where_the_newest_is_removed_the_one_before_is_served(shelf):
    write_version(shelf.folder, 2)
    shelf.refresh(), shelf.refresh()
    shutil.rmtree(shelf.folder / "2")
    assert told(shelf) == [("loaded", 1)]
    assert shelf.get().version == 1
    shutil.rmtree(shelf.folder)
    assert told(shelf) == []
    assert shelf.get().version == 1


def test_a_version_that_is_damaged_on_disk_goes_on_from_memory(shelf):
    write_version(shelf.folder, 3)
    shelf.refresh(), shelf.refresh()
    (shelf.folder / "3" / "saved_model.pb").unlink()
    shelf.refresh()
    assert told(shelf) == [("skipped", 3)]
    assert shelf.get().version == 3


def test_a_version_that_is_replaced_in_place_is_loaded_again(shelf):
    before = shelf.get().model
    changed(shelf.folder / "1" / "saved_model.pb")
    shelf.refresh()
    assert told(shelf) == [("loaded", 1)]
    assert shelf.get(1).model is not before


def test_nothing_that_loads_is_no_model_yet(tmp_path):
    path = write_version(tmp_path, 1)
    (path / "saved_model.pb").write_bytes(b"half")
    shelf = Shelf(tmp_path, load)
    assert told(shelf) == [("skipped", 1)]
    with pytest.raises(Refusal) as refused:
        shelf.get()
    assert refused.value.status == 503
