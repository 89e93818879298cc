"""A model without TensorFlow that keeps the contract of exported ones, and replicas of it."""

import asyncio
import json
import os

import numpy as np

from latentgen.export.serving.description import FILE, read_description
from latentgen.export.serving.refusal import bad
from latentgen.export.serving.signatures import Signature, Tensor
from latentgen.export.serving.worker import Worker

LATENT, STEPS = 4, 6
ATTRIBUTES = [
    {"name": "round", "kind": "binary", "classes": [False, True]},
    {"name": "class", "kind": "categorical", "classes": ["cat", "pig"]},
    {"name": "size", "kind": "continuous", "mean": 3.0, "scale": 2.0},
]
Z = Tensor("float32", (None, LATENT))
ANY = Tensor("float32", None)
SEED = Tensor("int32", None)
COUNT = Tensor("int32", ())
STROKES = {"strokes": Tensor("float32", (None, None, 3)), "length": Tensor("int32", (None,))}
SENTENCES = {"sentences": Tensor("string", (None,))}


def write_version(folder, version, domain="sketch", attributes=ATTRIBUTES, **changes):
    """A version's folder, of a model that `load` opens."""
    document = {
        "format": 1,
        "name": folder.name,
        "domain": domain,
        "class": "Fake",
        "latent_size": LATENT,
        "max_length": STEPS,
        "arguments": {"converter": {"kind": "MelodyConverter"}} if domain == "music" else {},
        "attributes": attributes,
        **changes,
    }
    path = folder / str(version)
    (path / FILE).parent.mkdir(parents=True)
    (path / FILE).write_text(json.dumps(document))
    (path / "saved_model.pb").write_bytes(b"a model")
    return path


class Fake:
    """Draws each row by its z and its seed's pair alone; a drawing's first step tells the version.

    A seed of 13 is something that only the graph can see is wrong.
    """

    def __init__(self, folder):
        self.version = int(folder.name)
        self.description = read_description(folder)
        pieces = {
            "sketch": STROKES,
            "text": SENTENCES,
            "music": {
                "sequence": Tensor("float32", (None, 32, 90)),
                "length": Tensor("int32", (None,)),
            },
        }[self.description.domain]
        how = {"temperature": ANY, "seed": SEED}
        asked = {"targets": ANY, "strength": ANY}
        self.signatures = {
            "sample": Signature({"n": COUNT, **how}, {"z": Z, **pieces}),
            "decode": Signature({"z": Z, **how}, pieces),
            "encode": Signature(pieces, {"mean": Z, "scale": Z}),
            "interpolate": Signature({**pieces, "steps": COUNT, **how}, {"z": Z, **pieces}),
        }
        if self.description.attributes:
            self.signatures |= {
                "constrain": Signature({"z": Z, **asked}, {"z": Z}),
                "sample_constrained": Signature({"n": COUNT, **asked, **how}, {"z": Z, **pieces}),
            }
        self.calls = []

    def run(self, signature, inputs):
        self.calls.append((signature, {name: np.shape(array) for name, array in inputs.items()}))
        seeds = inputs.get("seed")
        if seeds is not None and (seeds[:, 0] == 13).any():
            raise bad("seed: expected luck, received 13")
        if "length" in inputs and "steps" not in inputs:
            z = np.repeat(inputs["length"][:, None], LATENT, axis=1).astype("float32")
            return {"mean": z, "scale": z}
        if "sentences" in inputs and "steps" not in inputs:
            z = np.array([[len(text)] * LATENT for text in inputs["sentences"]], "float32")
            return {"mean": z, "scale": z}
        z = inputs.get("z")
        if z is None:
            generators = [np.random.default_rng(pair) for pair in seeds]
            z = np.stack([g.standard_normal(LATENT) for g in generators]).astype("float32")
        if "targets" in inputs:
            wanted = np.nan_to_num(inputs["targets"]).sum(axis=1)
            z = (z + (inputs["strength"] * wanted)[:, None]).astype("float32")
        if signature == "constrain":
            return {"z": z}
        pieces = self._write(z, inputs)
        return pieces if signature == "decode" else {"z": z, **pieces}

    def _write(self, z, inputs):
        n, first = len(z), np.where(np.abs(z[:, 0]) > 1e6, np.nan, z[:, 0])
        if self.description.domain == "text":
            return {"sentences": np.array([f"número {x:.3f}".encode() for x in first], object)}
        if self.description.domain == "music":
            sequence = np.zeros((n, 32, 90), "float32")
            sequence[:, :, 0] = 1
            sequence[:, 0, 0], sequence[:, 0, 40] = 0, 1
            return {"sequence": sequence, "length": np.full(n, 32, "int32")}
        strokes = np.zeros((n, STEPS, 3), "float32")
        strokes[:, 0, 0] = self.version
        strokes[:, 1, 0], strokes[:, 1, 1] = first, inputs["temperature"] + inputs["seed"][:, 1]
        strokes[:, 2, 2] = 1
        return {"strokes": strokes, "length": np.full(n, 3, "int32")}


def load(folder):
    """What the service calls to open a version."""
    if not (folder / "saved_model.pb").read_bytes().startswith(b"a model"):
        raise OSError("damaged\nin two lines")
    return Fake(folder)


class InProcess:
    """Replicas that are one worker in this process; slow or failing on demand."""

    def __init__(self, folders, linger=60.0):
        self.worker = Worker(folders, load, linger)
        self.delay, self.failure = 0.0, None

    async def report(self):
        await asyncio.to_thread(self.worker.refresh)
        return self.worker.report()

    async def run(self, *arguments):
        await asyncio.sleep(self.delay)
        if self.failure:
            raise self.failure
        return await asyncio.to_thread(self.worker.run, *arguments)

    async def render(self, *arguments):
        return await asyncio.to_thread(self.worker.render, *arguments)


def changed(path):
    """Makes a file differ for whoever looks at its time, however coarse that is."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))
