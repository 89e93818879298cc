"""Exported SavedModels beside the library: what they give, and the time with and without XLA.

    python benchmarks/export.py [--tiny] [quickdraw] [melody_2bar] [drums_2bar] [coco]

Each preset is exported with constraints that are learnt of the z that it ships, loaded again, and
asked for the same as the library: pieces are compared one by one (equal: numbers to 1e-4) with what
the library decodes of the same z, tensors by the largest difference. Time is that of the processor,
of all its cores.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measure import heading, spread, table

PRESETS = ("quickdraw", "melody_2bar", "drums_2bar", "coco")
METHODS = ("actor", "density", "vector")
N, ENCODED = 64, 16
NOT_ASKED = np.nan


def made_up():
    """A small model with z of its own, for a try."""
    import keras

    from latentgen import SketchVAE
    from latentgen.vae import Posterior

    keras.utils.set_random_seed(0)
    model = SketchVAE(4, encoder_units=5, decoder_units=8, mixtures=2, max_length=12)
    z = np.random.default_rng(1).standard_normal((100, 4)).astype("float32")
    model.reference = Posterior(z, np.full_like(z, 0.5))
    return model


def learnt(model, turns: int):
    """Constraints of the model's z: a yes-or-no and a number, both told by z itself."""
    from latentgen.constraints import LatentConstraints

    real = model.reference.mean
    labels = {"yes": real[:, 0] > 0, "number": real[:, 1]}
    constraints = LatentConstraints(model.latent_size, seed=0)
    return constraints.fit(real, labels, scale=model.reference.scale, turns=turns)


def export(model, constraints, folder: Path, **options: Any):
    """The signatures of a model that was exported and loaded again."""
    import tensorflow as tf

    from latentgen.export import export_saved_model

    loaded = tf.saved_model.load(str(export_saved_model(model, folder, constraints, **options)))

    def ask(name: str, **inputs: Any) -> dict[str, np.ndarray]:
        function = loaded.signatures[name]
        specs = function.structured_input_signature[1]
        given = {key: tf.constant(value, specs[key].dtype) for key, value in inputs.items()}
        return {key: value.numpy() for key, value in function(**given).items()}

    return ask


def pieces(model, z: np.ndarray) -> list[Any]:
    """What the library makes of z, greedily, as the signatures give it."""
    if hasattr(model, "converter"):
        return list(model.generate(z, greedy=True))
    return model.decode(z, greedy=True)


def as_pieces(given: dict[str, np.ndarray]) -> list[Any]:
    if "sentences" in given:
        return [sentence.decode() for sentence in given["sentences"].tolist()]
    if "sequence" in given:
        return list(given["sequence"])
    return [row[:n] for row, n in zip(given["strokes"], given["length"], strict=True)]


def equal(ours: list[Any], theirs: list[Any]) -> str:
    """How many pieces are the same."""
    same = (
        a == b if isinstance(a, str) else a.shape == b.shape and np.allclose(a, b, 1e-4, 1e-4)
        for a, b in zip(ours, theirs, strict=True)
    )
    return f"{sum(same)} of {len(ours)}"


def readable(model, z: np.ndarray, given: dict[str, np.ndarray]) -> tuple[list[Any], Any]:
    """Pieces made of z that an encoder can read: as the library takes them, as signatures do."""
    made = model.decode(z, greedy=True)
    if hasattr(model, "converter"):
        batch = model.to_batch(made)
        return made, {"sequence": batch["input"], "length": batch["length"]}
    kept = [row for row, piece in enumerate(made) if len(piece)]
    inputs = [made[row] for row in kept]
    return inputs, {key: given[key][kept] for key in given} if "strokes" in given else {
        "sentences": inputs
    }


def apart(ours: Any, theirs: Any) -> str:
    """The largest difference."""
    return f"{np.abs(np.asarray(ours) - np.asarray(theirs)).max():.2g}"


