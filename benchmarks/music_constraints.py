"""Melodies under constraints: rules without labels, and seventy labels, by every method.

    python benchmarks/music_constraints.py [--tiny] [--seeds 2] [--preset NAME]

Zero-shot as published (arXiv 1711.05772, section 5.3): rules score decoded melodies, actor and
critic learn from it, the actor proposes. On Magenta's published two-bar melody decoder, or with
`--preset` on a MusicVAE of ours. Then the same rules as a listener who marks 35 + 35 melodies, one
in ten wrongly: these labels of z teach constraints, and, as labels of what was heard, a rule that
does. All is judged by the rules on decodings with other noise, at temperature 0.5, every
note counted; a melody of fewer than four notes (three, where it is asked for) does not obey.

'Best of ten' decodes ten prior samples and keeps a melody that obeys.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Callable

import numpy as np
from measure import heading, shared, spread, table

TEMPERATURE = 0.5
BEST_OF = 10
MEMBERS = 4000  # prior samples, among which are those that obey
METHODS = ("vector", "ascent", "density", "actor")
C, AFLAT, HIGH = "in C major", "in A-flat major", "mean pitch above 72"
NARROW, SPARSE, DENSITY = "range under an octave", "three to six notes", "notes in two bars"
# What is fitted at once → what is then asked for.
QUESTIONS: dict[tuple[str, ...], list[dict]] = {
    (C,): [{C: True}],
    (AFLAT,): [{AFLAT: True}],
    (DENSITY,): [{DENSITY: "3–6"}, {DENSITY: "7–10"}, {DENSITY: "11–16"}],
    (HIGH,): [{HIGH: True}],
    (NARROW,): [{NARROW: True}],
    (C, HIGH): [{C: True, HIGH: True}],
    (SPARSE, HIGH): [{SPARSE: True, HIGH: True}],
}
LISTENED = (C, AFLAT, HIGH, NARROW, SPARSE)
WRONG = 0.1  # share of the listener's labels that are flipped
# Deviation around the z of marked melodies, as q(z | x) would state it: as far as most of the
# melodies there would be marked alike. Without any the actor goes to the marked z themselves.
DEVIATION = 0.5


def make_rules() -> dict[str, Callable]:
    """Each a function from notes to whether they obey, or to a class."""
    from latentgen.music import attributes

    def enough(notes):
        return attributes.number_of_notes(notes) >= 4

    def density(notes):
        count = attributes.number_of_notes(notes)
        classes = {"3–6": (3, 6), "7–10": (7, 10), "11–16": (11, 16)}
        return next((c for c, (low, high) in classes.items() if low <= count <= high), "other")

    return {
        C: lambda notes: enough(notes) and attributes.share_in_key(notes, "C major") == 1,
        AFLAT: lambda notes: enough(notes) and attributes.share_in_key(notes, "Ab major") == 1,
        HIGH: lambda notes: enough(notes) and attributes.mean_pitch(notes) > 72,
        NARROW: lambda notes: enough(notes) and attributes.pitch_range(notes) < 12,
        SPARSE: lambda notes: 3 <= attributes.number_of_notes(notes) <= 6,
        DENSITY: density,
    }


def open_model(preset: str | None, tiny: bool):
    """A model that decodes, and its name; None without the published weights."""
    from latentgen.music import MelodyConverter, MusicDecoder

    if tiny:
        import keras

        keras.utils.set_random_seed(0)
        model = MusicDecoder(MelodyConverter(), 4, decoder_units=[8])
        model.head.projection.bias.assign(3.0 * (np.arange(90) == 0))  # some six notes each
        return model, "untrained"
    if preset is not None:
        from latentgen.music import MusicVAE

        return MusicVAE.from_preset(preset), preset
    folder = shared("data/weights/musicvae_mel_2bar_small_decoder")
    if folder is None:
        return None, ""
    from latentgen.checkpoints.magenta_music import music_table
    from latentgen.checkpoints.manifest import read_manifest
    from latentgen.checkpoints.mapping import assign

    model = MusicDecoder(MelodyConverter())
    tensors, _ = read_manifest(folder)
    own = {name: value for name, value in tensors.items() if name.startswith("decoder/")}
    assign(music_table(model), own, folder)
    return model, "Magenta's published cat-mel_2bar_small decoder"


def line(notes, steps: int) -> np.ndarray:
    """What sounds in each sixteenth, and where notes begin, as numbers (steps,)."""
    from latentgen.music.timing import on_grid

    grid, sounding = on_grid(notes), np.zeros(steps)
    for start, end, pitch in zip(grid.starts, grid.ends, grid.pitches, strict=True):
        sounding[start:end] = pitch
        sounding[start] += 0.5
    return sounding


class Judge:
    """The rules, and how different melodies are from each other."""

    def __init__(self, model, members: int):
        self.model, self.rules = model, make_rules()
        self.pool = self.decode(prior(members, model.latent_size, seed=10**6), seed=10**6)
        self.spreads: dict[str, float] = {}

    def decode(self, z: np.ndarray, seed: int) -> list:
        return self.model.decode(z, temperature=TEMPERATURE, seed=seed)

    def obey(self, melodies: list, asked: dict) -> np.ndarray:
        """Which melodies (n,) do all that is asked."""
        answers = [[self.rules[k](m) == wanted for k, wanted in asked.items()] for m in melodies]
        return np.array(answers).all(axis=1)

    def lines(self, melodies: list) -> np.ndarray:
        return np.stack([line(notes, self.model.converter.steps) for notes in melodies])

    def figures(self, melodies: list, asked: dict) -> tuple[float, float, float]:
        """Shares that obey and are distinct, and diversity: mean share of sixteenths in which two
        melodies differ, relative to prior samples that obey."""
        title = name_of(asked)
        if title not in self.spreads:
            has = self.obey(self.pool, asked)
            members = [self.pool[row] for row in np.where(has)[0][:500]]
            self.spreads[title] = apart(self.lines(members)) if len(members) > 1 else 1.0
        lines = self.lines(melodies)
        distinct = len(np.unique(lines, axis=0)) / len(lines)
        obeying = float(self.obey(melodies, asked).mean())
        return obeying, distinct, apart(lines[:500]) / self.spreads[title]


def apart(lines: np.ndarray) -> float:
    from scipy.spatial.distance import pdist

    return float(pdist(lines, "hamming").mean())


def name_of(asked: dict) -> str:
    return " and ".join(k if value is True else f"{value} {k}" for k, value in asked.items())


def prior(n: int, size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, size), dtype="float32")


def best_of(judge: Judge, n: int, asked: dict, seed: int) -> list:
    """Of ten melodies each, one that obeys, or the first."""
    size = judge.model.latent_size
    tries = [judge.decode(prior(n, size, seed + k), seed + k) for k in range(BEST_OF)]
    obeying = np.stack([judge.obey(melodies, asked) for melodies in tries])
    return [tries[k][row] for row, k in enumerate(obeying.argmax(axis=0))]


class Results:
    """Question → method → figures of each seed."""

    def __init__(self) -> None:
        self.figures: dict[str, dict[str, list[tuple]]] = {}
        self.seconds: dict[str, list[float]] = {}

    def add(self, asked: dict, method: str, figures: tuple) -> None:
        self.figures.setdefault(name_of(asked), {}).setdefault(method, []).append(figures)

    def measure(self, judge: Judge, constraints, asked: dict, n: int, seed: int) -> None:
        """All methods on one question."""
        noise = 10**6 + 1000 * seed  # of the judged decodings: none of the fit's
        z = prior(n, judge.model.latent_size, seed=noise)
        started = judge.decode(z, noise)
        self.add(asked, "prior", (*judge.figures(started, asked), 1.0, 0.0))
        kept = best_of(judge, n, asked, noise + 1)
        self.add(asked, f"best of {BEST_OF}", (*judge.figures(kept, asked), 1.0, 0.0))
        for method in METHODS:
            begun = time.perf_counter()
            moved = constraints.transform(z, asked, method=method)
            passed = 1000 * (time.perf_counter() - begun) / n
            length = float(np.sqrt((moved**2).mean()))
            figures = judge.figures(judge.decode(moved, noise + 2), asked)
            self.add(asked, method, (*figures, length, passed))
        last = {method: by[-1] for method, by in self.figures[name_of(asked)].items()}
        told = ", ".join(
            f"{k} {obey:.3f}/{distinct:.3f}" for k, (obey, distinct, *_) in last.items()
        )
        print(
            f"{name_of(asked)}, seed {seed}, obey/distinct: {told}", file=sys.stderr, flush=True
        )  # it takes long

    def print(self) -> None:
        methods = list(next(iter(self.figures.values())))

        def cell(values: list[tuple], which: int, digits: int = 2) -> str:
            one = [value[which] for value in values]
            return f"{np.mean(one):.{digits}f} ({min(one):.{digits}f}–{max(one):.{digits}f})"

        print("\n  share of melodies that obey, mean (least–greatest) over the seeds")
        table(
            ["", *methods],
            [
                [title, *(cell(by[method], 0) for method in methods)]
                for title, by in self.figures.items()
            ],
        )
        print("\n  distinct: share of distinct melodies, the least of all questions and seeds")
        print("  diversity: relative to the prior samples that obey; |z|: of its dimensions")
        lines = []
        for method in methods:
            every = [value for by in self.figures.values() for value in by[method]]
            lines.append(
                [
                    method,
                    f"{min(value[1] for value in every):.3f}",
                    cell(every, 2),
                    cell(every, 3),
                    f"{np.median([value[4] for value in every]):.2f} ms",
                ]
            )
        table(["", "distinct", "diversity", "|z|", "a sample"], lines)
        print("\n  seconds of a fit, decoding and rules included")
        table(["", "median (range)"], [[k, spread(v)] for k, v in self.seconds.items()])


def listen(judge: Judge, name: str, each: int, seed: int) -> tuple[np.ndarray, list, np.ndarray]:
    """z of 2·each prior melodies, each of them with and each without; they; the labels given."""
    random = np.random.default_rng([seed, 7])
    found: dict[bool, list[tuple]] = {True: [], False: []}
    while min(map(len, found.values())) < each:
        z = random.standard_normal((500, judge.model.latent_size), dtype="float32")
        melodies = judge.decode(z, int(random.integers(2**30)))
        obeying = judge.obey(melodies, {name: True})
        for row, melody, obeys in zip(z, melodies, obeying, strict=True):
            found[bool(obeys)].append((row, melody))
    z, melodies = zip(*found[True][:each], *found[False][:each], strict=True)
    labels = np.arange(2 * each) < each
    flipped = random.permutation(2 * each)[: round(WRONG * 2 * each)]
    labels[flipped] = ~labels[flipped]
    return np.stack(z), list(melodies), labels


def heard(melodies: list, labels: np.ndarray) -> Callable:
    """A rule that labels have taught: logistic regression on measured attributes of the melodies.

    It holds for what it is as sure of as of the better half of those that were marked.
    """
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from latentgen.music.attributes import STATISTICS
    from latentgen.music.timing import on_grid

    def measure(notes):
        counts = np.bincount(on_grid(notes).pitches % 12, minlength=12)
        return [*(rule(notes) for rule in STATISTICS), *(counts / max(1, counts.sum()))]

    regression = LogisticRegressionCV(Cs=8, cv=5, max_iter=500, scoring="roc_auc")
    model = make_pipeline(StandardScaler(), regression)
    model.fit([measure(notes) for notes in melodies], labels)

    def scores(some):
        return model.decision_function([measure(notes) for notes in some])

    least = np.median(
        scores([notes for notes, marked in zip(melodies, labels, strict=True) if marked])
    )
    return lambda notes: bool(scores([notes])[0] >= least)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--samples", type=int, default=1000, help="melodies a method")
    parser.add_argument("--preset", help="a preset's name or folder, in place of Magenta's decoder")
    parser.add_argument(
        "--parts", nargs="+", choices=("rules", "labels"), default=("rules", "labels")
    )
    arguments = parser.parse_args()

    from latentgen.constraints import LatentConstraints

    tiny, seeds, n = arguments.tiny, arguments.seeds, arguments.samples
    questions, listened, each = QUESTIONS, LISTENED, 35
    settings, quick = {}, {}
    if tiny:
        questions = {names: QUESTIONS[names] for names in ((HIGH,), (SPARSE, HIGH))}
        listened, seeds, n, each = (HIGH,), 1, 20, 12
        settings = {"rounds": 2, "samples": 80, "turns": 2, "batch_size": 16}
        quick = {"turns": 2}
    model, what = open_model(arguments.preset, tiny)
    if model is None:
        print("\nMelodies under constraints: not measured, they need the shared published weights")
        return
    size = model.latent_size
    judge = Judge(model, 200 if tiny else MEMBERS)
    reference, real = getattr(model, "reference", None), None
    if reference is not None:  # samples of q(z | x)
        real = reference.mean + reference.scale * prior(len(reference.mean), size, seed=1)
        real = real[:MEMBERS]

    facts = {
        "model": f"{what}, z {size}, decoded at temperature {TEMPERATURE}",
        "real_z": "the prior's" if real is None else f"{len(real)} that come with the preset",
        "seeds": f"{seeds}, {n} melodies a method and seed",
    }
    if "rules" in arguments.parts:
        results = Results()
        for seed, names in itertools.product(range(seeds), questions):
            calls = itertools.count(10**5 * seed)
            begun = time.perf_counter()
            constraints = LatentConstraints(size, seed=seed).fit_reward(
                lambda z, calls=calls: judge.decode(z, next(calls)),
                {name: judge.rules[name] for name in names},
                z=real,
                **settings,
            )
            results.seconds.setdefault(", ".join(names), []).append(time.perf_counter() - begun)
            for asked in questions[names]:
                results.measure(judge, constraints, asked, n, seed)
        heading(f"Zero-shot constraints on melodies: {len(results.figures)} questions", **facts)
        results.print()
    if "labels" in arguments.parts:
        results, ruled = Results(), Results()
        for seed, name in itertools.product(range(seeds), listened):
            z, melodies, labels = listen(judge, name, each, seed)
            unlabelled = prior(MEMBERS // 2, size, seed=10**7 + seed) if real is None else real
            begun = time.perf_counter()
            constraints = LatentConstraints(size, seed=seed).fit(
                z, {name: labels}, scale=np.full(size, DEVIATION), unlabelled=unlabelled, **quick
            )
            results.seconds.setdefault(name, []).append(time.perf_counter() - begun)
            results.measure(judge, constraints, {name: True}, n, seed)
            calls = itertools.count(10**5 * seed)
            begun = time.perf_counter()
            constraints = LatentConstraints(size, seed=seed).fit_reward(
                lambda z, calls=calls: judge.decode(z, next(calls)),
                {name: heard(melodies, labels)},
                z=real,
                **settings,
            )
            ruled.seconds.setdefault(name, []).append(time.perf_counter() - begun)
            ruled.measure(judge, constraints, {name: True}, n, seed)
        heading(
            f"Constraints on melodies from {2 * each} labels, {WRONG:.0%} of them wrong: "
            f"{len(listened)} questions",
            **facts,
        )
        results.print()
        heading("The same labels, as labels of what was heard", **facts)
        ruled.print()


if __name__ == "__main__":
    main()
