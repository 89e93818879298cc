"""Opening a model of music and saying how it should play."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from latentgen.cli.options import decoding
from latentgen.cli.progress import waiting
from latentgen.cli.startup import import_keras, import_note_seq
from latentgen.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from note_seq import NoteSequence

    from latentgen.music.converters import Converter
    from latentgen.music.model import MusicDecoder, MusicModel
    from latentgen.music.vae import MusicVAE


def open_vae(preset: str) -> "MusicVAE":
    """The trained model of a preset's name or folder."""
    with waiting(f"Opening {preset}"):
        import_note_seq()
        import_keras()
        from latentgen.music.vae import MusicVAE

        return MusicVAE.from_preset(preset)


def open_model(preset: str) -> "MusicVAE | MusicDecoder":
    """The same; a decoder alone too, for what needs no encoder."""
    with waiting(f"Opening {preset}"):
        import_note_seq()
        import_keras()
        from latentgen.music.model import MusicDecoder
        from latentgen.music.vae import MusicVAE

        return MusicVAE.any_from_preset(preset, MusicDecoder)


def playing(
    vae: "MusicModel",
    temperature: float,
    tempo: float | None,
    program: int | None,
    chords: str,
    key: str,
    seed: int,
    music: "Sequence[NoteSequence]" = (),
) -> dict[str, Any]:
    """Arguments of `decode`; tempo and controls that are not given are those of `music`."""
    if tempo is None:
        tempo = next((m.tempos[0].qpm for m in music if m.tempos), 120.0)
    control = controls(vae, chords, key, music)
    options = {"seed": seed, "tempo": tempo, "program": program, **decoding(temperature)}
    return options if control is None else options | {"control": control}


def controls(
    vae: "MusicModel", chords: str, key: str, music: "Sequence[NoteSequence]" = ()
) -> "np.ndarray | None":
    """What a model goes by: (T, depth), or (n, T, depth) of music; None of one without controls."""
    import numpy as np

    converter = vae.converter
    for option, given, has in (
        ("--chords", chords, converter.chords),
        ("--key", key, converter.key),
    ):
        if given and not has:
            raise InputError(
                f"{option}: expected a model that goes by {option[2:].rstrip('s')}s, received one "
                "that does not; leave it out, or give another --preset"
            )
        if has and not given and not music:
            raise InputError(
                f"expected {option} for a model that goes by it, received none; give {option} "
                f"{'C' if option == '--key' else repr('C Am F G')}"
            )
    if not converter.control_depth:
        return None
    if not music and not (chords or key):
        raise InputError(
            "expected a passage whose hits the model goes by, received none; use reconstruct, "
            "which takes them from the music"
        )
    if not music:
        return np.concatenate(_given(converter, chords, key), axis=-1)
    control = np.stack([converter.encode(notes).controls for notes in music]).astype("float32")
    parts = np.split(control, [49], axis=-1) if converter.chords else [control[..., :0], control]
    asked = _given(converter, chords, key)
    return np.concatenate(
        [
            np.broadcast_to(new, part.shape) if new.shape[-1] else part
            for part, new in zip(parts, asked, strict=True)
        ],
        axis=-1,
    )


def _given(converter: "Converter", chords: str, key: str) -> "list[np.ndarray]":
    """The chords' and the key's columns, none of what is not given."""
    import numpy as np

    from latentgen.music.converters.controls import ChordControls, KeyControls

    if chords and converter.steps != converter.window_steps and len(chords.split()) > 1:
        raise InputError(
            f"--chords: expected one chord for a model of events, received {len(chords.split())}"
        )
    none = np.zeros((converter.steps, 0), bool)
    return [
        ChordControls().from_symbols(chords, converter.steps) if chords else none,
        KeyControls().from_name(key, converter.steps) if key else none,
    ]
