"""Latent constraints from seventy labels: satisfaction, diversity and seconds, by every method.

    python benchmarks/constraints.py [--tiny] [--seeds 3]

Six attributes: three QuickDraw categories of the preset, judged by a classifier of pictures that
was trained on other drawings, and three measured ones, above or below the training median, judged
by the measure itself. Each is learnt from 35 drawings that have it and 35 that do not; then every
method is asked for drawings that have it. The labelled drawings are the preset's own, drawn from
latent vectors that come with it and labelled by its shipped judge (categories; another classifier
than the one that judges here) or the measure; `--labels real` encodes drawings by people instead.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from measure import heading, shared, spread, table

PRESET = ("airplane", "bicycle", "camera", "cat", "eye", "guitar", "headphones", "television")
# What the demonstration asks for.
CATEGORIES = ("cat", "camera", "headphones")  # those of the demonstration
MEASURES = ("number_of_strokes", "aspect_ratio", "closedness")
METHODS = ("prior", "rejection", "vector", "ascent", "hmc", "actor", "density")


def quickdraw(vae, folder: Path, limit: int) -> dict[str, dict[str, list[np.ndarray]]]:
    """Split → category → drawings that fit the model."""
    from latentgen.sketch import load_quickdraw_folder, start_at_origin
    from latentgen.splits import split_of

    parts: dict[str, dict[str, list[np.ndarray]]] = {}
    for sketch in load_quickdraw_folder(folder, PRESET, limit=limit):
        if len(sketch.drawing) <= vae.max_length:
            # Labelled drawings come from the train part, the judge's from valid.
            part = parts.setdefault(split_of(sketch.key_id, 0.6, 0.15), {})
            part.setdefault(sketch.category, []).append(start_at_origin(sketch.drawing))
    return parts


def shapes() -> dict[str, dict[str, list[np.ndarray]]]:
    """The same for `--tiny`: circles, crosses and zigzags of eight points."""
    from latentgen.sketch import from_lines

    def shape(name: str, generator: np.random.Generator) -> np.ndarray:
        size = generator.uniform(20, 60)
        angle = np.linspace(0, 2 * np.pi, 8)
        lines = {
            "camera": [np.stack([np.cos(angle), np.sin(angle)], 1)],
            "cat": [[[-1, -1], [1, 1]], [[-1, 1], [1, -1]]],
            "headphones": [np.stack([np.arange(8), np.arange(8) % 2], 1)],
        }[name]
        noise = generator.normal(size=2)
        return from_lines([np.round(np.asarray(line) * size + noise) for line in lines])

    return {
        part: {
            name: [shape(name, np.random.default_rng([k, j, i])) for i in range(40)]
            for j, name in enumerate(CATEGORIES)
        }
        for k, part in enumerate(("train", "valid", "test"))
    }


def raster(drawings: list[np.ndarray]) -> np.ndarray:
    """Pictures of the drawings, smoothed a little, as rows (n, 1024)."""
    from scipy.ndimage import gaussian_filter

    from latentgen.sketch.classifier import rasterise

    return gaussian_filter(rasterise(drawings), (0, 1, 1)).reshape(len(drawings), -1)


class Judge:
    """A classifier of pictures, and the rules; neither has seen the labelled drawings."""

    def __init__(self, parts: dict[str, dict[str, list[np.ndarray]]], each: int):
        from sklearn.decomposition import PCA
        from sklearn.pipeline import make_pipeline
        from sklearn.svm import SVC

        names = sorted(parts["valid"])
        train = [d for name in names for d in parts["valid"][name][:each]]
        labels = np.repeat(names, [len(parts["valid"][name][:each]) for name in names])
        held = [d for name in names for d in parts["test"][name][:200]]
        truth = np.repeat(names, [len(parts["test"][name][:200]) for name in names])
        # The preset draws mirror images too: it was trained on them.
        pictures = raster(train + [d * np.array([-1, 1, 1]) for d in train])
        self.pca = PCA(min(64, len(train)), random_state=0).fit(pictures)
        self.classifier = make_pipeline(self.pca, SVC(C=3.0)).fit(pictures, np.tile(labels, 2))
        self.accuracy = float(self.classifier.score(raster(held), truth))
        self.trained_on, self.tested_on = len(train), len(held)

    def diversity(self, drawings: list[np.ndarray]) -> float:
        """Mean distance between two of the drawings' pictures, as the classifier sees them."""
        from scipy.spatial.distance import pdist

        return float(pdist(self.pca.transform(raster(drawings))).mean())

    def rule(self, name: str, parts) -> tuple[Callable, str]:
        """Which of some drawings have the attribute, and what it means."""
        if name in CATEGORIES:
            return lambda drawings: self.classifier.predict(raster(drawings)) == name, "a picture"
        from latentgen.sketch import attributes

        measure = getattr(attributes, name)
        known = [d for drawings in parts["train"].values() for d in drawings[:200]]
        median = float(np.median([measure(d) for d in known]))
        return (
            lambda drawings: np.array([measure(d) > median for d in drawings]),
            f"above {median:.2f}",
        )


