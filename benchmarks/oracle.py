"""The synthetic oracle: every objective on samples of a known distribution, judged by both NLLs.

    python benchmarks/oracle.py [--tiny] [--methods CoT …] [--epochs 20] [--seeds 0] [--timing]

Models of the published size (vocabulary 5000, embedding and LSTM of 32, 20 steps) learn from 10,000
samples of SeqGAN's oracle, or of one with random weights where the shared folder is absent.
NLL_oracle: how unlikely the oracle finds a model's draws; NLL_test: how unlikely the model finds
new samples of the oracle; nats a token. Killed, it goes on from its last checkpoint when started
again. Each run keeps log.csv, its last state and the weights of its lowest sum in --out.
`--timing` measures seconds a step alone, all methods in turn.
"""

import argparse
import csv
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from measure import heading, seconds, shared, spread, table
from oracle_methods import BATCH, LIKELIHOOD, METHODS, TINY, Method, Sizes

ORACLE = "data/text/seqgan_oracle/seqgan_oracle.npz"
TEMPERATURES = (0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5)


class Task:
    """The oracle, its samples, and the two measures of a model."""

    def __init__(self, sizes: Sizes, seed: int, tiny: bool):
        from latentgen.evaluation.oracle import nll_per_token, synthetic_oracle

        path = None if tiny else shared(ORACLE)
        self.sizes, self.seed = sizes, seed
        self.name = "SeqGAN's" if path else "random weights"
        self.oracle = synthetic_oracle(path, sizes.vocabulary, sizes.length)
        self.oracle_nll = nll_per_token(self.oracle)
        self.train, self.test = (self.sample(self.oracle, 2 * seed + k) for k in range(2))
        self.entropy = self.oracle_nll(self.test)

    def sample(self, model, seed: int, temperature: float = 1.0, n: int | None = None):
        n = n or self.sizes.training
        return model.generate(n=n, temperature=temperature, seed=seed, batch_size=512)

    def model(self):
        import keras

        from latentgen.evaluation.oracle import model_of_ids

        keras.utils.set_random_seed(self.seed)
        sizes = self.sizes
        return model_of_ids(
            sizes.vocabulary, sizes.units, sizes.units, sizes.length, sizes.dropout, self.seed
        )

    def batches(self, step: int):
        """Endless batches from a step on: whole ones, of a new order each epoch."""
        from latentgen.evaluation.oracle import batch_of_ids

        count = len(self.train) // BATCH
        while True:
            epoch, index = divmod(step, count)
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.train))
            yield (batch_of_ids(self.train[order[index * BATCH : (index + 1) * BATCH]]),)
            step += 1

    def trainer(self, method: Method, model):
        import keras

        trainer = method.make(model, self.sizes, self.seed)
        optimizers = [keras.optimizers.Adam(method.rate, global_clipnorm=5.0)]
        if trainer is not model:
            rate, decay = method.critic_rate, method.beta_2
            optimizers.append(keras.optimizers.Adam(rate, beta_2=decay, global_clipnorm=5.0))
        # On two cores XLA's step took three quarters of a plain graph's.
        trainer.compile(*optimizers, jit_compile=self.sizes != TINY)
        return trainer


