"""A folder of music as one set of examples, with the report on what was taken and what was not."""

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from latentgen.errors import FileError, InputError
from latentgen.music.converters.converter import Converter
from latentgen.music.reading.examples import (
    FileExamples,
    WindowExample,
    example_reader,
    music_files,
)
from latentgen.music.reading.parallel import Failure, results
from latentgen.music.reading.tracks import Tracks
from latentgen.splits import split_of

SPLITS = ("train", "valid", "test")


@dataclass
class Report:
    """What became of the files and windows of a collection; `str()` is a table.

    Attributes:
        files_found, files_taken: files; one is taken if its notes could be read.
        files_refused: the others, by reason.
        tunes_refused: tunes left out of tune books that are taken, by reason.
        windows_taken: examples, each once.
        duplicates: windows that equal one taken before them.
        windows_refused: windows the converter cannot represent, by reason; a piece that is shorter
            than one window counts as one.
        messages: what is wrong with each refused file, by its source.
    """

    files_found: int = 0
    files_taken: int = 0
    files_refused: Counter[str] = field(default_factory=Counter)
    tunes_refused: Counter[str] = field(default_factory=Counter)
    windows_taken: int = 0
    duplicates: int = 0
    windows_refused: Counter[str] = field(default_factory=Counter)
    messages: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [
            f"files    {self.files_found:>9,} found, {self.files_taken:,} taken, "
            f"{self.files_refused.total():,} not",
            *_reasons(self.files_refused),
        ]
        if self.tunes_refused:
            lines.append(f"tunes    {self.tunes_refused.total():>9,} of tune books not taken")
            lines += _reasons(self.tunes_refused)
        lines.append(
            f"windows  {self.windows_taken:>9,} taken, {self.duplicates:,} repeat one of them, "
            f"{self.windows_refused.total():,} not taken"
        )
        return "\n".join([*lines, *_reasons(self.windows_refused)])


@dataclass(frozen=True)
class Collection:
    """n examples of a converter with T steps, in the order of their sources.

    Attributes:
        outputs: (n, T, output_depth), what is decoded.
        inputs: (n, T, input_depth), what is encoded; None where that is `outputs`.
        controls: (n, T, control_depth); None where the converter has none.
        lengths: int32 (n,), or (n, segments) of a converter in segments.
        sources: str (n,), the path that each comes from, relative to the folder, with '#' and the
            number of the tune in a tune book.
        positions: int32 (n,), which window of its source it is.
        splits: str (n,): 'train', 'valid' or 'test', whole sources at a time.
        converter: what made them.
        report: what was taken of the files.
    """

    outputs: np.ndarray
    inputs: np.ndarray | None
    controls: np.ndarray | None
    lengths: np.ndarray
    sources: np.ndarray
    positions: np.ndarray
    splits: np.ndarray
    converter: Converter
    report: Report

    def __len__(self) -> int:
        return len(self.outputs)

    def part(self, split: str) -> "Collection":
        """The examples of one split.

        Raises:
            InputError: no such split.
        """
        if split not in SPLITS:
            raise InputError(f"split: expected one of {SPLITS}, received {split!r}")
        return self.take(np.flatnonzero(self.splits == split))

    def take(self, rows: np.ndarray) -> "Collection":
        """Some of the examples, by number; the report stays that of the whole."""
        return Collection(
            self.outputs[rows],
            None if self.inputs is None else self.inputs[rows],
            None if self.controls is None else self.controls[rows],
            self.lengths[rows],
            self.sources[rows],
            self.positions[rows],
            self.splits[rows],
            self.converter,
            self.report,
        )


