"""What the demonstration does with music: learn rules, play, sweep, interpolate, change, compare.

Nothing is labelled: the rules are asked about what the model plays of the latent vectors that ship
with its preset, and the answers teach the constraints (Engel et al. 2017, zero-shot).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from note_seq import NoteSequence
from rich.console import Console

from latentgen.cli.progress import progress_bar, waiting
from latentgen.constraints import Comparison, LatentConstraints, evaluate
from latentgen.demo.music_wishes import (
    DRUM_PAIRS,
    DRUM_WISHES,
    MELODY_PAIRS,
    MELODY_WISHES,
    MusicWish,
)
from latentgen.errors import FileError, InputError
from latentgen.music.attributes import STATISTICS, statistics
from latentgen.music.drum_attributes import DRUM_STATISTICS
from latentgen.music.vae import MusicVAE
from latentgen.vae import Posterior, slerp

EACH = 3  # passages of a row
STRENGTHS = (0.0, 0.3, 0.6, 0.8, 1.0, 1.3)
CHANGE = 0.7  # how far a passage is changed
CANDIDATES = 16  # of which the sweep starts at the one furthest from its wish
REAL, QUESTIONS, ROUNDS, TURNS = 300, 500, 2, 600  # of learning, to take half a minute
SAMPLES = 48  # judged, of each method and wish
TEMPERATURE = 0.5
TEMPO = {"melody_2bar": 104.0, "drums_2bar": 100.0}
METHOD = "density"


@dataclass
class Take:
    """Everything the page shows of one preset."""

    preset: str
    wishes: Sequence[MusicWish]
    pairs: Sequence[tuple[str, str]]
    unasked: list[NoteSequence] = field(default_factory=list)
    realistic: list[NoteSequence] = field(default_factory=list)
    asked: dict[tuple[str, ...], list[NoteSequence]] = field(default_factory=dict)
    shares: dict[tuple[str, ...], tuple[float, float]] = field(default_factory=dict)
    sweep: list[NoteSequence] = field(default_factory=list)
    path: list[NoteSequence] = field(default_factory=list)
    originals: list[NoteSequence] = field(default_factory=list)
    changed: dict[str, list[NoteSequence]] = field(default_factory=dict)
    comparison: Comparison | None = None
    statistics: dict[str, dict[str, float]] = field(default_factory=dict)
    questions: int = 0
    seconds: float = 0.0

    def title(self, names: Sequence[str]) -> str:
        """What a person calls one wish, or several together."""
        titles = {wish.name: wish.title for wish in self.wishes}
        if len(names) == 1:
            return titles[names[0]]
        return " and ".join(titles[name].partition(" (")[0] for name in names)

    def holds(self, names: Sequence[str], passages: Sequence[NoteSequence]) -> np.ndarray:
        """Whether each passage obeys all of the rules."""
        rules = [wish.holds for wish in self.wishes if wish.name in names]
        return np.array([all(rule(passage) for rule in rules) for passage in passages])


def tell_music(seed: int, console: Console) -> list[Take]:
    """Runs it all, of the presets that ship; says which do not."""
    takes = []
    for take in (
        Take("melody_2bar", MELODY_WISHES, MELODY_PAIRS),
        Take("drums_2bar", DRUM_WISHES, DRUM_PAIRS),
    ):
        try:
            with waiting(f"Opening {take.preset}"):
                vae = MusicVAE.from_preset(take.preset)
        except InputError:
            console.print(f"No preset {take.preset} is installed: its music is left out")
            continue
        _play(vae, take, seed, console)
        takes.append(take)
    return takes


def _play(vae: MusicVAE, take: Take, seed: int, console: Console) -> None:
    if vae.reference is None:
        raise FileError(f"{take.preset}: expected latents.npz in it; install latentgen anew")
    constraints, answers = _learn(vae, vae.reference, take, seed)
    console.print(str(constraints.report), markup=False)
    chapters = (_unasked, _asked, _sweep, _path, _changed)
    with progress_bar("Playing", len(chapters)) as advance:
        for step, chapter in enumerate(chapters, start=1):
            chapter(vae, constraints, take, seed)
            advance(step)
    with waiting("Comparing the ways to a constrained z"):
        _compare(vae, constraints, take, answers, seed)
    console.print(str(take.comparison), markup=False)


def _decode(vae: MusicVAE, take: Take, z: np.ndarray, seed: int) -> list[NoteSequence]:
    return vae.decode(z, temperature=TEMPERATURE, seed=seed, tempo=TEMPO[take.preset])


def _learn(
    vae: MusicVAE, real: Posterior, take: Take, seed: int
) -> tuple[LatentConstraints, dict[str, np.ndarray]]:
    """Constraints, and what each rule says of what the model plays of some of the real z."""
    started = time.monotonic()
    constraints = LatentConstraints(vae.latent_size, seed=seed)
    asked = 0

    def decode(z: np.ndarray) -> list[NoteSequence]:
        nonlocal asked
        asked += len(z)
        return _decode(vae, take, z, seed)

    with progress_bar(f"Learning {len(take.wishes)} rules of {take.preset}", 100) as advance:
        constraints.fit_reward(
            decode,
            {wish.name: wish.holds for wish in take.wishes},
            z=real.mean[:REAL],
            rounds=ROUNDS,
            samples=QUESTIONS,
            turns=TURNS,
            progress=lambda share, what: advance(round(100 * share), what),
        )
    # What people played, and not the prior, is where `density` leads.
    constraints.keep_real(real.mean, real.scale, seed)
    take.questions, take.seconds = asked, time.monotonic() - started
    heard = _decode(vae, take, real.mean[:REAL], seed)
    return constraints, {wish.name: take.holds([wish.name], heard) for wish in take.wishes}


def _unasked(vae: MusicVAE, constraints: LatentConstraints, take: Take, seed: int) -> None:
    """The same z as the prior gives them, and moved by realism alone."""
    z = constraints.sample(EACH, strength=0, seed=seed)
    take.unasked = _decode(vae, take, z, seed)
    take.realistic = _decode(vae, take, constraints.transform(z, method=METHOD), seed)


def _asked(vae: MusicVAE, constraints: LatentConstraints, take: Take, seed: int) -> None:
    """Each wish, and two at once; the first few are shown, all are judged."""
    prior = constraints.sample(max(SAMPLES, EACH), strength=0, seed=seed)
    before = _decode(vae, take, prior, seed)
    for names in [*((wish.name,) for wish in take.wishes), *take.pairs]:
        z = constraints.transform(prior, dict.fromkeys(names, True), method=METHOD)
        after = _decode(vae, take, z, seed)
        take.asked[names] = after[:EACH]
        unasked, asked = (float(take.holds(names, p).mean()) for p in (before, after))
        take.shares[names] = unasked, asked


def _sweep(vae: MusicVAE, constraints: LatentConstraints, take: Take, seed: int) -> None:
    """One z, far from the wish, moved further and further; the same noise plays each."""
    name = take.wishes[1].name
    starts = constraints.sample(CANDIDATES, method=METHOD, seed=seed + 1)
    start = starts[[int(constraints.score(starts)[name].argmin())]]
    rows = [
        constraints.transform(start, {name: True}, method=METHOD, strength=strength)
        for strength in STRENGTHS
    ]
    take.sweep = [_decode(vae, take, z, seed)[0] for z in rows]


def _path(vae: MusicVAE, constraints: LatentConstraints, take: Take, seed: int) -> None:
    """From the first pair of wishes to the last wish, on the arc between two constrained z."""
    ends = [
        constraints.sample(1, dict.fromkeys(names, True), method=METHOD, seed=seed + 2)[0]
        for names in (take.pairs[0], (take.wishes[-1].name,))
    ]
    take.path = _decode(vae, take, slerp(ends[0], ends[1], 2 * EACH), seed)


def _changed(vae: MusicVAE, constraints: LatentConstraints, take: Take, seed: int) -> None:
    """What people played, each changed in one respect: most of the way, on the density of real z.

    (Gradient ascent keeps more of a passage, but finds z that please the critics and play noise.)
    """
    assert vae.reference is not None
    real = vae.reference.mean
    z = real[np.random.default_rng(seed).choice(len(real), EACH, replace=False)]
    take.originals = _decode(vae, take, z, seed)
    for wish in (take.wishes[0], take.wishes[-1]):
        moved = constraints.transform(
            z, {wish.name: True}, method=METHOD, strength=CHANGE, steps=1, seed=seed
        )
        take.changed[wish.name] = _decode(vae, take, moved, seed)


def _compare(
    vae: MusicVAE,
    constraints: LatentConstraints,
    take: Take,
    answers: dict[str, np.ndarray],
    seed: int,
) -> None:
    assert vae.reference is not None
    real = vae.reference.mean

    def as_arrays(passages: list[NoteSequence]) -> np.ndarray:
        return np.stack([vae.converter.encode(p).inputs for p in passages])

    take.comparison = evaluate(
        constraints,
        lambda z: _decode(vae, take, z, seed),
        {
            wish.name: lambda passages, name=wish.name: take.holds([name], passages)
            for wish in take.wishes
        },
        methods=("prior", "rejection", "vector", "ascent", "actor", "density"),
        samples=SAMPLES,
        features=as_arrays,
        members={
            name: real[: len(column)][column][:SAMPLES]
            for name, column in answers.items()
            if column.sum() > 1
        },
        seed=seed + 3,
    )
    rules = DRUM_STATISTICS if take.preset.startswith("drums") else STATISTICS
    prior = constraints.sample(SAMPLES, strength=0, seed=seed + 3)
    for name, z in {
        "as people played": real[:SAMPLES],
        "unasked": prior,
        "realism alone": constraints.transform(prior, method=METHOD),
        take.title(take.pairs[0]): constraints.transform(
            prior, dict.fromkeys(take.pairs[0], True), method=METHOD
        ),
    }.items():
        take.statistics[name] = statistics(_decode(vae, take, z, seed), rules)
