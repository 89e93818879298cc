"""What the benchmarks share: timing with spread, tables, and the peer's figures."""

import os
import platform
import time
import warnings
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
warnings.filterwarnings("ignore", module="keras")

REPOSITORY = Path(__file__).resolve().parents[1]
PEER = "Magenta 2.1.4, as measured on such a machine (2 shared virtual CPUs, TensorFlow 2.15.1)"
# Run from source: sketch_rnn with its default sizes. Its sampler has no batch and stops at no end;
# 'loop' is what its graph gives when driven in a batch by hand.
PEER_TRAINING_STEP = {"lstm": 1.48, "layer_norm": 1.73, "hyper": 2.94}  # s, batch 100, 250 steps
PEER_DRAWINGS_PER_SECOND = {1: 6.4, 64: 184.0}  # 250 steps each


def shared(relative: str) -> Path | None:
    """A path in the folder `shared` beside the repository, or None where it is absent."""
    root = Path(os.environ.get("LATENTGEN_SHARED") or REPOSITORY.parent / "shared")
    return root / relative if (root / relative).exists() else None


def seconds(functions: dict[str, Callable], repeats: int) -> dict[str, list[float]]:
    """Times the functions in turn, `repeats` rounds after one that is not counted.

    In turn, so that what else the machine does falls on all of them.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    for round_ in range(repeats + 1):
        for name, function in functions.items():
            started = time.perf_counter()
            function()
            if round_:
                times[name].append(time.perf_counter() - started)
    return times


def spread(values: Sequence[float], unit: str = " s") -> str:
    """Median (min–max)."""
    low, middle, high = np.min(values), np.median(values), np.max(values)
    return f"{middle:.3g}{unit} ({low:.3g}–{high:.3g})"


def heading(title: str, **facts: object) -> None:
    """What is measured, on what, with which seed."""
    print(f"\n{title}")
    import keras

    backend = keras.backend.backend()
    print(
        f"  {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"Keras {keras.__version__} on {backend} {metadata.version(backend)}"
    )
    for name, fact in facts.items():
        print(f"  {name.replace('_', ' ')}: {fact}")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table of text, its columns as wide as they need to be."""
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
    for row in [header, ["-" * width for width in widths], *rows]:
        print("  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())
