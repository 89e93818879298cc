"""MusicVAE: every configuration, the verbs, presets, and Magenta's defects that it has not."""

import keras
import numpy as np
import pytest
from note_seq import NoteSequence

from latentgen.errors import CheckpointError, InputError
from latentgen.music.configurations import NAMES, configuration
from latentgen.music.converters import (
    ChordControls,
    DrumConverter,
    MelodyConverter,
    PerformanceConverter,
    TrioConverter,
)
from latentgen.music.evaluation import evaluate
from latentgen.music.model import MusicDecoder
from latentgen.music.optimizer import MusicAdam
from latentgen.music.vae import MusicVAE

SMALL = {"latent_size": 4, "encoder_units": [6], "decoder_units": [8, 7]}
PLAIN = {"jit_compile": False}
FEW = ("hierdec-trio_16bar",)


def melody(*pitches, steps=2):
    """A melody of quarter notes' halves at 120 beats a minute, sixteenth = 1/8 s."""
    notes = NoteSequence(ticks_per_quarter=220, total_time=4.0)
    notes.tempos.add(qpm=120)
    notes.time_signatures.add(numerator=4, denominator=4)
    for k, pitch in enumerate(pitches):
        start = k * steps / 8
        notes.notes.add(pitch=pitch, start_time=start, end_time=start + steps / 8, velocity=80)
    return notes


SCALE = melody(60, 62, 64, 65, 67, 69, 71, 72)
ARPEGGIO = melody(48, 52, 55, 60, 64, 67, steps=4)


def tiny(converter=None, **options):
    keras.utils.set_random_seed(0)
    return MusicVAE(converter or MelodyConverter(), **(SMALL | {"seed": 1} | options))


@pytest.fixture(scope="module")
def vae():
    return tiny()


def prepared(model):
    """The model, compiled for a few steps: on TensorFlow those of short sequences take less time
    than to trace one."""
    eager = keras.backend.backend() == "tensorflow" and model.converter.steps < 100
    model.compile(MusicAdam(), jit_compile=False, run_eagerly=eager)
    return model


def made_up(model, n=3, seed=0):
    """A batch in the shape of a model's data."""
    random, converter = np.random.default_rng(seed), model.converter
    control = random.random((n, converter.steps, model.control_size), dtype="float32")
    z = random.normal(size=(n, model.latent_size)).astype("float32")
    sequence = model.generate(z, control=control if model.control_size else None, **PLAIN)
    batch = {
        "sequence": sequence,
        "input": random.random((n, converter.steps, converter.input_depth), dtype="float32"),
        "length": np.full(n, converter.steps, "int32"),
    }
    if isinstance(converter, PerformanceConverter):  # each instrument has its own length
        batch["length"] = random.integers(1, 65, (n, converter.instruments), "int32")
    return batch | ({"control": control} if model.control_size else {})


@pytest.mark.parametrize("name", NAMES if keras.backend.backend() == "tensorflow" else FEW)
def test_every_configuration_of_magentas_trains_and_draws(name):
    settings = configuration(name)
    layers = len(settings["decoder_units"])
    settings |= SMALL | {"decoder_units": [8, 7, 6][:layers]}
    keras.utils.set_random_seed(0)
    model = prepared(MusicVAE(**settings))
    batch = made_up(model)
    before = [np.array(v) for v in model.trainable_variables]
    history = [model.train_on_batch(batch, return_dict=True)["loss"] for _ in range(2)]
    assert np.isfinite(history).all()
    moved = [
        (np.array(v) != old).any() for v, old in zip(model.trainable_variables, before, strict=True)
    ]
    assert np.mean(moved) > 0.9
    drawn = model.decode(np.zeros((3, 4)), control=batch.get("control"), **PLAIN)
    assert drawn[0].total_time > 0


def test_a_configuration_has_the_size_that_magentas_has():
    """Parameters as counted in Magenta (MAGENTA.md, figures)."""
    expected = {"cat-mel_2bar_small": 4_423_770, "cat-drums_2bar_small": 4_636_672}
    for name, count in expected.items():
        model = MusicVAE.from_config(name)
        assert sum(np.prod(v.shape) for v in model.trainable_variables) == count
    with pytest.raises(InputError, match="one of melody_2bar, drums_2bar, cat-mel_2bar_small"):
        MusicVAE.from_config("cat-mel_2bar_tiny")


