"""Drawings a second: the default SketchVAE, 250 steps each, XLA against a plain graph.

    python benchmarks/generation.py [--tiny]

Also with early exit, on the shipped preset, where drawings end by themselves.
"""

import argparse

import numpy as np
from measure import PEER, PEER_DRAWINGS_PER_SECOND, heading, seconds, spread, table

TINY = {"latent_size": 4, "encoder_units": 8, "decoder_units": 8, "mixtures": 3, "max_length": 12}


def never_ending(vae):
    """The same model, but no drawing ends before its last step."""
    kernel, bias = vae.head.projection.get_weights()
    bias[2] = -1e3  # the logit of the pen's end
    vae.head.projection.set_weights([kernel, bias])
    return vae


def measure(vae, batch: int, compiled: dict[str, bool], repeats: int, full: bool):
    """Seconds a batch, by how it is compiled; `full`: every drawing must have every step."""

    def draw(jit_compile: bool):
        drawn = vae.sample(batch, seed=1, temperature=0.5, jit_compile=jit_compile)
        lengths = {len(drawing) for drawing in drawn}
        if full and lengths != {vae.max_length}:
            raise RuntimeError(f"expected {vae.max_length} points each, received {lengths}")
        return drawn

    return seconds({k: lambda v=v: draw(v) for k, v in compiled.items()}, repeats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    repeats = 1 if arguments.tiny else arguments.repeats

    import keras

    from latentgen.errors import InputError
    from latentgen.sketch.vae import SketchVAE

    keras.utils.set_random_seed(0)
    vae = never_ending(SketchVAE(**(TINY if arguments.tiny else {})))
    rows = []
    for batch in (1, 64):
        times = measure(vae, batch, {"XLA": True, "plain graph": False}, repeats, full=True)
        for name, values in times.items():
            rate = batch / np.median(values)
            rows.append(
                [
                    str(batch),
                    name,
                    spread(values),
                    f"{rate:.1f}",
                    f"{np.median(times['plain graph']) / np.median(values):.2f} ×",
                    "-" if arguments.tiny else f"{rate / PEER_DRAWINGS_PER_SECOND[batch]:.2f} ×",
                ]
            )
    heading(
        f"Generation: SketchVAE with {vae.count_params():,} parameters, {vae.max_length} steps, "
        "no early exit",
        seed=0,
        repeats=f"{repeats}, after one that compiles; median (min–max)",
        peer=f"{PEER}: {PEER_DRAWINGS_PER_SECOND[1]} drawings/s at batch 1 by its sample(), "
        f"{PEER_DRAWINGS_PER_SECOND[64]:.0f} at 64 by a batched loop around its graph",
    )
    header = ["batch", "compiled", "seconds a batch", "drawings/s", "to plain graph", "to peer"]
    table(header, rows)

    try:
        preset = SketchVAE(**TINY) if arguments.tiny else SketchVAE.from_preset("quickdraw")
    except InputError:
        print("\nEarly exit: not measured, the preset `quickdraw` is not there")
        return
    rows: list[list] = []
    for batch in (1, 64):
        lengths = [len(d) for d in preset.sample(batch, seed=1, temperature=0.5)]
        early = measure(preset, batch, {"early": True}, repeats, full=False)["early"]
        rows.append([batch, early, f"{np.mean(lengths):.0f}"])
    never_ending(preset)
    for row in rows:
        batch, early, _ = row
        full = measure(preset, batch, {"full": True}, repeats, full=True)["full"]
        row[0] = str(batch)
        row[1] = spread(early)
        rate = batch / np.median(early)
        row += [spread(full), f"{rate:.0f}", f"{np.median(full) / np.median(early):.2f} ×"]
    name = "untrained" if arguments.tiny else "preset quickdraw"
    heading(
        f"Early exit: {name} ({preset.count_params():,} parameters, at most "
        f"{preset.max_length} steps), XLA",
        seed=1,
        repeats=f"{repeats}; median (min–max)",
    )
    table(["batch", "early exit", "mean points", "all steps", "drawings/s", "gain"], rows)


if __name__ == "__main__":
    main()