def measurer(task: Task, model, folder: Path):
    """A callback that measures the model at the end of each part of the training."""
    import keras

    from latentgen.checkpoints.variables import write_variables
    from latentgen.evaluation.oracle import nll_per_token

    class Measure(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.nll, self.started = nll_per_token(model), time.perf_counter()

        def on_epoch_begin(self, epoch, logs=None):
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            spent = (time.perf_counter() - self.started) / task.sizes.every
            drawn = task.sample(model, epoch, n=task.sizes.drawn)
            done = (epoch + 1) * task.sizes.every
            found = [done, task.oracle_nll(drawn), self.nll(task.test), spent]
            best = min((row[1] + row[2] for row in read(folder)), default=np.inf)
            with open(folder / "log.csv", "a", newline="") as file:
                csv.writer(file).writerow(found)
            if found[1] + found[2] < best:
                write_variables(folder / "best.npz", model.weights)
            if done == task.sizes.pretraining:
                write_variables(folder / "pretrained.npz", model.weights)

    return Measure()


def slowing(task: Task, method: Method):
    """A callback that lowers the model's rate when it is time, also after a resumption."""
    import keras

    def rate(part: int) -> float:
        return method.rate / 5 ** sum(part * task.sizes.every >= epoch for epoch in method.slower)

    return keras.callbacks.LearningRateScheduler(rate)


def read(folder: Path) -> list[list[float]]:
    """A run's log: epochs done, NLL_oracle, NLL_test and seconds an epoch, each time measured."""
    path = folder / "log.csv"
    if not path.exists():
        return []
    with open(path, newline="") as file:
        rows = [[float(cell) for cell in row] for row in csv.reader(file)]
    return list({row[0]: row for row in rows}.values())  # a resumed run may repeat some


def run(task: Task, name: str, epochs: int | None, out: Path) -> tuple[Any, Path]:
    """Trains a method's model, or goes on with it."""
    from latentgen.checkpoints.variables import read_variables
    from latentgen.training.checkpoint import fit_resumably

    method, model = METHODS[name], task.model()
    folder = out / f"{name.replace(',', '').replace(' ', '_')}_{task.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    if method.pretrained:
        weights = out / f"{LIKELIHOOD}_{task.seed}" / "pretrained.npz"
        if not weights.exists():
            run(task, LIKELIHOOD, task.sizes.pretraining, out)
        read_variables(weights, model.weights)
    steps = task.sizes.every * (len(task.train) // BATCH)
    fit_resumably(
        task.trainer(method, model),
        task.batches,
        -(-(epochs or method.epochs) // task.sizes.every) * steps,
        folder,
        steps,
        [slowing(task, method), measurer(task, model, folder)],
        verbose=0,
    )
    return model, folder


def swept(task: Task, model, folder: Path) -> tuple[float, float]:
    """The lowest sum over temperatures of the weights whose sum was lowest, and its temperature."""
    from latentgen.checkpoints.variables import read_variables
    from latentgen.evaluation.oracle import nll_per_token

    read_variables(folder / "best.npz", model.weights)
    nll = nll_per_token(model)
    sums = [
        (task.oracle_nll(task.sample(model, 99, at, task.sizes.drawn)) + nll(task.test, at), at)
        for at in TEMPERATURES
    ]
    return min(sums)


def quality(
    names: list[str], sizes: Sizes, epochs: int | None, seeds: list[int], out: Path, tiny: bool
):
    """Trains every method with every seed; a row each."""
    rows, entropies, oracle = [], [], ""
    for name in names:
        found = []
        for seed in seeds:
            task = Task(sizes, seed, tiny)
            model, folder = run(task, name, epochs, out)
            log = read(folder)
            best = min(log, key=lambda row: row[1] + row[2])
            found.append(
                [
                    *(min(row[k] for row in log) for k in (1, 2)),
                    *log[-1][1:3],
                    best[1] + best[2],
                    best[0],
                    *swept(task, model, folder),
                ]
            )
            entropies.append(task.entropy)
            oracle = task.name
        method = METHODS[name]
        columns = [
            spread(column, "") if len(seeds) > 1 else f"{column[0]:.4g}"
            for column in zip(*found, strict=True)
        ]
        published = [method.nll_oracle, method.nll_test]
        rows.append(
            [
                name,
                f"{epochs or method.epochs}",
                *columns,
                *("–" if v is None else f"{v:.2f}" for v in published),
            ]
        )
    heading(
        f"Synthetic oracle: {oracle}",
        data=f"{sizes.training:,} sequences of {sizes.length}, vocabulary {sizes.vocabulary:,}; "
        f"the oracle's own entropy {spread(entropies, ' nats a token')}",
        training=f"batches of {BATCH}, LSTM {sizes.units}, Adam; seeds {seeds}; roll-outs "
        f"{sizes.rollouts} of every {sizes.rollout_every}th beginning",
        pretrained=f"after {sizes.pretraining} epochs of likelihood: "
        + (", ".join(name for name in names if METHODS[name].pretrained) or "none"),
        measured=f"every {sizes.every} epochs, NLL_oracle of {sizes.drawn:,} draws at temperature "
        "1; the lowest sum is of one model, and that over temperatures is of the same weights",
    )
    header = ["method", "epochs", "NLL_oracle, best", "NLL_test, best", "NLL_oracle, last"]
    header += ["NLL_test, last", "lowest sum", "at epoch", "over temperatures", "at temperature"]
    table([*header, "published NLL_oracle", "NLL_test"], rows)


def timing(names: list[str], sizes: Sizes, tiny: bool, repeats: int) -> None:
    """Seconds of a training step of every method, in turn."""
    task = Task(sizes, 0, tiny)
    (batch,) = next(task.batches(0))

    def step(trainer):
        return lambda: trainer.train_on_batch(batch)

    names = [LIKELIHOOD, *(name for name in names if name != LIKELIHOOD)]
    steps = {name: step(task.trainer(METHODS[name], task.model())) for name in names}
    for function in steps.values():  # Keras compiles for a first batch once more
        function()
    times = seconds(steps, repeats)
    base = np.median(times[LIKELIHOOD])
    published = METHODS[LIKELIHOOD].seconds or 1.0
    heading(
        "Synthetic oracle: time",
        sizes=f"batches of {BATCH}, {sizes.length} steps, vocabulary {sizes.vocabulary:,}; "
        f"{sizes.rollouts} roll-outs of every {sizes.rollout_every}th beginning",
        repeats=repeats,
    )
    rows = []
    for name, values in times.items():
        theirs = METHODS[name].seconds
        rows.append([name, spread(values), f"{np.median(values) / base:.1f}"])
        rows[-1].append("–" if theirs is None else f"{theirs / published:.1f}")
    table(["method", "a step", "× likelihood's", "× published"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--methods", nargs="+", choices=METHODS, help="all without")
    parser.add_argument("--epochs", type=int, help="of each method; its own without")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--rollouts", type=int, help="of each beginning; published 16")
    parser.add_argument("--every", type=int, help="steps between beginnings; published 1")
    parser.add_argument("--rate", type=float, help="learning rate of the models; give an --out too")
    parser.add_argument("--timing", action="store_true", help="time steps, train nothing")
    parser.add_argument("--out", type=Path, default=Path("runs/oracle"))
    arguments = parser.parse_args()
    if arguments.rate:
        for name, method in METHODS.items():
            METHODS[name] = method._replace(rate=arguments.rate)
    sizes = TINY if arguments.tiny else Sizes()
    names = arguments.methods or ([LIKELIHOOD, "CoT", "MaliGAN"] if arguments.tiny else [*METHODS])
    if arguments.rollouts:
        sizes = sizes._replace(rollouts=arguments.rollouts)
    if arguments.every:
        sizes = sizes._replace(rollout_every=arguments.every)
    epochs = 2 if arguments.tiny else arguments.epochs
    if arguments.timing or arguments.tiny:
        timing(names, sizes, arguments.tiny, 1 if arguments.tiny else 5)
    if arguments.timing:
        return
    if arguments.tiny:
        with tempfile.TemporaryDirectory() as folder:
            quality(names, sizes, epochs, arguments.seeds, Path(folder), True)
        return
    quality(names, sizes, epochs, arguments.seeds, arguments.out, False)


if __name__ == "__main__":
    main()
