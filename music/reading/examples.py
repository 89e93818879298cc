"""The examples of one file: read, cut into windows of bars, encoded by a converter."""

import contextlib
import functools
import hashlib
import itertools
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from note_seq import NoteSequence, sequences_lib

from latentgen.errors import FileError, InputError
from latentgen.music import reasons
from latentgen.music.augment import stretch, transpose
from latentgen.music.converters.controls import infer_harmony
from latentgen.music.converters.converter import Converter
from latentgen.music.converters.performance import PerformanceConverter
from latentgen.music.errors import Unsuitable
from latentgen.music.reading.files import SUFFIXES, MusicFileError, read_tunes
from latentgen.music.reading.regular import at_one_tempo, in_longer_bars
from latentgen.music.reading.tracks import Tracks, check_tracks, each_track, select_tracks
from latentgen.music.reading.windows import CHORD_SYMBOL, windows


class WindowExample(NamedTuple):
    """One window as a model takes it, padded with zeros to the converter's steps T.

    Attributes:
        tune: the tune's number in its book, '' where a file is one piece.
        position: which window of the tune it is, refused ones counted.
        outputs: (T, output_depth), what is decoded.
        inputs: (T, input_depth), what is encoded; None where that is `outputs`.
        controls: (T, control_depth); None where the converter has none.
        length: steps that are not padding, an int array (segments,) of converters in segments.
    """

    tune: str
    position: int
    outputs: np.ndarray
    inputs: np.ndarray | None
    controls: np.ndarray | None
    length: int | np.ndarray

    def digest(self) -> bytes:
        """The same for equal music, wherever it stands."""
        code = hashlib.blake2b(np.asarray(self.length, "int32").tobytes(), digest_size=16)
        for array in (self.outputs, self.inputs, self.controls):
            code.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
        return code.digest()


class FileExamples(NamedTuple):
    """What one file gave.

    Attributes:
        examples: in the file's order.
        tunes_refused: tunes of a book that were left out, by reason.
        windows_refused: by reason; a piece shorter than a window counts as one.
        refused: why the file gave nothing, reason and message; None if it was read.
    """

    examples: list[WindowExample]
    tunes_refused: Counter[str]
    windows_refused: Counter[str]
    refused: tuple[str, str] | None = None


def music_files(
    folder_or_files: str | os.PathLike | Iterable[str | os.PathLike],
) -> dict[str, Path]:
    """Files by source, in order: paths relative to the folder (or to what files have in common).

    Args:
        folder_or_files: a folder, searched with its subfolders for names of music files; a file;
            or files with any names.

    Raises:
        FileError: no such folder or file, or no music in the folder.
    """
    if not isinstance(folder_or_files, str | os.PathLike):
        files = [Path(file) for file in folder_or_files]
        if not files:
            raise FileError("files: expected at least one music file, received none")
        common = Path(os.path.commonpath([file.resolve().parent for file in files]))
        return {
            path.relative_to(common).as_posix(): path
            for path in sorted({file.resolve() for file in files})
        }
    folder = Path(folder_or_files)
    if folder.is_file():
        return {folder.name: folder}
    if not folder.is_dir():
        raise FileError(f"{folder}: expected a folder or a music file, received neither")
    found = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    }
    if not found:
        raise FileError(
            f"{folder}: expected music files ({', '.join(SUFFIXES)}), received a folder without any"
        )
    return dict(sorted(found.items()))


def example_reader(
    converter: Converter,
    hop_bars: int | None = None,
    tracks: Tracks | None = None,
    min_notes: int = 1,
    transpositions: Sequence[int] = (0,),
    stretches: Sequence[float] = (1.0,),
) -> Callable[[Path], FileExamples]:
    """The function that reads a file's examples, which can be sent to other processes.

    Arguments are those of `read_collection`.

    Raises:
        InputError: an argument cannot be used.
    """
    hop_bars = converter.bars if hop_bars is None else hop_bars
    for name, value in (("hop_bars", hop_bars), ("min_notes", min_notes)):
        if value < 1:
            raise InputError(f"{name}: expected 1 or more, received {value}")
    if not transpositions or not all(-127 <= semitones <= 127 for semitones in transpositions):
        raise InputError(f"transpositions: expected semitones, received {transpositions}")
    if not stretches or not all(0 < factor < math.inf for factor in stretches):
        raise InputError(f"stretches: expected positive factors, received {stretches}")
    return functools.partial(
        file_examples,
        converter=converter,
        hop_bars=hop_bars,
        tracks=None if tracks is None else check_tracks(tracks),
        min_notes=min_notes,
        transpositions=tuple(transpositions),
        stretches=tuple(stretches),
    )


