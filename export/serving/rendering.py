"""Pieces as files: drawings as SVG and PNG, music as MIDI, WAV and rolls, sentences as text.

Arrays are what the signatures give: `strokes` and `length`, `sequence` and `length`, `sentences`.
What is about a domain is imported where it is needed; TensorFlow is not.
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentgen.errors import InputError
from latentgen.export.serving.description import Description
from latentgen.export.serving.prompts import ALONE, Prompt
from latentgen.export.serving.refusal import bad
from latentgen.export.serving.requests import write_json

if TYPE_CHECKING:
    from note_seq import NoteSequence

MEDIA_TYPES = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "mid": "audio/midi",
    "wav": "audio/wav",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json",
}


def check_count(kind: str, n: int) -> None:
    """Refuses several pieces where a file holds one."""
    if kind in ALONE and n > 1:
        raise bad(
            f"n: expected 1, as sample.{kind} holds one piece, received {n}; ask several times"
        )


def render(
    kind: str, outputs: dict[str, np.ndarray], prompt: Prompt, description: Description
) -> bytes:
    """The pieces of a prompt as one file.

    Args:
        kind: of FORMATS of the description's domain.
        outputs: of `sample` or `sample_constrained`, as many rows as the prompt asked for.

    Raises:
        Refusal: 400: what the model made, at this temperature or strength, is no piece.
    """
    try:
        if description.domain == "text":
            return _text(kind, outputs, prompt)
        if description.domain == "music":
            return _music(kind, outputs, prompt, description)
        return _sketch(kind, outputs, prompt)
    except InputError as error:
        raise bad(
            f"what the model made cannot be written as {kind} ({error}); "
            "ask for a lower temperature or strength"
        ) from error


def _text(kind: str, outputs: dict[str, np.ndarray], prompt: Prompt) -> bytes:
    sentences = [text.decode("utf-8", "replace") for text in outputs["sentences"]]
    if kind == "txt":
        return "".join(f"{sentence}\n" for sentence in sentences).encode()
    return _document(sentences, outputs, prompt)


def _sketch(kind: str, outputs: dict[str, np.ndarray], prompt: Prompt) -> bytes:
    drawings = [
        strokes[:length]
        for strokes, length in zip(outputs["strokes"], outputs["length"], strict=True)
    ]
    if kind == "json":
        return _document(drawings, outputs, prompt)
    from latentgen.sketch.render import write_png
    from latentgen.sketch.svg import write_svg

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sample.{kind}"
        (write_svg if kind == "svg" else write_png)(path, drawings)
        return path.read_bytes()


def _music(
    kind: str, outputs: dict[str, np.ndarray], prompt: Prompt, description: Description
) -> bytes:
    from latentgen.music.converters.described import converter_of

    converter = converter_of(description.arguments["converter"])
    passages = [converter.decode(sequence, tempo=prompt.tempo) for sequence in outputs["sequence"]]
    if kind == "json":
        return _document([_notes(passage) for passage in passages], outputs, prompt)
    from latentgen.music.reading.files import write_midi
    from latentgen.music.rendering.audio import write_wav
    from latentgen.music.rendering.roll import write_roll

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sample.{kind}"
        if kind == "mid":
            write_midi(path, passages[0])
        elif kind == "wav":
            write_wav(path, passages[0])
        else:
            write_roll(path, passages)
        return path.read_bytes()


def _notes(passage: "NoteSequence") -> list[dict[str, Any]]:
    return [
        {
            "pitch": note.pitch,
            "start": note.start_time,
            "end": note.end_time,
            "velocity": note.velocity,
            "drum": note.is_drum,
        }
        for note in passage.notes
    ]


def _document(pieces: list[Any], outputs: dict[str, np.ndarray], prompt: Prompt) -> bytes:
    z = {"z": outputs["z"]} if "z" in outputs else {}
    return write_json({"pieces": pieces, "asked": dict(prompt.asked), "seed": prompt.seed, **z})
