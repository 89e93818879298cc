"""What an exported model gives is what the library gives, in every domain and signature."""

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from tests.export.exported import Exported, ask, constraints, latents, melodies, sketches

tf = pytest.importorskip("tensorflow")

SHARP = {"atol": 1e-5, "rtol": 1e-5}


def opened(model, folder, asked=None, **options):
    """The folder of a version, and its signatures."""
    from latentgen.export.saved_model import export_saved_model

    written = export_saved_model(model, folder, asked, **options)
    return written, tf.saved_model.load(str(written)).signatures


@pytest.fixture(scope="module")
def drawing(tmp_path_factory):
    """Drawings, compiled by XLA."""
    vae, asked = sketches(), constraints()
    lengths = np.array([3, 12, 1])
    random = np.random.default_rng(5)
    strokes = np.zeros((3, 14, 3), "float32")
    for row, length in zip(strokes, lengths, strict=True):
        row[:length, :2] = 2000 * random.standard_normal((length, 2))  # some beyond the clip
        row[:length, 2] = random.integers(0, 2, length)
    pieces = [row[:length] for row, length in zip(strokes, lengths, strict=True)]
    written = opened(vae, tmp_path_factory.mktemp("drawing") / "tiny", asked)
    inputs = {"strokes": strokes, "length": lengths}
    return Exported(vae, *written, pieces, inputs, asked)


@pytest.fixture(scope="module")
def tune(tmp_path_factory):
    """Melodies, without XLA."""
    vae = melodies()
    pieces = vae.decode(latents(3, 9), jit_compile=False)
    batch = vae.to_batch(pieces)
    written = opened(vae, tmp_path_factory.mktemp("tune") / "tiny", jit_compile=False)
    inputs = {"sequence": batch["input"], "length": batch["length"]}
    return Exported(vae, *written, pieces, inputs)


@pytest.fixture(scope="module")
def sentence(tmp_path_factory):
    """Sentences, without XLA."""
    from tests.text.tiny import SENTENCES, tiny_vae

    vae = tiny_vae()
    for weight in vae.decoder.trainable_weights:
        weight.assign(4 * weight)  # what it says depends on z
    written = opened(vae, tmp_path_factory.mktemp("sentence") / "tiny", jit_compile=False)
    return Exported(vae, *written, SENTENCES[:3], {"sentences": SENTENCES[:3]})


@pytest.fixture(params=["drawing", "tune", "sentence"])
def exported(request):
    return request.getfixturevalue(request.param)


def as_pieces(given):
    """What a signature gave as the library's decode gives it: drawings, arrays or sentences."""
    if "strokes" in given:
        for row, length in zip(given["strokes"], given["length"], strict=True):
            assert not row[length:].any()
        return [row[:n] for row, n in zip(given["strokes"], given["length"], strict=True)]
    if "sequence" in given:
        return list(given["sequence"])
    return [sentence.decode() for sentence in given["sentences"].tolist()]


def library(model, z, **options):
    """The same by the library."""
    if hasattr(model, "converter"):
        return list(model.generate(z, jit_compile=False, **options))
    return model.decode(z, jit_compile=False, **options)


def same(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, str):
            assert a == b
        else:
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_greedy_decoding_is_the_librarys(exported):
    z = latents(5)
    given = ask(exported.signatures, "decode", z=z, temperature=0, seed=0)
    theirs = library(exported.model, z, greedy=True)
    same(as_pieces(given), theirs)
    assert len({str(np.asarray(piece).tolist()) for piece in theirs}) > 1  # they depend on z
    if "length" in given and "strokes" not in given:
        np.testing.assert_array_equal(given["length"], 16)


def test_encoding_is_the_librarys(exported):
    given = ask(exported.signatures, "encode", **exported.inputs)
    posterior = exported.model.encode(exported.pieces)
    np.testing.assert_allclose(given["mean"], posterior.mean, **SHARP)
    np.testing.assert_allclose(given["scale"], posterior.scale, **SHARP)


