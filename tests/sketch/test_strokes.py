"""Strokes: conversions are exact, sketch-rnn's conventions hold, randomness is seeded."""

import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.sketch import strokes
from tests.shared import shared_path


def random_drawing(seed: int, points: int = 30) -> np.ndarray:
    generator = np.random.default_rng(seed)
    drawing = generator.integers(-40, 40, (points, 3)).astype(np.float32)
    drawing[:, 2] = generator.random(points) < 0.2
    drawing[-1, 2] = 1
    return drawing


def magenta_big_strokes(drawing: np.ndarray, max_len: int) -> list[list[float]]:
    """The convention of sketch-rnn's to_big_strokes, row by row."""
    rows = [[dx, dy, 1 - pen, pen, 0] for dx, dy, pen in drawing.tolist()]
    return rows + [[0, 0, 0, 0, 1]] * (max_len - len(rows))


@pytest.mark.parametrize("seed", range(5))
def test_stroke5_follows_magenta_and_comes_back_exactly(seed: int):
    drawing = random_drawing(seed)
    drawing[:, :2] /= 7  # offsets that float32 rounds
    stroke5 = strokes.to_stroke5(drawing, max_len=50)
    assert stroke5.dtype == np.float32
    assert stroke5.tolist() == magenta_big_strokes(drawing, 50)
    np.testing.assert_array_equal(strokes.to_stroke3(stroke5), drawing)
    np.testing.assert_array_equal(
        strokes.to_stroke5(strokes.to_stroke3(stroke5), max_len=50), stroke5
    )


def test_stroke5_has_one_end_row_by_default_and_refuses_to_cut():
    drawing = random_drawing(0)
    assert strokes.to_stroke5(drawing).shape == (31, 5)
    assert strokes.to_stroke5(drawing, max_len=30)[:, 4].sum() == 0
    with pytest.raises(InputError, match="at least the drawing's 30 points, received 29"):
        strokes.to_stroke5(drawing, max_len=29)


def test_stroke3_ignores_what_follows_the_end():
    stroke5 = strokes.to_stroke5([[1, 2, 1]], max_len=3)
    stroke5[2] = np.nan
    assert strokes.to_stroke3(stroke5).tolist() == [[1, 2, 1]]
    assert strokes.to_stroke3([[0, 0, 0, 0, 1], [5, 5, 1, 0, 0]]).shape == (0, 3)


def test_lines_and_back():
    drawing = random_drawing(3)
    lines = strokes.to_lines(drawing)
    assert len(lines) == drawing[:, 2].sum()
    np.testing.assert_array_equal(np.concatenate(lines), np.cumsum(drawing[:, :2], axis=0))
    np.testing.assert_array_equal(strokes.from_lines(lines), drawing)


def test_the_last_stroke_is_kept_although_its_pen_was_not_lifted():
    assert [line.tolist() for line in strokes.to_lines([[1, 0, 1], [1, 0, 0], [1, 0, 0]])] == [
        [[1, 0]],
        [[2, 0], [3, 0]],
    ]


def test_bounds_are_those_of_the_points_not_of_the_origin():
    assert strokes.bounds([[10, 20, 0], [-3, 5, 0], [4, -9, 1]]) == (7, 16, 11, 25)
    assert strokes.bounds(np.zeros((0, 3))) == (0, 0, 0, 0)


def test_start_at_origin_moves_without_changing_the_argument():
    drawing = random_drawing(1)
    before = drawing.copy()
    moved = strokes.start_at_origin(drawing)
    np.testing.assert_array_equal(drawing, before)
    np.testing.assert_array_equal(moved[1:], drawing[1:])
    assert moved[0].tolist() == [0, 0, drawing[0, 2]]


def test_simplify_drops_only_points_within_the_tolerance():
    angles = np.linspace(0, np.pi, 200)
    line = 100 * np.column_stack([np.cos(angles), np.sin(angles)])
    simple = strokes.to_lines(strokes.simplify(strokes.from_lines([line]), tolerance=2.0))[0]
    assert 4 < len(simple) < 20
    np.testing.assert_allclose(simple[[0, -1]], line[[0, -1]], atol=1e-3)
    middles = (simple[1:] + simple[:-1]) / 2
    assert np.abs(np.linalg.norm(middles, axis=1) - 100).max() < 2.001


