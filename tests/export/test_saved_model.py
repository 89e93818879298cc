"""The folder of an exported model: its versions, and what lies in it."""

import json
import re

import numpy as np
import pytest

from latentgen.errors import InputError
from tests.export.exported import constraints, latents, sketches
from tests.shared import REPOSITORY

tf = pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def vae():
    return sketches()


@pytest.fixture(scope="module")
def asked():
    return constraints()


@pytest.fixture(scope="module")
def folder(vae, asked, tmp_path_factory):
    """An export whose newest version is 4."""
    from latentgen.export import export_saved_model

    folder = tmp_path_factory.mktemp("models") / "cats"
    (folder / "3").mkdir(parents=True)
    card = "# Cats\n\nTiny ones.\n"
    written = export_saved_model(vae, folder, asked, jit_compile=False, card=card)
    assert written == folder / "4"
    return folder


def test_a_version_is_what_servers_expect(folder):
    assert {path.name for path in folder.iterdir()} == {"3", "4"}
    names = {path.name for path in (folder / "4").iterdir()}
    assert names >= {"saved_model.pb", "variables", "assets.extra"}
    extra = {path.name for path in (folder / "4" / "assets.extra").iterdir()}
    assert extra == {"latentgen.json", "README.md", "tf_serving_warmup_requests"}
    assert "Tiny ones" in (folder / "4" / "assets.extra" / "README.md").read_text()


def test_latentgen_json_says_what_it_is_and_can_be_asked(folder, vae):
    text = (folder / "4" / "assets.extra" / "latentgen.json").read_text()
    told = json.loads(text, parse_constant=pytest.fail)  # strict: no NaN
    assert (told["format"], told["name"], told["domain"]) == (1, "cats", "sketch")
    assert (told["class"], told["latent_size"], told["max_length"]) == ("SketchVAE", 4, 12)
    assert told["arguments"] == vae.arguments()
    assert told["method"] == "actor"
    first, kind, size = told["attributes"]
    assert first == {"name": "first", "kind": "binary", "classes": [False, True]}
    assert (kind["kind"], kind["classes"]) == ("categorical", ["a", "b", "c"])
    assert size["mean"] == pytest.approx(10, abs=1)
    assert size["scale"] == pytest.approx(3, abs=1)
    signatures = tf.saved_model.load(str(folder / "4")).signatures
    assert (
        set(told["signatures"])
        == set(signatures)
        == {
            *("encode", "decode", "sample", "reconstruct", "interpolate"),
            *("constrain", "sample_constrained"),
        }
    )
    for name, function in signatures.items():
        stated = told["signatures"][name]
        assert stated["doc"]
        assert all(
            port["doc"] for port in (*stated["inputs"].values(), *stated["outputs"].values())
        )
        specs = function.structured_input_signature[1]
        assert {k: (v["dtype"], v["shape"]) for k, v in stated["inputs"].items()} == {
            k: (s.dtype.name, None if s.shape.rank is None else s.shape.as_list())
            for k, s in specs.items()
        }
        assert set(stated["outputs"]) == set(function.structured_outputs)
        for key, spec in function.structured_outputs.items():
            assert spec.dtype.name == stated["outputs"][key]["dtype"]
            assert spec.shape.is_compatible_with(stated["outputs"][key]["shape"])


