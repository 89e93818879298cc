"""Measured attributes of a drawing: numbers to learn constraints from, and to judge them by.

Each is a function from one stroke-3 drawing to one finite float, in every case: an empty drawing, a
single point and ink without extent have the values that each function states. None depends on
where the drawing lies; all but `ink_length` are the same for a drawing of any size, so normalised
drawings and drawings in pixels may be compared. *Ink* is what lies between points of one stroke.
*The box* is the smallest upright rectangle around all points.

Raises `InputError` for what `check_drawing` refuses.
"""

from typing import Any

import numpy as np

from latentgen.sketch.strokes import bounds, check_drawing, positions, to_lines

SYMMETRY_TOLERANCE = 0.05
SYMMETRY_SAMPLES = 256
DENSITY_GRID = 16


def number_of_strokes(drawing: Any) -> float:
    """How often the pen was put down. A count, 0 for an empty drawing.

    >>> number_of_strokes([[0, 0, 0], [3, 4, 1], [5, 5, 1]])
    2.0
    """
    return float(len(to_lines(drawing)))


def ink_length(drawing: Any) -> float:
    """Length of all ink, in the drawing's own units (QuickDraw: a box of 255). 0 without ink.

    Moves with the pen lifted do not count. Twice as large a drawing has twice the length.

    >>> ink_length([[0, 0, 0], [3, 4, 1], [5, 5, 1]])
    5.0
    """
    starts, ends = _segments(drawing)
    return float(np.linalg.norm(ends - starts, axis=1).sum())


def aspect_ratio(drawing: Any) -> float:
    """Width of the box over its height: above 1 for wide drawings. Range [0.01, 100].

    A side counts as at least a hundredth of the other; a drawing without extent has 1.

    >>> aspect_ratio([[0, 0, 0], [4, 2, 1]])
    2.0
    """
    left, top, right, bottom = bounds(drawing)
    width, height = right - left, bottom - top
    if max(width, height) == 0:
        return 1.0
    return max(width, height / 100) / max(height, width / 100)


def closedness(drawing: Any) -> float:
    """How nearly strokes end where they began. Range [0, 1]: 0 a straight line, 1 closed strokes.

    For one stroke: 1 - (distance from its start to its end) / (diagonal of the stroke's own box).
    For a drawing: the mean over its strokes, weighted by their length. 0 without ink.

    >>> closedness([[0, 0, 0], [4, 0, 0], [0, 3, 0], [-4, 0, 0], [0, -3, 1]])
    1.0
    >>> closedness([[0, 0, 0], [4, 0, 0], [0, 3, 0], [-4, 0, 1]])
    0.4
    """
    weights, values = [0.0], [0.0]
    for line in to_lines(drawing):
        diagonal = np.linalg.norm(np.ptp(line, axis=0))
        if diagonal > 0:
            weights.append(_length(line))
            values.append(1 - float(np.linalg.norm(line[-1] - line[0]) / diagonal))
    return float(np.average(values, weights=weights)) if sum(weights) else 0.0


def straightness(drawing: Any) -> float:
    """How straight the strokes run from start to end. Range [0, 1]: 1 straight lines, 0 loops.

    The sum of the strokes' distances from start to end, over the length of all ink. 1 without ink.

    >>> straightness([[0, 0, 0], [3, 0, 0], [0, 4, 1]])
    0.7142857142857143
    """
    lines = to_lines(drawing)
    total = sum(_length(line) for line in lines)
    direct = sum(float(np.linalg.norm(line[-1] - line[0])) for line in lines)
    return min(1.0, direct / total) if total > 0 else 1.0


def curvature(drawing: Any) -> float:
    """How much the ink turns on its way, in radians per diagonal of the box. At least 0.

    The sum of the absolute angles between successive pieces of a stroke, over the length of all
    ink, times the diagonal of the box. Straight lines have 0, a circle has 2·√2 = 2.83, curls and
    zigzags have more. 0 without ink. Points that repeat are left out.

    >>> round(curvature([[0, 0, 0], [2, 0, 0], [0, 2, 1]]), 4)  # a quarter turn, 2.83 / 4
    1.1107
    """
    turned, total = 0.0, 0.0
    for line in to_lines(drawing):
        steps = np.diff(line, axis=0)
        lengths = np.linalg.norm(steps, axis=1)
        steps = steps[lengths > 0]
        angles = np.arctan2(steps[:, 1], steps[:, 0])
        turns = np.abs(np.diff(angles))
        turned += float(np.minimum(turns, 2 * np.pi - turns).sum())
        total += float(lengths.sum())
    left, top, right, bottom = bounds(drawing)
    return turned / total * float(np.hypot(right - left, bottom - top)) if total > 0 else 0.0


