"""Hidden states: one cloud where a model has learnt what it reads, two where it has not."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from latentgen.errors import InputError
from latentgen.evaluation.hidden_states import StateMap, draw_states, tsne_of_states
from tests.text.tiny import SENTENCES, tiny_language_model, tiny_vae, train


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """t-SNE's threads wait for each other, long where other processes are at work."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def model():
    model = tiny_language_model(dropout=0.0)
    train(model, 150, 0.02)
    return model


def test_a_trained_model_is_in_the_states_of_its_training(model):
    learnt = tsne_of_states(model, model.to_batch(SENTENCES), perplexity=10)
    others = ["mice mice dogs dogs see", "trains we trains bones"] * 18
    strange = tsne_of_states(model, model.to_batch(others), perplexity=10)
    assert learnt.mixing > 0.3
    assert strange.mixing < 0.5 * learnt.mixing


def test_the_map_has_as_many_states_of_both_kinds(model):
    found = tsne_of_states(model, model.to_batch(SENTENCES), states=40, perplexity=5, seed=1)
    assert found.points.shape == (80, 2)
    assert np.isfinite(found.points).all()
    assert found.free_running.sum() == 40
    # Three words and an end, of which the first word's state is the same for all.
    assert set(found.step[~found.free_running]) == {1, 2, 3}


def test_it_is_a_function_of_the_seed(model):
    batch = model.to_batch(SENTENCES)
    one, other, another = (
        tsne_of_states(model, batch, states=30, perplexity=5, seed=seed) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one.points, other.points)
    assert not np.array_equal(one.step, another.step)


def test_a_vae_runs_free_from_the_same_z():
    vae = tiny_vae()
    found = tsne_of_states(vae, vae.to_batch(SENTENCES), states=30, perplexity=5)
    assert found.points.shape == (60, 2)
    assert 0 <= found.mixing <= 1


def test_too_few_states_are_refused(model):
    with pytest.raises(InputError, match=r"expected 20 states or more .* received 3 and"):
        tsne_of_states(model, model.to_batch(SENTENCES[:1]))


def test_the_figure_says_what_is_what(tmp_path):
    points = np.random.default_rng(0).normal(size=(6, 2))
    states = StateMap(points, np.array([True, False] * 3), np.arange(6), 0.47)
    draw_states(states, tmp_path / "states.svg")
    text = (tmp_path / "states.svg").read_text()
    assert "<!-- teacher-forced -->" in text
    assert "<!-- free-running -->" in text
    assert "mixing 0.47" in text
