"""Strokes: how a drawing is held in arrays, and what is done to it before a model sees it.

A *drawing* is a stroke-3 array, float32 of shape (points, 3). Its columns are dx, dy and the pen:
1 if the pen is lifted after this point, else 0. The first row's dx, dy is the offset from the
origin (0, 0); y grows downwards. *stroke-5* is float32 of shape (steps, 5): dx, dy, p1 (pen stays
down), p2 (pen is lifted), p3 (the drawing has ended), padded with rows (0, 0, 0, 0, 1).
Both are sketch-rnn's (Ha, Eck 2017, arXiv 1704.03477, section 3.1; `utils.py` of Magenta's
sketch_rnn).

Every function here takes a drawing as any array-like that `check_drawing` accepts, and raises
`InputError` for one that it does not.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from latentgen.errors import InputError

# No point of a drawing may lie farther from the origin. float32 still tells 1/16 apart there;
# beyond, files hold accidents (a wrong unit, a damaged line), not drawings.
MAX_COORDINATE = 1e6
# sketch-rnn clips every offset of its training data to this.
MAX_OFFSET = 1000.0


def check_drawing(drawing: Any, name: str = "drawing", allow_empty: bool = True) -> np.ndarray:
    """The drawing as float32 (points, 3), if it is one.

    Args:
        drawing: array-like of shape (points, 3); numbers of any real type.
        name: what the error calls it.
        allow_empty: whether no point at all is a drawing (a model may well stop at once).

    Raises:
        InputError: wrong shape or type, NaN or infinity, a pen that is neither 0 nor 1, a point
            farther than `MAX_COORDINATE` from the origin on an axis, or no point.
    """
    array = _numbers(drawing, name, columns=3)
    if not allow_empty and len(array) == 0:
        raise InputError(f"{name}: expected at least one point, received none; leave it out")
    _check_values(array, name)
    pens = array[:, 2]
    if not ((pens == 0) | (pens == 1)).all():
        row = int(np.flatnonzero((pens != 0) & (pens != 1))[0])
        raise InputError(
            f"{name}: expected pen values 0 (down) or 1 (lifted), received {pens[row]:g} "
            f"at point {row}; the columns are dx, dy, pen"
        )
    return array.astype(np.float32)


def to_stroke5(drawing: Any, max_len: int | None = None) -> np.ndarray:
    """stroke-3 → stroke-5, padded with (0, 0, 0, 0, 1); Magenta's `to_big_strokes`.

    Args:
        drawing: (points, 3).
        max_len: rows of the result; without it there is exactly one end row after the points.

    Returns:
        float32 (max_len, 5). `to_stroke3` gives back exactly the drawing.

    Example:
        >>> to_stroke5([[2, 0, 0], [0, 3, 1]]).tolist()
        [[2.0, 0.0, 1.0, 0.0, 0.0], [0.0, 3.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]]
    """
    drawing = check_drawing(drawing)
    length = len(drawing)
    if max_len is None:
        max_len = length + 1
    if length > max_len:
        raise InputError(
            f"max_len: expected at least the drawing's {length} points, received {max_len}; "
            "simplify the drawing or leave it out"
        )
    result = np.zeros((max_len, 5), np.float32)
    result[:length, :2] = drawing[:, :2]
    result[:length, 2] = 1 - drawing[:, 2]
    result[:length, 3] = drawing[:, 2]
    result[length:, 4] = 1
    return result


def to_stroke3(stroke5: Any) -> np.ndarray:
    """stroke-5 → stroke-3: the rows before the first end row; Magenta's `to_normal_strokes`.

    Unlike Magenta's, an end in the first row gives an empty drawing, not the padding.

    Args:
        stroke5: (steps, 5); what follows the first end row is not looked at.

    Returns:
        float32 (points, 3).
    """
    array = _numbers(stroke5, "stroke5", columns=5)
    ends = np.flatnonzero(array[:, 4] > 0)
    array = array[: ends[0]] if len(ends) else array
    _check_values(array, "stroke5")
    pens = array[:, 2:4]
    if not (((pens == 0) | (pens == 1)).all() and (pens.sum(axis=1) == 1).all()):
        raise InputError(
            "stroke5: expected exactly one of p1, p2, p3 to be 1 in each row, received other "
            "values; take the arg max of probabilities first"
        )
    return array[:, [0, 1, 3]].astype(np.float32)


def positions(drawing: Any) -> np.ndarray:
    """Absolute positions of the points, float64 (points, 2)."""
    return np.cumsum(check_drawing(drawing)[:, :2], axis=0, dtype=np.float64)


def to_lines(drawing: Any) -> list[np.ndarray]:
    """The drawing's strokes as polylines, each float64 (points, 2) in absolute positions.

    The last one is kept whether or not its pen was lifted.

    Example:
        >>> [line.tolist() for line in to_lines([[2, 0, 0], [0, 3, 1], [1, 1, 1]])]
        [[[2.0, 0.0], [2.0, 3.0]], [[3.0, 4.0]]]
    """
    drawing = check_drawing(drawing)
    lines = np.split(positions(drawing), np.flatnonzero(drawing[:, 2]) + 1)
    return [line for line in lines if len(line)]


def from_lines(lines: Sequence[Any]) -> np.ndarray:
    """Polylines in absolute positions → drawing; the pen is lifted after each of them.

    Args:
        lines: each array-like (points, 2); empty ones are left out.

    Returns:
        float32 (points, 3). The inverse of `to_lines` wherever float32 holds the offsets exactly
        (whole numbers do) and the drawing ends with a lifted pen.
    """
    arrays = [_numbers(line, f"lines[{i}]", columns=2) for i, line in enumerate(lines)]
    arrays = [array for array in arrays if len(array)]
    if not arrays:
        return np.zeros((0, 3), np.float32)
    points = np.concatenate(arrays)
    pens = np.zeros(len(points))
    pens[np.cumsum([len(array) for array in arrays]) - 1] = 1
    offsets = np.diff(points, axis=0, prepend=0.0)
    return check_drawing(np.column_stack([offsets, pens]), "lines")


def bounds(drawing: Any) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of the drawing's points; four zeros if it has none.

    Magenta's `get_bounds` also counts the origin, where no ink need be.
    """
    points = positions(drawing)
    if not len(points):
        return 0.0, 0.0, 0.0, 0.0
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def start_at_origin(drawing: Any) -> np.ndarray:
    """The same drawing, moved so that its first point is (0, 0), as sketch-rnn's data are."""
    drawing = check_drawing(drawing)
    drawing[:1, :2] = 0
    return drawing