class Pool:
    """Drawings to be labelled: their latent vectors and categories ('' where unsure)."""

    def __init__(self, vae, parts, own: bool, temperature: float):
        if own:
            from latentgen.sketch.classifier import SketchClassifier

            rows = np.random.default_rng(0).permutation(len(vae.reference.mean))[:2000]
            self.mean, self.scale = vae.reference.mean[rows], vae.reference.scale[rows]
            self.drawings = vae.decode(self.mean, temperature=temperature, seed=0)
            judge = SketchClassifier.from_preset("quickdraw-judge")
            sure = judge.probabilities(self.drawings)
            names = np.array(judge.categories)[sure.argmax(1)]
            self.categories = [
                n if s >= 0.9 else "" for n, s in zip(names, sure.max(1), strict=True)
            ]
        else:
            self.drawings = [d for _, ds in sorted(parts["train"].items()) for d in ds]
            self.categories = [c for c, ds in sorted(parts["train"].items()) for _ in ds]
            self.mean, self.scale = vae.encode(self.drawings)

    def labelled(self, name: str, rule: Callable, each: int, seed: int):
        """Rows of `each` drawings with the attribute and as many without."""
        chosen: dict[bool, list[int]] = {True: [], False: []}
        for row in np.random.default_rng([seed, 1]).permutation(len(self.drawings)):
            if name in CATEGORIES and not self.categories[row]:
                continue
            has = (
                self.categories[row] == name
                if name in CATEGORIES
                else bool(rule([self.drawings[row]])[0])
            )
            if len(chosen[has]) < each:
                chosen[has].append(row)
            if all(len(found) == each for found in chosen.values()):
                return chosen[True] + chosen[False], [True] * each + [False] * each
        raise RuntimeError(f"{name}: expected {each} with and without, received {chosen}")