def read_collection(
    folder_or_files: str | os.PathLike | Iterable[str | os.PathLike],
    converter: Converter,
    hop_bars: int | None = None,
    tracks: Tracks | None = None,
    min_notes: int = 1,
    transpositions: Sequence[int] = (0,),
    stretches: Sequence[float] = (1.0,),
    split: Mapping[str, str] | None = None,
    workers: int | None = None,
    seconds: float = 60.0,
    progress: Callable[[float], None] | None = None,
) -> Collection:
    """Reads music files in parallel into examples, each kept once.

    The result does not depend on the number of workers. Nothing that a file holds ends the run:
    what cannot be read, takes too long or crashes the process that reads it is counted. Where a
    tempo changes the music is taken at its mean tempo; bars that are shorter than the converter's
    are counted together; chords and keys that the converter wants are inferred where a file states
    none (a second or so a song).

    Args:
        folder_or_files: a folder with its subfolders, or files.
        converter: what makes examples of windows.
        hop_bars: bars from one window's start to the next; without it they do not overlap.
        tracks: names, programs or 'drums', see `select_tracks`: ('melody',) takes POP909's; 'each'
            for every instrument by itself; without it all that sounds, together.
        min_notes: windows in which fewer notes start are left out.
        transpositions: semitones; each window is taken in each (`MusicBatches` transposes melodies
            and trios as it goes, without storing them).
        stretches: factors; each piece is taken at each tempo, of which only performances know.
        split: which split a file belongs to, by its source; files that it does not name are
            refused. Without it `split_of` says, by source: one song is never in two splits.
        workers: processes; as many as there are processors without it, 0 for none, which protects
            from no crash. A script that has workers needs `if __name__ == '__main__':`.
        seconds: after which a file is given up.
        progress: is called with the share of the files that are done.

    Raises:
        FileError: no such folder, or no music files in it.
        InputError: an argument cannot be used.
    """
    files = music_files(folder_or_files)
    if split is not None:
        wrong = sorted({str(name) for name in split.values()} - {*SPLITS})
        if wrong:
            raise InputError(f"split: expected {SPLITS} for each file, received {wrong[0]!r}")
    reader = example_reader(converter, hop_bars, tracks, min_notes, transpositions, stretches)
    report = Report(files_found=len(files))
    if split is not None:
        for source in files.keys() - split.keys():
            _refuse(report, source, "in no split", f"{files[source]}: is not named in `split`")
    names = [source for source in files if split is None or source in split]
    paths = [files[source] for source in names]
    read: dict[int, FileExamples | Failure] = {}
    for index, result in results(reader, paths, workers, seconds):
        read[index] = result
        if progress:
            progress(len(read) / len(paths))

    taken: dict[bytes, tuple[str, str, WindowExample]] = {}  # by what they hold, in order
    for index, name in enumerate(names):
        result = read.pop(index)
        if isinstance(result, Failure):
            _refuse(report, name, result.reason, f"{paths[index]}: {result.reason} {result.detail}")
            continue
        report.tunes_refused += Counter() if result.refused else result.tunes_refused
        report.windows_refused += result.windows_refused
        if result.refused:
            _refuse(report, name, *result.refused)
            continue
        report.files_taken += 1
        for example in result.examples:
            source = f"{name}#{example.tune}" if example.tune else name
            part = split_of(source) if split is None else split[name]
            report.duplicates += taken.setdefault(example.digest(), (source, part, example)) != (
                source,
                part,
                example,
            )
    report.windows_taken = len(taken)
    return _stacked(list(taken.values()), converter, report)


def groove_splits(folder: str | os.PathLike) -> dict[str, str]:
    """The official splits of the Groove MIDI dataset, for `read_collection`'s `split`.

    Args:
        folder: the dataset's, with info.csv.

    Raises:
        FileError: no info.csv as the dataset has it.
    """
    path = Path(folder) / "info.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            splits = {row["midi_filename"]: row["split"] for row in csv.DictReader(file)}
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise FileError(
            f"{path}: expected Groove's table with the columns midi_filename and split, "
            f"received none ({error})"
        ) from error
    return {name: "valid" if part == "validation" else part for name, part in splits.items()}


def _refuse(report: Report, source: str, reason: str, message: str) -> None:
    report.files_refused[reason] += 1
    report.messages[source] = message


def _reasons(counts: Counter[str]) -> list[str]:
    return [f"         {count:>9,}   {reason}" for reason, count in counts.most_common()]


def _stacked(
    taken: list[tuple[str, str, WindowExample]], converter: Converter, report: Report
) -> Collection:
    examples = [example for _, _, example in taken]
    outputs = [example.outputs for example in examples]
    inputs = None
    if any(example.inputs is not None for example in examples):
        inputs = [e.outputs if e.inputs is None else e.inputs for e in examples]
    controls = [e.controls for e in examples if e.controls is not None]
    none = np.zeros((0, converter.steps, 1), bool)
    return Collection(
        np.stack(outputs) if outputs else np.repeat(none, converter.output_depth, axis=-1),
        None if inputs is None else np.stack(inputs),
        np.stack(controls) if controls else None,
        np.array([example.length for example in examples], "int32"),
        np.array([source for source, _, _ in taken], str),
        np.array([example.position for example in examples], "int32"),
        np.array([part for _, part, _ in taken], str),
        converter,
        report,
    )
