"""Batches of drawings: a function of the step, every drawing in each pass, cut to buckets."""

import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.sketch.data import SketchBatches, bucket_bounds, pad_drawings
from latentgen.sketch.strokes import to_stroke3, to_stroke5


def drawing(length, seed):
    generator = np.random.default_rng(seed)
    points = generator.integers(-20, 20, (length, 3)).astype("float32")
    points[:, 2] = 0.0
    points[-1, 2] = 1.0
    points[0, :2] = seed, length  # a first point that names the drawing
    return points


LENGTHS = np.random.default_rng(0).integers(2, 40, 37)
DRAWINGS = [drawing(int(n), k) for k, n in enumerate(LENGTHS)]
PLAIN = {"scale_amount": 0.0, "drop_probability": 0.0}


def batches(**options):
    return SketchBatches(DRAWINGS, 2.0, **({"batch_size": 5, "max_length": 40} | options))


def test_padding_closes_every_drawing():
    sequences, lengths = pad_drawings(DRAWINGS[:3])
    np.testing.assert_array_equal(lengths, LENGTHS[:3])
    assert sequences.shape == (3, max(LENGTHS[:3]) + 1, 5)
    assert (sequences[:, :, 2:].sum(-1) == 1).all()
    for row, one in zip(sequences, DRAWINGS, strict=False):
        np.testing.assert_array_equal(to_stroke3(row), one)
        np.testing.assert_array_equal(row[: len(one) + 1], to_stroke5(one))
    assert pad_drawings(DRAWINGS[:3], 50)[0].shape == (3, 50, 5)


def test_a_batch_is_a_function_of_seed_and_step():
    first, again, other = batches(seed=1), batches(seed=1), batches(seed=2)
    forward = [first.batch(step) for step in range(12)]
    for step in (11, 3, 8, 0):  # out of order, as after a resumption
        for key, value in again.batch(step).items():
            np.testing.assert_array_equal(value, forward[step][key])
    ours, theirs = forward[0]["sequence"], other.batch(0)["sequence"]
    assert ours.shape != theirs.shape or (ours != theirs).any()
    later = next(again.from_step(7))[0]
    np.testing.assert_array_equal(later["sequence"], forward[7]["sequence"])


def named(batch):
    """Which drawings a batch holds, by their first points (undoing the scale of 2)."""
    return [round(seed) for seed in batch["sequence"][:, 0, 0] * 2.0]


def test_each_pass_covers_every_drawing():
    data = batches(**PLAIN)
    assert data.batches_per_pass == 8
    for start in (0, 8):
        rows = [row for step in range(start, start + 8) for row in named(data.batch(step))]
        assert len(rows) == 40
        assert set(rows) == set(range(37))
    assert data.order(0)[0].tolist() != data.order(1)[0].tolist()  # another order each pass


def test_batches_are_cut_to_their_bucket():
    data = batches(buckets=4, **PLAIN)
    assert len(data.bounds) <= 4
    assert data.bounds[-1] == LENGTHS.max() + 1
    steps = []
    for step in range(data.batches_per_pass):
        batch = data.batch(step)
        steps.append(batch["sequence"].shape[1])
        assert steps[-1] in data.bounds
        assert steps[-1] > batch["length"].max()  # room for the end element
        assert (batch["sequence"][np.arange(5), batch["length"], 4] == 1).all()
    assert np.mean(steps) < 0.8 * data.bounds[-1]
    one = batches(buckets=1, **PLAIN)
    assert {one.batch(step)["sequence"].shape[1] for step in range(8)} == {41}


def test_bucket_bounds_hold_every_length():
    for buckets in (1, 2, 6, 50):
        bounds = bucket_bounds(LENGTHS, buckets, 60)
        assert (np.diff(bounds) > 0).all()
        assert len(bounds) <= buckets
        assert bounds[-1] == (61 if buckets == 1 else LENGTHS.max() + 1)
        assert (np.searchsorted(bounds, LENGTHS + 1) < len(bounds)).all()


def test_without_augmentation_drawings_are_only_scaled():
    batch = batches(**PLAIN).batch(3)
    for row, name in zip(batch["sequence"], named(batch), strict=True):
        expected = DRAWINGS[name] / np.array([2.0, 2.0, 1.0], "float32")
        np.testing.assert_array_equal(to_stroke3(row), expected)


def test_augmentation_stretches_drops_and_differs_each_time():
    data = batches(scale_amount=0.15, drop_probability=0.3)
    plain = batches(**PLAIN)
    ours, theirs = data.batch(2), plain.batch(2)
    assert (ours["length"] <= theirs["length"]).all()
    assert (ours["length"] < theirs["length"]).any()
    both = theirs["sequence"][:, 0, :2] != 0
    ratios = (ours["sequence"][:, 0, :2] / np.where(both, theirs["sequence"][:, 0, :2], 1))[both]
    assert (ratios >= 0.85).all()
    assert (ratios <= 1.15).all()
    assert len(np.unique(ratios.round(5))) > 5
    # The ends of a drawing stay where its stretched points lie.
    total = ours["sequence"][..., :2].sum(1) / theirs["sequence"][..., :2].sum(1)
    first = ours["sequence"][:, 0, :2] / theirs["sequence"][:, 0, :2]
    usable = both & (np.abs(theirs["sequence"][..., :2].sum(1)) > 1)
    np.testing.assert_allclose(total[usable], first[usable], rtol=1e-3)


def test_mirroring_flips_some_drawings_left_to_right():
    plain, mirrored = batches(**PLAIN), batches(mirror=True, **PLAIN)
    signs = []
    for step in range(8):
        ours, theirs = mirrored.batch(step)["sequence"], plain.batch(step)["sequence"]
        np.testing.assert_array_equal(ours[..., 1:], theirs[..., 1:])
        np.testing.assert_array_equal(np.abs(ours[..., 0]), np.abs(theirs[..., 0]))
        signs += [np.sign((a * b).sum()) for a, b in zip(ours[..., 0], theirs[..., 0], strict=True)]
    assert {-1.0, 1.0} <= set(signs)


def test_once_is_every_drawing_as_it_is():
    seen = [row for (batch,) in batches().once() for row in named(batch)]
    assert sorted(seen) == list(range(37))


def test_drawings_that_cannot_be_used_are_refused():
    with pytest.raises(InputError, match="expected at least one, received none"):
        SketchBatches([], 1.0)
    with pytest.raises(InputError, match="at most 20 points each, received one of 38"):
        batches(max_length=20)
    with pytest.raises(InputError, match="batch_size: expected 1 or more"):
        batches(batch_size=0)
    with pytest.raises(InputError, match="expected at least one point"):
        SketchBatches([np.zeros((0, 3))], 1.0)
    with pytest.raises(InputError, match="finite"):
        SketchBatches([[[np.nan, 0, 0]]], 1.0)
    with pytest.raises(InputError, match="scale: expected a positive number"):
        SketchBatches(DRAWINGS, 0.0, max_length=40)