def fields(message):
    """The fields of a protocol buffer's bytes, (number, bytes), all of them length-delimited."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key, length = varint(), varint()
        assert key & 7 == 2
        yield key >> 3, message[at : at + length]
        at += length


def test_warm_up_requests_are_messages_of_tensorflow_serving(folder):
    from tensorflow.core.framework.tensor_pb2 import TensorProto

    path = folder / "4" / "assets.extra" / "tf_serving_warmup_requests"
    signatures = tf.saved_model.load(str(folder / "4")).signatures
    rows = {"decode": [], "sample": []}
    for record in tf.data.TFRecordDataset(str(path)):
        ((number, log),) = fields(record.numpy())
        assert number == 6
        ((number, request),) = fields(log)
        assert number == 1
        spec, *pairs = fields(request)
        assert spec[0] == 1
        assert dict(fields(spec[1])).keys() == {1, 3}
        assert dict(fields(spec[1]))[1] == b"cats"
        name = dict(fields(spec[1]))[3].decode()
        inputs = {}
        for number, pair in pairs:
            assert number == 2
            key, tensor = (part for _, part in fields(pair))
            inputs[key.decode()] = tf.constant(tf.make_ndarray(TensorProto.FromString(tensor)))
        given = signatures[name](**inputs)
        rows[name].append(len(given["length"]))
    assert rows == {name: [1, 2, 4, 8, 16, 32, 64] for name in rows}


def test_versions_are_numbered_and_replaced_only_if_told(folder, tmp_path):
    from latentgen.export.versions import version_folder

    assert version_folder(tmp_path / "new", None, False) == tmp_path / "new" / "1"
    assert version_folder(folder, None, False) == folder / "5"
    assert version_folder(folder, 9, False) == folder / "9"
    assert version_folder(folder, 4, True) == folder / "4"
    with pytest.raises(InputError, match="exists: overwrite"):
        version_folder(folder, 4, False)
    with pytest.raises(InputError, match="0 or more"):
        version_folder(folder, -1, False)
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "thesis.tex").touch()
    for overwrite in (False, True):
        with pytest.raises(InputError, match=r"thesis\.tex"):
            version_folder(tmp_path / "else", None, overwrite)
    with pytest.raises(InputError, match="received a file"):
        version_folder(tmp_path / "else" / "thesis.tex", None, False)


def test_what_cannot_be_exported_is_refused(vae, asked, tmp_path):
    from latentgen.constraints import LatentConstraints
    from latentgen.export import export_saved_model
    from latentgen.sketch import SketchClassifier
    from latentgen.text import Seq2Seq
    from tests.text.tiny import WORDS

    other = LatentConstraints(3).fit(latents(20)[:, :3], turns=1, batch_size=2, critic_steps=1)
    cases = [
        ((vae, tmp_path / "m", other), {}, "latent size 4"),
        ((vae, tmp_path / "m", LatentConstraints(4)), {}, "fitted constraints"),
        ((vae, tmp_path / "m", asked), {"method": "hmc"}, "received 'hmc'"),
        ((Seq2Seq(WORDS, None, 4, [4], [4]), tmp_path / "m"), {}, "reads a source"),
        ((SketchClassifier(["a", "b"]), tmp_path / "m"), {}, "SketchClassifier"),
    ]
    for arguments, options, message in cases:
        with pytest.raises(InputError, match=message):
            export_saved_model(*arguments, **options)
    assert not (tmp_path / "m").exists()


def test_an_interrupted_export_leaves_nothing(tmp_path, monkeypatch):
    from latentgen.export import export_saved_model, warmup

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(warmup, "write_requests", fail)
    with pytest.raises(OSError, match="disk full"):
        export_saved_model(sketches("SketchDecoder"), tmp_path / "cats", jit_compile=False)
    assert not list((tmp_path / "cats").iterdir())


def test_the_documentations_python(vae, asked, tmp_path, monkeypatch, capsys):
    from latentgen.constraints import LatentConstraints
    from latentgen.sketch import SketchVAE

    z = latents(60)
    rule = LatentConstraints(4, hidden=8, layers=1)
    rule.fit(z, {"rule": z[:, 0] > 0}, turns=1, batch_size=4, critic_steps=1)
    rule.save(tmp_path / "few.npz")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SketchVAE, "from_preset", lambda name: vae)
    text = (REPOSITORY / "docs" / "export.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        exec(compile(block, "export.md", "exec"), {})
    assert capsys.readouterr().out.count("[[") > 0


@pytest.mark.slow
def test_a_shipped_preset_gives_what_the_library_gives(tmp_path):
    from latentgen.export import export_saved_model
    from latentgen.sketch import SketchVAE

    vae = SketchVAE.from_preset("quickdraw")
    folder = export_saved_model(vae, tmp_path / "quickdraw")
    decode = tf.saved_model.load(str(folder)).signatures["decode"]
    z = vae.sample_prior(4, seed=1)
    given = decode(z=tf.constant(z), temperature=tf.constant(0.0), seed=tf.constant(0))
    for row, n, drawing in zip(
        given["strokes"].numpy(), given["length"].numpy(), vae.decode(z, greedy=True), strict=True
    ):
        assert n == len(drawing)
        np.testing.assert_allclose(row[:n], drawing, rtol=1e-3, atol=1e-2)
