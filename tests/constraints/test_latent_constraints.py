"""LatentConstraints from labels to samples, on whichever backend KERAS_BACKEND names."""

import logging

import keras
import numpy as np
import pytest

from latentgen.constraints import LatentConstraints, combine
from latentgen.errors import InputError
from tests.constraints.latents import SIZE, make_labels, make_latents, truth

SCALE = np.full(SIZE, 0.3)
QUICK = {"turns": 250, "critic_steps": 5, "batch_size": 32, "learning_rate": 3e-3, "scale": SCALE}


def small(attributes=None, **settings):
    return LatentConstraints(SIZE, attributes, hidden=32, layers=2, **settings)


@pytest.fixture(scope="module")
def fitted():
    z, kind = make_latents()
    return small().fit(z, make_labels(z, kind), **QUICK)


def test_report_says_how_well_each_attribute_was_learnt(fitted):
    assert fitted.attribute_names == ("first", "right", "kind", "size")
    assert [a.kind for a in fitted.attributes] == ["binary", "binary", "categorical", "continuous"]
    assert min(fitted.report.scores.values()) > 0.7
    assert fitted.report.weak == ()
    text = str(fitted.report)
    assert "first: 20 of False, 20 of True" in text
    assert "held-out R2" in text
    assert "240 latent vectors" in text


@pytest.mark.parametrize("method", ["actor", "density", "vector", "rejection"])
@pytest.mark.parametrize("name", ["first", "right"])
def test_every_method_satisfies_more_than_the_prior(fitted, method, name):
    z = fitted.sample(100, {name: True}, method=method, seed=3)
    prior = fitted.sample(100, {name: True}, strength=0, seed=3)
    assert z.shape == (100, SIZE)
    assert truth(z, name).mean() > truth(prior, name).mean() + 0.2


def test_ascent_changes_real_z_and_stops_each_where_it_is_done(fitted):
    z = make_latents(100, seed=5)[0]
    moved = fitted.transform(z, {"right": True}, method="ascent")
    assert truth(moved, "right").mean() > 0.85
    steps = np.linalg.norm(moved - z, axis=1)
    already = fitted.score(z)["right"] > 0.99
    assert steps[already].mean() < 0.5 * steps[~truth(z, "right")].mean()
    still = fitted.transform(z, {"right": True}, method="ascent", steps=0)
    np.testing.assert_array_equal(still, z)


def test_hmc_samples_on_tensorflow_and_is_refused_elsewhere(fitted):
    if keras.backend.backend() != "tensorflow":
        with pytest.raises(InputError, match="expected Keras on TensorFlow"):
            fitted.sample(4, {"first": True}, method="hmc")
        return
    z = fitted.sample(60, {"first": True}, method="hmc", seed=1, steps=80)
    assert truth(z, "first").mean() > 0.3
    np.testing.assert_array_equal(
        z, fitted.sample(60, {"first": True}, method="hmc", seed=1, steps=80)
    )


def test_a_class_and_a_value_can_be_asked_for(fitted):
    z = fitted.sample(90, {"kind": ["a", "b", "c"] * 30}, seed=1)
    assert (z[:, :3].argmax(1) == np.arange(90) % 3).mean() > 0.8
    low = fitted.sample(90, {"size": 8.0}, method="ascent", seed=1)
    high = fitted.sample(90, {"size": 12.0}, method="ascent", seed=1)
    assert truth(high, "size").mean() > truth(low, "size").mean() + 1


def test_strength_goes_from_untouched_over_full_to_beyond(fitted):
    z = make_latents(20, seed=5)[0]
    full = fitted.transform(z, {"right": True})
    np.testing.assert_array_equal(fitted.transform(z, {"right": True}, strength=0), z)
    np.testing.assert_array_equal(fitted.transform(z, {"right": True}, strength=1), full)
    beyond = fitted.transform(z, {"right": True}, strength=1.5)
    np.testing.assert_allclose(beyond - z, 1.5 * (full - z), atol=1e-5)


def test_keep_holds_an_attribute(fitted):
    z = make_latents(200, seed=6)[0]
    before = z[:, :3].argmax(1)
    kept = fitted.transform(z, {"right": True}, method="ascent", keep=["kind"])
    assert (kept[:, :3].argmax(1) == before).mean() > 0.95
    assert truth(kept, "right").mean() > 0.9
    condition = fitted.encode({"right": True}, z, ["kind"])
    assert (condition[:, 4:7].argmax(1) == before).mean() > 0.95


def test_realism_moves_prior_samples_toward_the_data():
    z = make_latents()[0]
    constraints = small().fit(z, **QUICK)
    assert constraints.attribute_names == ()
    prior, moved = constraints.sample(200, strength=0), constraints.sample(200)

    def miss(points):
        return np.linalg.norm(points[:, None] - z, axis=-1).min(1).mean()

    assert miss(moved) < 0.75 * miss(prior)
    score = constraints.score(np.concatenate([z[:100], prior[:100]]))["realism"]
    assert score[:100].mean() > score[100:].mean() + 0.05


def test_score_gives_probabilities_and_values(fitted):
    z, kind = make_latents(150, seed=8)
    score = fitted.score(z)
    assert ((score["first"] > 0.5) == (kind == 0)).mean() > 0.95
    assert score["kind"].shape == (150, 3)
    np.testing.assert_allclose(score["kind"].sum(1), 1, atol=1e-5)
    assert np.corrcoef(score["size"], truth(z, "size"))[0, 1] > 0.8
    assert abs(score["size"].mean() - truth(z, "size").mean()) < 1


