"""The synthetic oracle: its parameters are read as published, its entropy is the published one."""

import numpy as np
import pytest
from scipy import special

from latentgen.errors import CheckpointError
from latentgen.evaluation.oracle import (
    batch_of_ids,
    model_of_ids,
    nll_per_token,
    synthetic_oracle,
)
from tests.shared import shared_path

V, E, H = 6, 4, 3  # vocabulary, embedding, units
GATES = ("i", "f", "og", "c")


def parameters(seed=0):
    random = np.random.default_rng(seed)
    shapes = {"embedding": (V, E), "Wo": (H, V), "bo": (V,)}
    for gate in GATES:
        shapes |= {f"W{gate}": (E, H), f"U{gate}": (H, H), f"b{gate}": (H,)}
    return {name: random.normal(size=shape).astype("float32") for name, shape in shapes.items()}


def log_prob(given, ids):
    """Of each id of sequences (n, T): the equations of the published oracle."""
    h = c = np.zeros((len(ids), H))
    read, result = np.zeros(len(ids), int), []  # the start token is 0
    for step in ids.T:
        x = given["embedding"][read]
        i, f, og = (
            special.expit(x @ given[f"W{g}"] + h @ given[f"U{g}"] + given[f"b{g}"])
            for g in GATES[:3]
        )
        c = f * c + i * np.tanh(x @ given["Wc"] + h @ given["Uc"] + given["bc"])
        h = og * np.tanh(c)
        result.append(
            special.log_softmax(h @ given["Wo"] + given["bo"], axis=1)[range(len(h)), step]
        )
        read = step
    return np.stack(result, axis=1)


def test_it_is_the_published_network(tmp_path):
    given = parameters()
    np.savez(tmp_path / "oracle.npz", **given)
    oracle = synthetic_oracle(tmp_path / "oracle.npz", length=5)
    ids = np.random.default_rng(1).integers(0, V, (7, 5))
    sequences = ids[..., None].astype("float32")
    assert nll_per_token(oracle)(sequences) == pytest.approx(-log_prob(given, ids).mean(), rel=1e-5)
    (loss,) = [float(oracle.compute_loss(x, None, oracle(x))) for x in [batch_of_ids(sequences)]]
    assert loss == pytest.approx(-log_prob(given, ids).mean(), rel=1e-5)


def test_sequences_have_no_end_and_all_have_the_length():
    oracle = synthetic_oracle(vocabulary_size=4, length=6, seed=2)
    drawn = oracle.generate(n=64, temperature=1.0, jit_compile=False)
    assert drawn.shape == (64, 6, 1)
    assert set(np.unique(drawn)) == {0, 1, 2, 3}
    after_zero = drawn[:, 1:][drawn[:, :-1] == 0]
    assert (after_zero != 0).any()  # 0 closes nothing


def test_its_samples_are_least_surprising_to_itself():
    oracle, other = (synthetic_oracle(vocabulary_size=8, length=6, seed=s) for s in (0, 1))
    drawn = oracle.generate(n=200, temperature=1.0, jit_compile=False)
    nll, of_other = nll_per_token(oracle), nll_per_token(other)
    assert nll(drawn) < of_other(drawn) - 0.3
    assert nll(drawn) == nll_per_token(oracle, batch_size=64)(drawn)
    cold = oracle.generate(n=200, temperature=0.3, jit_compile=False)
    assert nll(cold) < nll(drawn) - 0.2
    assert nll(cold, 0.3) < nll(cold)  # it is the model at that temperature that drew them


def test_the_function_sees_new_weights():
    model = model_of_ids(5, 3, 4, 6)
    sequences = np.random.default_rng(0).integers(0, 5, (10, 6, 1)).astype("float32")
    nll = nll_per_token(model)
    before = nll(sequences)
    model.head.projection.bias.assign(np.array([0, 0, 0, 0, 9.0], "float32"))
    assert nll(sequences) > before + 1


@pytest.mark.parametrize(
    "change", [lambda p: p.pop("Wog"), lambda p: p.update(bf=np.zeros(2)), lambda p: p.clear()]
)
def test_other_files_are_refused(change, tmp_path):
    given = parameters()
    change(given)
    np.savez(tmp_path / "oracle.npz", **given)
    with pytest.raises(CheckpointError, match="expected the parameters of an oracle, embedding, W"):
        synthetic_oracle(tmp_path / "oracle.npz")


@pytest.mark.slow
def test_the_published_entropy_is_reproduced():
    path = shared_path("data/text/seqgan_oracle/seqgan_oracle.npz")
    oracle = synthetic_oracle(path)
    drawn = oracle.generate(n=2000, temperature=1.0, batch_size=512)
    assert nll_per_token(oracle)(drawn) == pytest.approx(5.754, abs=0.03)
