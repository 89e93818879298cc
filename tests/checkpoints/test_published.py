"""The list of Magenta's published models."""

import pytest

from latentgen.checkpoints.download import is_address
from latentgen.checkpoints.published import find_published, published
from latentgen.errors import InputError
from latentgen.music import NAMES


def test_every_model_has_an_address_of_its_own_or_a_folder_in_an_archive():
    models = published()
    assert len({(model.address, model.member) for model in models.values()}) == len(models)
    assert all(is_address(model.address) for model in models.values())


def test_configurations_are_known():
    named = {model.config for model in published().values() if model.config}
    assert named <= set(NAMES)
    assert len(named) == 10  # of eleven checkpoints two are of one configuration


def test_finding_one():
    assert find_published("magenta/cat-mel_2bar_big").config == "cat-mel_2bar_big"
    assert find_published("magenta/sketch_rnn/cat").address.endswith("/cat.gen.json")
    assert find_published("magenta/sketch_rnn/owl/lstm").member == "owl/lstm"
    with pytest.raises(InputError, match="did you mean magenta/cat-mel_2bar_big"):
        find_published("magenta/cat-mel_2bar_bag")
    with pytest.raises(InputError, match=r"found none$"):
        find_published("xyz")