def test_reconstruction_is_the_librarys(exported):
    given = ask(exported.signatures, "reconstruct", temperature=0, seed=0, **exported.inputs)
    mean = exported.model.encode(exported.pieces).mean
    same(as_pieces(given), library(exported.model, mean, greedy=True))


@pytest.mark.parametrize("rows", [[0, 1], [1, 1]], ids=["apart", "equal"])
def test_interpolation_is_the_librarys(exported, rows):
    from latentgen.vae import slerp

    two = {name: np.asarray(value)[rows] for name, value in exported.inputs.items()}
    given = ask(exported.signatures, "interpolate", steps=4, temperature=0, seed=0, **two)
    mean = exported.model.encode([exported.pieces[row] for row in rows]).mean
    path = slerp(mean[0], mean[1], 4)
    np.testing.assert_allclose(given["z"], path, **SHARP)
    same(as_pieces(given), library(exported.model, path, greedy=True))


def test_a_sample_is_its_z_decoded_with_the_same_seed(exported):
    drawn = ask(exported.signatures, "sample", n=4, temperature=0.8, seed=3)
    again = ask(exported.signatures, "decode", z=drawn["z"], temperature=0.8, seed=3)
    same(as_pieces(drawn), as_pieces(again))
    other = ask(exported.signatures, "sample", n=4, temperature=0.8, seed=4)
    assert not np.isclose(drawn["z"], other["z"]).any()


def test_what_is_drawn_of_a_row_depends_on_its_seed_alone(exported):
    z, seeds = latents(5), [7, 8, 9, 8, 7]
    z[4] = z[0]
    z[3] = z[1]

    def decoded(z, seed, temperature=1.0):
        how = {"temperature": temperature, "seed": seed}
        return as_pieces(ask(exported.signatures, "decode", z=z, **how))

    together = decoded(z, seeds)
    same(together[:1] + together[1:2], together[4:] + together[3:4])
    same(decoded(z[1:3], seeds[1:3]), together[1:3])
    same(decoded(z[2:3], [[9, 0]]), together[2:3])
    # One seed for all is (seed, row).
    same(decoded(z, 7), decoded(z, [[7, k] for k in range(5)]))
    # Temperatures are each row's own, and 0 is greedy.
    mixed = decoded(z, seeds, [1.0, 0.0, 1.0, 0.3, 0.0])
    same(mixed[:1] + mixed[2:3], together[:1] + together[2:3])
    same([mixed[1], mixed[4]], decoded(z[[1, 4]], 0, 0.0))
    same(mixed[3:4], decoded(z[3:4], [8], 0.3))


def test_samples_have_the_librarys_distribution(exported):
    """Kolmogorov and Smirnov on what 400 samples are like; seeds are fixed, so that it is no
    matter of luck."""
    n, model = 400, exported.model
    ours = ask(exported.signatures, "sample", n=n, temperature=0.7, seed=1)
    theirs = model.sample(n, temperature=0.7, seed=1, jit_compile=False)
    z = ours.pop("z")
    assert stats.kstest(z.ravel(), "norm").pvalue > 0.01
    assert abs(np.corrcoef(z.T) - np.eye(z.shape[1])).max() < 0.2
    if hasattr(model, "converter"):
        theirs = model.to_batch(theirs)["sequence"]  # as canonical melodies; so are ours
        ours = model.to_batch([model.converter.decode(row) for row in ours["sequence"]])["sequence"]
        measures = [lambda piece: piece.argmax(-1)[0], lambda piece: piece[:, 0].sum()]
    else:
        ours = as_pieces(ours)
        measures = [len]
        if not isinstance(theirs[0], str):
            measures += [lambda piece, k=k: piece[:1, k].sum() for k in (0, 1, 2)]
    for measure in measures:
        found = stats.ks_2samp([measure(p) for p in ours], [measure(p) for p in theirs])
        assert found.pvalue > 0.01


