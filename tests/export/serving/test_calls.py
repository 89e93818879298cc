"""Calls of several people in one batch give each what they would have had alone."""

from pathlib import Path

import numpy as np
import pytest

from latentgen.export.serving.calls import joined, make_call, parted
from latentgen.export.serving.refusal import Refusal
from tests.export.serving.fakes import LATENT, Fake, write_version


@pytest.fixture
def model(tmp_path):
    return Fake(write_version(tmp_path, 1))


def call(model, name, most=64, **inputs):
    types = model.signatures[name].inputs
    arrays = {key: np.asarray(value, types[key].dtype) for key, value in inputs.items()}
    return make_call(name, arrays, model.signatures[name], model.description, most)


def run(model, *calls):
    return parted(model.run(calls[0].signature, joined(calls)), calls)


def same(left, right):
    assert left.keys() == right.keys()
    for name in left:
        np.testing.assert_array_equal(left[name], right[name])


def test_rows_do_not_know_what_batch_they_are_in(model):
    calls = [
        call(model, "sample", n=3, temperature=0.5, seed=7),
        call(model, "sample", n=1, temperature=0, seed=[9]),
        call(model, "sample", n=2, temperature=[1, 2], seed=[[1, 5], [2, 6]]),
    ]
    assert len({each.shape for each in calls}) == 1
    together = run(model, *calls)
    assert model.calls[-1][1]["seed"] == (8, 2)  # six rows, padded
    for each, alone in zip(together, (run(model, each)[0] for each in calls), strict=True):
        same(each, alone)
    assert [len(each["z"]) for each in together] == [3, 1, 2]


def test_a_seed_is_a_pair_for_each_row(model):
    for given, pairs in [
        (4, [[4, 0], [4, 1]]),
        ([4, 5], [[4, 0], [5, 0]]),
        ([[4, 8], [5, 9]], [[4, 8], [5, 9]]),
    ]:
        made = call(model, "decode", z=np.zeros((2, LATENT)), temperature=1, seed=given)
        assert made.inputs["seed"].tolist() == pairs
        assert made.inputs["temperature"].tolist() == [1, 1]


def test_one_target_is_everybodys(model):
    z, asked = np.zeros((2, LATENT)), [np.nan, 1, 2.5]
    one = call(model, "constrain", z=z, targets=asked, strength=1)
    each = call(model, "constrain", z=z, targets=[asked, [0, np.nan, 1]], strength=[1, 0])
    assert one.shape == each.shape
    together = run(model, one, each)
    np.testing.assert_array_equal(together[0]["z"], np.full((2, LATENT), 3.5))
    np.testing.assert_array_equal(together[1]["z"], [[3.5] * LATENT, [0] * LATENT])


def test_calls_that_cannot_be_joined_have_other_shapes(model):
    short = call(model, "encode", strokes=np.zeros((1, 2, 3)), length=[2])
    long = call(model, "encode", strokes=np.zeros((1, 3, 3)), length=[2])
    assert short.shape != long.shape
    ends = {"strokes": np.zeros((2, 2, 3)), "length": [1, 2]}
    steps = [call(model, "interpolate", **ends, steps=5, temperature=0, seed=0) for _ in range(2)]
    assert steps[0].shape != steps[1].shape
    assert joined(steps[:1])["seed"].shape == (5, 2)
    assert joined(steps[:1])["strokes"].shape == (2, 2, 3)


@pytest.mark.parametrize(
    ("name", "inputs", "words"),
    [
        ("sample", {"n": 0, "temperature": 1, "seed": 0}, "n: expected 1 or more"),
        ("sample", {"n": 65, "temperature": 1, "seed": 0}, "at most 64 rows"),
        ("sample", {"n": 2, "temperature": [1, 1, 1], "seed": 0}, "one for each of 2"),
        ("sample", {"n": 2, "temperature": 101, "seed": 0}, "0 to 100"),
        ("sample", {"n": 2, "temperature": 1, "seed": [[1, 2, 3]]}, "seed"),
        ("decode", {"z": np.zeros((2, LATENT)), "temperature": 1, "seed": [-1, 0]}, "0 or more"),
        ("encode", {"strokes": np.zeros((2, 3, 3)), "length": [1]}, "2 rows"),
        ("encode", {"strokes": np.zeros((2, 3, 3)), "length": [1, 4]}, "length: expected 1 to 3"),
        ("encode", {"strokes": np.zeros((1, 3, 3)), "length": [0]}, "length: expected 1 to 3"),
    ],
)
def test_what_makes_no_sense_is_refused(model, name, inputs, words):
    with pytest.raises(Refusal, match=words) as refused:
        call(model, name, **inputs)
    assert refused.value.status == 400


def test_a_sentence_may_not_be_a_book(tmp_path):
    model = Fake(write_version(tmp_path, 1, domain="text"))
    inputs = {"sentences": np.array([b"a" * 20_000], object)}
    with pytest.raises(Refusal, match="at most 10000 bytes"):
        make_call("encode", inputs, model.signatures["encode"], model.description, 64)


def test_the_pieces_need_neither_ray_nor_tensorflow():
    import subprocess
    import sys

    names = [
        path.stem
        for path in Path(Fake.__module__ and make_call.__code__.co_filename).parent.glob("*.py")
    ]
    light = sorted(set(names) - {"__init__", "deployment"})
    code = (
        f"import importlib, sys\n"
        f"for name in {light}: importlib.import_module(f'latentgen.export.serving.{{name}}')\n"
        "print(sorted({'ray', 'tensorflow', 'keras', 'note_seq'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
