"""Attributes: known values, ranges, invariance, finite numbers for any drawing."""

import doctest
import importlib

import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.sketch import attributes
from latentgen.sketch.strokes import from_lines
from tests.shared import shared_path

ALL = [
    attributes.number_of_strokes,
    attributes.ink_length,
    attributes.aspect_ratio,
    attributes.closedness,
    attributes.symmetry,
    attributes.curvature,
    attributes.centre_of_mass_x,
    attributes.centre_of_mass_y,
    attributes.density,
    attributes.straightness,
]
RANGES = {
    "aspect_ratio": (0.01, 100),
    "closedness": (0, 1),
    "symmetry": (0, 1),
    "centre_of_mass_x": (0, 1),
    "centre_of_mass_y": (0, 1),
    "density": (0, 1),
    "straightness": (0, 1),
}


def circle(points: int = 400, turns: float = 1.0) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi * turns, points + 1)
    return from_lines([100 * np.column_stack([np.cos(angles), np.sin(angles)])])


def scribble(seed: int, strokes: int = 4) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return from_lines([generator.integers(0, 256, (9, 2)) for _ in range(strokes)])


LINE = from_lines([[[0, 0], [80, 0]]])
DEGENERATE = {
    "empty": np.zeros((0, 3)),
    "one point": [[5, -7, 1]],
    "one point, pen down": [[5, -7, 0]],
    "one point many times": [[5, 5, 0], [0, 0, 0], [0, 0, 1]],
    "two dots": from_lines([[[0, 0]], [[4, 8]]]),
    "vertical": from_lines([[[3, 0], [3, 9]]]),
    "horizontal": LINE,
    "back and forth": from_lines([[[0, 0], [9, 0], [0, 0]]]),
    "tiny": [[0, 0, 0], [1e-30, 1e-30, 0], [0, 1e-30, 1]],
    "subnormal": [[0, 0, 0], [1e-45, 0, 1]],
    "huge": [[-9e5, -9e5, 0], [9e5, 9e5, 0], [9e5, -9e5, 1]],
    "only pen lifts": [[1, 2, 1]] * 20,
    "last pen down": [[0, 0, 0], [3, 4, 0]],
}


