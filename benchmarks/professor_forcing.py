"""Professor forcing beside likelihood: characters, piano rolls, drawings, pixels.

    python benchmarks/professor_forcing.py [--tiny] [ptb] [jsb] [nottingham] [sketches] [mnist]
        [--steps 2000] [--seeds 0 1 2] [--units 128] [--out runs/professor_forcing]

Both train the same decoder from the same weights on the same windows of T steps. Measured: nats of
held-out windows (of characters bits each), and how far what the model writes is from the data:
the Jensen-Shannon divergence of what happens at single steps (see EVENTS), in the first T steps of
a free run and in the last T of one four times as long. Killed, it goes on where it was when started
again. `mnist`, 784 pixels a picture, takes hours on two cores and is run when named. Data: the
shared folder's; with --tiny made up.
"""

import argparse
import gzip
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from measure import heading, shared, spread, table

BATCH = 32
METHODS = ("likelihood", "professor forcing")
PUBLISHED = {"ptb": "1.50 → 1.48 bits a character", "mnist": "79.58 nats with professor forcing"}
RUNS = 128  # free runs that are compared with as many windows of the data
HELD_OUT = 512  # windows, at most


class Data(NamedTuple):
    """Pieces (T_k, D) to train on and to measure on, of which windows are cut."""

    train: list[np.ndarray]
    test: list[np.ndarray]


class Task(NamedTuple):
    """What is trained on, in windows of so many steps; how many symbols or values a step has."""

    read: Callable[[], Data]
    steps: int
    head: str
    size: int
    longer: int = 4  # how many times as long free runs are


def characters() -> Data:
    """Mikolov's split of the Penn Treebank, character by character, as one piece each."""
    with zipfile.ZipFile(_folder("data/text/ptb") / "ptb.zip") as archive:
        texts = [
            " ".join(line.strip() for line in archive.read(f"ptb.{part}.txt").decode().splitlines())
            for part in ("train", "test")
        ]
    table_of = {letter: k for k, letter in enumerate(sorted(set(texts[0])))}
    train, test = (
        np.array([table_of[c] for c in text if c in table_of], "float32")[:, None] for text in texts
    )
    return Data([train], [test])


def rolls(name: str) -> Data:
    """Piano rolls of 88 keys (Boulanger-Lewandowski et al. 2012), a piece each."""
    from scipy.io import loadmat

    parts = loadmat(_folder("data/music/pianorolls") / f"{name}.mat")
    return Data(
        *(
            [roll.astype("float32") for roll in parts[part].ravel()]
            for part in ("traindata", "testdata")
        )
    )


