"""SketchVAE and SketchDecoder: drawings in, drawings out, presets."""

import json

import keras
import numpy as np
import pytest

from latentgen.errors import CheckpointError, FileError, InputError
from latentgen.sketch.data import SketchBatches
from latentgen.sketch.strokes import check_drawing
from latentgen.sketch.vae import SketchDecoder, SketchVAE, find_preset, published_optimizer
from tests.tiny import randomise, values

SIZES = {"decoder_units": 8, "mixtures": 3, "max_length": 12, "scale": 20.0}
PLAIN = {"jit_compile": False}


def make(**options):
    return SketchVAE(**({"latent_size": 4, "encoder_units": 8} | SIZES | options))


def drawings(lengths=(5, 3, 9, 1)):
    result = []
    for k, length in enumerate(lengths):
        points = np.random.default_rng(k).integers(-30, 30, (length, 3)).astype("float32")
        points[:, 2] = np.arange(length) % 3 == 2
        result.append(points)
    return result


@pytest.fixture(scope="module")
def vae():
    keras.utils.set_random_seed(0)
    return randomise(make(), scale=0.3)


def same(first, second):
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="counted on TensorFlow")
def test_published_sizes_have_magentas_number_of_parameters():
    """2,186,107 trainable parameters, as Magenta's default graph reports."""
    assert SketchVAE().count_params() - 1 == 2_186_107  # one is the step


def test_encoding_is_in_the_datas_units_wherever_the_drawing_lies(vae):
    posterior = vae.encode(drawings())
    assert posterior.mean.shape == posterior.scale.shape == (4, vae.latent_size)
    assert (posterior.scale > 0).all()
    moved = drawings()
    for drawing in moved:
        drawing[0, :2] += 100.0
    np.testing.assert_allclose(vae.encode(moved).mean, posterior.mean, rtol=1e-5, atol=1e-6)
    alone = vae.encode(drawings()[1:2])
    np.testing.assert_allclose(alone.mean[0], posterior.mean[1], rtol=1e-5, atol=1e-6)
    lists = [d.tolist() for d in drawings()]
    np.testing.assert_array_equal(vae.encode(lists).mean, posterior.mean)


def test_decoded_drawings_are_drawings(vae):
    z = vae.sample_prior(6, seed=1)
    drawn = vae.decode(z, temperature=0.8, seed=2, **PLAIN)
    assert len(drawn) == 6
    for drawing in drawn:
        assert len(check_drawing(drawing)) <= vae.max_length
    same(drawn, vae.decode(z, temperature=0.8, seed=2, **PLAIN))
    raw = vae.generate(z, temperature=0.8, seed=2, **PLAIN)
    points = len(drawn[0])
    np.testing.assert_allclose(drawn[0][:, :2], 20.0 * raw[0, :points, :2], rtol=1e-6)


