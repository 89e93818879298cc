"""Temperature sweeps: quality and diversity together, of every method a curve.

A model drawn from at a lower temperature has better samples and less of them; one number of either
kind says nothing of it, the curve does (Caccia et al. 2020, arXiv 1811.02549). Their α multiplies
the logits: it is 1 / temperature.
"""

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentgen.errors import FileError, InputError
from latentgen.files import atomic_file

TEMPERATURES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2)


@dataclass(frozen=True)
class Sweep:
    """What metrics say of samples at each temperature; `str()` is a table.

    Attributes:
        temperatures: rising.
        values: metric -> its value at each temperature.
    """

    temperatures: tuple[float, ...]
    values: dict[str, tuple[float, ...]]

    def save(self, path: str | os.PathLike) -> None:
        """Writes a CSV file: a row a temperature, a column a metric."""
        with atomic_file(path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["temperature", *self.values])
            writer.writerows(zip(self.temperatures, *self.values.values(), strict=True))

    def __str__(self) -> str:
        header = ["temperature", *self.values]
        lines = ["  ".join(header)]
        for row in zip(self.temperatures, *self.values.values(), strict=True):
            cells = [f"{value:{len(name)}.4g}" for name, value in zip(header, row, strict=True)]
            lines.append("  ".join(cells))
        return "\n".join(lines)


def temperature_sweep(
    generate: Callable[[float], Any],
    metrics: Mapping[str, Callable[[Any], float]],
    temperatures: Sequence[float] = TEMPERATURES,
) -> Sweep:
    """Draws at each temperature, once, and measures what is drawn with every metric.

    Args:
        generate: temperature -> samples of any kind, such as
            `lambda t: model.sample(1000, temperature=t)`.
        metrics: name -> a function of the samples.
        temperatures: each above 0.

    Raises:
        InputError: no metrics, no temperatures, one twice, or one that is none.
    """
    chosen = tuple(sorted(float(t) for t in temperatures))
    usable = chosen and len(set(chosen)) == len(chosen) and all(0 < t < np.inf for t in chosen)
    if not metrics or not usable:
        raise InputError(
            "expected a metric or more, and different temperatures above 0, received "
            f"{len(metrics)} metrics and temperatures {chosen}"
        )
    columns: dict[str, list[float]] = {name: [] for name in metrics}
    for temperature in chosen:
        samples = generate(temperature)
        for name, metric in metrics.items():
            columns[name].append(float(metric(samples)))
    return Sweep(chosen, {name: tuple(column) for name, column in columns.items()})


def read_sweep(path: str | os.PathLike) -> Sweep:
    """Reads what `Sweep.save` wrote.

    Raises:
        FileError: no such file, or not such a one.
    """
    try:
        with Path(path).open(newline="") as file:
            header, *rows = csv.reader(file)
        table = np.array(rows, "float64").reshape(len(rows), len(header))
        if header[0] != "temperature" or len(set(header)) < len(header) or not len(rows):
            raise ValueError("its columns or rows are others")
    except (OSError, ValueError, IndexError) as error:
        raise FileError(f"{path}: expected a table that Sweep.save wrote: {error}") from None
    temperatures, *columns = (tuple(column) for column in table.T.tolist())
    return Sweep(temperatures, dict(zip(header[1:], columns, strict=True)))


def read_published_sweep(paths: Mapping[str, str | os.PathLike]) -> Sweep:
    """A curve of Caccia et al., of the files of its metrics (`Wall time, Step, Value`).

    A step is 100 α, so the temperature is 100 / step. Only steps that every metric has are taken,
    without those that are not finite; of a step that comes twice, the last.

    Args:
        paths: metric -> file.

    Raises:
        FileError: no such files, or nothing in common.
    """
    found: dict[str, dict[float, float]] = {}
    for name, path in paths.items():
        try:
            with Path(path).open(newline="") as file:
                rows = [(100 / float(r["Step"]), float(r["Value"])) for r in csv.DictReader(file)]
        except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
            raise FileError(f"{path}: expected columns Step and Value: {error!r}") from None
        found[name] = {temperature: value for temperature, value in rows if np.isfinite(value)}
    common = sorted(set.intersection(*map(set, found.values()))) if found else []
    if not common:
        raise FileError(f"{list(paths.values())}: expected files with steps in common, found none")
    columns = {name: tuple(column[t] for t in common) for name, column in found.items()}
    return Sweep(tuple(common), columns)
