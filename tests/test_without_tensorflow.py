"""With KERAS_BACKEND=jax nothing imports TensorFlow, whether it is installed or not."""

import os
import subprocess
import sys

import pytest

# Runs before anything else: TensorFlow is not there, and whoever looks for it is noted. (Keras
# itself looks whether it is there when it saves a model, and does without.)
BLOCKED = """
import importlib.abc
import sys

looked_for = []


class NoTensorFlow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "tf_keras", "tensorflow_probability"):
            frame = sys._getframe(1)
            while "importlib" in frame.f_code.co_filename:
                frame = frame.f_back
            if not frame.f_globals["__name__"].startswith("keras."):
                looked_for.append((frame.f_globals["__name__"], name))
            raise ImportError(f"{name} is not installed here")


sys.meta_path.insert(0, NoTensorFlow())
"""
DRAWINGS = """
import keras
import numpy as np

from latentgen.sketch import SketchVAE, from_lines, published_optimizer

generator = np.random.default_rng(0)
drawings = [from_lines([generator.integers(0, 99, (4, 2)) for _ in range(2)]) for _ in range(20)]
vae = SketchVAE(
    latent_size=4, encoder_units=8, decoder_units=8, mixtures=2, max_length=16, scale=20.0
)
"""
TRAIN_SAVE_LOAD_GENERATE = """
from latentgen.sketch.data import SketchBatches
from latentgen.training.checkpoint import fit_resumably

batches = SketchBatches(drawings, vae.scale, batch_size=5, max_length=16)
vae.compile(published_optimizer())
for steps in (2, 4):
    fit_resumably(vae, batches.from_step, steps, "run", steps_per_epoch=2, verbose=0)
assert int(vae.step) == 4

vae.save("vae.keras")
vae.save_preset("preset", dtype="float32")
drawn = vae.sample(3, seed=1, temperature=0.5)
for again in (keras.saving.load_model("vae.keras"), SketchVAE.from_preset("preset")):
    for one, other in zip(drawn, again.sample(3, seed=1, temperature=0.5), strict=True):
        np.testing.assert_array_equal(one, other)
    again.interpolate(drawings[0], drawings[1], 3)
"""
CONSTRAIN = """
from latentgen import LatentConstraints

z = vae.encode(drawings * 2).mean + generator.standard_normal((40, 4)).astype("float32")
constraints = LatentConstraints(4).fit(z, {"high": list(z[:, 0] > 0)}, turns=3)
constraints.fit_reward(vae.decode, {"long": lambda drawing: len(drawing) > 5}, rounds=1, turns=3,
                       samples=40)
constraints.save("constraints.npz")
again = LatentConstraints.load("constraints.npz", 4)
for method in ("actor", "ascent", "density", "rejection", "vector"):
    one, other = (c.sample(3, {"long": True}, method=method) for c in (constraints, again))
    np.testing.assert_allclose(one, other, atol=1e-5)
"""


def run(program, folder):
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        # JAX's cache of compiled programs reads files by a library that looks for TensorFlow.
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_COMPILATION_CACHE_DIR": ""},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.parametrize(
    "work", [TRAIN_SAVE_LOAD_GENERATE, CONSTRAIN], ids=["sketch vae", "constraints"]
)
def test_it_works_where_tensorflow_is_not_installed(work, tmp_path):
    pytest.importorskip("jax")
    ends = "\nassert not looked_for, looked_for\nprint('done')"
    done = run(BLOCKED + DRAWINGS + work + ends, tmp_path)
    assert done.stdout.endswith("done\n"), done.stderr


def test_the_command_line_works_too(tmp_path):
    pytest.importorskip("jax")
    command = (
        "from latentgen.cli.main import main\n"
        "vae.save_preset('preset')\n"
        "code = main(['sketch', 'sample', '--preset', 'preset', '-n', '2', '--out', 'two.png'])\n"
        "stablehlo = ['--format', 'stablehlo', '--out', 'exported']\n"
        "code = code or main(['export', 'preset', *stablehlo])\n"
        "assert code == 0 and not looked_for, looked_for\n"
    )
    done = run(BLOCKED + DRAWINGS + command, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "two.png").stat().st_size > 0
    assert (tmp_path / "exported" / "decode.stablehlo").stat().st_size > 0