def simplify(drawing: Any, tolerance: float = 2.0) -> np.ndarray:
    """Ramer-Douglas-Peucker on each stroke: no dropped point was farther than `tolerance`.

    QuickDraw's simplified files were made with a tolerance of 2 on a 0 to 255 grid.
    """
    import shapely

    if not 0 <= tolerance < np.inf:
        raise InputError(f"tolerance: expected a number of at least 0, received {tolerance}")
    lines = to_lines(drawing)
    for i, line in enumerate(lines):
        if len(line) > 2:
            simple = shapely.simplify(shapely.LineString(line), tolerance, preserve_topology=False)
            # GEOS lets a line that is smaller than the tolerance vanish: keep its ends.
            lines[i] = line[[0, -1]] if simple.is_empty else shapely.get_coordinates(simple)
    return from_lines(lines)


def normalising_scale(drawings: Sequence[Any]) -> float:
    """Standard deviation of all dx and dy of the training drawings, clipped to ±1000 first.

    Divide by it, in training and ever after (arXiv 1704.03477, appendix).
    """
    if not len(drawings):
        raise InputError("drawings: expected at least one, received none")
    offsets = np.concatenate([check_drawing(drawing)[:, :2].ravel() for drawing in drawings])
    scale = float(np.clip(offsets, -MAX_OFFSET, MAX_OFFSET).std(dtype=np.float64))
    if not scale > 0:
        raise InputError(
            "drawings: expected offsets that differ, received only equal ones; "
            "there is no scale to normalise by"
        )
    return scale


