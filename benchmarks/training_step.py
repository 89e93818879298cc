"""Seconds a training step: the default SketchVAE, batch 100, equal padding against buckets.

    python benchmarks/training_step.py [--tiny] [--cell lstm]

The data are aaron_sheep with its augmentation, or drawings of similar lengths where the shared
folder is absent. Batches are prepared beforehand, as in the peer's figure.
"""

import argparse
import time

import numpy as np
from measure import PEER, PEER_TRAINING_STEP, heading, shared, spread, table

TINY = {"latent_size": 4, "encoder_units": 8, "decoder_units": 8, "mixtures": 3, "max_length": 12}
SHEEP = "data/sketches/sketch_rnn_datasets/aaron_sheep.npz"


def training_drawings(tiny: bool) -> tuple[list[np.ndarray], str]:
    path = None if tiny else shared(SHEEP)
    if path:
        from latentgen.sketch import read_npz

        return read_npz(path)["train"], "aaron_sheep, 7400 training drawings"
    generator = np.random.default_rng(0)
    longest, count = (12, 30) if tiny else (250, 7400)
    # aaron_sheep: mean 126 points, deviation 40, at most 250.
    lengths = generator.normal(longest / 2, longest / 6, count).clip(2, longest).astype(int)
    drawings = [generator.normal(size=(n, 3)).round() for n in lengths]
    for drawing in drawings:
        drawing[:, 2] = drawing[:, 2] > 1
    return drawings, f"{count} random drawings of such lengths"


def timer():
    import keras

    class Timer(keras.callbacks.Callback):
        """Seconds of each step, the callbacks of Keras and its metrics included."""

        def __init__(self):
            super().__init__()
            self.seconds = []

        def on_train_batch_begin(self, batch, logs=None):
            self.started = time.perf_counter()

        def on_train_batch_end(self, batch, logs=None):
            self.seconds.append(time.perf_counter() - self.started)

    return Timer()


def step_times(model, batches: list) -> list[float]:
    """Seconds of `fit` on each of the batches, after one that starts it."""
    from latentgen.training.batches import of_any_length

    clock = timer()
    started = [batches[0], *batches]
    model.fit(of_any_length((b,) for b in started), epochs=1, verbose=0, callbacks=[clock])
    return clock.seconds[1:]


def fixed_step_times(model, batches) -> list[float]:
    """Seconds of each step on batches of one length, after one that traces."""
    times = []
    for batch in [batches[0], *batches]:
        started = time.perf_counter()
        model.train_on_batch(batch)
        times.append(time.perf_counter() - started)
    return times[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--cell", choices=list(PEER_TRAINING_STEP), default="lstm")
    parser.add_argument("--steps", type=int, default=8, help="at equal padding, twice")
    arguments = parser.parse_args()
    tiny = arguments.tiny

    import keras

    from latentgen.sketch import normalising_scale
    from latentgen.sketch.data import SketchBatches
    from latentgen.sketch.vae import SketchVAE, published_optimizer

    drawings, source = training_drawings(tiny)
    scale = normalising_scale(drawings)
    settings = TINY if tiny else {}

    def new_model():
        keras.utils.set_random_seed(0)
        model = SketchVAE(scale=scale, decoder_cell=arguments.cell, **settings)
        model.compile(published_optimizer(), jit_compile=False)
        return model

    vae = new_model()
    options = {"batch_size": 5 if tiny else 100, "max_length": vae.max_length}
    equal = SketchBatches(drawings, scale, buckets=1, **options)
    buckets = SketchBatches(drawings, scale, **options)
    steps = 2 if tiny else arguments.steps
    padded = [equal.batch(k) for k in range(steps)]
    one_pass = [buckets.batch(k) for k in range(buckets.batches_per_pass)]

    # First in a fresh process, as the peer was measured, a model that sees one length only.
    fixed = fixed_step_times(new_model(), padded)
    # Traced and warm for both kinds before the clock counts; equal padding before and after the
    # pass, so that a change of the machine's load shows as spread.
    step_times(vae, [padded[0], *one_pass[:2]])
    before = step_times(vae, padded)
    bucketed = step_times(vae, one_pass)
    same = before + step_times(vae, padded)
    peer = PEER_TRAINING_STEP[arguments.cell]
    heading(
        f"Training step: SketchVAE with {vae.count_params():,} parameters ({arguments.cell}), "
        f"batch {options['batch_size']}, plain graph",
        data=source,
        seed=0,
        peer=f"{PEER}: {peer} s (1.46–1.53 for lstm), 250 steps",
    )
    rows = []
    for name, values, middle, note in (
        (
            "equal padding, one length",
            fixed,
            np.median(fixed),
            f"{padded[0]['sequence'].shape[1]}",
        ),
        ("equal padding", same, np.median(same), f"{padded[0]['sequence'].shape[1]}"),
        (
            "length buckets",
            bucketed,
            np.mean(bucketed),
            f"{np.mean([b['sequence'].shape[1] for b in one_pass]):.0f}",
        ),
    ):
        rows.append(
            [
                name,
                note,
                str(len(values)),
                f"{middle:.3f} s",
                spread(values),
                f"{np.median(same) / middle:.2f} ×",
                "-" if tiny else f"{peer / middle:.2f} ×",
            ]
        )
    header = [
        "batches",
        "mean length",
        "steps",
        "seconds a step",
        "median (min–max)",
        "to equal padding",
        "to peer",
    ]
    table(header, rows)
    print("  'seconds a step' is the median at equal padding, the mean over a pass for buckets;")
    print("  'one length': a model that never sees another, as Magenta's, is compiled for it")


if __name__ == "__main__":
    main()
