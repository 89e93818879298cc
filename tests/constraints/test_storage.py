"""Saved constraints: exact, safe, and refused where they do not belong."""

import json

import numpy as np
import pytest

from latentgen.constraints import LatentConstraints
from latentgen.errors import CheckpointError, FileError, InputError
from tests.constraints.latents import SIZE, make_labels, make_latents


@pytest.fixture(scope="module")
def fitted():
    z, kind = make_latents(120)
    constraints = LatentConstraints(SIZE, hidden=16, layers=2, seed=4)
    return constraints.fit(z, make_labels(z, kind), turns=3, scale=np.full(SIZE, 0.1))


def test_loaded_constraints_do_exactly_what_the_saved_ones_did(fitted, tmp_path):
    fitted.save(tmp_path / "cats.npz")
    loaded = LatentConstraints.load(tmp_path / "cats.npz", latent_size=SIZE)
    z = make_latents(10, seed=1)[0]
    for method in ("actor", "vector", "ascent", "density"):
        asked = {"kind": "b", "size": 9.0, "first": False}
        np.testing.assert_array_equal(
            fitted.transform(z, asked, method=method), loaded.transform(z, asked, method=method)
        )
    for name, expected in fitted.score(z).items():
        np.testing.assert_array_equal(loaded.score(z)[name], expected)
    assert loaded.reports == fitted.reports
    assert loaded.attributes == fitted.attributes


def test_foreign_and_damaged_files_are_refused(fitted, tmp_path):
    good = tmp_path / "good.npz"
    fitted.save(good)
    with pytest.raises(CheckpointError, match="expected constraints for latent size 64"):
        LatentConstraints.load(good, latent_size=64)
    with pytest.raises(FileError, match="found none"):
        LatentConstraints.load(tmp_path / "missing.npz")
    (tmp_path / "text.npz").write_text("cat")
    (tmp_path / "cut.npz").write_bytes(good.read_bytes()[:2000])
    np.savez(tmp_path / "pickled.npz", header=np.array([{"a": 1}], dtype=object))
    for name in ("text", "cut", "pickled"):
        with pytest.raises(FileError, match="plain arrays"):
            LatentConstraints.load(tmp_path / f"{name}.npz")
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    for name in ("array.npy", "other.npz"):
        with pytest.raises(CheckpointError, match="saved by latentgen"):
            LatentConstraints.load(tmp_path / name)


def test_a_tampered_file_is_refused(fitted, tmp_path):
    fitted.save(tmp_path / "good.npz")
    with np.load(tmp_path / "good.npz") as archive:
        arrays = dict(archive)
    header = json.loads(str(arrays["header"]))

    def changed(**edits):
        return json.dumps({**header, **edits})

    settings = {**header["settings"], "hidden": 8}
    cases = [
        {"header": np.array(changed(format="9"))},
        {"header": np.array(changed(settings=settings))},
        {"header": np.array(changed(predictors=header["predictors"][:-1]))},
        {"header": np.array("not json")},
        {"actor 0": arrays["actor 0"] * np.nan},
        {"critic 1": arrays["critic 1"][:2]},
        {"predictor 0 centres": np.zeros((3, 2), "float32")},
    ]
    for edits in cases:
        np.savez(tmp_path / "bad.npz", **{**arrays, **edits})
        with pytest.raises(CheckpointError):
            LatentConstraints.load(tmp_path / "bad.npz")


def test_a_failed_save_leaves_the_old_file(fitted, tmp_path):
    path = tmp_path / "cats.npz"
    fitted.save(path)
    before = path.read_bytes()
    with pytest.raises(InputError, match="call fit"):
        LatentConstraints(SIZE).save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["cats.npz"]
