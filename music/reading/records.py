"""Examples as TFRecord files, for training from disk: what does not fit in memory.

A file begins with a record that says what is in it (JSON); every other record is an example as
`tf.train.Example`. Compressed with GZIP, one-hots take a hundredth of their size in memory.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentgen.errors import FileError, InputError
from latentgen.files import atomic_file
from latentgen.music.converters.converter import Converter
from latentgen.music.reading.collection import Collection

if TYPE_CHECKING:
    import tensorflow as tf

FORMAT = "latentgen music examples 1"
_ARRAYS = {"sequence": "outputs", "input": "inputs", "control": "controls"}


def write_records(path: str | os.PathLike, collection: Collection) -> None:
    """Writes examples; what stood there is replaced only by a finished file.

    Args:
        path: the file, such as train.tfrecord.
        collection: or a part of it; its splits are not written: write one file each.

    Raises:
        InputError: no examples.
    """
    import tensorflow as tf

    if not len(collection):
        raise InputError("collection: expected at least one example, received none")
    arrays = {
        name: array
        for name, attribute in _ARRAYS.items()
        if (array := getattr(collection, attribute)) is not None
    }
    header = {
        "format": FORMAT,
        **_described(collection.converter),
        "examples": len(collection),
        "lengths": list(collection.lengths.shape[1:]),
        "arrays": {name: [*a.shape[1:], a.dtype.name] for name, a in arrays.items()},
    }
    options = tf.io.TFRecordOptions(compression_type="GZIP")
    with atomic_file(path) as temporary, tf.io.TFRecordWriter(str(temporary), options) as writer:
        writer.write(json.dumps(header).encode())
        for row in range(len(collection)):
            values = {
                "length": _integers(collection.lengths[row]),
                "position": _integers(collection.positions[row]),
                "source": _bytes(str(collection.sources[row]).encode()),
            }
            for name, array in arrays.items():
                values[name] = _bytes(np.ascontiguousarray(array[row]).tobytes())
            features = tf.train.Features(feature=values)
            writer.write(tf.train.Example(features=features).SerializeToString())


def read_header(path: str | os.PathLike, converter: Converter | None = None) -> dict[str, Any]:
    """What a file of `write_records` says of itself: converter, arguments, number of examples.

    Raises:
        FileError: no such file, or of another format, or damaged at its beginning.
        InputError: the file was made with another converter than this one.
    """
    import tensorflow as tf

    path = Path(path)
    if not path.is_file():
        raise FileError(f"{path}: expected a file of write_records, received none")
    try:
        first = next(iter(tf.data.TFRecordDataset(str(path), compression_type="GZIP")), None)
        header = {} if first is None else json.loads(first.numpy())
        kept = isinstance(header, dict) and header.get("format") == FORMAT
    except (tf.errors.OpError, ValueError) as error:
        raise FileError(
            f"{path}: expected a file of write_records, received something else or a damaged one; "
            f"write it again"
        ) from error
    if not kept:
        raise FileError(f"{path}: expected the format {FORMAT!r}, received another; write it again")
    if converter is not None:
        wanted = _described(converter)
        received = {name: header.get(name) for name in wanted}
        if received != wanted:
            raise InputError(
                f"{path}: expected examples of {wanted}, received those of {received}; "
                "read the music again with this converter"
            )
    return header


def read_records(
    path: str | os.PathLike,
    converter: Converter,
    batch_size: int = 512,
    seed: int | None = None,
    repeat: bool = False,
) -> "tf.data.Dataset":
    """A tf.data pipeline of batches as `MusicBatches` has them, as 1-tuples for `fit`.

    Args:
        path: of `write_records`.
        converter: what made the examples.
        batch_size: examples a batch; the last one of a pass is smaller if it does not repeat,
            and goes on with the next pass if it does, so that few examples never stall it.
        seed: of the order, another one in each pass, drawn from 10,000 examples at a time; without
            it they come as they were written.
        repeat: without end.

    Raises:
        FileError: no such file, or another format; what is damaged further on shows when it is
            read, as TensorFlow's DataLossError.
        InputError: the file was made with another converter.
    """
    import tensorflow as tf

    header = read_header(path, converter)
    arrays = {name: (tuple(shape), dtype) for name, (*shape, dtype) in header["arrays"].items()}
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in arrays}
    features["length"] = tf.io.FixedLenFeature(header["lengths"], tf.int64)

    def batch_of(records: "tf.Tensor") -> tuple[dict[str, "tf.Tensor"]]:
        values = tf.io.parse_example(records, features)
        batch = {"length": tf.cast(values["length"], tf.int32)}
        for name, (shape, dtype) in arrays.items():
            # Booleans are bytes of 0 and 1; decode_raw knows them as such.
            raw = tf.io.decode_raw(values[name], tf.uint8 if dtype == "bool" else dtype)
            batch[name] = tf.reshape(tf.cast(raw, tf.float32), (-1, *shape))
        return (batch,)

    records = tf.data.TFRecordDataset(str(path), compression_type="GZIP").skip(1)
    if seed is not None:
        records = records.shuffle(min(header["examples"], 10_000), seed)
    if repeat:
        records = records.repeat()
    # Parsed a batch at a time: no example is ever taken out of a batch again, for which tf.data's
    # unbatch() would serve, that crashes on arrays without columns.
    return records.batch(batch_size).map(batch_of).prefetch(tf.data.AUTOTUNE)


def _described(converter: Converter) -> dict[str, Any]:
    """A converter in plain values, as JSON gives them back."""
    arguments = json.loads(json.dumps(converter.arguments()))
    return {"converter": type(converter).__name__, "arguments": arguments}


def _integers(values: Any) -> Any:
    import tensorflow as tf

    return tf.train.Feature(int64_list=tf.train.Int64List(value=np.ravel(values).tolist()))


def _bytes(value: bytes) -> Any:
    import tensorflow as tf

    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
