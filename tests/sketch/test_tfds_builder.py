"""The TFDS builder, on local files in place of Google's bucket."""

import json
import os
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from latentgen.errors import FileError, InputError
from latentgen.sketch.quickdraw import read_ndjson
from latentgen.splits import split_of

if os.environ.get("KERAS_BACKEND") == "jax":
    pytest.skip("imports TensorFlow, which a JAX run must not", allow_module_level=True)
tfds = pytest.importorskip("tensorflow_datasets")

from latentgen.sketch.tfds_builder import QuickDrawConfig, QuickDrawStrokes  # noqa: E402


def write(path: Path, count: int = 100) -> Path:
    lines = [
        {
            "word": "ice cream",
            "key_id": str(i),
            "recognized": i % 10 != 0,
            "drawing": [[[0, i, 2 * i], [3, 4, 5]], [[7], [8]]],
        }
        for i in range(count)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def prepared(folder: Path, **options: Any):
    config = QuickDrawConfig(category="ice cream", folder=folder, **options)
    builder = QuickDrawStrokes(data_dir=folder / "data", config=config)
    builder.download_and_prepare()
    return builder


def test_splits_and_strokes_are_those_of_the_folder_loader(tmp_path: Path):
    path = write(tmp_path / "ice_cream.ndjson")
    builder = prepared(tmp_path)
    assert builder.builder_config.name == "ice_cream_recognized"
    expected = {s.key_id: s for s in read_ndjson(path) if s.recognized}
    seen = set()
    for split in ("train", "valid", "test"):
        for example in tfds.as_numpy(builder.as_dataset(split=split)):
            key = example["key_id"].decode()
            seen.add(key)
            assert split_of(key) == split
            assert example["category"] == b"ice cream"
            assert example["strokes"].dtype == np.float32
            np.testing.assert_array_equal(example["strokes"], expected[key].drawing)
    assert seen == set(expected)
    assert len(seen) == 90


def test_the_bucket_is_asked_for_the_category(tmp_path: Path):
    path = write(tmp_path / "elsewhere.ndjson", count=40)
    asked = []

    def download(_: object, address: str) -> str:
        asked.append(address)
        return str(path)

    config = QuickDrawConfig(category="ice cream", recognized_only=False)
    builder = QuickDrawStrokes(data_dir=tmp_path / "data", config=config)
    with mock.patch.object(tfds.download.DownloadManager, "download", download):
        builder.download_and_prepare()
    assert asked == [
        "https://storage.googleapis.com/quickdraw_dataset/full/simplified/ice%20cream.ndjson"
    ]
    counts = {name: split.num_examples for name, split in builder.info.splits.items()}
    assert counts == {"train": 39, "test": 1}  # and no empty split for validation


def test_bad_configurations(tmp_path: Path):
    for category in ("", "../secret"):
        with pytest.raises(InputError, match="expected a QuickDraw word"):
            QuickDrawConfig(category=category)
    with pytest.raises(InputError, match=r"expected QuickDrawConfig\(category='cat'\)"):
        QuickDrawStrokes(data_dir=tmp_path)
    with pytest.raises(FileError, match=r"ice_cream\.ndjson"):
        prepared(tmp_path)
    write(tmp_path / "ice cream.ndjson", count=1)
    with pytest.raises(FileError, match="expected recognized drawings, received none"):
        prepared(tmp_path)
