"""Where the tests find data that is not part of the repository: the folder `shared` beside it."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def shared_path(relative: str) -> Path:
    """The path of `relative` in `shared`; skips the running test where it is absent.

    The folder is the one the environment variable LATENTGEN_SHARED names, or `../shared` seen from
    the repository. Call it inside a test or a fixture, so that nothing else is skipped.
    """
    root = Path(os.environ.get("LATENTGEN_SHARED") or REPOSITORY.parent / "shared")
    path = root / relative
    if not path.exists():
        pytest.skip(f"needs {relative} of the shared folder, looked for in {root}")
    return path