@pytest.mark.parametrize("function", ALL, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", DEGENERATE)
def test_finite_and_in_range_for_every_drawing(function, name: str):
    value = function(DEGENERATE[name])
    low, high = RANGES.get(function.__name__, (0, np.inf))
    assert isinstance(value, float)
    assert np.isfinite(value)
    assert low <= value <= high


@pytest.mark.parametrize("function", ALL, ids=lambda f: f.__name__)
def test_position_and_scale(function):
    for seed in range(5):
        drawing = scribble(seed)
        value = function(drawing)
        low, high = RANGES.get(function.__name__, (0, np.inf))
        assert low <= value <= high
        moved = drawing.copy()
        moved[0, :2] += (512, -1024)
        assert function(moved) == pytest.approx(value, rel=1e-6)
        larger = drawing * [4, 4, 1]
        factor = 4 if function is attributes.ink_length else 1
        assert function(larger) == pytest.approx(factor * value, rel=1e-6)


@pytest.mark.parametrize("function", ALL, ids=lambda f: f.__name__)
def test_arguments_are_checked_and_left_alone(function):
    drawing = scribble(0)
    before = drawing.copy()
    function(drawing)
    np.testing.assert_array_equal(drawing, before)
    with pytest.raises(InputError, match="convert stroke-5"):
        function(np.zeros((3, 5)))
    with pytest.raises(InputError, match="expected finite numbers"):
        function([[np.nan, 0, 1]])


def test_examples_in_the_documentation_are_true():
    for name in ("attributes", "strokes"):
        module = importlib.import_module(f"latentgen.sketch.{name}")
        failed, tried = doctest.testmod(module)
        assert tried > 0
        assert failed == 0


def test_known_values_of_a_circle():
    assert attributes.number_of_strokes(circle()) == 1
    assert attributes.ink_length(circle()) == pytest.approx(200 * np.pi, rel=1e-3)
    assert attributes.aspect_ratio(circle()) == pytest.approx(1, rel=1e-3)
    assert attributes.closedness(circle()) == pytest.approx(1, abs=1e-6)
    assert attributes.straightness(circle()) == pytest.approx(0, abs=1e-6)
    assert attributes.curvature(circle()) == pytest.approx(2 * np.sqrt(2), rel=0.01)
    assert attributes.symmetry(circle()) == 1
    assert attributes.centre_of_mass_x(circle()) == pytest.approx(0.5, abs=1e-3)


def test_curvature_counts_turns_not_points():
    assert attributes.curvature(circle(100)) == pytest.approx(
        attributes.curvature(circle(800)), rel=0.02
    )
    assert attributes.curvature(LINE) == 0
    # A line drawn twice turns once, by half a turn, on two diagonals of way.
    assert attributes.curvature(DEGENERATE["back and forth"]) == pytest.approx(np.pi / 2)
    # An angle just past half a turn is taken as the smaller one.
    assert attributes.curvature(from_lines([[[0, 0], [-9, 1], [-18, 0]]])) < 0.5


def test_closedness_and_straightness_weigh_strokes_by_length():
    both = from_lines([[[0, 0], [30, 0]], [[0, 0], [3, 0], [3, 2], [0, 2], [0, 0]]])
    assert attributes.closedness(both) == pytest.approx(10 / 40)
    assert attributes.straightness(both) == pytest.approx(30 / 40)
    half = attributes.closedness(circle(turns=0.5))
    assert 0 < half < 0.2 < attributes.closedness(circle(turns=0.9))


def test_symmetry_sees_left_and_right_only():
    house = from_lines([[[0, 0], [5, -5], [10, 0], [10, 10], [0, 10], [0, 0]]])
    assert attributes.symmetry(house) == 1
    mirrored = house * [-1, 1, 1]
    assert attributes.symmetry(mirrored) == 1
    flag = from_lines([[[0, 0], [0, 20]], [[0, 0], [8, 0], [8, 5], [0, 5]]])
    assert attributes.symmetry(flag) < 0.7
    assert attributes.symmetry(flag) == attributes.symmetry(flag * [-1, 1, 1])
    upside = flag[:, [1, 0, 2]]  # the same flag lying: left and right of it are not alike either
    assert attributes.symmetry(upside) < 1


def test_centre_of_mass_is_where_the_ink_is():
    heavy_left = from_lines([[[0, 0], [0, 10]] * 5, [[0, 5], [10, 5]]])
    assert attributes.centre_of_mass_x(heavy_left) == pytest.approx(0.5 * 10 / 100, abs=0.01)
    assert attributes.centre_of_mass_y(heavy_left) == pytest.approx(0.5)
    assert attributes.centre_of_mass_x(heavy_left * [-1, 1, 1]) == pytest.approx(0.95, abs=0.01)
    # How finely a line is sampled does not move its centre.
    fine = from_lines([[[x, 0] for x in range(50)] + [[100, 0]]])
    assert attributes.centre_of_mass_x(fine) == pytest.approx(0.5)


def test_density_counts_cells():
    lines = [from_lines([[[0, y], [100, y]] for y in np.linspace(0, 100, n)]) for n in (2, 5, 40)]
    values = [attributes.density(drawing) for drawing in lines]
    assert values == pytest.approx([2 / 16, 5 / 16, 1])
    assert attributes.density([[3, 3, 1]]) == 1 / 256
    assert attributes.density(np.zeros((0, 3))) == 0


def test_real_drawings_differ_as_they_should():
    from latentgen.sketch.quickdraw import load_quickdraw_folder

    folder = shared_path("data/sketches/quickdraw")

    def mean(function, category: str) -> float:
        sketches = load_quickdraw_folder(folder, [category])
        return float(np.mean([function(sketch.drawing) for sketch in sketches]))

    assert mean(attributes.closedness, "square") > mean(attributes.closedness, "lightning") + 0.3
    assert mean(attributes.curvature, "hurricane") > mean(attributes.curvature, "line") + 2
    assert mean(attributes.straightness, "line") > 0.8 > mean(attributes.straightness, "circle")
    assert mean(attributes.symmetry, "circle") > mean(attributes.symmetry, "hockey stick") + 0.2
    assert mean(attributes.aspect_ratio, "snake") > mean(attributes.aspect_ratio, "candle") + 0.5
