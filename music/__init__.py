"""Music: reading, converters, MusicVAE, attributes of a passage, piano rolls and sound.

Nothing heavy is imported here: the names below are resolved at first use.
"""

import importlib
from typing import Any

_EXPORTS: dict[str, str] = {
    name: f"latentgen.music.{module}"
    for module, names in {
        "attributes": (
            "contour",
            "interval_size",
            "key_agreement",
            "mean_pitch",
            "most_likely_key",
            "note_density",
            "note_duration",
            "number_of_notes",
            "pitch_range",
            "repetition",
            "share_in_key",
            "share_in_pitch_classes",
            "share_in_pitches",
            "statistics",
            "syncopation",
        ),
        "configurations": ("NAMES",),
        "converters": (
            "DrumConverter",
            "GrooveConverter",
            "MelodyConverter",
            "PerformanceConverter",
            "PlainConverter",
            "TrioConverter",
        ),
        "data": ("MusicBatches",),
        "drum_attributes": (
            "backbeat",
            "drum_syncopation",
            "hi_hat_share",
            "hit_density",
            "kick_on_beat",
        ),
        "errors": ("Unsuitable",),
        "evaluation": ("evaluate",),
        "model": ("MusicDecoder",),
        "optimizer": ("MusicAdam",),
        "reading.collection": ("Collection", "groove_splits", "read_collection"),
        "reading.files": ("read_notes", "write_midi"),
        "reading.windows": ("windows",),
        "rendering.audio": ("to_waveform", "write_wav"),
        "rendering.page": ("write_page",),
        "rendering.roll": ("write_roll",),
        "vae": ("MusicVAE",),
    }.items()
    for name in names
}
__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'latentgen.music' has no attribute {name!r}")
