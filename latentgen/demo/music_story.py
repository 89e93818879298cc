"""What the demonstration asks of music: melodies and drums, as the presets that ship play them."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from note_seq import NoteSequence
from rich.console import Console

from latentgen.cli.progress import waiting
from latentgen.demo.music_wishes import DRUM_PAIRS, DRUM_WISHES, MELODY_PAIRS, MELODY_WISHES
from latentgen.demo.rule_story import RuleWish, Take, tell_rules
from latentgen.errors import InputError
from latentgen.music.attributes import STATISTICS, statistics
from latentgen.music.drum_attributes import DRUM_STATISTICS
from latentgen.music.vae import MusicVAE

REAL, QUESTIONS = 300, 500  # to take half a minute
TEMPERATURE = 0.5
TEMPO = {"melody_2bar": 104.0, "drums_2bar": 100.0}


def tell_music(seed: int, console: Console) -> list[Take]:
    """Runs it all, of the presets that ship; says which do not."""
    takes = []
    for preset, wishes, pairs in (
        ("melody_2bar", MELODY_WISHES, MELODY_PAIRS),
        ("drums_2bar", DRUM_WISHES, DRUM_PAIRS),
    ):
        try:
            with waiting(f"Opening {preset}"):
                vae = MusicVAE.from_preset(preset)
        except InputError:
            console.print(f"No preset {preset} is installed: its music is left out")
            continue
        take = make_take(vae, preset, wishes, pairs, seed)
        tell_rules(vae, take, seed, console)
        takes.append(take)
    return takes


def make_take(
    vae: MusicVAE,
    preset: str,
    wishes: Sequence[RuleWish],
    pairs: Sequence[tuple[str, str]],
    seed: int,
) -> Take:
    """What is to be asked of a preset, and how it plays."""

    def as_arrays(passages: list[NoteSequence]) -> np.ndarray:
        return np.stack([vae.converter.encode(p).inputs for p in passages])

    rules = DRUM_STATISTICS if preset.startswith("drums") else STATISTICS
    return Take(
        preset,
        wishes,
        pairs,
        decode=partial(vae.decode, temperature=TEMPERATURE, seed=seed, tempo=TEMPO[preset]),
        features=as_arrays,
        measure=lambda passages: statistics(passages, rules),
        real=REAL,
        questions=QUESTIONS,
        pieces="passages",
        made="played",
    )