STRANGER = """
import sys
for name in ("keras", "latentgen", "note_seq", "sentencepiece"):
    sys.modules[name] = None  # an import raises
import numpy as np
import tensorflow as tf
asked, answers = np.load(sys.argv[1]), {}
for k, folder in enumerate(sys.argv[3:]):
    calls = [key.split("/") for key in asked if key.startswith(f"{k}/")]
    for name, function in tf.saved_model.load(folder).signatures.items():
        specs = function.structured_input_signature[1]
        inputs = {i: tf.constant(asked[f"{k}/{name}/{i}"], specs[i].dtype)
                  for _, n, i in calls if n == name}
        if inputs:
            given = function(**inputs)
            answers |= {f"{k}/{name}/{key}": value.numpy() for key, value in given.items()}
np.savez(sys.argv[2], **{k: v.astype("S") if v.dtype == object else v for k, v in answers.items()})
known = {name for name, module in sys.modules.items() if module is not None}
assert not {name for name in known if name.partition(".")[0] in ("keras", "latentgen")}
"""


def test_where_there_is_tensorflow_alone_it_gives_what_the_library_gives(
    drawing, tune, sentence, tmp_path
):
    all_of_them, z, asked = (drawing, tune, sentence), latents(4), {}
    for k, each in enumerate(all_of_them):
        asked |= {f"{k}/decode/z": z, f"{k}/decode/temperature": 0.0, f"{k}/decode/seed": 0}
        asked |= {f"{k}/encode/{name}": value for name, value in each.inputs.items()}
    targets = np.array([1.0, np.nan, 12.0], "float32")
    asked |= {"0/constrain/z": z, "0/constrain/targets": targets, "0/constrain/strength": 1.0}
    paths = [str(tmp_path / name) for name in ("asked.npz", "answers.npz")]
    np.savez(paths[0], **asked)
    folders = [str(each.folder) for each in all_of_them]
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, *paths, *folders],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers = np.load(paths[1])
    for k, each in enumerate(all_of_them):
        given = {
            name: answers[f"{k}/decode/{name}"]
            for name in ("strokes", "sequence", "sentences", "length")
            if f"{k}/decode/{name}" in answers
        }
        same(as_pieces(given), library(each.model, z, greedy=True))
        posterior = each.model.encode(each.pieces)
        np.testing.assert_allclose(answers[f"{k}/encode/mean"], posterior.mean, **SHARP)
        np.testing.assert_allclose(answers[f"{k}/encode/scale"], posterior.scale, **SHARP)
    moved = drawing.constraints.transform(z, {"first": True, "size": 12.0})
    np.testing.assert_allclose(answers["0/constrain/z"], moved, **SHARP)


NAN = np.nan


@pytest.mark.parametrize(
    ("targets", "values"),
    [
        ([1, NAN, NAN], {"first": True}),
        ([0, 2, NAN], {"first": False, "kind": "c"}),
        ([NAN, NAN, 12.5], {"size": 12.5}),
        ([NAN, NAN, NAN], {}),
    ],
)
def test_constraining_is_the_librarys(drawing, targets, values):
    z = latents(3)
    for strength in (0.0, 1.0, 1.7):
        asked = {"targets": targets, "strength": strength}
        given = ask(drawing.signatures, "constrain", z=z, **asked)["z"]
        theirs = drawing.constraints.transform(z, values, strength=strength)
        np.testing.assert_allclose(given, theirs, **SHARP)


