"""What the demonstration does, in order: learn, draw, sweep, interpolate, change, compare."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
from rich.console import Console

from latentgen.cli.progress import progress_bar, waiting
from latentgen.constraints import Comparison, LatentConstraints, evaluate
from latentgen.demo.page import DRAWINGS, write_page
from latentgen.demo.wishes import KINDS, Wish, wishes
from latentgen.errors import FileError
from latentgen.sketch.classifier import SketchClassifier, rasterise
from latentgen.sketch.labelled import read_labelled_drawings
from latentgen.sketch.render import ACCENT, INK, write_gif, write_png
from latentgen.sketch.vae import SketchVAE, find_preset
from latentgen.vae import Posterior, slerp

TEMPERATURE = 0.15
EACH = 10  # drawings of a row
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
SAMPLES = 48  # judged, of each method and wish


@dataclass
class Story:
    """Everything the page shows; drawings are stroke-3 arrays."""

    seed: int
    wishes: list[Wish]
    report: str = ""
    scores: dict[str, float] = field(default_factory=dict)
    labels: int = 0
    examples: dict[str, tuple[list, list]] = field(default_factory=dict)  # with, without
    unasked: list = field(default_factory=list)
    realistic: list = field(default_factory=list)
    kinds: list = field(default_factory=list)
    asked: dict[str, list] = field(default_factory=dict)
    sweep: dict[str, list] = field(default_factory=dict)
    path: list = field(default_factory=list)
    path_ends: tuple[str, str] = ("", "")
    originals: list = field(default_factory=list)
    changed: dict[str, list] = field(default_factory=dict)
    comparison: Comparison | None = None
    seconds: dict[str, float] = field(default_factory=dict)


def tell(seed: int, console: Console) -> tuple[Story, LatentConstraints]:
    """Runs it all."""
    started = time.monotonic()
    with waiting("Opening the preset"):
        vae = SketchVAE.from_preset("quickdraw")
        judge = SketchClassifier.from_preset("quickdraw-judge")
        drawings, labels = read_labelled_drawings(find_preset("quickdraw") / "labelled")
    story = Story(seed, wishes(judge))
    constraints = _learn(vae, story, drawings, labels)
    console.print(str(constraints.report), markup=False)
    with progress_bar("Drawing", 5) as advance:
        for step, chapter in enumerate((_wall, _asked, _sweep, _path, _changed)):
            chapter(vae, constraints, story)
            advance(step + 1)
    console.print("Comparing the ways to a constrained z")
    _compare(vae, judge, constraints, story, drawings, labels)
    console.print(str(story.comparison), markup=False)
    story.seconds["in all"] = time.monotonic() - started
    return story, constraints


def write(folder: Path, story: Story, constraints: LatentConstraints, there: Sequence[str]) -> None:
    """Writes the page, a sheet, an animation and the constraints; `there` are all pages."""
    write_page(folder / DRAWINGS, story, there)
    drawn, options = _sheet(story)
    write_png(folder / "demo.png", drawn, **options)
    write_gif(folder / "drawing.gif", story.asked[story.wishes[0].name], columns=5, cell=160)
    constraints.save(folder / "constraints.npz")


def _reference(vae: SketchVAE) -> Posterior:
    """The preset's posteriors of training drawings."""
    if vae.reference is None:
        raise FileError("expected a preset with latents.npz, found none; install latentgen anew")
    return vae.reference


def _draw(vae: SketchVAE, z: np.ndarray, seed: int) -> list:
    return vae.decode(z, temperature=TEMPERATURE, seed=seed)


def _learn(vae: SketchVAE, story: Story, drawings: list, labels: dict) -> LatentConstraints:
    started = time.monotonic()
    for wish in story.wishes:
        column = labels[wish.name]
        having, lacking = (
            [d for d, label in zip(drawings, column, strict=True) if label is value][:EACH]
            for value in (True, False)
        )
        story.examples[wish.name] = having, lacking
    story.labels = sum(label is not None for label in labels[story.wishes[0].name])
    constraints = LatentConstraints(vae.latent_size, seed=story.seed)
    with progress_bar(f"Learning from {story.labels} labels a wish", 100) as advance:
        posterior, real = vae.encode(drawings), _reference(vae)
        constraints.fit(
            posterior.mean,
            labels,
            scale=np.sqrt((real.scale**2).mean(0)),
            unlabelled=real.mean,
            progress=lambda share, what: advance(round(100 * share), what),
        )
    story.seconds["learning"] = time.monotonic() - started
    if constraints.report is not None:
        story.report, story.scores = str(constraints.report), constraints.report.scores
    return constraints