def centre_of_mass_x(drawing: Any) -> float:
    """Where the ink's centre lies between the left (0) and the right (1) of the box. Range [0, 1].

    Without ink it is the centre of the points; 0.5 where the box has no width.

    >>> centre_of_mass_x([[0, 0, 0], [0, 6, 0], [4, 0, 1]])  # six to the left, four across
    0.2
    """
    return _centre_of_mass(drawing, axis=0)


def centre_of_mass_y(drawing: Any) -> float:
    """Where the ink's centre lies between the top (0) and the bottom (1) of the box. Range [0, 1].

    Without ink it is the centre of the points; 0.5 where the box has no height.

    >>> centre_of_mass_y([[0, 0, 0], [0, 6, 0], [6, 0, 1]])
    0.75
    """
    return _centre_of_mass(drawing, axis=1)


def density(drawing: Any) -> float:
    """How much of its place the drawing fills with ink. Range [0, 1].

    The share of the cells of a 16 x 16 grid that ink passes through; the grid covers the smallest
    upright square around the drawing, centred on its box. A point fills 1/256, no point 0.

    >>> density([[0, 0, 0], [10, 0, 1]]) * 256  # a line fills one row of cells
    16.0
    """
    points = positions(drawing)
    if not len(points):
        return 0.0
    left, top, right, bottom = bounds(drawing)
    side = max(right - left, bottom - top) or 1.0
    corner = ((left + right - side) / 2, (top + bottom - side) / 2)
    ink = np.concatenate([points, _along(drawing, step=side / DENSITY_GRID / 8)])
    cells = np.floor((ink - corner) / side * DENSITY_GRID * (1 - 1e-9)).astype(int)
    cells = cells.clip(0, DENSITY_GRID - 1)
    return len(np.unique(cells, axis=0)) / DENSITY_GRID**2


def symmetry(drawing: Any) -> float:
    """How far left and right mirror each other. Range [0, 1]: 1 is a mirror image of itself.

    The ink is mirrored at the vertical line through the middle of the box; the result is the share
    of 256 points, spaced evenly along the mirrored ink, that lie within 5% of the box's diagonal
    of any ink. 1 without ink.

    >>> symmetry([[0, 0, 0], [5, -9, 0], [5, 9, 1]])
    1.0
    >>> symmetry([[0, 0, 0], [0, 9, 0], [9, 0, 1]])  # an L: its foot, and a little of its leg
    0.53515625
    """
    total = ink_length(drawing)
    if total == 0:
        return 1.0
    left, top, right, bottom = bounds(drawing)
    mirrored = _along(drawing, step=total / SYMMETRY_SAMPLES) * (-1, 1) + (left + right, 0)
    starts, ends = _segments(drawing)
    tolerance = SYMMETRY_TOLERANCE * np.hypot(right - left, bottom - top)
    return float((_distances(mirrored, starts, ends).min(axis=1) <= tolerance).mean())


def _segments(drawing: Any) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends, each (segments, 2), of all pieces of ink between two points."""
    drawing = check_drawing(drawing)
    points = positions(drawing)
    inked = drawing[:-1, 2] == 0
    return points[:-1][inked], points[1:][inked]


def _length(line: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def _along(drawing: Any, step: float) -> np.ndarray:
    """Points (n, 2) on the ink, about `step` of its length apart, each in the middle of a step."""
    starts, ends = _segments(drawing)
    reached = np.concatenate([[0.0], np.cumsum(np.linalg.norm(ends - starts, axis=1))])
    if reached[-1] == 0:
        return np.zeros((0, 2))
    count = max(1, round(reached[-1] / step))
    places = (np.arange(count) + 0.5) / count * reached[-1]
    index = np.clip(np.searchsorted(reached, places, side="right") - 1, 0, len(starts) - 1)
    lengths = reached[index + 1] - reached[index]
    share = ((places - reached[index]) / np.where(lengths > 0, lengths, 1))[:, None]
    return starts[index] + share * (ends[index] - starts[index])


def _distances(points: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Distances (points, segments) from points (points, 2) to the nearest place of segments."""
    steps = ends - starts  # (S, 2)
    squared = (steps**2).sum(axis=1)
    offsets = points[:, None] - starts  # (P, S, 2)
    share = (offsets * steps).sum(axis=2) / np.where(squared > 0, squared, 1)
    nearest = share.clip(0, 1)[..., None] * steps
    return np.linalg.norm(offsets - nearest, axis=2)


def _centre_of_mass(drawing: Any, axis: int) -> float:
    """The ink's mean position on an axis, from 0 to 1 within the box."""
    points = positions(drawing)[:, axis]
    extent = np.ptp(points) if len(points) else 0.0
    if extent == 0:
        return 0.5
    starts, ends = _segments(drawing)
    lengths = np.linalg.norm(ends - starts, axis=1)
    middles = (starts + ends)[:, axis] / 2
    centre = np.average(middles, weights=lengths) if lengths.sum() > 0 else points.mean()
    return float(np.clip((centre - points.min()) / extent, 0, 1))
