"""What the demonstration does with rules: learn them, make, sweep, interpolate, change, compare.

Nothing is labelled: the rules are asked about what the model makes of the latent vectors that ship
with its preset, and the answers teach the constraints (Engel et al. 2017, zero-shot). What music
and text do alike is here; `music_story` and `text_story` say of what.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console

from latentgen.cli.progress import progress_bar, waiting
from latentgen.constraints import Comparison, LatentConstraints, evaluate
from latentgen.domain import DomainVAE
from latentgen.errors import FileError
from latentgen.vae import Posterior, slerp

EACH = 3  # pieces of a row
STRENGTHS = (0.0, 0.3, 0.6, 0.8, 1.0, 1.3)
CANDIDATES = 16  # of which the sweep starts at the one furthest from its wish
ROUNDS, TURNS = 2, 600  # of learning, to take half a minute
SAMPLES = 48  # judged, of each method and wish
REALISTIC = "density"  # the method that moves z to where real ones are
# Most of the way, on the density of real z. (Gradient ascent keeps more of a piece of music, but
# finds z that please the critics and play noise.)
CHANGE: Mapping[str, Any] = {"method": "density", "strength": 0.7, "steps": 1}


class RuleWish(NamedTuple):
    """A rule that can be asked for.

    Attributes:
        name: the attribute's.
        title: what a person calls it.
        holds: whether a piece obeys it.
    """

    name: str
    title: str
    holds: Callable[[Any], bool]


@dataclass
class Take:
    """A preset, what is asked of it, and everything the page shows of that.

    Attributes:
        decode: latent vectors -> pieces.
        features: pieces -> an array (n, ...) to tell how different they are.
        measure: pieces -> figures to show.
        how, change: arguments of `transform`, to have what is asked for and to change pieces.
        real, questions: how many real z the rules are asked about, and others in each round.
        pieces, made: what they are called, and what people and the model did to make them.
    """

    preset: str
    wishes: Sequence[RuleWish]
    pairs: Sequence[tuple[str, str]]
    decode: Callable[[np.ndarray], list[Any]]
    features: Callable[[list[Any]], np.ndarray]
    measure: Callable[[list[Any]], dict[str, float]]
    real: int
    questions: int
    how: Mapping[str, Any] = field(default_factory=lambda: {"method": "density"})
    change: Mapping[str, Any] = field(default_factory=lambda: CHANGE)
    pieces: str = "pieces"
    made: str = "made"
    unasked: list[Any] = field(default_factory=list)
    realistic: list[Any] = field(default_factory=list)
    asked: dict[tuple[str, ...], list[Any]] = field(default_factory=dict)
    shares: dict[tuple[str, ...], tuple[float, float]] = field(default_factory=dict)
    sweep: list[Any] = field(default_factory=list)
    path: list[Any] = field(default_factory=list)
    originals: list[Any] = field(default_factory=list)
    changed: dict[str, list[Any]] = field(default_factory=dict)
    comparison: Comparison | None = None
    statistics: dict[str, dict[str, float]] = field(default_factory=dict)
    answered: int = 0
    seconds: float = 0.0

    def title(self, names: Sequence[str]) -> str:
        """What a person calls one wish, or several together."""
        titles = {wish.name: wish.title for wish in self.wishes}
        if len(names) == 1:
            return titles[names[0]]
        return " and ".join(titles[name].partition(" (")[0] for name in names)

    def holds(self, names: Sequence[str], pieces: Sequence[Any]) -> np.ndarray:
        """Whether each piece obeys all of the rules."""
        rules = [wish.holds for wish in self.wishes if wish.name in names]
        return np.array([all(rule(piece) for rule in rules) for piece in pieces])


def tell_rules(vae: DomainVAE, take: Take, seed: int, console: Console) -> None:
    """Runs it all, of one preset."""
    if vae.reference is None:
        raise FileError(f"{take.preset}: expected latents.npz in it; install latentgen anew")
    constraints, answers = _learn(vae.reference, take, seed)
    console.print(str(constraints.report), markup=False)
    chapters = (_unasked, _asked, _sweep, _path, _changed)
    with progress_bar(f"Asking {take.preset}", len(chapters)) as advance:
        for step, chapter in enumerate(chapters, start=1):
            chapter(vae.reference.mean, constraints, take, seed)
            advance(step)
    with waiting("Comparing the ways to a constrained z"):
        _compare(vae.reference.mean, constraints, take, answers, seed)
    console.print(str(take.comparison), markup=False)


def _learn(
    real: Posterior, take: Take, seed: int
) -> tuple[LatentConstraints, dict[str, np.ndarray]]:
    """Constraints, and what each rule says of what the model makes of some of the real z."""
    started = time.monotonic()
    constraints = LatentConstraints(real.mean.shape[1], seed=seed)
    asked = 0

    def decode(z: np.ndarray) -> list[Any]:
        nonlocal asked
        asked += len(z)
        return take.decode(z)

    with progress_bar(f"Learning {len(take.wishes)} rules of {take.preset}", 100) as advance:
        constraints.fit_reward(
            decode,
            {wish.name: wish.holds for wish in take.wishes},
            z=real.mean[: take.real],
            rounds=ROUNDS,
            samples=take.questions,
            turns=TURNS,
            progress=lambda share, what: advance(round(100 * share), what),
        )
    # What people made, and not the prior, is where `density` leads.
    constraints.keep_real(real.mean, real.scale, seed)
    take.answered, take.seconds = asked, time.monotonic() - started
    made = take.decode(real.mean[: take.real])
    return constraints, {wish.name: take.holds([wish.name], made) for wish in take.wishes}


def _unasked(real: np.ndarray, constraints: LatentConstraints, take: Take, seed: int) -> None:
    """The same z as the prior gives them, and moved by realism alone."""
    z = constraints.sample(EACH, strength=0, seed=seed)
    take.unasked = take.decode(z)
    take.realistic = take.decode(constraints.transform(z, method=REALISTIC))


def _asked(real: np.ndarray, constraints: LatentConstraints, take: Take, seed: int) -> None:
    """Each wish, and two at once; the first few are shown, all are judged."""
    prior = constraints.sample(max(SAMPLES, EACH), strength=0, seed=seed)
    before = take.decode(prior)
    for names in [*((wish.name,) for wish in take.wishes), *take.pairs]:
        z = constraints.transform(prior, dict.fromkeys(names, True), **take.how)
        after = take.decode(z)
        take.asked[names] = after[:EACH]
        unasked, asked = (float(take.holds(names, p).mean()) for p in (before, after))
        take.shares[names] = unasked, asked


def _sweep(real: np.ndarray, constraints: LatentConstraints, take: Take, seed: int) -> None:
    """One z, far from the wish, moved further and further; the same noise for each."""
    name = take.wishes[1].name
    starts = constraints.sample(CANDIDATES, method=REALISTIC, seed=seed + 1)
    start = starts[[int(constraints.score(starts)[name].argmin())]]
    rows = [
        constraints.transform(start, {name: True}, **take.how, strength=strength)
        for strength in STRENGTHS
    ]
    take.sweep = [take.decode(z)[0] for z in rows]


def _path(real: np.ndarray, constraints: LatentConstraints, take: Take, seed: int) -> None:
    """From the first pair of wishes to the last wish, on the arc between two constrained z."""
    ends = [
        constraints.sample(1, dict.fromkeys(names, True), **take.how, seed=seed + 2)[0]
        for names in (take.pairs[0], (take.wishes[-1].name,))
    ]
    take.path = take.decode(slerp(ends[0], ends[1], 2 * EACH))


def _changed(real: np.ndarray, constraints: LatentConstraints, take: Take, seed: int) -> None:
    """What people made, each changed in one respect, as `take.change` says."""
    z = real[np.random.default_rng(seed).choice(len(real), EACH, replace=False)]
    take.originals = take.decode(z)
    for wish in (take.wishes[0], take.wishes[-1]):
        moved = constraints.transform(z, {wish.name: True}, seed=seed, **take.change)
        take.changed[wish.name] = take.decode(moved)


def _compare(
    real: np.ndarray,
    constraints: LatentConstraints,
    take: Take,
    answers: dict[str, np.ndarray],
    seed: int,
) -> None:
    take.comparison = evaluate(
        constraints,
        take.decode,
        {
            wish.name: lambda pieces, name=wish.name: take.holds([name], pieces)
            for wish in take.wishes
        },
        methods=("prior", "rejection", "vector", "ascent", "actor", "density"),
        samples=SAMPLES,
        features=take.features,
        members={
            name: real[: len(column)][column][:SAMPLES]
            for name, column in answers.items()
            if column.sum() > 1
        },
        seed=seed + 3,
    )
    prior = constraints.sample(SAMPLES, strength=0, seed=seed + 3)
    for name, z in {
        f"as people {take.made}": real[:SAMPLES],
        "unasked": prior,
        "realism alone": constraints.transform(prior, method=REALISTIC),
        take.title(take.pairs[0]): constraints.transform(
            prior, dict.fromkeys(take.pairs[0], True), **take.how
        ),
    }.items():
        take.statistics[name] = take.measure(take.decode(z))