def test_the_same_seed_gives_the_same_constraints():
    z, kind = make_latents(100)
    quick = {**QUICK, "turns": 5}
    a, b, c = (
        small().fit(z, {"first": kind == 0}, seed=seed, **quick).sample(5, {"first": True})
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_fit_under_xla_and_with_unlabelled_rows():
    z, kind = make_latents()
    settings = {**QUICK, "jit_compile": True, "unlabelled": z[80:]}
    constraints = small().fit(z[:80], {"first": kind[:80] == 0}, **settings)
    assert constraints.report.rows == 240
    assert truth(constraints.sample(100, {"first": True}), "first").mean() > 0.7


def test_a_label_without_meaning_is_said_to_be_one(caplog):
    z = make_latents(80)[0]
    coin = np.random.default_rng(4).random(80) > 0.5
    with caplog.at_level(logging.WARNING):
        constraints = small().fit(z, {"coin": coin}, **{**QUICK, "turns": 2})
    assert constraints.report.weak == ("coin",)
    assert "this constraint will not hold" in caplog.text


def test_progress_is_told_in_order():
    z, kind = make_latents(60)
    told = []
    quick = {**QUICK, "turns": 4}
    small().fit(z, {"first": kind == 0}, progress=lambda *news: told.append(news), **quick)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1)
    assert {"cross-validating first", "training actor and critic"} == {text for _, text in told}


def test_constraints_learnt_apart_are_combined():
    z, kind = make_latents()
    labels = make_labels(z, kind)
    parts = [small().fit(z, {name: labels[name]}, **QUICK) for name in ("first", "right")]
    both = combine(*parts)
    assert both.attribute_names == ("first", "right")
    wanted = {"first": True, "right": True}
    for method in ("actor", "ascent"):
        moved = both.sample(100, wanted, method=method, seed=2)
        assert (truth(moved, "first") & truth(moved, "right")).mean() > 0.25
    assert set(both.score(z)) == {"realism", "first", "right"}
    with pytest.raises(InputError, match="combine expected two or more"):
        combine(parts[0], parts[0])
    with pytest.raises(InputError, match="expected attributes among first, right"):
        both.sample(2, {"left": True})


def test_bad_requests_are_refused(fitted):
    z = make_latents(4)[0]
    cases = [
        (lambda: fitted.sample(0), "positive number of samples"),
        (lambda: fitted.sample(2, {"second": True}), "among first, right, kind, size"),
        (lambda: fitted.sample(2, {"kind": "d"}), "one of 'a', 'b', 'c'"),
        (lambda: fitted.sample(2, {"first": "yes"}), "one of False, True"),
        (lambda: fitted.sample(2, {"size": "big"}), "finite number"),
        (lambda: fitted.sample(2, {"kind": ["a", "b", "c"]}), "expected 2 values"),
        (lambda: fitted.sample(2, {"first": True}, method="magic"), "method expected one of actor"),
        (lambda: fitted.sample(2, {"first": True}, strength=-1), "strength expected"),
        (lambda: fitted.sample(2, {"first": True}, strength=float("nan")), "strength expected"),
        (lambda: fitted.sample(2, {"first": True}, keep=["tail"]), "received 'tail'"),
        (lambda: fitted.transform(z[:, :5], {"first": True}), r"shape \(n, 8\)"),
        (lambda: fitted.transform(z * np.nan, {"first": True}), "NaN or infinity in row 0"),
        (lambda: fitted.score(np.zeros((0, SIZE))), r"received \(0, 8\)"),
        (lambda: fitted.score("z"), "expected numbers"),
        (lambda: small().sample(2), "call fit"),
        (lambda: LatentConstraints(0), "positive integer"),
    ]
    for request, message in cases:
        with pytest.raises(InputError, match=message):
            request()


def test_bad_labels_are_refused():
    z, kind = make_latents(60)
    cat = kind == 0
    few = np.full(60, None, dtype=object)
    few[:10] = [True] * 3 + [False] * 7
    hole = z.copy()
    hole[7, 1] = np.nan
    cases = [
        (z, {"cat": np.ones(60, bool)}, None, "received 0 of False, 60 of True"),
        (z, {"cat": few}, None, "7 of False, 3 of True"),
        (z, {"cat": [None] * 60}, None, "'cat'"),
        (z, {"cat": cat[:50]}, None, "expected 60 values"),
        (z, {"kind": ["a"] * 60}, None, "two or more classes"),
        (z, {"size": [1.5] * 60}, None, "different numbers"),
        (z, {"size": [np.inf, *range(59)]}, None, "finite number"),
        (z, [True] * 60, None, "mapping of attribute names"),
        (z, {"cat": cat}, ["dog"], "received 'dog'"),
        (z, {"cat": cat}, {"cat": "fuzzy"}, "received 'fuzzy'"),
        (z, {"cat": cat}, {"cat": ["yes", "no"]}, "one of 'yes', 'no'"),
        (hole, {"cat": cat}, None, "NaN or infinity in row 7"),
        (z[:, :4], {"cat": cat}, None, "use the z of the model"),
    ]
    for rows, labels, attributes, message in cases:
        with pytest.raises(InputError, match=message):
            small(attributes).fit(rows, labels)
    for scale in (np.zeros(SIZE), np.ones(3), np.ones((5, SIZE))):
        with pytest.raises(InputError, match="scale"):
            small().fit(z, {"cat": cat}, scale=scale)