@pytest.mark.parametrize("method", ["actor", "density", "vector"])
def test_every_method_is_the_librarys(drawing, method):
    """In the graph, but not saved."""
    from latentgen.constraints import LatentConstraints
    from latentgen.export.constraining import Constraining
    from latentgen.export.moving import Way

    realism = LatentConstraints(4, hidden=8, layers=1)
    realism.fit(latents(50), turns=1, batch_size=4, critic_steps=1)
    z = latents(3)
    for asked, targets, values in (
        (drawing.constraints, [1, 2, 12.5], {"first": True, "kind": "c", "size": 12.5}),
        (drawing.constraints, [NAN, 0, NAN], {"kind": "a"}),
        (drawing.constraints.parts[0], [0, NAN], {"first": False}),
        (realism, [], {}),
    ):
        move = tf.function(Constraining(asked, Way(method)).move, autograph=False)
        ours = move(z, tf.constant(targets, tf.float32), tf.constant(0.7))
        theirs = asked.transform(z, values, method=method, strength=0.7)
        np.testing.assert_allclose(ours, theirs, **SHARP)


def test_a_density_of_hundreds_of_nats_is_the_librarys():
    """As those of presets are: float32 leaves three digits of z."""
    from keras import ops

    from latentgen.constraints.density import uphill

    real = np.random.default_rng(0).normal(4.0, 0.8, (600, 64)).astype("float32")
    z = 3.2 + 0.2 * real[:50]  # among many
    move = tf.function(lambda z: uphill(z, real, 0.9, xp=ops), autograph=False)
    np.testing.assert_allclose(move(z), uphill(z, real, 0.9), **SHARP)


def test_each_row_has_targets_and_a_strength_of_its_own(drawing):
    z, targets = latents(2), np.array([[1, NAN, NAN], [NAN, 0, 9.0]])
    given = ask(drawing.signatures, "constrain", z=z, targets=targets, strength=[0.5, 2])["z"]
    for row, asked in enumerate(({"first": True}, {"kind": "a", "size": 9.0})):
        strength = (0.5, 2)[row]
        theirs = drawing.constraints.transform(z[[row]], asked, strength=strength)
        np.testing.assert_allclose(given[[row]], theirs, **SHARP)


def test_a_preset_is_sampled_where_real_pieces_are(tmp_path):
    from latentgen.vae import Posterior

    vae, asked = sketches(), constraints()
    real = latents(5, 3)
    vae.reference = Posterior(real, np.full_like(real, 0.05))
    folder, signatures = opened(vae, tmp_path / "near", asked, jit_compile=False)
    drawn = ask(signatures, "sample", n=20, temperature=0, seed=0)
    apart = np.linalg.norm(drawn["z"][:, None] - real, axis=-1)
    assert apart.min(axis=1).max() < 1e-3  # so narrow a density has its summits at the real z
    assert len(set(apart.argmin(axis=1))) > 1
    # What is asked is found on the density of real z too.
    assert json.loads((folder / "assets.extra" / "latentgen.json").read_text())["method"] == (
        "density"
    )
    z = latents(3)
    moved = ask(signatures, "constrain", z=z, targets=[1, NAN, NAN], strength=1)["z"]
    theirs = asked.transform(z, {"first": True}, method="density")
    np.testing.assert_allclose(moved, theirs, **SHARP)