def test_sample_reconstruct_and_interpolate(vae):
    same(vae.sample(3, seed=4, **PLAIN), vae.sample(3, seed=4, **PLAIN))
    z = vae.sample_prior(3, seed=4)
    same(vae.sample(3, seed=4, **PLAIN), vae.decode(z, seed=4, **PLAIN))
    mean = vae.encode(drawings()).mean
    same(vae.reconstruct(drawings(), greedy=True, **PLAIN), vae.decode(mean, greedy=True, **PLAIN))
    path = vae.interpolate(*drawings()[:2], 5, greedy=True, **PLAIN)
    ends = vae.decode(mean[:2], greedy=True, **PLAIN)
    assert len(path) == 5
    np.testing.assert_allclose(path[0], ends[0], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(path[-1], ends[1], rtol=1e-4, atol=1e-3)


def test_a_beginning_is_kept(vae):
    """In the data's units; moved to the origin, where all drawings begin."""
    beginnings = [d[:2] for d in drawings((5, 3, 9))]
    for result in (
        vae.decode(vae.sample_prior(3), prefix=beginnings, **PLAIN),
        randomise(SketchDecoder(**SIZES)).finish(beginnings, **PLAIN),
    ):
        for drawing, beginning in zip(result, beginnings, strict=True):
            np.testing.assert_allclose(drawing[1:2], beginning[1:], rtol=1e-5)
            np.testing.assert_array_equal(drawing[0], [0, 0, beginning[0, 2]])


def test_unconditional_decoder_draws(vae):
    model = randomise(SketchDecoder(**SIZES))
    drawn = model.sample(3, seed=1, **PLAIN)
    assert len(drawn) == 3
    same(drawn, model.sample(3, seed=1, **PLAIN))


def test_fit_on_drawings_lowers_the_loss():
    keras.utils.set_random_seed(0)
    model = make(recurrent_dropout=0.1)
    model.compile(published_optimizer(), jit_compile=keras.backend.backend() == "jax")
    data = SketchBatches(drawings() * 4, 20.0, batch_size=8, max_length=12, buckets=1)
    history = model.fit(data.from_step(0), steps_per_epoch=4, epochs=6, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert int(model.step) == 24


def test_keras_file_keeps_everything(vae, tmp_path):
    vae.save(tmp_path / "sketch.keras")
    other = keras.models.load_model(tmp_path / "sketch.keras", safe_mode=True)
    assert type(other) is SketchVAE
    same(values(other), values(vae))
    z = vae.sample_prior(2)
    same(other.decode(z, seed=1, **PLAIN), vae.decode(z, seed=1, **PLAIN))


@pytest.mark.parametrize("kind", ["vae", "decoder"])
def test_preset_round_trip(tmp_path, kind):
    settings = {"decoder_cell": "layer_norm", "temperature_rule": "magenta"}
    model = make(**settings) if kind == "vae" else SketchDecoder(**SIZES, **settings)
    randomise(model)
    model.save_preset(tmp_path / "exact", "# A card\n", dtype="float32")
    model.save_preset(tmp_path / "half")
    exact, half = (type(model).from_preset(tmp_path / name) for name in ("exact", "half"))
    same(values(exact), values(model))
    assert exact.arguments() == model.arguments()
    assert (exact.scale, exact.head.temperature_rule) == (20.0, "magenta")
    for ours, theirs in zip(values(half), values(model), strict=True):
        np.testing.assert_array_equal(ours, theirs.astype("float16").astype(ours.dtype))
    assert (tmp_path / "exact" / "README.md").read_text() == "# A card\n"
    other = SketchDecoder if kind == "vae" else SketchVAE
    with pytest.raises(CheckpointError, match="found one of Sketch"):
        other.from_preset(tmp_path / "exact")


@pytest.mark.parametrize(
    "change",
    [{"decoder_cell": "gru"}, {"latent_size": -2}, {"mixtures": "x"}, {"more": 1}, {"scale": 0}],
)
def test_a_preset_with_an_impossible_configuration(vae, tmp_path, change):
    vae.save_preset(tmp_path / "p")
    path = tmp_path / "p" / "config.json"
    stored = json.loads(path.read_text())
    stored["config"] |= change
    path.write_text(json.dumps(stored))
    with pytest.raises(CheckpointError, match=str(tmp_path / "p")):
        SketchVAE.from_preset(tmp_path / "p")


def test_a_preset_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="preset: expected a folder or one of"):
        find_preset("no_such_preset")
    with pytest.raises(FileError, match="expected a preset folder"):
        SketchVAE.from_preset(tmp_path)


LONG = np.zeros((13, 3), "float32")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([], "drawings: expected at least one, received none"),
        ([np.zeros((0, 3))], r"drawings\[0\]: expected at least one point"),
        ([LONG], "drawings: expected at most 12 points each, received one of 13: simplify"),
        ([[[0, 0, 0], [np.nan, 1, 1]]], r"drawings\[0\]: expected finite numbers"),
        ([[[0, 0, 0], [np.inf, 1, 1]]], r"drawings\[0\]: expected finite numbers"),
        ([[[0, 0, 0], [1e9, 1, 1]]], r"drawings\[0\]: expected positions"),
        ([[[0, 0, 2.0]]], r"drawings\[0\]: expected pen values"),
        ([np.zeros((3, 5))], "convert stroke-5 with to_stroke3"),
        ([[["a", "b", "c"]]], r"drawings\[0\]: expected numbers"),
        ([None], r"drawings\[0\]: expected numbers"),
    ],
)
def test_drawings_that_cannot_be_encoded(vae, bad, message):
    with pytest.raises(InputError, match=message):
        vae.encode(bad)


def test_beginnings_that_cannot_be_continued(vae):
    z = vae.sample_prior(1)
    with pytest.raises(InputError, match="prefix: expected at most 12 points"):
        vae.decode(z, prefix=[LONG])
    with pytest.raises(InputError, match="prefix: expected at most 2 steps, received 5"):
        vae.decode(z, prefix=drawings()[:1], length=2)
    with pytest.raises(InputError, match="prefix: expected 1 beginnings, received 2"):
        vae.decode(z, prefix=drawings()[:2])
    with pytest.raises(InputError, match=r"prefix\[0\]: expected at least one point"):
        vae.decode(z, prefix=[np.zeros((0, 3))])


def test_one_drawing_given_for_many_is_noticed(vae):
    """encode(drawing) instead of encode([drawing]) must not pass for three one-point drawings."""
    with pytest.raises(InputError, match=r"drawings\[0\]"):
        vae.encode(drawings()[0])


@pytest.mark.parametrize("n", [0, -1])
def test_how_many_to_draw(vae, n):
    with pytest.raises(InputError, match="n: expected how many"):
        vae.sample(n)
    with pytest.raises(InputError, match="steps: expected how many"):
        vae.interpolate(*drawings()[:2], n)


@keras.saving.register_keras_serializable("latentgen-tests")
def pull_towards_zero(model, inputs, outputs):
    """An objective: small latent vectors."""
    return keras.ops.mean(keras.ops.square(outputs["z"]))


def test_a_second_objective_is_saved_with_the_model(tmp_path):
    sizes = {"latent_size": 4, "encoder_units": 8, "decoder_units": 8, "mixtures": 2}
    SketchVAE(**sizes, objective=pull_towards_zero).save(tmp_path / "vae.keras")
    again = keras.saving.load_model(tmp_path / "vae.keras")
    assert again.objective is pull_towards_zero
    SketchVAE(**sizes).save(tmp_path / "plain.keras")
    assert keras.saving.load_model(tmp_path / "plain.keras").objective is None
