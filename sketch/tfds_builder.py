"""QuickDraw as a TensorFlow Datasets builder: strokes of one category, split by drawing.

Importing this module imports tensorflow_datasets, and with it TensorFlow; nothing else in
`latentgen.sketch` imports this module.
"""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import tensorflow_datasets as tfds

from latentgen.errors import FileError, InputError
from latentgen.sketch.quickdraw import Sketch, read_ndjson
from latentgen.splits import split_of

ADDRESS = "https://storage.googleapis.com/quickdraw_dataset/full/simplified/"


@dataclasses.dataclass(kw_only=True)
class QuickDrawConfig(tfds.core.BuilderConfig):
    """One category of QuickDraw.

    Attributes:
        category: the word, such as 'cat' or 'ice cream'.
        folder: holds `<category>.ndjson` already (spaces or underscores), so that nothing is
            fetched; Google's public bucket without it.
        recognized_only: leave out what the game did not recognise.
    """

    name: str = ""  # made of the others
    category: str = ""
    folder: str | os.PathLike | None = None
    recognized_only: bool = True

    def __post_init__(self) -> None:
        if not self.category or "/" in self.category:
            raise InputError(
                f"category: expected a QuickDraw word such as 'cat', received {self.category!r}"
            )
        kept = "recognized" if self.recognized_only else "all"
        self.name = f"{self.category}_{kept}".replace(" ", "_")


class QuickDrawStrokes(tfds.core.GeneratorBasedBuilder):
    """QuickDraw's simplified drawings as stroke-3 sequences.

    Features of an example: `strokes` float32 (points, 3) on a 0 to 255 grid, `category`, `key_id`,
    `recognized`. Splits: train, valid, test by `split_of`, the same as the folder loader's;
    a split without drawings is left out.

    Example:
        builder = QuickDrawStrokes(data_dir="data", config=QuickDrawConfig(category="cat"))
        builder.download_and_prepare()
        train = builder.as_dataset(split="train")
    """

    VERSION = tfds.core.Version("1.0.0")
    # TFDS 4.9.10 would look for this through importlib_resources, which it does not install.
    code_path = Path(__file__)
    builder_config: QuickDrawConfig

    def _info(self) -> tfds.core.DatasetInfo:
        if not isinstance(self.builder_config, QuickDrawConfig):
            raise InputError(
                "config: expected QuickDrawConfig(category='cat') or another category, "
                f"received {self.builder_config!r}"
            )
        return tfds.core.DatasetInfo(
            builder=self,
            description="Drawings of the game Quick, Draw!, simplified by Google. CC BY 4.0.",
            homepage="https://github.com/googlecreativelab/quickdraw-dataset",
            features=tfds.features.FeaturesDict(
                {
                    "strokes": tfds.features.Tensor(shape=(None, 3), dtype=np.float32),
                    "category": tfds.features.Text(),
                    "key_id": tfds.features.Text(),
                    "recognized": tfds.features.Scalar(dtype=np.bool_),
                }
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        config = self.builder_config
        if config.folder is None:
            path = Path(dl_manager.download(f"{ADDRESS}{quote(config.category)}.ndjson"))
        else:
            path = Path(config.folder) / f"{config.category}.ndjson"
            if not path.exists():
                path = path.with_name(path.name.replace(" ", "_"))
        # TFDS fails on a split without examples, which small local files may well have.
        parts: dict[str, list[Sketch]] = {}
        for sketch in read_ndjson(path):
            if sketch.recognized or not config.recognized_only:
                parts.setdefault(split_of(sketch.key_id), []).append(sketch)
        if not parts:
            raise FileError(f"{path}: expected recognized drawings, received none")
        return {
            split: self._generate_examples(parts[split])
            for split in ("train", "valid", "test")
            if split in parts
        }

    def _generate_examples(self, sketches: list[Sketch]) -> Iterator[tuple[str, dict[str, Any]]]:
        for sketch in sketches:
            yield (
                sketch.key_id,
                {
                    "strokes": sketch.drawing,
                    "category": sketch.category,
                    "key_id": sketch.key_id,
                    "recognized": sketch.recognized,
                },
            )
