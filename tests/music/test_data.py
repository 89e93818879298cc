import itertools

import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.music.converters import DrumConverter, GrooveConverter, MelodyConverter
from latentgen.music.data import MusicBatches
from latentgen.music.reading.collection import Collection, Report
from tests.music.songs import melody


def collection(count, converter=None, lowest=60):
    """Examples of one note each, all different."""
    converter = converter or MelodyConverter(bars=1)
    examples = [
        converter.encode(
            melody([lowest + i], is_drum=isinstance(converter, DrumConverter | GrooveConverter))
        )
        for i in range(count)
    ]
    same = examples[0].inputs is examples[0].outputs
    return Collection(
        np.stack([e.outputs for e in examples]),
        None if same else np.stack([e.inputs for e in examples]),
        np.stack([e.controls for e in examples]) if converter.control_depth else None,
        np.array([e.length for e in examples], "int32"),
        np.array([f"{i}.mid" for i in range(count)]),
        np.zeros(count, "int32"),
        np.array(["train"] * count),
        converter,
        Report(),
    )


def notes_of(batch):
    """The pitch of each example's note."""
    return (batch["sequence"][:, 0].argmax(axis=-1) + 19).tolist()


def test_a_batch():
    batch = MusicBatches(collection(10), batch_size=4).batch(0)
    assert set(batch) == {"sequence", "length"}
    assert batch["sequence"].shape == (4, 16, 90)
    assert batch["sequence"].dtype == np.float32
    np.testing.assert_array_equal(batch["sequence"].sum(axis=-1), 1)
    assert batch["length"].tolist() == [16] * 4
    assert batch["length"].dtype == np.int32


def test_another_input_and_controls():
    drums = collection(3, DrumConverter(bars=1), lowest=35)
    batch = MusicBatches(drums, batch_size=2).batch(0)
    assert batch["sequence"].shape == (2, 16, 512)
    assert batch["input"].shape == (2, 16, 10)
    chords = collection(3, MelodyConverter(bars=1, chords=True))
    batch = MusicBatches(chords, batch_size=2, transpose=2).batch(0)
    assert batch["control"].shape == (2, 16, 49)
    assert batch["control"].dtype == np.float32


def test_a_batch_depends_on_seed_and_step_alone():
    music = collection(30)
    batches = MusicBatches(music, 8, transpose=5, seed=3)
    later = [batches.batch(step) for step in range(6)]
    again = MusicBatches(music, 8, transpose=5, seed=3)
    resumed = [batch for (batch,) in itertools.islice(again.from_step(4), 2)]
    for expected, received in zip(later[4:], resumed, strict=True):
        np.testing.assert_array_equal(expected["sequence"], received["sequence"])
    other = MusicBatches(music, 8, transpose=5, seed=4).batch(4)
    assert (other["sequence"] != later[4]["sequence"]).any()


def test_each_example_comes_once_a_pass_and_others_fill_the_last_batch():
    batches = MusicBatches(collection(10), batch_size=4, seed=1)
    assert batches.batches_per_pass == 3
    for start in (0, 3):
        drawn = [note for step in range(start, start + 3) for note in notes_of(batches.batch(step))]
        assert sorted(drawn[:10]) == list(range(60, 70))
        assert len(drawn) == 12
        assert set(drawn[10:]) <= set(range(60, 70))
    assert batches.order(0).tolist() != batches.order(1).tolist()


def test_fewer_examples_than_a_batch_repeat():
    batches = MusicBatches(collection(3), batch_size=8)
    assert batches.batches_per_pass == 1
    for step in range(3):
        assert set(notes_of(batches.batch(step))) == {60, 61, 62}
        assert len(batches.batch(step)["length"]) == 8


def test_once():
    batches = [batch for (batch,) in MusicBatches(collection(10), 4, transpose=5).once()]
    assert [len(batch["length"]) for batch in batches] == [4, 4, 2]
    assert [note for batch in batches for note in notes_of(batch)] == list(range(60, 70))


def test_transposition_uses_all_of_its_range_and_stays_on_the_piano():
    batches = MusicBatches(collection(1, lowest=105), batch_size=400, transpose=5, seed=2)
    notes = notes_of(batches.batch(0))
    assert set(notes) == set(range(100, 109))
    low = MusicBatches(collection(1, lowest=22), batch_size=200, transpose=3).batch(0)
    assert set(notes_of(low)) == {21, 22, 23, 24, 25}
    np.testing.assert_array_equal(low["sequence"].sum(axis=-1), 1)


def test_the_collection_is_left_as_it_is():
    music = collection(5)
    before = music.outputs.copy()
    MusicBatches(music, 5, transpose=5).batch(0)["sequence"][:] = 7
    np.testing.assert_array_equal(music.outputs, before)


@pytest.mark.parametrize(("count", "options"), [(3, {"batch_size": 0}), (3, {"transpose": -1})])
def test_arguments(count, options):
    with pytest.raises(InputError, match=next(iter(options))):
        MusicBatches(collection(count), **options)


def test_nothing_to_train_on():
    empty = collection(2).take(np.array([], int))
    with pytest.raises(InputError, match="at least one"):
        MusicBatches(empty)


def test_drums_are_not_transposed():
    with pytest.raises(InputError, match="DrumConverter"):
        MusicBatches(collection(2, DrumConverter(bars=1), lowest=36), transpose=1)


def test_hits_are_dropped_from_what_is_read_not_from_what_is_learnt():
    grooves = collection(6, GrooveConverter(bars=1), lowest=36)
    plain = MusicBatches(grooves, batch_size=6, seed=1).batch(0)
    dropped = MusicBatches(grooves, batch_size=6, drop_hits=1.0, seed=1)
    batch = dropped.batch(0)
    np.testing.assert_array_equal(batch["sequence"], plain["sequence"])
    left = [np.sum(dropped.batch(k)["input"][..., :9]) for k in range(50)]
    hits = plain["sequence"][..., :9].sum()
    assert 0 < np.mean(left) < hits
    np.testing.assert_array_equal(dropped.batch(3)["input"], dropped.batch(3)["input"])
    with pytest.raises(InputError, match="expected 0 but for grooves"):
        MusicBatches(collection(3), drop_hits=0.5)
