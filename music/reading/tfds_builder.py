"""Music as TensorFlow Datasets: Groove, POP909 and folders of one's own, in windows of bars.

Importing this module imports tensorflow_datasets, and with it TensorFlow; nothing else in
`latentgen.music` but `beam_pipeline` imports this module.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from latentgen.errors import FileError, InputError
from latentgen.music.converters.converter import Converter
from latentgen.music.reading.collection import SPLITS, Collection, groove_splits, read_collection
from latentgen.music.reading.tracks import Tracks

GROOVE_ADDRESS = (
    "https://storage.googleapis.com/magentadata/datasets/groove/groove-v1.0.0-midionly.zip"
)
# One commit, so that everybody trains on the same songs.
POP909_COMMIT = "d83e6edba6872a704f5d3b8b32f5cb540088dae6"
POP909_ADDRESS = f"https://github.com/music-x-lab/POP909-Dataset/archive/{POP909_COMMIT}.zip"


@dataclasses.dataclass(kw_only=True)
class MusicConfig(tfds.core.BuilderConfig):
    """What is read, and how; arguments as those of `read_collection`.

    Attributes:
        converter: what makes examples of windows.
        folder: where the files lie already, so that nothing is fetched.
        hop_bars, tracks, min_notes, workers: see `read_collection`.
    """

    name: str = ""  # made of the others
    converter: Converter
    folder: str | os.PathLike | None = None
    hop_bars: int | None = None
    tracks: Tracks | None = None
    min_notes: int = 1
    workers: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.converter, Converter):
            raise InputError(
                "converter: expected one of latentgen.music.converters, such as "
                f"MelodyConverter(bars=2), received {self.converter!r}"
            )
        # Two configurations that differ must not share what TFDS has prepared under a name.
        said = [self.converter.arguments(), self.hop_bars, self.tracks, self.min_notes]
        said.append(str(Path(self.folder).resolve()) if self.folder else None)
        digest = hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()
        kind = type(self.converter).__name__.removesuffix("Converter").lower()
        self.name = f"{kind}_{self.converter.bars}bar_{digest[:8]}"


class MusicFolder(tfds.core.GeneratorBasedBuilder):
    """A user's own folder of MIDI, MusicXML and ABC files.

    Features of an example: `outputs` (T, output_depth), `inputs` (T, input_depth) where they are
    not the outputs, `controls` (T, control_depth) where there are any, `length`, `source`,
    `position`, as in `Collection`. Splits: train, valid, test, whole songs, by `split_of`; a split
    without examples is left out.

    Example:
        config = MusicConfig(converter=MelodyConverter(bars=2), folder="my-music")
        builder = MusicFolder(data_dir="data", config=config)
        builder.download_and_prepare()
        train = builder.as_dataset(split="train")
    """

    VERSION = tfds.core.Version("1.0.0")
    # TFDS 4.9.10 would look for this through importlib_resources, which it does not install.
    code_path = Path(__file__)
    builder_config: MusicConfig
    description = "A folder of music, in windows of whole bars."
    homepage = ""
    tracks: Tracks | None = None  # where the configuration names none

    def _info(self) -> tfds.core.DatasetInfo:
        if not isinstance(self.builder_config, MusicConfig):
            raise InputError(
                "config: expected MusicConfig(converter=MelodyConverter(bars=2), ...), "
                f"received {self.builder_config!r}"
            )
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.description,
            homepage=self.homepage,
            features=tfds.features.FeaturesDict(example_features(self.builder_config.converter)),
        )

    def _folder(self, dl_manager: tfds.download.DownloadManager) -> Path:
        """Where the files lie."""
        if self.builder_config.folder is None:
            raise InputError("folder: expected a folder of music files, received none")
        return Path(self.builder_config.folder)

    def _files(self, folder: Path) -> str | os.PathLike | list[Path]:
        """What of it is read."""
        return folder

    def _splits(self, folder: Path) -> Mapping[str, str] | None:
        """Official splits, by source."""
        return None

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        config, folder = self.builder_config, self._folder(dl_manager)
        collection = read_collection(
            self._files(folder),
            config.converter,
            config.hop_bars,
            self.tracks if config.tracks is None else config.tracks,
            config.min_notes,
            split=self._splits(folder),
            workers=config.workers,
        )
        if not len(collection):
            raise FileError(
                f"{folder}: expected music for the converter, received none:\n{collection.report}"
            )
        # TFDS fails on a split without examples, which small folders may well have.
        parts = {split: collection.part(split) for split in SPLITS}
        return {split: self._generate_examples(part) for split, part in parts.items() if len(part)}

    def _generate_examples(self, part: Collection) -> Iterator[tuple[str, dict[str, Any]]]:
        features = example_features(self.builder_config.converter)
        for row in range(len(part)):
            source, position = str(part.sources[row]), int(part.positions[row])
            inputs = None if part.inputs is None else part.inputs[row]
            controls = None if part.controls is None else part.controls[row]
            outputs, length = part.outputs[row], part.lengths[row]
            yield stored(features, source, position, outputs, inputs, controls, length)


class Groove(MusicFolder):
    """The Groove MIDI dataset, 1,150 drum performances, with its official splits.

    Fetched from Magenta's address, unless the configuration names the folder of info.csv.
    """

    description = "Groove MIDI dataset 1.0.0: performances of ten drummers. CC BY 4.0."
    homepage = "https://magenta.tensorflow.org/datasets/groove"

    def _folder(self, dl_manager: tfds.download.DownloadManager) -> Path:
        if self.builder_config.folder is not None:
            return Path(self.builder_config.folder)
        return Path(dl_manager.download_and_extract(GROOVE_ADDRESS)) / "groove"

    def _splits(self, folder: Path) -> Mapping[str, str]:
        return groove_splits(folder)


class POP909(MusicFolder):
    """POP909, 909 pop songs: the track MELODY, unless the configuration names others.

    Fetched from its authors' repository, unless the configuration names a folder.
    """

    description = "POP909: pop songs as MELODY, BRIDGE and PIANO. MIT licence."
    homepage = "https://github.com/music-x-lab/POP909-Dataset"
    tracks = "melody"

    def _folder(self, dl_manager: tfds.download.DownloadManager) -> Path:
        if self.builder_config.folder is not None:
            return Path(self.builder_config.folder)
        extracted = Path(dl_manager.download_and_extract(POP909_ADDRESS))
        return extracted / f"POP909-Dataset-{POP909_COMMIT}" / "POP909"

    def _files(self, folder: Path) -> list[Path]:
        # Beside each song lie other versions of it.
        return [path for path in folder.rglob("*.mid") if path.parent.name != "versions"]


def example_features(converter: Converter) -> dict[str, tfds.features.FeatureConnector]:
    """The TFDS features of a converter's examples; an array without columns is left out."""
    silence = converter.decode(np.zeros((converter.steps, converter.output_depth)))
    example = converter.encode(silence)  # for its types
    arrays = {"outputs": example.outputs}
    if example.inputs is not example.outputs:
        arrays["inputs"] = example.inputs
    if converter.control_depth:
        arrays["controls"] = example.controls
    features: dict[str, tfds.features.FeatureConnector] = {
        name: tfds.features.Tensor(
            shape=(converter.steps, array.shape[1]),
            dtype=np.uint8 if array.dtype == bool else array.dtype,
            encoding=tfds.features.Encoding.ZLIB,
        )
        for name, array in arrays.items()
    }
    length = tfds.features.Tensor(shape=np.shape(example.length), dtype=np.int32)
    position = tfds.features.Scalar(dtype=np.int32)
    return {**features, "length": length, "source": tfds.features.Text(), "position": position}


def stored(
    features: Mapping[str, Any],
    source: str,
    position: int,
    outputs: np.ndarray,
    inputs: np.ndarray | None,
    controls: np.ndarray | None,
    length: int | np.ndarray,
) -> tuple[str, dict[str, Any]]:
    """A key of its own and the values of an example, as TFDS takes them."""
    arrays = {"outputs": outputs, "inputs": outputs if inputs is None else inputs}
    if controls is not None:
        arrays["controls"] = controls
    values = {
        name: array.astype(features[name].np_dtype)
        for name, array in arrays.items()
        if name in features
    }
    return f"{source} {position}", {
        **values,
        "length": np.asarray(length, "int32"),
        "source": source,
        "position": position,
    }