def test_music_is_encoded_decoded_and_encoded_again(vae):
    posterior = vae.encode([SCALE, ARPEGGIO])
    assert posterior.mean.shape == posterior.scale.shape == (2, 4)
    drawn = vae.decode(posterior.mean, temperature=0.8, seed=3, tempo=90.0, program=73, **PLAIN)
    assert [notes.tempos[0].qpm for notes in drawn] == [90.0, 90.0]
    assert all(note.program == 73 for notes in drawn for note in notes.notes)
    assert vae.encode(drawn).mean.shape == (2, 4)  # Magenta refuses its own (#1944)
    again = vae.decode(posterior.mean, temperature=0.8, seed=3, tempo=90.0, program=73, **PLAIN)
    assert drawn == again
    assert len(vae.sample(3, seed=2, **PLAIN)) == 3
    assert len(vae.reconstruct([SCALE], **PLAIN)) == 1


def test_the_callers_music_is_left_as_it_was(vae):
    """Magenta's encode_tensors pads the caller's own list (MAGENTA.md, 15)."""
    given, copies = (
        [SCALE, ARPEGGIO],
        [NoteSequence.FromString(n.SerializeToString()) for n in (SCALE, ARPEGGIO)],
    )
    vae.encode(given)
    assert given == copies


def test_interpolation_between_equal_music_is_that_music(vae):
    """slerp of equal points is NaN in Magenta (MAGENTA.md, 12)."""
    drawn = vae.interpolate(SCALE, SCALE, 4, greedy=True, **PLAIN)
    assert drawn == vae.reconstruct([SCALE] * 4, greedy=True, **PLAIN)


def test_the_score_of_a_passage_is_its_likelihood(vae):
    scores = vae.score([SCALE, ARPEGGIO])
    assert scores.parameters.shape == (2, 32, 90)
    truth = vae.to_batch([SCALE, ARPEGGIO])["sequence"]
    logits = scores.parameters - np.log(np.exp(scores.parameters).sum(-1, keepdims=True))
    np.testing.assert_allclose(scores.log_prob, (logits * truth).sum(-1), atol=1e-4)
    np.testing.assert_allclose(
        scores.reconstruction_error, -(logits * truth).sum((1, 2)), rtol=1e-4
    )
    np.testing.assert_array_equal(scores.modes.argmax(-1), scores.parameters.argmax(-1))
    assert (scores.kl > 0).all()


def test_what_is_begun_is_kept_and_what_follows_is_not_read(vae):
    other = melody(60, 62, 64, 65, 48, 50, 52, 53)
    for given in (SCALE, other):
        drawn = vae.continue_([given], 8, seed=1, **PLAIN)[0]
        classes = vae.to_batch([drawn])["sequence"].argmax(-1)[0]
        expected = vae.to_batch([given])["sequence"].argmax(-1)[0]
        np.testing.assert_array_equal(classes[:8][expected[:8] > 1], expected[:8][expected[:8] > 1])
    first, second = (vae.continue_([given], 8, seed=1, **PLAIN) for given in (SCALE, other))
    assert first == second
    with pytest.raises(InputError, match="expected between 1 and 31, received 32"):
        vae.continue_([SCALE], 32)


def test_chords_are_told_to_encoder_and_decoder():
    model = tiny(MelodyConverter(chords=True), control_units=[5])
    control = np.stack([ChordControls().from_symbols(s, 32) for s in ("C G Am F", "N.C.")])
    z = np.zeros((2, 4), "float32")
    drawn = model.decode(z, control=control, seed=1, **PLAIN)
    symbols = [a.text for a in drawn[0].text_annotations]
    assert symbols == ["C", "G", "Am", "F"]
    one, other = (
        model.generate(z[:1], control=c[None].astype("float32"), greedy=True, **PLAIN)
        for c in control
    )
    assert one.shape == other.shape
    with pytest.raises(InputError, match="control: expected shape"):
        model.decode(z, **PLAIN)
    with pytest.raises(InputError, match="control: expected none"):
        tiny().decode(z, control=control, **PLAIN)