def parity(name: str, model, constraints, ask: Callable, folder: Path) -> list[str]:
    """A row of the table: every signature beside the library."""
    from latentgen.constraints.density import like_real
    from latentgen.export.rows import normals, row_seeds
    from latentgen.vae import slerp

    z, greedy = model.sample_prior(N, 5), {"temperature": 0, "seed": 3}
    decoded = ask("decode", z=z, **greedy)
    inputs, given = readable(model, z[:ENCODED], decoded)
    posterior = model.encode(inputs)
    two = {key: value[:2] for key, value in given.items()}
    between = ask("interpolate", steps=N, **greedy, **two)
    drawn = ask("sample", n=N, **greedy)
    near = like_real(normals(row_seeds(3, N), model.latent_size).numpy(), model.reference)
    told = {"targets": [NOT_ASKED, NOT_ASKED], "strength": 0}
    moved = []
    for method in METHODS:
        asked = export(model, constraints, folder / method, method=method, jit_compile=False)
        ours = asked("constrain", z=z, targets=[1, 0.5], strength=1)["z"]
        few = {"steps": 1} if method == "density" and hasattr(model, "tokenizer") else {}
        wanted = {"yes": True, "number": 0.5}
        moved.append(apart(ours, constraints.transform(z, wanted, method=method, **few)))
    return [
        name,
        equal(as_pieces(decoded), pieces(model, z)),
        equal(as_pieces(ask("reconstruct", **greedy, **given)), pieces(model, posterior.mean)),
        equal(as_pieces(between), pieces(model, between["z"])),
        equal(as_pieces(drawn), pieces(model, drawn["z"])),
        equal(as_pieces(ask("sample_constrained", n=N, **greedy, **told)), as_pieces(drawn)),
        apart(ask("encode", **given)["mean"], posterior.mean),
        apart(between["z"], slerp(*posterior.mean[:2], N)),
        apart(drawn["z"], near),
        *moved,
    ]


def samples(ask: Callable, n: int, repeats: int) -> list[float]:
    """Milliseconds of the processor for a request of n pieces, after one that compiles."""
    found = []
    for _ in range(repeats + 1):
        started = time.process_time()
        ask("sample", n=n, temperature=0.5, seed=1)
        found.append(1000 * (time.process_time() - started))
    return found[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"presets, by default {', '.join(PRESETS)}")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    import keras

    from latentgen.export.opening import open_model

    repeats, turns = (2, 2) if arguments.tiny else (arguments.repeats, 100)
    rows, times = [], []
    for name in ["tiny"] if arguments.tiny else arguments.names or PRESETS:
        model = made_up() if arguments.tiny else open_model(name)
        constraints = learnt(model, turns)
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            with_xla = export(model, constraints, place / "xla")
            without = export(model, constraints, place / "plain", jit_compile=False)
            rows.append(parity(name, model, constraints, with_xla, place))
            for n in (1, N):
                both = [samples(ask, n, repeats) for ask in (with_xla, without)]
                ratio = np.median(both[1]) / np.median(both[0])
                times.append([name, f"{n}", *(spread(each, " ms") for each in both)])
                times[-1].append(f"{ratio:.2f} ×")
        keras.backend.clear_session()
    heading(
        "Exported SavedModels: pieces equal to the library's, and largest differences",
        asked=f"greedily, {N} z of the prior; {ENCODED} pieces are read",
        constraints="a yes-or-no and a number; strength 1",
        seeds="5 for z, 3 for what is drawn",
    )
    header = ["preset", "decode", "reconstruct", "interpolate", "sample", "not constrained"]
    table([*header, "encode", "interpolate's z", "sample's z", *METHODS], rows)
    heading("Processor time of a request for samples", temperature=0.5, repeats=repeats)
    table(["preset", "n", "XLA", "plain graph", "plain to XLA"], times)


if __name__ == "__main__":
    main()