def normalise(drawing: Any, scale: float) -> np.ndarray:
    """Offsets clipped to ±1000, then divided by `scale`; float32 (points, 3)."""
    if not 0 < scale < np.inf:
        raise InputError(f"scale: expected a positive number, received {scale}")
    drawing = check_drawing(drawing)
    drawing[:, :2] = np.clip(drawing[:, :2], -MAX_OFFSET, MAX_OFFSET) / scale
    return drawing


def random_scale(drawing: Any, generator: np.random.Generator, amount: float = 0.15) -> np.ndarray:
    """Each axis stretched by its own factor, uniform in [1 - amount, 1 + amount]."""
    if not 0 <= amount < 1:
        raise InputError(f"amount: expected a number in [0, 1), received {amount}")
    drawing = check_drawing(drawing)
    drawing[:, :2] *= generator.uniform(1 - amount, 1 + amount, size=2).astype(np.float32)
    return drawing


def drop_points(
    drawing: Any, generator: np.random.Generator, probability: float = 0.10
) -> np.ndarray:
    """Points dropped at random inside strokes, the rest staying in place.

    As Magenta's `augment_strokes`: each point but a stroke's first three and its last is drawn with
    `probability`, and its offset is added to the last point kept, which so moves to its place.
    """
    if not 0 <= probability <= 1:
        raise InputError(f"probability: expected a number in [0, 1], received {probability}")
    drawing = check_drawing(drawing)
    if not len(drawing):
        return drawing
    index = np.arange(len(drawing))
    starts = np.concatenate([[True], drawing[:-1, 2] == 1])
    index_in_stroke = index - np.maximum.accumulate(np.where(starts, index, 0))
    eligible = (index_in_stroke > 2) & (drawing[:, 2] == 0)
    kept = ~eligible | (generator.random(len(drawing)) >= probability)
    result = drawing[kept]
    result[:, :2] = np.add.reduceat(drawing[:, :2], np.flatnonzero(kept), axis=0)
    return result


def augment(
    drawing: Any, generator: np.random.Generator, scale: float = 0.15, drop: float = 0.10
) -> np.ndarray:
    """sketch-rnn's augmentation: `random_scale`, then `drop_points`."""
    return drop_points(random_scale(drawing, generator, scale), generator, drop)


def _numbers(values: Any, name: str, columns: int) -> np.ndarray:
    """`values` as float64 (rows, columns), which np.asarray alone does not promise."""
    expected = f"{name}: expected numbers of shape (points, {columns})"
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise InputError(f"{expected}, received rows of unequal length") from error
    if array.shape == (0,):
        return np.zeros((0, columns))
    if array.dtype.kind not in "iuf":
        raise InputError(f"{expected}, received an array of type {array.dtype}")
    if array.ndim != 2 or array.shape[1] != columns:
        hint = "; convert stroke-5 with to_stroke3" if array.shape[-1:] == (5,) else ""
        raise InputError(f"{expected}, received shape {array.shape}{hint}")
    return array.astype(np.float64)


def _check_values(array: np.ndarray, name: str) -> None:
    """Raises InputError unless everything is finite and no point is absurdly far away."""
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise InputError(
            f"{name}: expected finite numbers, received {array[row].tolist()} at point {row}"
        )
    farthest = max(
        np.abs(array[:, :2]).max(initial=0), np.abs(array[:, :2].cumsum(axis=0)).max(initial=0)
    )
    if farthest > MAX_COORDINATE:
        raise InputError(
            f"{name}: expected positions and offsets within ±{MAX_COORDINATE:g}, received "
            f"{farthest:g}; scale the drawing down"
        )
