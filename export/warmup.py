"""Requests that TensorFlow Serving sends to a model before anybody else does.

They lie in assets.extra/tf_serving_warmup_requests, a TFRecord of messages PredictionLog of
tensorflow.serving. Those are not part of TensorFlow; of their fields only the few here are needed:

    PredictionLog.predict_log = 6, PredictLog.request = 1
    PredictRequest.model_spec = 1, .inputs = 2 (a map: key = 1, value = 2, a TensorProto)
    ModelSpec.name = 1, .signature_name = 3

(tensorflow_serving/apis/{prediction_log,predict,model}.proto)
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from latentgen.export.signatures import Signature

FILE = "tf_serving_warmup_requests"
SIZES = tuple(2**k for k in range(7))
LENGTH_DELIMITED = 2


def write_requests(
    path: Path, name: str, requests: Iterable[tuple[str, Mapping[str, np.ndarray]]]
) -> None:
    """Writes requests, each a signature's name and its inputs, to the model `name`."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests:
            writer.write(_prediction_log(name, signature, inputs))


def requests(
    signatures: Mapping[str, Signature], latent_size: int
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """`decode`, where there is a z, and `sample`, for 1 to 64 rows each: what servers batch to."""
    for name in ("decode", "sample"):
        inputs = signatures[name].inputs if name in signatures else {}
        for n in SIZES if inputs and "control" not in inputs else ():
            values = {
                "z": np.zeros((n, latent_size), np.float32),
                "n": np.array(n, np.int32),
                "temperature": np.array(1, np.float32),
                "seed": np.array(0, np.int32),
            }
            yield name, {key: values[key] for key in inputs}


def _prediction_log(name: str, signature: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    spec = _field(1, name.encode()) + _field(3, signature.encode())
    request = _field(1, spec)
    for key, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        request += _field(2, _field(1, key.encode()) + _field(2, tensor))
    return _field(6, _field(1, request))


def _field(number: int, content: bytes) -> bytes:
    """A field of a protocol buffer that holds bytes, text or another message."""
    return _varint(number << 3 | LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
