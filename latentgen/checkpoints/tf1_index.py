"""The index of a TF1 checkpoint: which variable lies where in which data file.

TensorFlow's own reader trusts an index: a negative dimension or a damaged entry ends the process,
and what a shape claims is allocated before it is looked for. So an index is read and checked here
first, and TensorFlow reads the values of one that is sound.

The file is a table of LevelDB's format (blocks of sorted keys with shared prefixes, and a footer
that says where the block of blocks lies) whose values are protocol buffers (tensor_bundle.proto),
uncompressed as TensorFlow writes them.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from latentgen.errors import FileError

FOOTER, MAGIC, TRAILER = 48, bytes.fromhex("57fb808b247547db"), 5
MAX_BYTES = 16 << 20  # a model of a thousand variables has an index of 100 KB
MAX_RANK = 8


@dataclass(frozen=True)
class Entry:
    """A variable: its shape, and which bytes of which data file it is."""

    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int


def read_index(path: str | os.PathLike) -> tuple[dict[str, Entry], int]:
    """The variables by name, and the number of data files.

    Raises:
        FileError: there is none, or it is damaged or of another format, or a variable's shape and
            size contradict one another.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleHeaderProto

    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FileError(f"{path}: expected an index of up to {MAX_BYTES} bytes, found more")
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: expected a checkpoint's index: {error.strerror}") from None
    try:
        items = list(_table(data))
        if not items or items[0][0]:
            raise ValueError("no header")
        header = BundleHeaderProto.FromString(items[0][1])
        if header.endianness != BundleHeaderProto.LITTLE or header.num_shards < 1:
            raise ValueError("not little-endian")
        entries = {key.decode(): _entry(key.decode(), value) for key, value in items[1:]}
    except (ValueError, IndexError, DecodeError) as error:
        raise FileError(
            f"{path}: expected the index of a TF1 checkpoint, found a damaged file or one of "
            f"another format: {error}"
        ) from None
    return entries, header.num_shards


def _entry(name: str, value: bytes) -> Entry:
    from tensorflow.core.framework import types_pb2
    from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto

    sizes = {  # bytes a number
        types_pb2.DT_FLOAT: 4,
        types_pb2.DT_DOUBLE: 8,
        types_pb2.DT_HALF: 2,
        types_pb2.DT_BFLOAT16: 2,
        types_pb2.DT_INT32: 4,
        types_pb2.DT_INT64: 8,
        types_pb2.DT_BOOL: 1,
    }
    entry = BundleEntryProto.FromString(value)
    shape = tuple(dimension.size for dimension in entry.shape.dim)
    if entry.dtype not in sizes or entry.slices:
        raise ValueError(f"{name} is not of numbers in one piece")
    if entry.shape.unknown_rank or len(shape) > MAX_RANK or min(shape, default=1) < 0:
        raise ValueError(f"{name} has shape {shape}")
    if math.prod(shape) * sizes[entry.dtype] != entry.size or entry.offset < 0:
        raise ValueError(f"{name} of shape {shape} cannot be of {entry.size} bytes")
    return Entry(shape, entry.shard_id, entry.offset, entry.size)


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a table, in order."""
    if len(data) < FOOTER or data[-len(MAGIC) :] != MAGIC:
        raise ValueError("no footer")
    footer, at = data[-FOOTER:], 0
    for _ in range(2):  # where the block of meta data lies, which is empty
        _, at = _varint(footer, at)
    before = None
    for _, handle in _block(data, footer[at:]):
        for key, value in _block(data, handle):
            if before is not None and key <= before:
                raise ValueError("keys that are not in order")
            before = key
            yield key, value


def _block(data: bytes, handle: bytes) -> Iterator[tuple[bytes, bytes]]:
    start, at = _varint(handle, 0)
    size, _ = _varint(handle, at)
    block, trailer = data[start : start + size], data[start + size : start + size + TRAILER]
    if len(trailer) < TRAILER or size < 4:
        raise ValueError("a block beyond the end")
    if trailer[0]:
        raise ValueError("a compressed block")
    end = size - 4 - 4 * int.from_bytes(block[-4:], "little")  # restart points and their number
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        unshared, at = _varint(block, at)
        length, at = _varint(block, at)
        if shared > len(key) or at + unshared + length > end:
            raise ValueError("an entry beyond its block")
        key = key[:shared] + block[at : at + unshared]
        at += unshared
        yield key, block[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of more than 64 bits")
