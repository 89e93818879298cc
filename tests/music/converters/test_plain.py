"""A representation that latentgen does not know: arrays in and out, whatever the output is."""

import numpy as np
import pytest

from latentgen.errors import InputError
from latentgen.layers.bernoulli import BernoulliHead
from latentgen.layers.groove_head import GrooveHead
from latentgen.layers.heads import CategoricalHead
from latentgen.layers.joint_head import JointHead
from latentgen.layers.nade import NadeHead
from latentgen.music import MusicVAE, PlainConverter
from latentgen.music.output import output_head


@pytest.mark.parametrize(
    ("arguments", "kind", "sizes"),
    [
        ({"parts": [5]}, CategoricalHead, (5, 5)),
        ({"parts": [5, 3]}, JointHead, (8, 8)),
        ({"output": "boolean"}, BernoulliHead, (1, 1)),
        ({"output": "groove", "parts": [6], "input_depth": 4}, GrooveHead, (6, 6)),
        ({"output": "nade", "parts": [4], "hidden": 7}, NadeHead, (4, 11)),
    ],
)
def test_the_output_decides_the_head(arguments, kind, sizes):
    head = output_head(PlainConverter(6, **arguments), 8)
    assert type(head) is kind
    assert (head.element_size, head.parameter_size) == sizes


def test_parts_apart_and_an_end():
    apart = output_head(PlainConverter(6, parts=[5, 3]), 8, parts_apart=True)
    assert (apart.shared, apart.feature_size) == (False, 16)
    assert output_head(PlainConverter(6, parts=[5], end_class=4), 8).end_class == 4


def test_a_model_takes_and_gives_arrays_and_says_so():
    converter = PlainConverter(6, parts=[5], input_depth=3, control_depth=2)
    model = MusicVAE(converter, 4, [5], [6])
    again = MusicVAE(**model.arguments())
    assert again.converter.arguments() == converter.arguments()
    batch = {
        "sequence": np.eye(5, dtype="float32")[np.zeros((2, 6), int)],
        "input": np.ones((2, 6, 3), "float32"),
        "control": np.ones((2, 6, 2), "float32"),
        "length": np.array([6, 3], "int32"),
    }
    assert model.encode_batch(batch).mean.shape == (2, 4)
    assert model.score_batch(batch).log_prob.shape == (2, 6)
    with pytest.raises(
        InputError, match=r"encode: .*\(3 columns in, 5 out\); give and take arrays"
    ):
        converter.encode(None)
    with pytest.raises(InputError, match="decode: "):
        converter.decode(np.zeros((6, 5)))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"steps": 0}, "steps"),
        ({"output": "text"}, "output"),
        ({"parts": []}, "parts"),
        ({"parts": [3, 0]}, "parts"),
        ({"output": "nade", "parts": [3, 3]}, "parts"),
        ({"output": "groove", "parts": [4]}, "parts"),
        ({"hidden": 0}, "hidden"),
    ],
)
def test_arguments_are_checked(arguments, name):
    with pytest.raises(InputError, match=f"^{name}: expected"):
        PlainConverter(**{"steps": 6} | arguments)
