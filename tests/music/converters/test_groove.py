"""Drums with velocities and timing."""

import numpy as np
import pytest
from note_seq import NoteSequence, midi_io

from latentgen.errors import InputError
from latentgen.music import Unsuitable, reasons
from latentgen.music.converters import GrooveConverter, drop_hits
from latentgen.music.reading.windows import seconds_per_step, windows
from tests.music.converters.passages import passage, through_midi
from tests.shared import shared_path

STEP = 0.125  # seconds, at 120


def groove(*hits):
    """Hits given as (pitch, step, velocity, steps late)."""
    notes = passage()
    for pitch, step, velocity, late in hits:
        notes.notes.add(
            pitch=pitch,
            velocity=velocity,
            start_time=(step + late) * STEP,
            end_time=(step + late + 1) * STEP,
            is_drum=True,
        )
        notes.total_time = max(notes.total_time, notes.notes[-1].end_time)
    return notes


def layers(array):
    """hits, velocities, offsets, each (T, 9)."""
    return np.split(array, 3, axis=-1)


def emitted(rng, steps=32):
    """What a head may give: any numbers of the right ranges, hits or not."""
    return np.concatenate(
        [
            rng.random((steps, 9)),
            rng.random((steps, 9)),
            rng.uniform(-1, 1, (steps, 9)),
        ],
        axis=1,
    ).astype(np.float32)


def example_groove():
    return groove((36, 0, 127, 0.0), (42, 0, 64, 0.2), (22, 4, 30, -0.25), (38, 8, 100, 0.4))


def test_columns_are_hits_velocities_and_offsets_in_half_steps_early():
    example = GrooveConverter(bars=1).encode(example_groove())
    assert example.outputs.dtype == np.float32
    hits, velocities, offsets = layers(example.outputs)
    at = ([0, 0, 4, 8], [0, 2, 2, 1])
    assert np.argwhere(hits).tolist() == np.transpose(at).tolist()
    assert set(hits[at]) == {1.0}
    np.testing.assert_allclose(velocities[at], np.array([127, 64, 30, 100]) / 127)
    np.testing.assert_allclose(offsets[at], [0.0, -0.4, 0.5, -0.8], atol=1e-6)
    for layer in (velocities, offsets):
        layer[at] = 0
        assert not layer.any()
    np.testing.assert_array_equal(example.inputs[:, :9], hits)


def test_of_hits_of_one_kind_in_a_step_the_loudest_is_taken():
    notes = groove((38, 2, 50, 0.1), (40, 2, 90, 0.3), (37, 2, 90, -0.1))
    _, velocities, offsets = layers(GrooveConverter(bars=1).encode(notes).outputs)
    assert velocities[2, 1] == pytest.approx(90 / 127)
    assert offsets[2, 1] == pytest.approx(-0.6)


def test_kinds_are_rolands_and_general_midis_where_roland_has_none():
    notes = groove((43, 0, 80, 0), (48, 1, 80, 0), (58, 2, 80, 0), (35, 3, 80, 0), (100, 4, 80, 0))
    hits, _, _ = layers(GrooveConverter(bars=1).encode(notes).outputs)
    assert np.argwhere(hits).tolist() == [[0, 4], [1, 6], [2, 4], [3, 0]]


def test_inputs_without_dynamics_or_timing():
    notes = example_groove()
    plain = GrooveConverter(bars=1).encode(notes)
    humanize = GrooveConverter(bars=1, humanize=True).encode(notes)
    fixed = GrooveConverter(bars=1, fixed_velocities=True).encode(notes)
    for example in (humanize, fixed):
        np.testing.assert_array_equal(example.outputs, plain.outputs)
        np.testing.assert_array_equal(example.inputs[:, :9], plain.outputs[:, :9])
        assert not example.inputs[:, 9:18].any()
    assert not humanize.inputs[:, 18:].any()
    np.testing.assert_array_equal(fixed.inputs[:, 18:], plain.outputs[:, 18:])


def test_a_tap_is_the_loudest_hit_as_an_open_hi_hat():
    example = GrooveConverter(bars=1, tap=True).encode(
        groove((36, 0, 100, 0.1), (42, 0, 120, -0.0), (38, 8, 60, 0.3))
    )
    hits, velocities, offsets = layers(example.inputs)
    assert np.argwhere(hits).tolist() == [[0, 3], [8, 3]]
    np.testing.assert_allclose(velocities[[0, 8], 3], [120 / 127, 60 / 127])
    np.testing.assert_allclose(offsets[[0, 8], 3], [0.0, -0.6], atol=1e-6)
    assert example.outputs[:, :9].sum() == 3


def test_drums_to_add_are_missing_from_the_input_only():
    example = GrooveConverter(bars=1, add=[2]).encode(example_groove())
    hits, velocities, offsets = layers(example.inputs)
    assert not any(layer[:, 2].any() for layer in (hits, velocities, offsets))
    assert hits.sum() == 2
    assert example.outputs[:, :9].sum() == 4
    with pytest.raises(InputError, match="add: expected kinds of drum, 0 to 8, received"):
        GrooveConverter(add=[9])


def test_hits_as_controls():
    converter = GrooveConverter(bars=1, hits_as_controls=True)
    example = converter.encode(example_groove())
    assert converter.control_depth == 9
    np.testing.assert_array_equal(example.controls, example.outputs[:, :9] > 0)
    again = converter.decode(example.outputs, controls=example.controls)
    np.testing.assert_array_equal(converter.encode(again).controls, example.controls)


