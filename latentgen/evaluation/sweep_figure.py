"""The figure of temperature sweeps: quality against diversity, a curve a method."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from latentgen.errors import InputError
from latentgen.evaluation.sweep import Sweep
from latentgen.files import atomic_file
from latentgen.paper import INK, MUTED, PAPER

# Okabe & Ito 2008: told apart with any colour vision; their yellow is too light for a line.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)))


def draw_sweep(
    curves: Mapping[str, Sweep],
    path: str | os.PathLike,
    x: str,
    y: str,
    *,
    x_label: str | None = None,
    y_label: str | None = None,
    published: Mapping[str, Sweep] | None = None,
) -> None:
    """Writes one figure: every method a curve, each of its points a temperature.

    A ring is temperature 1; the first curve says what its other points are.

    Args:
        curves: method -> its sweep.
        path: of a .png, .svg or .pdf.
        x, y: the metrics of the two axes.
        x_label, y_label: what is written at them, such as "NLL_oracle, nats (low: quality)"; the
            metrics' names if None.
        published: curves of others, drawn thin and grey behind.

    Raises:
        InputError: no curves, or one that lacks a metric.
    """
    from matplotlib.figure import Figure

    published = published or {}
    if not curves:
        raise InputError("curves: expected a method's sweep or more, received none")
    for method, sweep in {**curves, **published}.items():
        if x not in sweep.values or y not in sweep.values:
            raise InputError(
                f"{method}: expected the metrics {x!r} and {y!r}, "
                f"received {', '.join(sweep.values)}"
            )
        if not np.isfinite(np.add(sweep.values[x], sweep.values[y])).any():
            raise InputError(f"{method}: expected finite values of {x!r} and {y!r}, received none")
    figure = Figure(figsize=(7.2, 4.6), dpi=160, facecolor=PAPER, layout="constrained")
    axes = figure.add_subplot(facecolor=PAPER)
    ends = []
    for k, (method, sweep) in enumerate(published.items()):
        dash = DASHES[k % len(DASHES)]
        ends.append(_draw(axes, method, sweep, x, y, colour=MUTED, width=0.9, dash=dash, mark=0))
    for k, (method, sweep) in enumerate(curves.items()):
        colour, dash = COLOURS[k % len(COLOURS)], DASHES[k // len(COLOURS) % len(DASHES)]
        ends.append(_draw(axes, method, sweep, x, y, colour=colour, width=1.8, dash=dash, mark=3))
    _name_temperatures(axes, next(iter(curves.values())), x, y)
    axes.set_xlabel(x_label or x, color=INK)
    axes.set_ylabel(y_label or y, color=INK)
    axes.set_title(
        "a point: a temperature; a ring: temperature 1", fontsize=8, color=MUTED, loc="left"
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=8)
    axes.grid(color=MUTED, alpha=0.15, linewidth=0.6)
    _name_curves(axes, ends)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, facecolor=PAPER)


def _draw(axes: Any, method: str, sweep: Sweep, x: str, y: str, colour, width, dash, mark) -> tuple:
    """One curve; returns its name, its colour and its rightmost point."""
    points = np.array([sweep.values[x], sweep.values[y]]).T
    finite = np.isfinite(points).all(axis=1)
    points, temperatures = points[finite], np.array(sweep.temperatures)[finite]
    axes.plot(*points.T, color=colour, linewidth=width, linestyle=dash, zorder=2)
    axes.plot(*points.T, "o", color=colour, markersize=mark, zorder=3)
    axes.plot(
        *points[np.isclose(temperatures, 1.0)].T,
        "o",
        color=colour,
        markerfacecolor=PAPER,
        markersize=4 + 2 * width,
        zorder=4,
    )
    return method, colour, points[points[:, 0].argmax()]


def _name_temperatures(axes: Any, sweep: Sweep, x: str, y: str) -> None:
    for temperature, *point in zip(
        sweep.temperatures, sweep.values[x], sweep.values[y], strict=True
    ):
        axes.annotate(
            f"{temperature:g}",
            point,
            xytext=(0, -5),
            textcoords="offset points",
            fontsize=6.5,
            color=MUTED,
            ha="center",
            va="top",
        )


def _name_curves(axes: Any, ends: list[tuple]) -> None:
    """Names right of the axes, in the order of the curves' right ends, a thin line to each."""
    ends = sorted(ends, key=lambda end: end[2][1])
    low, high = axes.get_ylim()
    heights = (np.array([end[2][1] for end in ends]) - low) / (high - low)
    gap = min(0.055, 1.0 / len(ends))
    # As near the ends as names can be that do not touch: pushed up from below, then back down.
    for k in range(1, len(heights)):
        heights[k] = max(heights[k], heights[k - 1] + gap)
    heights[-1] = min(heights[-1], 1.0)
    for k in range(len(heights) - 2, -1, -1):
        heights[k] = min(heights[k], heights[k + 1] - gap)
    for (method, colour, point), height in zip(ends, heights, strict=True):
        axes.annotate(
            method,
            point,
            xytext=(1.03, height),
            textcoords="axes fraction",
            color=colour,
            fontsize=8.5,
            va="center",
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "alpha": 0.4,
                "linewidth": 0.6,
                "relpos": (0, 0.5),
                "shrinkA": 1,
                "shrinkB": 2,
            },
            annotation_clip=False,
        )
