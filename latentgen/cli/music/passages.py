"""What a person may name as music on the command line, and what can be written."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from latentgen.cli.output import check_file, check_free
from latentgen.errors import FileError, InputError

if TYPE_CHECKING:
    from note_seq import NoteSequence

    from latentgen.music.converters import Converter

READABLE = (".mid", ".midi", ".xml", ".musicxml", ".mxl", ".abc")
PICTURES = (".png", ".svg")
EACH_ITS_OWN = (".mid", ".midi", ".wav")  # kinds of file that hold one passage
ENDINGS = (*EACH_ITS_OWN, *PICTURES, ".html")


def read_passages(
    path: Path, converter: "Converter", tracks: Sequence[str | int] | None = None
) -> "list[NoteSequence]":
    """The windows of a file, or of a folder's files by name, that a converter can represent.

    They do not overlap. Music that is shorter than a window is taken with the silence after it.

    Raises:
        FileError: no such file, or one that cannot be read.
        InputError: none of its windows can be represented; says why.
    """
    from latentgen.music.errors import Unsuitable
    from latentgen.music.reading.examples import music_files
    from latentgen.music.reading.files import read_notes
    from latentgen.music.reading.windows import windows

    found, refused = [], Counter[str]()
    size = converter.bars, converter.bars, converter.steps_per_quarter
    for file in music_files(path).values() if path.is_dir() else [path]:
        tunes = [_filled(tune, converter) for tune in read_notes(file)]
        for piece in (piece for tune in tunes for piece in _pieces(tune, tracks)):
            try:
                for window in windows(piece, *size):
                    reason = _refusal(window, converter)
                    if reason:
                        refused[reason] += 1
                    else:
                        found.append(window)
            except Unsuitable as error:
                refused[error.reason] += 1
    if not found:
        why = ", ".join(f"{count} {reason}" for reason, count in refused.most_common())
        raise InputError(
            f"{path}: expected {converter.bars} bars that the model can play, received none "
            f"({why or 'no notes'}); choose among the tracks with --tracks, or another --preset"
        )
    return found


def _pieces(tune: "NoteSequence", tracks: Sequence[str | int] | None) -> "list[NoteSequence]":
    from latentgen.music.reading.tracks import each_track, select_tracks

    if tracks is None:
        return [tune]
    return each_track(tune) if tracks == ["each"] else [select_tracks(tune, tracks)]


def _refusal(window: "NoteSequence", converter: "Converter") -> str:
    """Why a converter does not take a window; '' if it does."""
    from latentgen.music.errors import Unsuitable

    try:
        converter.encode(window, allow_silence=False)
    except Unsuitable as error:
        return error.reason
    return ""


def _filled(tune: "NoteSequence", converter: "Converter") -> "NoteSequence":
    """The tune at one tempo, in the converter's bars, and no shorter than a window."""
    from latentgen.music.errors import Unsuitable
    from latentgen.music.reading.regular import at_one_tempo, in_longer_bars
    from latentgen.music.reading.windows import quantised

    bar = Fraction(converter.steps_per_bar, converter.steps_per_quarter)
    tune = in_longer_bars(at_one_tempo(tune), bar)
    qpm = tune.tempos[0].qpm if tune.tempos else 120.0
    if tune.total_time * qpm / 60 >= converter.bars * bar:
        return tune
    try:
        short = quantised(tune, converter.steps_per_quarter)
    except Unsuitable:  # windows says why
        return tune
    short.total_quantized_steps = max(short.total_quantized_steps, converter.window_steps)
    return short


def read_one(
    name: str, converter: "Converter", tracks: Sequence[str | int] | None = None
) -> "NoteSequence":
    """The first passage of `FILE`, or that of `FILE:NUMBER`, counted from 0."""
    path, _, number = name.rpartition(":")
    if not number.isdecimal():
        path, number = name, "0"
    passages = read_passages(Path(path), converter, tracks)
    if int(number) >= len(passages):
        raise InputError(f"{name}: expected a number from 0 to {len(passages) - 1}")
    return passages[int(number)]


def check_exists(*names: str | Path) -> None:
    """Refuses what is not there, before a model is opened."""
    for name in names:
        path = Path(name)
        file, _, number = str(name).rpartition(":")
        if not path.exists() and not (number.isdecimal() and Path(file).exists()):
            raise FileError(f"{name}: expected music, there is no such file or folder")


def check_out(out: Path, count: int, overwrite: bool) -> None:
    """Refuses an ending nobody can write, and names that are taken."""
    if out.suffix:
        for path in _paths(out, count):
            check_file(path, ENDINGS, overwrite)
    else:
        check_free(out, overwrite)


def write(
    out: Path,
    passages: "Sequence[NoteSequence]",
    title: str,
    captions: Sequence[str] = (),
    originals: "Sequence[NoteSequence]" = (),
) -> None:
    """Writes passages as the ending of `out` says: a page or a picture of all, or a file of each.

    Several files are numbered; a name without ending is a folder of MIDI files. In pages and
    pictures each passage stands to the right of its original, where there are some.
    """
    from latentgen.files import atomic_folder
    from latentgen.music.reading.files import write_midi
    from latentgen.music.rendering.audio import write_wav
    from latentgen.music.rendering.page import Section, write_page
    from latentgen.music.rendering.roll import write_roll

    captions = captions or [str(index) for index in range(1, len(passages) + 1)]
    items, columns = list(passages), None
    if len(originals):
        items = [item for pair in zip(originals, passages, strict=True) for item in pair]
        captions = [text for name in captions for text in (f"{name}: before", f"{name}: after")]
        columns = 2
    kind = out.suffix.lower()
    if kind == ".html":
        write_page(out, title, [Section(f"{len(passages)} passages", items, captions)])
    elif kind in PICTURES:
        write_roll(out, items, captions=captions, columns=columns)
    elif kind:
        writer = write_wav if kind == ".wav" else write_midi
        for path, notes in zip(_paths(out, len(passages)), passages, strict=True):
            writer(path, notes)
    else:
        with atomic_folder(out) as folder:
            paths = _paths(folder / f"{out.name}.mid", len(passages))
            for path, notes in zip(paths, passages, strict=True):
                write_midi(path, notes)


def _paths(out: Path, count: int) -> list[Path]:
    """The files that so many passages are written to."""
    if count == 1 or out.suffix.lower() not in EACH_ITS_OWN:
        return [out]
    digits = len(str(count))
    return [out.with_name(f"{out.stem}-{k:0{digits}}{out.suffix}") for k in range(1, count + 1)]
