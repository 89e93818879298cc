"""MusicVAE: melodies a second, seconds a training step, and sixteen bars that fit into memory.

    python benchmarks/music.py [--tiny]

Random weights and random one-hots, as in the peer's figures.
"""

import argparse
import resource
import time

import numpy as np
from measure import PEER, heading, seconds, spread, table

TINY = {"latent_size": 4, "encoder_units": [8], "decoder_units": [8, 8]}
SMALL, LONG = "cat-mel_2bar_small", "hierdec-mel_16bar"
PEER_MELODIES_PER_SECOND = {1: "300–390", 64: "1760–2510"}  # TrainedModel.decode_to_tensors
PEER_STEP = 1.09  # s, batch 512, scheduled sampling on


def build(name: str, tiny: bool):
    import keras

    from latentgen.music.configurations import configuration
    from latentgen.music.optimizer import MusicAdam
    from latentgen.music.vae import MusicVAE

    keras.utils.set_random_seed(0)
    vae = MusicVAE(**(configuration(name) | (TINY if tiny else {})))
    vae.compile(MusicAdam(), jit_compile=False)
    return vae


def random_batch(vae, size: int, seed: int = 0) -> dict[str, np.ndarray]:
    depth, steps = vae.converter.output_depth, vae.max_length
    classes = np.random.default_rng(seed).integers(0, depth, (size, steps))
    sequence = np.eye(depth, dtype="float32")[classes]
    return {"sequence": sequence, "input": sequence, "length": np.full(size, steps, "int32")}


def decoding(tiny: bool, repeats: int) -> None:
    vae = build(SMALL, tiny)
    rows = []
    for batch in (1, 64):
        z = vae.sample_prior(batch)
        ways = {"XLA": True, "plain graph": False}
        times = seconds(
            {
                name: lambda jit=jit: vae.generate(z, temperature=0.5, jit_compile=jit)  # noqa: B023
                for name, jit in ways.items()
            },
            repeats,
        )
        times["XLA, to NoteSequences"] = seconds(
            {"": lambda: vae.decode(z, temperature=0.5)},  # noqa: B023
            repeats,
        )[""]
        rows += [
            [str(batch), name, spread(values), f"{batch / np.median(values):.0f}"]
            for name, values in times.items()
        ]
    heading(
        f"Decoding: {SMALL}, {vae.count_params():,} parameters, 32 steps",
        seed=0,
        repeats=f"{repeats}, after one that compiles; median (min–max)",
        peer=f"{PEER}: {PEER_MELODIES_PER_SECOND[1]} melodies/s to tensors at batch 1, "
        f"{PEER_MELODIES_PER_SECOND[64]} at 64",
    )
    table(["batch", "compiled", "seconds a batch", "melodies/s"], rows)


def training(tiny: bool, repeats: int) -> None:
    size = 4 if tiny else 512
    rows = []
    vae = build(SMALL, tiny)
    batch = random_batch(vae, size)
    for name, share in (("scheduled sampling", None), ("truth alone", 0.0)):
        vae = build(SMALL, tiny)
        if share is not None:
            vae.sampling = share
        values = seconds({name: lambda: vae.train_on_batch(batch)}, repeats)[name]  # noqa: B023
        peer = "-" if tiny or share is not None else f"{PEER_STEP / np.median(values):.2f} ×"
        rows.append([name, str(repeats), spread(values), peer])
    heading(
        f"Training step: {SMALL}, batch {size}, plain graph",
        seed=0,
        peer=f"{PEER}: {PEER_STEP} s (1.06–1.25), with scheduled sampling",
    )
    table(["the decoder reads", "steps", "seconds a step", "to peer"], rows)


def sixteen_bars(tiny: bool, repeats: int) -> None:
    vae = build(LONG, tiny)
    batch = random_batch(vae, 4)
    started = time.perf_counter()
    vae.train_on_batch(batch)
    first = time.perf_counter() - started
    values = seconds({"": lambda: vae.train_on_batch(batch)}, repeats)[""]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    heading(
        f"Sixteen bars: {LONG}, {vae.count_params():,} parameters, batch 4, 256 steps",
        seed=0,
        peer=f"{PEER}: killed for memory at batch 4 on 24 GiB",
    )
    table(
        ["first step", "steps", "seconds a step", "largest memory of the process"],
        [[f"{first:.1f} s", str(repeats), spread(values), f"{memory:.1f} GiB"]],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--only", choices=("decoding", "training", "sixteen"))
    arguments = parser.parse_args()
    tiny, only = arguments.tiny, arguments.only
    if only in (None, "decoding"):
        decoding(tiny, 1 if tiny else 15)
    if only in (None, "training"):
        training(tiny, 1 if tiny else 7)
    if only in (None, "sixteen"):
        sixteen_bars(tiny, 1 if tiny else 2)


if __name__ == "__main__":
    main()
