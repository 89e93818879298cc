"""A collection of Lakh's size as a TFDS dataset, read by Apache Beam: no process holds it all.

Needs the extra `beam`. `MusicFolder` of `tfds_builder` gives the same examples of a folder that
fits in memory.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from latentgen.errors import InputError
from latentgen.music.reading.collection import SPLITS
from latentgen.music.reading.examples import (
    FileExamples,
    WindowExample,
    example_reader,
    music_files,
)
from latentgen.music.reading.tfds_builder import MusicFolder, example_features, stored
from latentgen.splits import split_of

try:
    import apache_beam as beam
except ImportError as error:
    raise ImportError(
        "latentgen.music.reading.beam_pipeline: expected Apache Beam, received none; "
        "do: pip install 'latentgen[beam]'"
    ) from error

# A window and where it stands: (source, position) orders windows that are equal.
Placed = tuple[tuple[str, int], WindowExample]


class MusicFolderBeam(MusicFolder):
    """A folder of music files that is too large for memory; features and splits of `MusicFolder`.

    Each equal window is kept once, at its first place in the order of files. What is not taken is
    counted by reason in the pipeline's metrics, in the namespace 'latentgen.music'. A file that
    ends its process is Beam's to retry and to give up: read the folder with `read_collection` to
    find it. Every split needs an example, which only large folders are sure to have.

    Example:
        builder = MusicFolderBeam(data_dir="data", config=MusicConfig(converter=..., folder="lakh"))
        options = beam.options.pipeline_options.PipelineOptions(["--direct_num_workers=0"])
        builder.download_and_prepare(
            download_config=tfds.download.DownloadConfig(beam_options=options)
        )
    """

    description = "A large folder of music, in windows of whole bars."

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager, pipeline: "beam.Pipeline | None" = None
    ) -> dict[str, Any]:
        config = self.builder_config
        if config.folder is None:
            raise InputError("folder: expected a folder of music files, received none")
        reader = example_reader(config.converter, config.hop_bars, config.tracks, config.min_notes)
        features = example_features(config.converter)
        files = [(name, str(path)) for name, path in music_files(config.folder).items()]
        placed = (
            pipeline
            | "Files" >> beam.Create(files)
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(_Read(reader))
            | "Distinct" >> beam.CombinePerKey(_first)
            | "Music" >> beam.Values()
        )
        return {
            split: placed
            | f"Only {split}" >> beam.Filter(_is_in, split)
            | f"Store {split}" >> beam.Map(_stored, features)
            for split in SPLITS
        }


class _Read(beam.DoFn):
    """(source, path) → (digest, placed window), as many as the file has."""

    def __init__(self, reader: Callable[[Path], FileExamples]):
        super().__init__()
        self.reader = reader

    def process(self, element: tuple[str, str]) -> Iterator[tuple[bytes, Placed]]:
        name, path = element
        result = self.reader(Path(path))
        if result.refused:
            self._count("files", result.refused[0], 1)
        else:
            for reason, count in result.tunes_refused.items():
                self._count("tunes", reason, count)
        for reason, count in result.windows_refused.items():
            self._count("windows", reason, count)
        for example in result.examples:
            source = f"{name}#{example.tune}" if example.tune else name
            yield example.digest(), ((source, example.position), example)

    def _count(self, what: str, reason: str, count: int) -> None:
        beam.metrics.Metrics.counter("latentgen.music", f"{what}: {reason}").inc(count)


def _first(windows: Iterable[Placed]) -> Placed:
    return min(windows, key=lambda placed: placed[0])


def _is_in(placed: Placed, split: str) -> bool:
    return split_of(placed[0][0]) == split


def _stored(placed: Placed, features: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    (source, position), example = placed
    return stored(
        features,
        source,
        position,
        example.outputs,
        example.inputs,
        example.controls,
        example.length,
    )
