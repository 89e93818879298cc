"""TensorFlow.js weights: every way of storing them, and hostile manifests refused."""

import json

import numpy as np
import pytest

from latentgen.checkpoints import tfjs
from latentgen.errors import FileError

WEIGHTS = [
    {"name": "a/kernel", "shape": [2, 3], "dtype": "float32"},
    {"name": "global_step", "shape": [], "dtype": "int32"},
    {
        "name": "a/bias",
        "shape": [5],
        "dtype": "float32",
        "quantization": {"dtype": "uint8", "scale": 0.25, "min": -1.5},
    },
    {
        "name": "b/kernel",
        "shape": [3],
        "dtype": "float32",
        "quantization": {"dtype": "uint16", "scale": 0.1, "min": 0.7},
    },
    {"name": "b/bias", "shape": [2], "dtype": "float32", "quantization": {"dtype": "float16"}},
    {"name": "none", "shape": [0, 4], "dtype": "float32"},
]
VALUES = [
    np.arange(6, dtype="<f4"),
    np.array([7], "<i4"),
    np.array([0, 1, 6, 254, 255], "<u1"),
    np.array([0, 1, 65535], "<u2"),
    np.array([0.5, -3], "<f2"),
    np.zeros(0, "<f4"),
]


def write(folder, sizes=(3, 30, 6), weights=WEIGHTS, name="weights_manifest.json"):
    """The weights above in shards of these sizes and what is left."""
    data = b"".join(value.tobytes() for value in VALUES)
    bounds = np.cumsum([0, *sizes]).tolist()
    shards = [data[a:b] for a, b in zip(bounds, [*bounds[1:], len(data)], strict=True)]
    paths = [f"group1-shard{k}" for k in range(len(shards))]
    for path, shard in zip(paths, shards, strict=True):
        (folder / path).write_bytes(shard)
    groups = [{"paths": paths, "weights": weights}]
    content = {"modelTopology": {}, "weightsManifest": groups} if name == "model.json" else groups
    (folder / name).write_text(json.dumps(content))
    return groups


@pytest.mark.parametrize("name", ["weights_manifest.json", "model.json"])
def test_every_way_of_storing_weights_across_shards(tmp_path, name):
    write(tmp_path, name=name)
    tensors = tfjs.read_tfjs(tmp_path)
    assert set(tensors) == {"a/kernel", "a/bias", "b/kernel", "b/bias", "none"}
    assert all(tensor.dtype == "float32" for tensor in tensors.values())
    np.testing.assert_array_equal(tensors["a/kernel"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(tensors["a/bias"], [-1.5, -1.25, 0, 62, 62.25])
    # As JavaScript computes it: in float64, rounded once.
    expected = [np.float32(0.7), np.float32(1 * 0.1 + 0.7), np.float32(65535 * 0.1 + 0.7)]
    np.testing.assert_array_equal(tensors["b/kernel"], expected)
    np.testing.assert_array_equal(tensors["b/bias"], [0.5, -3])
    assert tensors["none"].shape == (0, 4)


def test_a_group_after_another(tmp_path):
    np.array([1, 2], "<f4").tofile(tmp_path / "one")
    np.array([3], "<f4").tofile(tmp_path / "two")
    groups = [
        {"paths": [path], "weights": [{"name": path, "shape": [n], "dtype": "float32"}]}
        for path, n in (("one", 2), ("two", 1))
    ]
    (tmp_path / "weights_manifest.json").write_text(json.dumps(groups))
    tensors = tfjs.read_tfjs(tmp_path)
    np.testing.assert_array_equal(tensors["two"], [3])


def test_what_is_written_is_read_again_from_shards_of_four_megabytes(tmp_path):
    rng = np.random.default_rng(0)
    tensors = {
        "large": rng.normal(size=(1100, 1000)).astype("float32"),
        "small": rng.normal(size=3).astype("float32"),
    }
    tfjs.write_tfjs(tensors, tmp_path)
    sizes = sorted(path.stat().st_size for path in tmp_path.glob("group1-shard*of2"))
    assert sizes == [4 * 1100 * 1000 + 12 - 2**22, 2**22]
    read = tfjs.read_tfjs(tmp_path)
    assert list(read) == list(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(read[name], tensor)


def changed_weight(index, **change):
    weights = [dict(weight) for weight in WEIGHTS]
    weights[index] |= change
    return {"weights": weights}


QUANTISED = {"dtype": "uint8", "scale": 0.25, "min": -1.5}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed_weight(0, shape=[10**6, 10**6]), "expected a shape"),
        (changed_weight(0, shape=[2**15, 2**14]), "expected 2,147,483,667 bytes"),
        (changed_weight(0, shape=[2, 2]), "expected 35 bytes"),
        (changed_weight(0, shape=[-2, -3]), "expected a shape"),
        (changed_weight(5, shape=[0, 10**30]), "expected a shape"),
        (changed_weight(0, shape=[2, 3] + [1] * 100), "expected a shape"),
        (changed_weight(0, shape="23"), "expected a shape"),
        (changed_weight(0, shape=[2.0, 3]), "expected a shape"),
        (changed_weight(0, dtype="string"), "one of the types"),
        (changed_weight(0, dtype=["float32"]), "paths and weights"),
        (changed_weight(0, name="a/bias"), "each weight once"),
        (changed_weight(2, quantization=QUANTISED | {"scale": float("inf")}), "finite scale"),
        (changed_weight(2, quantization=QUANTISED | {"min": float("nan")}), "finite scale"),
        (changed_weight(2, quantization=QUANTISED | {"min": 10**400}), "paths and weights"),
        (changed_weight(2, quantization=QUANTISED | {"scale": 1e300}), "infinity in a/bias"),
        (changed_weight(2, quantization={"dtype": "uint8"}), "paths and weights"),
        (changed_weight(2, quantization={"dtype": "float64"}), "found 'float64'"),
        (changed_weight(2, quantization="uint8"), "paths and weights"),
        ({"paths": ["../group1-shard0"]}, "no plain file names"),
        ({"paths": ["/etc/passwd"]}, "no plain file names"),
        ({"paths": [["group1-shard0"]]}, "no plain file names"),
        ({"paths": [".."]}, "found none"),
        ({"paths": ["\0"]}, "found none"),
        ({"paths": ["group1-shard0"] * 100_000}, "each shard once"),
        ({"paths": ["group1-shard0", "group1-shard9"]}, "shard9: expected a shard"),
        ({"paths": []}, "expected 43 bytes"),
        ({"paths": None}, "paths and weights"),
        ({"weights": 3}, "paths and weights"),
    ],
)
def test_hostile_manifests_are_refused(tmp_path, change, message):
    (group,) = write(tmp_path)
    (tmp_path / "weights_manifest.json").write_text(json.dumps([group | change]))
    with pytest.raises(FileError, match=message):
        tfjs.read_tfjs(tmp_path)


@pytest.mark.parametrize("text", ["", "[", "{}", "[1]", "[{}]", "7", "[" * 10_000])
def test_damaged_manifests_are_refused(tmp_path, text):
    (tmp_path / "weights_manifest.json").write_text(text)
    with pytest.raises(FileError, match=r"weights_manifest\.json"):
        tfjs.read_tfjs(tmp_path)


def test_nan_is_refused(tmp_path):
    write(tmp_path, sizes=())
    data = np.fromfile(tmp_path / "group1-shard0", "u1")
    data[:4] = np.array([np.nan], "<f4").view("u1")
    data.tofile(tmp_path / "group1-shard0")
    with pytest.raises(FileError, match="NaN or infinity in a/kernel"):
        tfjs.read_tfjs(tmp_path)
