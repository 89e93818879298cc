"""Sentences of files as a TensorFlow Datasets builder, split by what they say.

Importing this module imports tensorflow_datasets, and with it TensorFlow; nothing else in
`latentgen.text` imports this module.
"""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from latentgen.errors import InputError
from latentgen.text.corpus import SPLITS, split_of_sentence
from latentgen.text.reading import read_lines


@dataclasses.dataclass(kw_only=True)
class SentencesConfig(tfds.core.BuilderConfig):
    """Files of sentences under a name.

    Attributes:
        name: of the data set.
        path: see `latentgen.text.read_lines`.
        column: of a table, the sentences.
    """

    path: str | os.PathLike
    column: str | None = None


class Sentences(tfds.core.GeneratorBasedBuilder):
    """The sentences of files, read one after the other.

    Features of an example: `text`, and `index`, its number among those that are not empty, from 0.
    Splits: train, valid, test, the same as `Corpus.part`'s; a split without sentences is left out.

    Example:
        config = SentencesConfig(name="captions", path="captions.txt.gz")
        builder = Sentences(data_dir="data", config=config)
        builder.download_and_prepare()
        train = builder.as_dataset(split="train")
    """

    VERSION = tfds.core.Version("1.0.0")
    # TFDS 4.9.10 would look for this through importlib_resources, which it does not install.
    code_path = Path(__file__)
    builder_config: SentencesConfig

    def _info(self) -> tfds.core.DatasetInfo:
        if not isinstance(self.builder_config, SentencesConfig):
            raise InputError(
                "config: expected SentencesConfig(name='captions', path='captions.txt'), "
                f"received {self.builder_config!r}"
            )
        return tfds.core.DatasetInfo(
            builder=self,
            description="Sentences of files, each once for every line it stands on.",
            features=tfds.features.FeaturesDict(
                {
                    "text": tfds.features.Text(),
                    "index": tfds.features.Scalar(dtype=np.int64),
                }
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        # TFDS fails on a split without examples, which small files may well have.
        found: set[str] = set()
        for sentence in self._sentences():
            found.add(split_of_sentence(sentence))
            if len(found) == len(SPLITS):
                break
        return {split: self._generate_examples(split) for split in SPLITS if split in found}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for index, sentence in enumerate(self._sentences()):
            if split_of_sentence(sentence) == split:
                yield index, {"text": sentence, "index": index}

    def _sentences(self) -> Iterator[str]:
        return read_lines(self.builder_config.path, self.builder_config.column)
