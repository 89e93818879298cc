"""Sentences under constraints: sentiment from seventy labels, length and tense by rule.

    python benchmarks/text_constraints.py [--tiny] [--seeds 3] [--parts sentiment rules]

On the TextVAE of Yelp reviews that benchmarks/text.py trained. Sentiment: 35 + 35 sentences of the
part that it was not trained on are labelled; what is asked for is then written from scratch, and
sentences of that part that say the opposite are changed, keeping what else they say. The judge is a
classifier of words, trained on the sentiments of all the other part, which the model has read
without them. Length and tense: no labels, the rules score what is decoded. All is decoded greedily.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measure import heading, shared, spread, table

EACH = 35  # labelled sentences of a sentiment
REAL = 4000  # sentences without a label, whose z teach realism
METHODS = ("rejection", "vector", "ascent", "density", "actor")
CHANGES: tuple[tuple[str, dict[str, float]], ...] = (
    ("vector", {"strength": 0.5}),
    ("vector", {"strength": 1.0}),
    ("vector", {"strength": 2.0}),
    ("ascent", {"distance_weight": 0.1}),
    ("ascent", {"distance_weight": 1.0}),
    ("ascent", {"distance_weight": 5.0}),
    ("ascent", {"distance_weight": 20.0}),
    ("actor", {"strength": 0.5}),
    ("actor", {"strength": 0.7}),
    ("actor", {"strength": 1.0}),
)
SHOWN = (("vector", {"strength": 1.0}), ("ascent", {"distance_weight": 5.0}))
SENTIMENTS = ("negative", "positive")
LENGTHS = {"at most 5 words": (1, 5), "6 to 9 words": (6, 9), "at least 10 words": (10, 99)}
TENSES = ("past", "present", "future")

Figures = dict[tuple[str, str], list[tuple[float, ...]]]  # (asked, method) → values of each seed


def read_yelp(part: str) -> tuple[list[str], list[str]]:
    """Sentences of a part, mixed, and the sentiment of each."""
    from latentgen.text.reading import read_lines

    folder = shared("data/text/yelp")
    if folder is None:
        sys.exit("expected data/text/yelp in the shared folder, found none; --tiny does without")
    pairs = [
        (line, name)
        for k, name in enumerate(SENTIMENTS)
        for line in read_lines(folder / f"{part}.{k}.gz")
    ]
    order = np.random.default_rng(0).permutation(len(pairs))
    return [pairs[k][0] for k in order], [pairs[k][1] for k in order]


def grammar() -> tuple[list[str], list[str]]:
    """The same for `--tiny`."""
    words = {"negative": ("bad", "sad", "slow"), "positive": ("good", "nice", "fast")}
    pairs = [
        (f"{subject} {verb} {word} {more}", name)
        for subject in ("it", "food", "service", "room")
        for verb in ("was", "is", "will be")
        for more in ("", "here .", "all the time i came here .")
        for name in SENTIMENTS
        for word in words[name]
    ]
    return [text.strip() for text, _ in pairs], [name for _, name in pairs]


class Bench:
    """The model, what it is asked about, and who judges."""

    def __init__(self, arguments: argparse.Namespace, folder: Path):
        from latentgen.text import LanguageModel, SentenceClassifier, TextVAE, Words

        self.n = arguments.samples
        # What is not trained says the same word for ever, greedily.
        self.how: dict[str, Any] = {"temperature": 1.0} if arguments.tiny else {"greedy": True}
        if arguments.tiny:
            self.sentences, self.labels = known, labels = grammar()
            tokens = Words.learn(known, 50)
            sizes = {"embedding_size": 8, "decoder_units": [12], "max_length": 15}
            self.vae = TextVAE(tokens, 4, encoder_units=[8], **sizes)
            self.judge_model = LanguageModel(tokens, **sizes)
        else:
            self.sentences, self.labels = read_yelp("dev")
            known, labels = read_yelp("test")
            self.vae = TextVAE.from_preset(folder / "TextVAE")
            self.judge_model = LanguageModel.from_preset(folder / "LanguageModel")
        if not (folder / "judge.npz").exists():
            SentenceClassifier.learn(known, labels).save(folder / "judge.npz")
        self.judge = SentenceClassifier.load(folder / "judge.npz")
        self.real = self.vae.encode(self.readable(known[: 2 * REAL])[:REAL])

    def fits(self, sentence: str) -> bool:
        """Whether the models can read it."""
        return 0 < len(self.vae.tokenizer.encode(sentence)) <= self.vae.max_length

    def readable(self, sentences: Sequence[str]) -> list[str]:
        """Those that the models can read."""
        return [text for text in sentences if self.fits(text)]

    def rows(self, sentiment: str, count: int, seed: int) -> list[int]:
        """Rows of sentences of a sentiment that the model can read, at random."""
        found: list[int] = []
        for row in np.random.default_rng([seed, SENTIMENTS.index(sentiment)]).permutation(
            len(self.labels)
        ):
            if self.labels[row] == sentiment and self.fits(self.sentences[row]):
                found.append(int(row))
            if len(found) == count:
                break
        return found

    def decode(self, z: np.ndarray) -> list[str]:
        return self.vae.decode(z, batch_size=256, **self.how)

    def likeness(self, written: Sequence[str], sources: Sequence[str]) -> float:
        """BLEU-4 of a corpus, of 1, each sentence against its source, spelt as the corpus is."""
        from sacrebleu.metrics import BLEU

        read = self.vae.tokenizer.spelling.read
        texts, same = ([read(text) for text in some] for some in (written, sources))
        return BLEU(tokenize="none", force=True).corpus_score(texts, [same]).score / 100

    def figures(self, written: Sequence[str], obey: Callable) -> tuple[float, ...]:
        """Share that obeys, share of distinct sentences, nats a token by the language model."""
        obeying = float(np.mean(obey(written)))
        distinct = len(set(written)) / len(written)
        scores = self.judge_model.score(self.readable(written)[:200])
        return obeying, distinct, float(-scores.log_prob.sum() / scores.tokens.sum())

    def confidence(self, written: Sequence[str], sentiment: str) -> float:
        """The probability that the judge gives the sentiment, on average."""
        column = self.judge.categories.index(sentiment)
        return float(self.judge.probability(written)[:, column].mean())


def fit_labels(bench: Bench, seed: int, quick: dict):
    """Constraints of seventy labels, and the seconds that it took."""
    from latentgen.constraints import LatentConstraints

    rows = [row for name in SENTIMENTS for row in bench.rows(name, EACH, seed)]
    posterior = bench.vae.encode([bench.sentences[row] for row in rows])
    started = time.perf_counter()
    constraints = LatentConstraints(bench.vae.latent_size, seed=seed).fit(
        posterior.mean,
        {"sentiment": [bench.labels[row] for row in rows]},
        scale=posterior.scale,
        unlabelled=bench.real.mean,
        **quick,
    )
    return constraints, time.perf_counter() - started


def prior(n: int, size: int, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, 9]).standard_normal((n, size), dtype="float32")


def sentiment(bench: Bench, seeds: int, quick: dict) -> None:
    """From seventy labels: sentences written, and sentences changed."""
    written: Figures = {}
    changed: Figures = {}
    seconds, shown = [], []
    for seed in range(seeds):
        constraints, passed = fit_labels(bench, seed, quick)
        seconds.append(passed)
        print(constraints.report, file=sys.stderr, flush=True)
        for wish, other in (SENTIMENTS, SENTIMENTS[::-1]):
            asked = {"sentiment": wish}
            z = prior(bench.n, bench.vae.latent_size, seed)
            for method in ("prior", *METHODS):
                moved = z if method == "prior" else constraints.transform(z, asked, method=method)
                texts = bench.decode(moved)
                figures = bench.figures(texts, lambda some, wish=wish: bench.judge.is_a(wish, some))
                sure = bench.confidence(texts, wish)
                written.setdefault((wish, method), []).append((*figures, sure))
            # Those to be changed are none of the labelled ones, which come first of their seed.
            rows = bench.rows(other, EACH + bench.n, seed)[EACH:]
            sources = [bench.sentences[row] for row in rows]
            z = bench.vae.encode(sources).mean
            for method, how in (("as they are", {}), *CHANGES):
                moved = constraints.transform(z, asked, method=method, **how) if how else z
                texts = bench.decode(moved)
                name = ", ".join(
                    [method, *(f"{k.replace('_', ' ')} {v:g}" for k, v in how.items())]
                )
                figures = bench.figures(texts, lambda some, wish=wish: bench.judge.is_a(wish, some))
                sure = bench.confidence(texts, wish)
                like = bench.likeness(texts, sources)
                changed.setdefault((f"{other} → {wish}", name), []).append((*figures, sure, like))
                if seed == 0 and (method, how) in SHOWN:
                    shown += [(name, *pair) for pair in zip(sources[:4], texts[:4], strict=True)]
    facts = {
        "model": f"TextVAE of Yelp, z {bench.vae.latent_size}; {len(bench.real.mean):,} z of "
        "sentences without a label",
        "judge": f"classifier of words, accuracy {bench.judge.accuracy:.3f} held out",
        "seeds": f"{seeds}, each with other labels and {bench.n} sentences a method",
    }
    heading(f"Sentiment from {2 * EACH} labels: sentences written", **facts)
    print(f"  fit: {spread(seconds)}")
    header = ["as asked", "distinct", "nats a token", "judge's confidence"]
    show(written, header)
    heading("The same constraints: sentences changed", **facts)
    print("  BLEU: with the source, of 1; 'as they are' is what the model makes of the sources")
    show(changed, [*header, "BLEU"])
    for name, source, text in shown:
        print(f"  {name}: {source}  →  {text}")


def show(figures: Figures, header: Sequence[str]) -> None:
    """A table: mean (least–greatest) over seeds."""
    rows = []
    for (asked, method), seeds in figures.items():
        cells = [
            f"{np.mean(values):.3f} ({min(values):.3f}–{max(values):.3f})"
            for values in zip(*seeds, strict=True)
        ]
        rows.append([asked, method, *cells])
    table(["asked", "method", *header], rows)


def rules(bench: Bench, seeds: int, quick: dict) -> None:
    """Length and tense: the rules themselves teach and judge."""
    from latentgen.constraints import LatentConstraints
    from latentgen.text import number_of_words, tense

    def length(text: str) -> str:
        words = number_of_words(text)
        return next((k for k, (low, high) in LENGTHS.items() if low <= words <= high), "none")

    questions = {"length": (length, tuple(LENGTHS)), "tense": (tense, TENSES)}
    found: Figures = {}
    seconds = []
    noise = bench.real.scale * prior(*bench.real.mean.shape, seed=10**6)
    real = bench.real.mean + noise  # samples of q(z | x)
    for seed in range(seeds):
        for name, (rule, wishes) in questions.items():
            started = time.perf_counter()
            constraints = LatentConstraints(bench.vae.latent_size, seed=seed).fit_reward(
                bench.decode, {name: rule}, z=real, **quick
            )
            constraints.keep_real(bench.real.mean, bench.real.scale, seed)
            seconds.append(time.perf_counter() - started)
            for wish in wishes:
                z = prior(bench.n, bench.vae.latent_size, seed)
                for method in ("prior", *METHODS):
                    moved = z
                    if method != "prior":
                        moved = constraints.transform(z, {name: wish}, method=method)
                    figures = bench.figures(
                        bench.decode(moved),
                        lambda some, wish=wish, rule=rule: [rule(text) == wish for text in some],
                    )
                    found.setdefault((wish, method), []).append(figures)
    heading(
        "Length and tense by rule, no labels",
        model=f"TextVAE of Yelp, z {bench.vae.latent_size}; {len(real):,} z of real sentences",
        seeds=f"{seeds}, {bench.n} sentences a method",
    )
    print(f"  fit of a question, decoding and rules included: {spread(seconds)}")
    show(found, ["as asked", "distinct", "nats a token"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=500, help="sentences a method")
    parser.add_argument("--parts", nargs="+", choices=("sentiment", "rules"))
    parser.add_argument("--models", type=Path, default=Path("runs/text/yelp"), help="of text.py")
    arguments = parser.parse_args()
    quick: list[dict] = [{}, {}]
    if arguments.tiny:
        arguments.seeds, arguments.samples = 1, 20
        quick = [{"turns": 2}, {"turns": 2, "rounds": 2, "samples": 60, "batch_size": 16}]
    elif not (arguments.models / "TextVAE").exists():
        sys.exit(f"expected models in {arguments.models}, found none: run benchmarks/text.py yelp")
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(arguments, Path(scratch) if arguments.tiny else arguments.models)
        for part, run, settings in (
            ("sentiment", sentiment, quick[0]),
            ("rules", rules, quick[1]),
        ):
            if part in (arguments.parts or ("sentiment", "rules")):
                run(bench, arguments.seeds, settings)


if __name__ == "__main__":
    main()
