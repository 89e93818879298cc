"""Files and folders appear whole or not at all."""

import contextlib
import os
import stat

import pytest

from latentgen.files import atomic_file, atomic_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_is_written_with_its_suffix_and_the_usual_mode(tmp_path):
    target = tmp_path / "new" / "drawing.svg"
    mask = os.umask(0o022)
    try:
        with atomic_file(target) as temporary:
            assert temporary.suffix == ".svg"
            assert temporary.parent == target.parent  # the rename cannot cross file systems
            temporary.write_text("ink")
            assert not target.exists()
    finally:
        os.umask(mask)
    assert target.read_text() == "ink"
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert names(target.parent) == ["drawing.svg"]


def test_failure_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    target = tmp_path / "a.npz"
    target.write_text("old")
    with contextlib.suppress(RuntimeError), atomic_file(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError("no ink")
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.npz"]


def test_interruption_keeps_the_old_file_too(tmp_path):
    target = tmp_path / "a.npz"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_file(target):
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.npz"]


def test_file_replaces_the_old_one(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with atomic_file(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def test_folder_replaces_the_old_one_whole(tmp_path):
    target = tmp_path / "preset"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with atomic_folder(target) as temporary:
        (temporary / "new.txt").write_text("new")
        assert names(target) == ["old.txt"]
    assert names(target) == ["new.txt"]
    assert names(tmp_path) == ["preset"]


def test_folder_failure_keeps_the_old_one(tmp_path):
    target = tmp_path / "preset"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with contextlib.suppress(RuntimeError), atomic_folder(target) as temporary:
        (temporary / "new.txt").write_text("new")
        raise RuntimeError("no disk")
    assert names(target) == ["old.txt"]
    assert names(tmp_path) == ["preset"]


def test_folder_comes_back_if_the_last_rename_fails(tmp_path, monkeypatch):
    target = tmp_path / "preset"
    target.mkdir()
    (target / "old.txt").write_text("old")
    replace = os.replace

    def failing(source, destination):
        if os.path.exists(os.path.join(source, "new.txt")):
            raise OSError("disk error")
        replace(source, destination)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="disk error"), atomic_folder(target) as temporary:
        (temporary / "new.txt").write_text("new")
    assert names(target) == ["old.txt"]
    assert names(tmp_path) == ["preset"]
