"""SavedModels, loaded and asked."""

import shutil

import numpy as np
import pytest

from latentgen.errors import FileError
from latentgen.export.serving.calls import joined, make_call, parted
from latentgen.export.serving.refusal import Refusal
from latentgen.export.serving.shelf import Shelf
from tests.export.serving.fakes import LATENT
from tests.export.serving.saved import write_saved_model

models = pytest.importorskip("latentgen.export.serving.models")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "cats"
    write_saved_model(folder, 1)
    return folder


def call(model, name, **inputs):
    types = model.signatures[name].inputs
    arrays = {key: np.asarray(value, types[key].dtype) for key, value in inputs.items()}
    return make_call(name, arrays, model.signatures[name], model.description, 64)


def test_a_saved_model_answers_what_several_people_ask(folder):
    model = models.load(folder / "1")
    assert model.signatures["decode"].inputs["z"].shape == (None, LATENT)
    assert model.signatures["decode"].inputs["seed"].shape is None
    calls = [call(model, "sample", n=n, temperature=n, seed=n) for n in (3, 1, 2)]
    together = parted(model.run("sample", joined(calls)), calls)
    for each, made in zip(together, calls, strict=True):
        alone = parted(model.run("sample", joined([made])), [made])[0]
        for name in alone:
            np.testing.assert_array_equal(each[name], alone[name])
        assert len(each["strokes"]) == made.rows
    model.warm_up(models.sizes(5))
    assert models.sizes(64) == (1, 2, 4, 8, 16, 32, 64)
    assert models.sizes(1) == (1,)


def test_what_the_graph_refuses_is_told_in_its_words(folder):
    model = models.load(folder / "1")
    wrong = call(model, "decode", z=np.full((1, LATENT), -10), temperature=1, seed=0)
    with pytest.raises(Refusal, match=r"^z: expected more than -9$") as refused:
        model.run("decode", joined([wrong]))
    assert refused.value.status == 400


def test_what_is_no_model_is_not_loaded(folder, tmp_path):
    for name in ("saved_model.pb", "variables", "assets.extra"):
        shutil.copytree(folder / "1", tmp_path / name)
    (tmp_path / "saved_model.pb" / "saved_model.pb").unlink()
    shutil.rmtree(tmp_path / "variables" / "variables")
    shutil.rmtree(tmp_path / "assets.extra" / "assets.extra")
    with pytest.raises(FileError, match="expected saved_model"):
        models.load(tmp_path / "saved_model.pb")
    with pytest.raises(FileError, match="latentgen"):
        models.load(tmp_path / "assets.extra")
    with pytest.raises(Exception, match="variables"):
        models.load(tmp_path / "variables")
    with pytest.raises(FileError, match="one row"):
        models.load(write_saved_model(tmp_path / "cats", 1, broken=True))


def test_a_half_copied_model_is_never_served(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "cats")
    shelf = Shelf(tmp_path / "cats", models.load)
    shelf.refresh()
    shutil.copytree(folder / "1", tmp_path / "cats" / "2")
    [data] = (tmp_path / "cats" / "2" / "variables").glob("*.data-*")
    data.write_bytes(data.read_bytes()[:2])
    shelf.refresh()
    assert [event.what for event in shelf.refresh()] == ["skipped"]
    assert shelf.get().version == 1


@pytest.mark.slow
def test_a_drawer_of_ours_draws_the_same_alone_and_in_company(tmp_path):
    from latentgen.export.saved_model import export_saved_model
    from latentgen.export.serving.prompts import Prompt
    from latentgen.export.serving.rendering import render
    from latentgen.sketch import SketchVAE

    drawer = SketchVAE(latent_size=4, encoder_units=4, decoder_units=4, mixtures=2, max_length=8)
    model = models.load(export_saved_model(drawer, tmp_path / "drawer", jit_compile=False))
    calls = [call(model, "sample", n=n, temperature=1, seed=n) for n in (2, 1)]
    together = parted(model.run("sample", joined(calls)), calls)
    for each, made in zip(together, calls, strict=True):
        alone = parted(model.run("sample", joined([made])), [made])[0]
        for name in alone:
            np.testing.assert_allclose(each[name], alone[name], atol=1e-5)
    assert render("svg", together[0], Prompt(n=2), model.description).startswith(b"<svg")