def _wall(vae: SketchVAE, constraints: LatentConstraints, story: Story) -> None:
    """The same z as the prior gives them, made realistic, and asked for one kind after another."""
    z = constraints.sample(EACH, strength=0, seed=story.seed)
    story.unasked = _draw(vae, z, story.seed)
    story.realistic = _draw(vae, constraints.transform(z, method="density"), story.seed)
    kinds = [KINDS[row % len(KINDS)] for row in range(EACH)]
    moved = [constraints.transform(z[row : row + 1], {k: True}) for row, k in enumerate(kinds)]
    story.kinds = _draw(vae, np.concatenate(moved), story.seed)


def _asked(vae: SketchVAE, constraints: LatentConstraints, story: Story) -> None:
    for wish in story.wishes:
        z = constraints.sample(EACH, {wish.name: True}, seed=story.seed)
        story.asked[wish.name] = _draw(vae, z, story.seed)


def _sweep(vae: SketchVAE, constraints: LatentConstraints, story: Story) -> None:
    """One z a wish, moved further and further; the same noise draws each."""
    starts = constraints.sample(len(story.wishes), seed=story.seed + 1)
    for wish, start in zip(story.wishes, starts, strict=True):
        rows = [
            constraints.transform(start[None], {wish.name: True}, strength=strength)
            for strength in STRENGTHS
        ]
        story.sweep[wish.name] = [_draw(vae, z, story.seed)[0] for z in rows]


def _path(vae: SketchVAE, constraints: LatentConstraints, story: Story) -> None:
    """From one wish to another on the arc between two constrained z."""
    first, second = story.wishes[0], story.wishes[1]
    ends = [constraints.sample(1, {w.name: True}, seed=story.seed + 2)[0] for w in (first, second)]
    story.path = _draw(vae, slerp(ends[0], ends[1], EACH), story.seed)
    story.path_ends = (first.title, second.title)


def _changed(vae: SketchVAE, constraints: LatentConstraints, story: Story) -> None:
    """The same drawings, each changed in one respect: gradient ascent that stays near."""
    real = _reference(vae).mean
    z = real[np.random.default_rng(story.seed).choice(len(real), EACH, replace=False)]
    story.originals = _draw(vae, z, story.seed)
    for wish in story.wishes[3:]:
        moved = constraints.transform(z, {wish.name: True}, method="ascent", seed=story.seed)
        story.changed[wish.name] = _draw(vae, moved, story.seed)


def _compare(
    vae: SketchVAE,
    judge: SketchClassifier,
    constraints: LatentConstraints,
    story: Story,
    drawings: list,
    labels: dict,
) -> None:
    started = time.monotonic()
    methods = ["prior", "rejection", "vector", "ascent", "hmc", "actor", "density"]
    if keras.backend.backend() != "tensorflow":
        methods.remove("hmc")  # TensorFlow Probability's sampler
    mean = vae.encode(drawings).mean
    with waiting("Drawing and judging, a minute"):
        story.comparison = evaluate(
            constraints,
            lambda z: _draw(vae, z, story.seed),
            {wish.name: wish.holds for wish in story.wishes},
            methods=methods,
            samples=SAMPLES,
            features=lambda drawn: rasterise(drawn, 16).reshape(len(drawn), -1),
            members={
                wish.name: mean[[label is True for label in labels[wish.name]]]
                for wish in story.wishes
            },
            realism=lambda drawn: judge.probabilities(drawn).max(1),
            seed=story.seed + 3,
        )
    story.seconds["comparing"] = time.monotonic() - started


def _sheet(story: Story) -> tuple[list, dict]:
    """One picture of it all: unasked, real, and each wish."""
    rows = {"unasked": story.unasked, "realistic": story.realistic}
    rows |= {wish.title.split(" (")[0]: story.asked[wish.name] for wish in story.wishes}
    drawings = [drawing for row in rows.values() for drawing in row]
    return drawings, {
        "columns": EACH,
        "cell": 150,
        "row_titles": list(rows),
        "colours": [ACCENT] * EACH + [INK] * (len(drawings) - EACH),
    }