@pytest.mark.parametrize("bar", [16, 12])
def test_whatever_a_model_emits_encodes_again(bar):
    converter = GrooveConverter(steps_per_bar=bar)
    rng = np.random.default_rng(bar)
    for _ in range(40):
        outputs = emitted(rng, 2 * bar)
        outputs[:, 18:][rng.random((2 * bar, 9)) < 0.1] = rng.choice([-1, 1])
        notes = converter.decode(outputs, tempo=float(rng.uniform(20, 300)))
        assert all(0 <= n.start_time < n.end_time <= notes.total_time for n in notes.notes)
        canonical = converter.encode(notes).outputs
        hits, velocities, offsets = layers(outputs.astype(np.float64))
        hits = hits > 0.5
        expected = np.clip(offsets, -0.99, 0.99)
        expected[0] = np.minimum(expected[0], 0)
        np.testing.assert_array_equal(canonical[:, :9], hits)
        np.testing.assert_allclose(
            canonical[:, 9:18], hits * np.clip(np.round(velocities * 127), 1, 127) / 127, atol=1e-6
        )
        np.testing.assert_allclose(canonical[:, 18:], hits * expected, atol=1e-5)
        again = converter.encode(converter.decode(canonical, tempo=90.0)).outputs
        np.testing.assert_allclose(again, canonical, atol=1e-5)


def test_a_decoding_survives_a_midi_file(tmp_path):
    converter = GrooveConverter()
    notes = converter.decode(emitted(np.random.default_rng(2)), tempo=100.0)
    again = converter.encode(through_midi(notes, tmp_path)).outputs
    np.testing.assert_allclose(again, converter.encode(notes).outputs, atol=0.02)  # MIDI's ticks
    np.testing.assert_array_equal(again[:, :18], converter.encode(notes).outputs[:, :18])


def test_no_drums_encode_unless_data_must_have_them():
    melody = passage((60, 0, 4))
    assert not GrooveConverter(bars=1).encode(melody).outputs.any()
    with pytest.raises(Unsuitable) as error:
        GrooveConverter(bars=1).encode(melody, allow_silence=False)
    assert error.value.reason == reasons.NO_DRUMS


def test_dropped_hits_are_dropped_whole_and_quiet_ones_sooner():
    rng = np.random.default_rng(0)
    inputs = np.zeros((400, 32, 27), np.float32)
    inputs[..., :9] = 1
    inputs[:, :16, 9:18] = 0.1
    inputs[:, 16:, 9:18] = 1.0
    inputs[..., 18:] = 0.5
    dropped = drop_hits(inputs, 0.8, rng)
    hits, velocities, offsets = layers(dropped)
    np.testing.assert_array_equal(velocities > 0, hits > 0)
    np.testing.assert_array_equal(offsets > 0, hits > 0)
    # A mean probability of 0.4, × 0.9 for the quiet and × 0.2 for the loud.
    assert 1 - hits[:, :16].mean() == pytest.approx(0.36, abs=0.04)
    assert 1 - hits[:, 16:].mean() == pytest.approx(0.08, abs=0.02)
    assert inputs[..., :9].all()
    np.testing.assert_array_equal(drop_hits(inputs[0], 0.0, rng), inputs[0])
    np.testing.assert_array_equal(
        drop_hits(inputs, 0.8, np.random.default_rng(1)),
        drop_hits(inputs, 0.8, np.random.default_rng(1)),
    )
    with pytest.raises(InputError, match="max_probability: expected 0 to 1, received 2"):
        drop_hits(inputs, 2, rng)


def test_arguments_make_the_same_converter():
    converter = GrooveConverter(4, humanize=True, add=(2,), hits_as_controls=True)
    again = GrooveConverter(**converter.arguments())
    assert again.arguments() == converter.arguments()
    assert (again.steps, again.control_depth, again.add) == (64, 9, [2])


def test_every_hit_of_a_real_groove_comes_back_in_time_and_loudness():
    name = "data/music/groove/drummer1/eval_session/1_funk-groove1_138_beat_4-4.mid"
    song = midi_io.midi_file_to_note_sequence(str(shared_path(name)))
    converter = GrooveConverter()
    early_downbeats = 0
    for window in list(windows(song, 2, 2))[:20]:
        outputs = converter.encode(window, allow_silence=False).outputs
        decoded = converter.decode(outputs, tempo=song.tempos[0].qpm)
        played = _loudest(window)
        assert {(n.pitch, n.velocity) for n in decoded.notes} <= {
            (_first(pitch), velocity) for _, pitch, velocity in played
        }
        starts = sorted(max(0.0, start) for start, _, _ in played)
        slack = 0.01 * seconds_per_step(window)  # offsets are limited to 0.99
        np.testing.assert_allclose(sorted(n.start_time for n in decoded.notes), starts, atol=slack)
        early_downbeats += any(start < 0 for start, _, _ in played)
    assert early_downbeats  # or the data do not show what becomes of them


def _first(pitch):
    roland = [[36], [38, 37, 40], [42, 22, 44], [46, 26], [43, 58], [47, 45], [50, 48]]
    roland += [[49, 52, 55, 57], [51, 53, 59]]
    return next(kind[0] for kind in roland if pitch in kind)


def _loudest(window: NoteSequence):
    """(start, pitch, velocity) of the loudest note of each kind and step."""
    best: dict = {}
    for note in window.notes:
        place = (note.quantized_start_step, _first(note.pitch))
        if place not in best or best[place][2] < note.velocity:
            best[place] = (note.start_time, note.pitch, note.velocity)
    return list(best.values())