def test_evaluation_reports_both_unrolls_and_every_part():
    model = tiny(TrioConverter(bars=2), parts_apart=True, segments=2)
    found = evaluate(model, [(made_up(model),)])
    assert set(found.teacher_forced) == set(found.free_running) == {"melody", "bass", "drums"}
    assert found.elbo == pytest.approx(-found.reconstruction - found.kl)
    assert all(0 <= share <= 1 for share in found.teacher_forced.values())
    text = str(found)
    assert "teacher-forced" in text
    assert "melody" in text


def test_accuracy_is_one_for_a_decoder_that_knows():
    """A decoder whose bias says 'no event' is right about silence in both unrolls."""
    model = tiny()
    bias = np.full(90, -50.0, "float32")
    bias[0] = 50.0
    model.head.projection.bias.assign(bias)
    silent = np.zeros((2, 32, 90), "float32")
    silent[..., 0] = 1.0
    silent[0, :8] = np.eye(90)[5]
    batch = {"sequence": silent, "input": silent, "length": np.full(2, 32, "int32")}
    found = evaluate(model, [(batch,)])
    assert found.teacher_forced["events"] == pytest.approx(56 / 64)
    assert found.free_running["events"] == pytest.approx(56 / 64)


def test_a_preset_keeps_the_model_and_the_converter(tmp_path):
    model = tiny(DrumConverter(bars=1), latent_size=5)
    model.reference = model.encode_batch(made_up(model))
    model.save_preset(tmp_path / "drums", dtype="float32")
    again = MusicVAE.from_preset(tmp_path / "drums")
    assert again.converter.arguments() == model.converter.arguments()
    z = again.sample_prior(2)
    assert again.decode(z, **PLAIN) == model.decode(z, **PLAIN)
    np.testing.assert_allclose(again.reference.mean, model.reference.mean, atol=2e-3)
    with pytest.raises(CheckpointError, match="expected a preset of MusicDecoder"):
        MusicDecoder.from_preset(tmp_path / "drums")


def test_a_model_is_a_keras_model(tmp_path):
    parts = {"segments": 4, "parts_apart": True, "hierarchical_encoder": True}
    model = prepared(tiny(TrioConverter(bars=1), **parts))
    model.train_on_batch(made_up(model))
    model.save(tmp_path / "trio.keras")
    again = keras.models.load_model(tmp_path / "trio.keras")
    for ours, theirs in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(np.array(ours), np.array(theirs))
    z = model.sample_prior(2)
    assert again.decode(z, **PLAIN) == model.decode(z, **PLAIN)


def test_a_decoder_alone_draws_with_z_and_without():
    for latent_size in (4, 0):
        model = MusicDecoder(MelodyConverter(), latent_size, decoder_units=[6])
        drawn = model.sample(2, seed=1, **PLAIN)
        assert drawn == model.sample(2, seed=1, **PLAIN)
        assert len(drawn) == 2


def test_steps_of_huge_gradients_are_dropped_and_others_clipped():
    start = np.array([1.0, 2.0], "float32")
    moved = []
    for gradient in ([3.0, 4.0], [30.0, 40.0], [3e4, 4e4], [np.nan, 1.0]):
        variable = keras.Variable(start)
        optimizer = MusicAdam(0.1)
        optimizer.apply([keras.ops.convert_to_tensor(np.array(gradient, "float32"))], [variable])
        moved.append(np.array(variable) - start)
        assert np.isfinite(moved[-1]).all()
    assert (moved[0] != 0).all()
    np.testing.assert_allclose(moved[0], moved[1], rtol=1e-5)
    np.testing.assert_array_equal(moved[2], 0)
    np.testing.assert_array_equal(moved[3], 0)


def test_what_cannot_be_built_is_refused():
    for options, message in (
        ({"segments": 5}, "expected a number that divides 32, received 5"),
        ({"hierarchical_encoder": True}, "expected 1 or more for a hierarchical encoder"),
        ({"sampling": "linear"}, "expected one of"),
        ({"converter": {"kind": "os"}}, "expected a converter or its arguments"),
    ):
        with pytest.raises(InputError, match=message):
            MusicVAE(**({"converter": MelodyConverter()} | SMALL | options))
    with pytest.raises(InputError, match=r"music\[1\]: "):
        tiny().encode([SCALE, melody(10)])
    with pytest.raises(InputError, match="expected at least one window"):
        tiny().encode([])
