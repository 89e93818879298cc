"""TensorFlow.js weights: a manifest of groups, and shards of raw numbers beside it.

A group's weights lie one after the other in its shards put together, so one may span several.
Quantised ones are value · scale + min; `float16` is a type of quantisation too.
"""

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentgen.checkpoints.plain_json import read_json
from latentgen.errors import FileError

MANIFEST, TOPOLOGY = "weights_manifest.json", "model.json"
TYPES = {"float32": "<f4", "int32": "<i4", "bool": "<u1"}
QUANTISED = {"uint8": "<u1", "uint16": "<u2", "float16": "<f2"}
SHARD_BYTES = 1 << 22  # what browsers keep
MOST_BYTES = 1 << 32
MOST_AXES = 8


@dataclass(frozen=True)
class _Weight:
    """What a manifest says of one weight."""

    name: str
    shape: tuple[int, ...]
    kind: str
    stored: np.dtype
    scale: float = 1.0
    minimum: float = 0.0

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.stored.itemsize


def read_tfjs(folder: str | os.PathLike) -> dict[str, np.ndarray]:
    """Weights by name, float32; those that are no floating-point numbers are left out.

    Args:
        folder: with weights_manifest.json, or model.json, and the shards.

    Raises:
        FileError: no manifest, a damaged or hostile one, a shard that is not there, or shards of
            another size than the manifest's shapes say; nothing is read before all that is known.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    if not path.is_file():
        path = folder / TOPOLOGY
    content = read_json(path)
    try:
        groups = list(_groups(content))
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FileError(f"{path}: expected groups of paths and weights: {error}") from None
    _check(groups, path)
    tensors = {}
    for shards, weights in groups:
        data = bytearray()
        for shard in shards:
            data += (folder / shard).read_bytes()
        if len(data) != sum(weight.bytes for weight in weights):
            raise FileError(f"{path}: the shards changed while they were read; try again")
        offset = 0
        for weight in weights:
            if weight.kind == "float32":
                tensors[weight.name] = _tensor(weight, data, offset, path)
            offset += weight.bytes
    return tensors


def write_tfjs(tensors: Mapping[str, np.ndarray], folder: str | os.PathLike) -> None:
    """Writes weights, float32, as weights_manifest.json and shards into a folder that is there."""
    weights = [
        {"name": name, "shape": list(tensor.shape), "dtype": "float32"}
        for name, tensor in tensors.items()
    ]
    data = b"".join(np.ascontiguousarray(tensor, "<f4").tobytes() for tensor in tensors.values())
    count = max(1, -(-len(data) // SHARD_BYTES))
    paths = [f"group1-shard{k + 1}of{count}" for k in range(count)]
    for k, name in enumerate(paths):
        (Path(folder) / name).write_bytes(data[k * SHARD_BYTES : (k + 1) * SHARD_BYTES])
    manifest = json.dumps([{"paths": paths, "weights": weights}])
    (Path(folder) / MANIFEST).write_text(manifest + "\n", encoding="utf-8")


def _groups(content: Any) -> Iterator[tuple[list[str], list[_Weight]]]:
    groups = content["weightsManifest"] if isinstance(content, dict) else content
    for group in groups:
        paths = list(group["paths"])
        if any(not isinstance(path, str) or Path(path).name != path for path in paths):
            raise ValueError(f"paths that are no plain file names: {paths[:3]}")
        yield paths, [_weight(entry) for entry in group["weights"]]


def _weight(entry: dict[str, Any]) -> _Weight:
    name, shape, kind = str(entry["name"]), tuple(entry["shape"]), entry["dtype"]
    plain = all(type(n) is int and n >= 0 for n in shape) and len(shape) <= MOST_AXES
    if not plain or math.prod(max(n, 1) for n in shape) > MOST_BYTES:
        raise ValueError(f"{name}: expected a shape, found {shape}")
    if kind not in TYPES:
        raise ValueError(f"{name}: expected one of the types {list(TYPES)}, found {kind!r}")
    quantisation = entry.get("quantization")
    if quantisation is None:
        return _Weight(name, shape, kind, np.dtype(TYPES[kind]))
    stored = quantisation["dtype"]
    if stored not in QUANTISED:
        raise ValueError(f"{name}: expected one of {list(QUANTISED)}, found {stored!r}")
    if stored == "float16":
        return _Weight(name, shape, kind, np.dtype("<f2"))
    scale, minimum = float(quantisation["scale"]), float(quantisation["min"])
    if not math.isfinite(scale) or not math.isfinite(minimum):
        raise ValueError(f"{name}: expected a finite scale and min, found {scale} and {minimum}")
    return _Weight(name, shape, kind, np.dtype(QUANTISED[stored]), scale, minimum)


def _check(groups: list[tuple[list[str], list[_Weight]]], path: Path) -> None:
    """Compares what the manifest claims with the files; their sizes decide, not its word."""
    shards = [shard for paths, _ in groups for shard in paths]
    names = [weight.name for _, weights in groups for weight in weights]
    for what, listed in (("shard", shards), ("weight", names)):
        if len(set(listed)) != len(listed):
            raise FileError(f"{path}: expected each {what} once, found one twice")
    for shard in shards:
        if not (path.parent / shard).is_file():
            raise FileError(f"{path.parent / shard}: expected a shard of the weights, found none")
    for paths, weights in groups:
        expected = sum(weight.bytes for weight in weights)
        found = sum((path.parent / shard).stat().st_size for shard in paths)
        if expected != found:
            raise FileError(
                f"{path}: expected {expected:,} bytes in the shards {paths[:3]}, found {found:,}"
            )
        if found > MOST_BYTES:
            raise FileError(f"{path}: expected at most {MOST_BYTES:,} bytes, found {found:,}")


def _tensor(weight: _Weight, data: bytearray, offset: int, path: Path) -> np.ndarray:
    """A float32 array; quantised values are computed in float64, as JavaScript does."""
    stored = np.frombuffer(data, weight.stored, math.prod(weight.shape), offset)
    if weight.stored.kind == "u":
        stored = stored.astype("float64") * weight.scale + weight.minimum
    with np.errstate(over="ignore"):
        values = stored.astype("float32").reshape(weight.shape)
    if not np.isfinite(values).all():
        raise FileError(f"{path}: expected finite numbers, found NaN or infinity in {weight.name}")
    return values