def members(name: str, rule: Callable, parts, n: int) -> list[np.ndarray]:
    """n drawings of the test part that have the attribute."""
    if name in CATEGORIES:
        return parts["test"][name][:n]
    pool = [d for k in range(n) for ds in parts["test"].values() for d in ds[k : k + 1]]
    return [d for d in pool if rule([d])[0]][:n]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=64, help="drawings a method")
    parser.add_argument("--temperature", type=float, default=0.15)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--labels", choices=("own", "real"), default="own", help="whose drawings")
    parser.add_argument("--preset", default="quickdraw", help="a preset's name or folder")
    parser.add_argument(
        "--labels-alone", action="store_true", help="without the real z that come with the preset"
    )
    arguments = parser.parse_args()

    import keras

    from latentgen.constraints import LatentConstraints
    from latentgen.errors import InputError
    from latentgen.sketch.vae import SketchVAE

    tiny = arguments.tiny
    each, n, seeds = (12, 8, 1) if tiny else (35, arguments.samples, arguments.seeds)
    fitting = {"turns": 5} if tiny else {}
    if tiny:
        keras.utils.set_random_seed(0)
        sizes = {"latent_size": 4, "encoder_units": 8, "decoder_units": 8, "mixtures": 3}
        vae, parts = SketchVAE(**sizes, max_length=12, scale=20.0), shapes()
    else:
        folder = shared("data/sketches/quickdraw")
        try:
            vae = SketchVAE.from_preset(arguments.preset)
        except InputError:
            folder = None
        if folder is None:
            print(
                "\nConstraints: not measured, they need the preset and the shared QuickDraw files"
            )
            return
        parts = quickdraw(vae, folder, limit=3000)
    judge = Judge(parts, each=20 if tiny else 300)

    def decode(z, seed):
        return vae.decode(z, temperature=arguments.temperature, seed=seed)

    own = arguments.labels == "own" and not tiny
    pool = Pool(vae, parts, own, arguments.temperature)
    reference = None if arguments.labels_alone else vae.reference
    asked = (CATEGORIES[0], MEASURES[0]) if tiny else (*CATEGORIES, *MEASURES)
    # method → attribute → one value a seed
    results: dict[str, dict[str, list[tuple[float, float, float]]]] = {}
    fit_seconds: dict[str, list[float]] = {}
    meanings = {}
    for name in asked:
        rule, meanings[name] = judge.rule(name, parts)
        truth = decode(vae.encode(members(name, rule, parts, n)).mean, seed=0)
        true_diversity = judge.diversity(truth)
        share = float(np.mean(rule(truth)))
        results.setdefault("true members decoded", {}).setdefault(name, []).append((share, 1, 0))
        for seed in range(seeds):
            rows, labels = pool.labelled(name, rule, each, seed)
            started = time.perf_counter()
            constraints = LatentConstraints(vae.latent_size, seed=seed).fit(
                pool.mean[rows],
                {name: labels},
                scale=pool.scale[rows],
                unlabelled=reference.mean if reference else None,
                **fitting,
            )
            fit_seconds.setdefault(name, []).append(time.perf_counter() - started)
            for method in arguments.methods:
                started = time.perf_counter()
                if method == "prior":
                    z = vae.sample_prior(n, seed)
                else:
                    z = constraints.sample(n, {name: True}, method=method, seed=seed)
                passed = time.perf_counter() - started
                drawn = decode(z, seed)
                values = (
                    float(np.mean(rule(drawn))),
                    judge.diversity(drawn) / true_diversity,
                    passed / n,
                )
                results.setdefault(method, {}).setdefault(name, []).append(values)

    heading(
        f"Latent constraints from {2 * each} labels: {len(asked)} attributes, {seeds} seeds, "
        f"{n} drawings a method and seed",
        model=f"{'untrained' if tiny else arguments.preset}, z {vae.latent_size}, "
        f"decoded at temperature {arguments.temperature}",
        judge=f"classifier of pictures, trained on {judge.trained_on} other drawings, accuracy "
        f"{judge.accuracy:.3f} on {judge.tested_on} held-out ones; or the rule itself",
        labels="of the preset's own drawings" if own else "of drawings by people",
        attributes=", ".join(f"{name} ({meaning})" for name, meaning in meanings.items()),
        unlabelled=f"{len(reference.mean) if reference else 0} real z that come with the preset",
    )
    names = list(meanings)
    lines = []
    for method in ("true members decoded", *arguments.methods):
        by_name = [np.mean([v[0] for v in results[method][name]]) for name in names]
        # The spread is that of the attributes' mean from seed to seed.
        by_seed = np.mean([[v[0] for v in results[method][name]] for name in names], axis=0)
        diversity = np.mean([v[1] for name in names for v in results[method][name]])
        each_second = np.median([v[2] for name in names for v in results[method][name]])
        lines.append(
            [
                method,
                f"{np.mean(by_name):.3f} ({by_seed.min():.3f}–{by_seed.max():.3f})",
                *(f"{value:.2f}" for value in by_name),
                f"{diversity:.2f}",
                f"{each_second * 1e3:.2f} ms",
            ]
        )
    print(f"  fit: {spread([s for v in fit_seconds.values() for s in v])} an attribute")
    table(["method", "satisfied (seeds)", *names, "diversity", "a sample"], lines)
    print("  'diversity' is relative to true members decoded; 'a sample' is without decoding")


if __name__ == "__main__":
    main()