def sketches(category: str = "cat") -> Data:
    """QuickDraw's drawings of a category as stroke-5 without an end, a tenth of them held out."""
    from latentgen.sketch.quickdraw import read_ndjson
    from latentgen.sketch.strokes import to_stroke5

    path = _folder("data/sketches/quickdraw") / f"{category}.ndjson"
    drawings = [np.asarray(sketch.drawing, "float32") for sketch in read_ndjson(path, 20_000)]
    scale = np.concatenate([drawing[:, :2] for drawing in drawings]).std()
    pieces = []
    for drawing in drawings:
        drawing = drawing / np.array([scale, scale, 1.0], "float32")
        pieces.append(to_stroke5(drawing)[: len(drawing)].astype("float32"))
    return Data(pieces[len(pieces) // 10 :], pieces[: len(pieces) // 10])


def pixels() -> Data:
    """MNIST, row by row, a pixel being ink from one half on."""
    folder = _folder("data/sequence/mnist")

    def read(name: str) -> list[np.ndarray]:
        with gzip.open(folder / f"{name}-images-idx3-ubyte.gz") as file:
            images = np.frombuffer(file.read(), "uint8", offset=16).reshape(-1, 784, 1)
        return list((images >= 128).astype("float32"))

    return Data(read("train"), read("t10k"))


def made_up() -> Data:
    """Cycles of five symbols."""
    pieces = [(np.arange(60) + k).astype("float32")[:, None] % 5 for k in range(5)]
    return Data(pieces, pieces)


TASKS = {
    "ptb": Task(characters, 100, "symbols", 50),
    "jsb": Task(lambda: rolls("JSB_Chorales"), 32, "values", 88),
    "nottingham": Task(lambda: rolls("Nottingham"), 64, "values", 88),
    "sketches": Task(sketches, 16, "strokes", 20),
    "mnist": Task(pixels, 784, "values", 1, longer=1),
}
DEFAULT = ("ptb", "jsb", "nottingham", "sketches")
EVENTS = {
    "symbols": "pairs of neighbouring characters",
    "values": "values that are on in a step, and how many of them were on in the step before",
    "strokes": "an offset's length in eight parts, and whether the pen lifts",
}


def _folder(relative: str) -> Path:
    folder = shared(relative)
    if folder is None:
        sys.exit(f"expected {relative} in the shared folder, found none; --tiny does without")
    return folder


def windows(pieces: list[np.ndarray], steps: int, n: int, seed: Any) -> np.ndarray:
    """n windows (n, steps, D) at random places of pieces that are long enough."""
    random = np.random.default_rng(seed)
    long = [piece for piece in pieces if len(piece) >= steps]
    weights = np.array([len(piece) - steps + 1 for piece in long], "float64")
    chosen = random.choice(len(long), n, p=weights / weights.sum())
    starts = [random.integers(0, len(long[k]) - steps + 1) for k in chosen]
    return np.stack([long[k][at : at + steps] for k, at in zip(chosen, starts, strict=True)])


def batch_of(sequence: np.ndarray) -> dict[str, np.ndarray]:
    return {"sequence": sequence, "length": np.full(len(sequence), sequence.shape[1], "int32")}


def make(task: Task, units: int, seed: int):
    """An untrained model, the same for both methods."""
    import keras

    from latentgen.layers.bernoulli import BernoulliHead
    from latentgen.layers.decoder import Decoder
    from latentgen.layers.mixture_density import MixtureDensityHead
    from latentgen.layers.tokens import TokenHead
    from latentgen.sequence_model import SequenceModel

    keras.utils.set_random_seed(seed)
    if task.head == "symbols":
        embedding = min(32, task.size)
        head = TokenHead(units, task.size, embedding, tied=False, end_id=None, start_id=0)
    elif task.head == "strokes":
        head = MixtureDensityHead(units, task.size)
    else:
        head = BernoulliHead(units, task.size)
    decoder = Decoder(head, units, latent_size=0, seed=seed, name="decoder")
    return SequenceModel(decoder, task.steps, scored_steps="before_end")


def events(task: Task, sequence: np.ndarray) -> np.ndarray:
    """How often what happens at a step happens in sequences (n, T, D): shares that sum to 1."""
    if task.head == "symbols":
        ids = sequence[..., 0].astype("int64")
        kinds, happened = task.size**2, ids[:, :-1] * task.size + ids[:, 1:]
    elif task.head == "strokes":
        length = np.hypot(sequence[..., 0], sequence[..., 1])
        bins = np.digitize(length, (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2))
        kinds, happened = 16, 2 * bins + (sequence[..., 3] > 0.5)
    else:
        on = sequence > 0.5
        now = np.minimum(on[:, 1:].sum(axis=-1), 15)
        held = np.minimum((on[:, 1:] & on[:, :-1]).sum(axis=-1), 15)
        kinds, happened = 256, 16 * now + held
    counts = np.bincount(happened.ravel(), minlength=kinds).astype("float64")
    return counts / counts.sum()


class Clock:
    """Seconds of each training step of this process."""

    def __init__(self):
        import keras

        self.seconds: list[float] = []
        last = [0.0]

        def begin(batch, logs=None):
            last[0] = time.perf_counter()

        def end(batch, logs=None):
            self.seconds.append(time.perf_counter() - last[0])

        self.callback = keras.callbacks.LambdaCallback(
            on_train_batch_begin=begin, on_train_batch_end=end
        )


class Found(NamedTuple):
    nats: float
    near: float
    far: float
    seconds: list[float]


def run(task: Task, data: Data, method: str, folder: Path, seed: int, arguments: Any) -> Found:
    """Trains (or goes on training) a model by a method, and measures it."""
    import keras

    from latentgen.evaluation.divergence import generalized_js
    from latentgen.objectives import ProfessorForcing
    from latentgen.training.checkpoint import fit_resumably

    on_jax = keras.backend.backend() == "jax"
    trainer = model = make(task, arguments.units, seed)
    if method != "likelihood":
        options = {"weight": arguments.weight, "units": max(arguments.units // 2, 4)}
        trainer = ProfessorForcing(model, **options, seed=seed)
    rate = keras.optimizers.Adam(arguments.rate, global_clipnorm=1.0)
    trainer.compile(rate, jit_compile=on_jax)
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock()

    def batches(step: int):
        while True:
            yield (batch_of(windows(data.train, task.steps, BATCH, [seed, step])),)
            step += 1

    fit_resumably(
        trainer,
        batches,
        arguments.steps,
        folder,
        steps_per_epoch=min(100, arguments.steps),
        callbacks=[clock.callback, keras.callbacks.CSVLogger(folder / "log.csv", append=True)],
        verbose=0,
    )
    longest = task.steps * task.longer
    real = windows(data.test, task.steps, HELD_OUT, 0)
    plain = make(task, arguments.units, seed)
    plain.set_weights(model.get_weights())
    plain.compile(jit_compile=on_jax)
    plain.evaluate(batch_of(real), batch_size=BATCH, verbose=0)
    nats = float(plain.nll_tracker.result()) / task.steps
    drawn = model.generate(n=RUNS, length=longest, seed=seed)
    true = events(task, real)
    near, far = (
        generalized_js(true, events(task, part))
        for part in (drawn[:, : task.steps], drawn[:, longest - task.steps :])
    )
    return Found(nats, near, far, clock.seconds[2:])


def measure(name: str, task: Task, arguments: Any) -> None:
    data = task.read()
    rows = []
    bits = task.head == "symbols"
    for method in METHODS:
        found = [
            run(task, data, method, arguments.out / name / f"{method}-{seed}", seed, arguments)
            for seed in arguments.seeds
        ]
        nats = [one.nats / (np.log(2.0) if bits else 1.0) for one in found]
        seconds = [second for one in found for second in one.seconds]
        rows.append(
            [
                method,
                spread(nats, ""),
                spread([one.near for one in found], ""),
                spread([one.far for one in found], ""),
                spread(seconds) if seconds else "–",
            ]
        )
    heading(
        f"Professor forcing: {name}",
        data=f"{sum(map(len, data.train)):,} steps to train on, windows of {task.steps}",
        training=f"{arguments.steps} steps of {BATCH}, {arguments.units} units, "
        f"weight {arguments.weight}, seeds {', '.join(map(str, arguments.seeds))}",
        distance=f"Jensen-Shannon divergence, nats, of {EVENTS[task.head]}",
        published=PUBLISHED.get(name, "none"),
    )
    step = "bits a character" if bits else "nats a step"
    last = f"last {task.steps} of {task.steps * task.longer}"
    table(["trained by", step, "distance, first T", last, "a training step"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*TASKS, []], help="all but mnist without")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--weight", type=float, default=1.0, help="of professor forcing's part")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("runs/professor_forcing"))
    arguments = parser.parse_args()
    if arguments.tiny:
        with tempfile.TemporaryDirectory() as folder:
            arguments.steps, arguments.units, arguments.seeds = 4, 6, [0]
            arguments.out = Path(folder)
            measure("cycles", Task(made_up, 10, "symbols", 5), arguments)
        return
    for name in arguments.names or DEFAULT:
        measure(name, TASKS[name], arguments)


if __name__ == "__main__":
    main()