def file_examples(
    path: Path,
    *,
    converter: Converter,
    hop_bars: int,
    tracks: tuple[str | int, ...] | None,
    min_notes: int,
    transpositions: tuple[int, ...],
    stretches: tuple[float, ...],
) -> FileExamples:
    """The examples of a file, and why the rest of it gave none; arguments as `example_reader`."""
    try:
        tunes, failures = read_tunes(path)
    except MusicFileError as error:
        return FileExamples([], Counter(), Counter(), (error.reason, str(error)))
    tunes_refused = Counter(failure.reason for failure in failures)
    windows_refused: Counter[str] = Counter()
    examples: list[WindowExample] = []
    heard = False
    for tune in tunes:
        tune = _regular(tune, converter)
        pieces = [piece for piece in _pieces(tune, tracks) if piece.notes]
        if not pieces:
            tunes_refused["no such track"] += 1
        heard = heard or bool(pieces)
        cut = _windows(pieces, stretches, converter, hop_bars, windows_refused)
        for position, window in enumerate(cut):
            for semitones in transpositions:
                try:
                    if 0 < len(window.notes) < min_notes:
                        raise Unsuitable("too few notes")
                    moved = transpose(window, semitones) if semitones else window
                    examples.append(_example(converter, moved, tune.id, position))
                except Unsuitable as error:
                    windows_refused[error.reason] += 1
    refused = None
    if not tunes:
        refused = failures[0].reason, str(failures[0])
    elif not heard:
        refused = "no such track", f"{path}: expected one of the tracks {tracks}, received none"
    return FileExamples(examples, tunes_refused, windows_refused, refused)


def _windows(
    pieces: Iterable[NoteSequence],
    stretches: Iterable[float],
    converter: Converter,
    hop_bars: int,
    refused: Counter[str],
) -> Iterator[NoteSequence]:
    """The windows of pieces, in order; what cannot be cut is counted in `refused`."""
    for piece, factor in itertools.product(pieces, stretches):
        piece = piece if factor == 1 else stretch(piece, factor)
        cut = windows(piece, converter.bars, hop_bars, converter.steps_per_quarter)
        try:
            first = next(cut, None)
            if first is None:
                raise Unsuitable(reasons.TOO_SHORT)
            yield first
            yield from cut
        except Unsuitable as error:
            refused[error.reason] += 1


def _regular(tune: NoteSequence, converter: Converter) -> NoteSequence:
    """The tune at one tempo, in the converter's bars, with what else the converter needs.

    That is chords and key if it wants them, and the pedal made longer notes for performances.
    """
    if isinstance(converter, PerformanceConverter):
        tune = sequences_lib.apply_sustain_control_changes(tune)
    bar = Fraction(converter.steps_per_bar, converter.steps_per_quarter)
    tune = in_longer_bars(at_one_tempo(tune), bar)
    missing = []
    if converter.chords and not any(
        annotation.annotation_type == CHORD_SYMBOL for annotation in tune.text_annotations
    ):
        missing.append("text_annotations")
    if converter.key and not tune.key_signatures:
        missing.append("key_signatures")
    if missing:
        with contextlib.suppress(Unsuitable):  # the converter says what is missing
            inferred = infer_harmony(tune, converter.steps_per_quarter)
            for name in missing:
                tune.ClearField(name)
                getattr(tune, name).extend(getattr(inferred, name))
    return tune


def _pieces(tune: NoteSequence, tracks: tuple[str | int, ...] | None) -> Iterable[NoteSequence]:
    if tracks is None:
        return [tune]
    return each_track(tune) if tracks == ("each",) else [select_tracks(tune, tracks)]


def _example(converter: Converter, window: NoteSequence, tune: str, position: int) -> WindowExample:
    encoded = converter.encode(window, allow_silence=False)
    outputs = _padded(encoded.outputs, converter.steps)
    same = encoded.inputs is encoded.outputs or np.array_equal(encoded.inputs, encoded.outputs)
    return WindowExample(
        tune,
        position,
        outputs,
        None if same else _padded(encoded.inputs, converter.steps),
        _padded(encoded.controls, converter.steps) if converter.control_depth else None,
        encoded.length,
    )


def _padded(array: np.ndarray, steps: int) -> np.ndarray:
    """(T', D) → (steps, D), zeros after the end."""
    return np.pad(array, ((0, steps - len(array)), (0, 0)))