def test_constrained_samples_are_samples_moved(drawing):
    how = {"temperature": 0.5, "seed": 2}
    asked = {"targets": [1, NAN, NAN], "strength": 1}
    drawn = ask(drawing.signatures, "sample_constrained", n=3, **asked, **how)
    z = ask(drawing.signatures, "sample", n=3, **how)["z"]
    moved = ask(drawing.signatures, "constrain", z=z, **asked)["z"]
    np.testing.assert_allclose(drawn["z"], moved, **SHARP)
    same(as_pieces(drawn), as_pieces(ask(drawing.signatures, "decode", z=moved, **how)))


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        ("decode", {"z": np.full((1, 4), NAN)}, "z: expected finite"),
        ("decode", {"z": np.zeros((0, 4))}, "rows of z: expected 1 or more"),
        ("decode", {"temperature": -1}, "temperature: expected"),
        ("decode", {"temperature": NAN}, "temperature: expected"),
        ("decode", {"temperature": [1, 1]}, None),
        ("decode", {"seed": [1, 2]}, None),
        ("sample", {"n": 0}, "n: expected 1 or more"),
        ("sample", {"n": -1}, "n: expected 1 or more"),
        ("interpolate", {"steps": 0}, "steps: expected 1 or more"),
        ("constrain", {"targets": [2, NAN, NAN]}, "expected a class from 0 to 1 or NaN for first"),
        ("constrain", {"targets": [NAN, 0.5, NAN]}, "from 0 to 2 or NaN for kind"),
        ("constrain", {"targets": [NAN, NAN, np.inf]}, "expected a finite number or NaN for size"),
        ("constrain", {"targets": [NAN, NAN]}, None),
        ("constrain", {"strength": -1}, "strength: expected"),
        ("encode", {"strokes": np.full((1, 2, 3), 0.5), "length": [2]}, "pens of 0 or 1"),
        ("encode", {"strokes": np.full((1, 2, 3), NAN), "length": [2]}, "strokes: expected finite"),
        ("encode", {"strokes": np.zeros((1, 2, 3)), "length": [3]}, "length: expected from 1"),
        ("encode", {"strokes": np.zeros((1, 20, 3)), "length": [13]}, "up to 12"),
        ("encode", {"strokes": np.zeros((1, 2, 3)), "length": [0]}, "length: expected from 1"),
    ],
)
def test_what_cannot_be_answered_is_refused(drawing, name, changed, message):
    good = {
        "z": np.zeros((1, 4)),
        "n": 1,
        "steps": 2,
        "temperature": 1,
        "seed": 0,
        "targets": [NAN, NAN, NAN],
        "strength": 1,
        "strokes": np.zeros((2, 3, 3)),
        "length": [3, 3],
    }
    inputs = drawing.signatures[name].structured_input_signature[1]
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        ask(drawing.signatures, name, **{key: (good | changed)[key] for key in inputs})


def test_sentences_with_nothing_or_too_much_in_them_are_refused(sentence):
    for text in ("", "cats see bones and " * 3):
        with pytest.raises(tf.errors.InvalidArgumentError, match="expected 1 to 7 tokens"):
            ask(sentence.signatures, "encode", sentences=[text])


def test_a_decoder_alone_is_sampled(tmp_path):
    from tests.text.tiny import tiny_language_model

    for model in (sketches("SketchDecoder"), tiny_language_model()):
        _, signatures = opened(model, tmp_path / type(model).__name__, jit_compile=False)
        assert list(signatures) == ["sample"]
        given = ask(signatures, "sample", n=3, temperature=0, seed=0)
        assert "z" not in given
        same(as_pieces(given), model.sample(3, greedy=True, jit_compile=False))


def test_a_control_goes_in_beside_z(tmp_path):
    vae = melodies(chords=True)
    _, signatures = opened(vae, tmp_path / "chords", jit_compile=False)
    z, random = latents(3), np.random.default_rng(0)
    control = np.eye(49, dtype="float32")[random.integers(0, 49, (3, 16))]
    how = {"temperature": 0, "seed": 0}
    for given in (control, np.broadcast_to(control[0], control.shape)):
        theirs = vae.generate(z, control=given, greedy=True, jit_compile=False)
        asked = given if given is control else control[0]
        ours = ask(signatures, "decode", z=z, control=asked, **how)
        np.testing.assert_array_equal(ours["sequence"], theirs)
    batch = {"input": theirs, "length": np.full(3, 16, "int32"), "control": control}
    ours = ask(signatures, "encode", sequence=theirs, length=batch["length"], control=control)
    np.testing.assert_allclose(ours["mean"], vae.encode_batch(batch).mean, **SHARP)
    two = {"sequence": theirs[:2], "length": [16, 16], "control": control[0]}
    ours = ask(signatures, "interpolate", steps=3, **two, **how)
    theirs = vae.generate(ours["z"], control=control[[0, 0, 0]], greedy=True, jit_compile=False)
    np.testing.assert_array_equal(ours["sequence"], theirs)
