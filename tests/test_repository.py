"""The repository as a whole: what it promises in its files, and what must never be in it."""

import configparser
import importlib
import os
import re
import subprocess
from pathlib import Path

import pytest

import latentgen
from tests.shared import REPOSITORY

MAPPED = ("sketch", "music", "text", "export")  # by package_dir


def tracked(*patterns):
    """Files that git knows, or all of them where there is no git (an unpacked archive)."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs git")
    return [REPOSITORY / name for name in listed if (REPOSITORY / name).is_file()]


def settings():
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / "setup.cfg")
    return parser


def test_every_package_is_installed():
    found = {"latentgen"}
    for file in tracked("latentgen/*__init__.py", *(f"{name}/*__init__.py" for name in MAPPED)):
        package = file.parent.relative_to(REPOSITORY).as_posix().replace("/", ".")
        found.add(package if package.startswith("latentgen") else f"latentgen.{package}")
    assert set(settings()["options"]["packages"].split()) == found


def test_no_name_is_hidden_by_a_module():
    """Once a submodule is imported, the package's attribute of its name is the module."""
    for name in settings()["options"]["packages"].split():
        package = importlib.import_module(name)
        modules = {file.stem for file in Path(package.__file__).parent.glob("*.py")}
        assert not modules & set(getattr(package, "__all__", ())), name


def test_every_package_says_what_lives_there():
    for file in tracked("latentgen/*__init__.py", *(f"{name}/*__init__.py" for name in MAPPED)):
        words = file.read_text(encoding="utf-8").partition('"""')[2].partition('"""')[0].split()
        assert len(words) > 3, file


def test_the_version_is_in_the_changelog():
    assert f"## [{latentgen.__version__}]" in (REPOSITORY / "CHANGELOG.md").read_text("utf-8")


def test_constraints_pin_every_dependency_and_no_address():
    lines = (REPOSITORY / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", pin) for pin in pins)
    pinned = {pin.partition("==")[0].lower().replace("_", "-") for pin in pins}
    options = settings()
    wanted = [options["options"]["install_requires"], *options["options.extras_require"].values()]
    for line in "\n".join(wanted).split("\n"):
        name = re.match(r"[\w-]*", line.strip())[0].lower()
        assert not name or name in pinned, line


def test_make_has_the_targets_that_are_documented():
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert {"install", "demo", "test", "lint", "bench", "clean"} <= targets
    for document in ("README.md", "CONTRIBUTING.md"):
        text = (REPOSITORY / document).read_text("utf-8")
        assert set(re.findall(r"(?:`|^)make ([a-z]+)\b", text, re.MULTILINE)) <= targets


def test_continuous_integration_can_be_started():
    assert os.access(REPOSITORY / ".ci" / "run", os.X_OK)


def test_no_path_of_one_machine_and_no_unsafe_loading():
    here = (f"{REPOSITORY}/", "/home/", "/root/", "/tmp/")
    for file in tracked("*.py", "*.md", "*.cfg", "*.toml", "*.txt", "Makefile", ".ci/*"):
        if file.name == "test_repository.py":
            continue
        text = file.read_text(encoding="utf-8")
        assert not [path for path in here if path in text], file
        if not file.is_relative_to(REPOSITORY / "tests"):
            assert not re.search(r"allow_pickle\s*=\s*True[,)]", text), file


def test_the_tree_is_small():
    sizes = {file: file.stat().st_size for file in tracked()}
    assert sum(sizes.values()) < 40e6, sorted(sizes, key=sizes.__getitem__)[-5:]


def test_links_in_documents_lead_somewhere():
    for document in tracked("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"