@pytest.mark.parametrize("line", [[[1, 1]], [[1, 1], [1, 1]], [[1, 1], [1, 1], [1, 1]]])
def test_simplify_keeps_dots(line: list):
    simple = strokes.simplify(strokes.from_lines([line, [[5, 5], [9, 9]]]), tolerance=2.0)
    assert strokes.bounds(simple) == (1, 1, 9, 9)
    assert simple[:, 2].sum() == 2


def test_simplify_keeps_a_tiny_loop_and_tolerance_zero_keeps_corners():
    loop = strokes.from_lines([[[0, 0], [1, 0], [1, 1], [0, 0]]])
    assert len(strokes.simplify(loop, tolerance=5.0)) == 2
    np.testing.assert_array_equal(strokes.simplify(loop, tolerance=0), loop)


def test_normalising_scale_is_the_deviation_of_clipped_offsets():
    drawings = [random_drawing(i) for i in range(4)]
    offsets = np.concatenate([d[:, :2].ravel() for d in drawings])
    assert strokes.normalising_scale(drawings) == pytest.approx(offsets.std(), rel=1e-6)
    assert strokes.normalising_scale([[[5000, -5000, 1]]]) == pytest.approx(1000)
    normal = [strokes.normalise(d, strokes.normalising_scale(drawings)) for d in drawings]
    assert strokes.normalising_scale(normal) == pytest.approx(1, rel=1e-5)
    assert normal[0][:, 2].tolist() == drawings[0][:, 2].tolist()
    assert strokes.normalise([[5000, 2, 1]], 2.0).tolist() == [[500, 1, 1]]


def dropped_one_by_one(drawing: np.ndarray, uniforms: np.ndarray, probability: float) -> list:
    """The published rule as a loop: a dropped point's offset moves the last point kept."""
    result: list[list[float]] = []
    run, previous_pen = 0, 1.0
    for (dx, dy, pen), uniform in zip(drawing.tolist(), uniforms, strict=True):
        run = 0 if pen == 1 or previous_pen == 1 else run + 1
        if pen == 0 and previous_pen == 0 and run > 2 and uniform < probability:
            result[-1][0] += dx
            result[-1][1] += dy
        else:
            result.append([dx, dy, pen])
            previous_pen = pen
    return result


@pytest.mark.parametrize("seed", range(8))
def test_drop_points_is_magentas_rule(seed: int):
    drawing = random_drawing(seed, points=80)
    uniforms = np.random.default_rng(seed).random(80)
    got = strokes.drop_points(drawing, np.random.default_rng(seed), 0.5)
    assert got.tolist() == dropped_one_by_one(drawing, uniforms, 0.5)
    assert len(got) < 80
    assert strokes.positions(got)[-1].tolist() == strokes.positions(drawing)[-1].tolist()


def test_augmentation_is_seeded_and_bounded():
    drawing = random_drawing(0)
    one, same, other = (strokes.augment(drawing, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert one.shape != other.shape or not np.array_equal(one, other)
    generator = np.random.default_rng(0)
    factors = np.array([strokes.random_scale([[1, 1, 1]], generator)[0, :2] for _ in range(500)])
    assert factors.min() > 0.85 - 1e-6
    assert factors.max() < 1.15 + 1e-6
    assert factors.std() == pytest.approx(0.15 / np.sqrt(3), rel=0.1)
    assert abs(np.corrcoef(factors.T)[0, 1]) < 0.2


@pytest.mark.parametrize("drawing", [np.zeros((0, 3)), [], [[3, 4, 1]], [[0, 0, 0]]])
def test_empty_and_one_point_drawings_pass_through_everything(drawing: object):
    generator = np.random.default_rng(0)
    points = len(strokes.check_drawing(drawing))
    for function in (
        strokes.start_at_origin,
        strokes.simplify,
        lambda d: strokes.normalise(d, 2.0),
        lambda d: strokes.augment(d, generator),
        lambda d: strokes.to_stroke3(strokes.to_stroke5(d)),
        lambda d: strokes.from_lines(strokes.to_lines(d)),
    ):
        assert function(drawing).shape == (points, 3)


def test_conversion_of_a_published_data_set_is_exact():
    from latentgen.sketch.npz import read_npz

    path = shared_path("data/sketches/sketch_rnn_datasets/aaron_sheep.npz")
    for drawing in read_npz(path)["valid"][:50]:
        np.testing.assert_array_equal(
            strokes.to_stroke3(strokes.to_stroke5(drawing, max_len=250)), drawing
        )
        np.testing.assert_array_equal(strokes.from_lines(strokes.to_lines(drawing)), drawing)
