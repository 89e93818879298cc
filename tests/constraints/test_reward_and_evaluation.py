"""Zero-shot rules, and the table that compares the methods."""

import numpy as np
import pytest

from latentgen.constraints import LatentConstraints, evaluate
from latentgen.constraints.attributes import infer_attribute
from latentgen.constraints.batches import Batches
from latentgen.constraints.lc_gan import LCGAN, out_of_shape
from latentgen.constraints.predictors import Predictor
from latentgen.errors import CheckpointError, InputError
from tests.constraints.latents import SIZE, make_labels, make_latents, truth


def decode(z):
    """A decoder of lists of numbers."""
    return [list(np.tanh(row)) for row in np.asarray(z)]


def small():
    return LatentConstraints(SIZE, hidden=32, layers=2)


def test_a_rule_without_labels_is_learnt():
    def rule(output):  # some 11% of the prior
        return output[0] > 0.6 and output[1] > 0.2

    settings = {"rounds": 3, "samples": 200, "turns": 240, "batch_size": 32, "learning_rate": 3e-3}
    settings["critic_steps"] = 5
    constraints = small().fit_reward(decode, rule, **settings)
    prior = constraints.sample(200, strength=0, seed=9)
    asked = constraints.sample(200, {"rule": True}, seed=9)
    assert np.mean([rule(o) for o in decode(prior)]) < 0.2
    assert np.mean([rule(o) for o in decode(asked)]) > 0.6


def test_a_model_with_a_decode_method_and_several_rules():
    class VAE:
        decode = staticmethod(decode)

    rules = {"up": lambda o: o[0] > 0, "side": lambda o: "left" if o[1] < 0 else "right"}
    told = []
    constraints = small().fit_reward(
        VAE(),
        rules,
        rounds=2,
        samples=60,
        turns=4,
        progress=lambda *news: told.append(news[0]),
    )
    assert [a.kind for a in constraints.attributes] == ["binary", "categorical"]
    assert told == sorted(told)
    assert constraints.report.rows == 180  # the first round asks twice as often
    assert constraints.predict(make_latents(5)[0])["side"].shape == (5, 2)


def test_two_rules_hold_together_and_what_was_learnt_is_saved(tmp_path):
    rules = {"up": lambda o: o[0] > 0.6, "side": lambda o: o[1] > 0.2}
    settings = {"samples": 300, "turns": 240, "batch_size": 32, "learning_rate": 3e-3}
    constraints = small().fit_reward(decode, rules, rounds=2, **settings)
    assert min(constraints.report.scores.values()) > 0.9
    assert (constraints.sample(200, {"up": True}, seed=9) ** 2).mean() < 1.5  # not ever further
    z = constraints.sample(200, {"up": True, "side": True}, seed=9)
    assert np.mean([all(f(o) for f in rules.values()) for o in decode(z)]) > 0.6
    constraints.save(tmp_path / "rules.npz")
    loaded = LatentConstraints.load(tmp_path / "rules.npz", latent_size=SIZE)
    for method in ("actor", "ascent", "rejection", "density"):
        np.testing.assert_array_equal(
            constraints.transform(z, {"up": True}, method=method),
            loaded.transform(z, {"up": True}, method=method),
        )
    with np.load(tmp_path / "rules.npz") as archive:
        arrays = dict(archive)
    arrays["predictor 0 kernel 1"] = arrays["predictor 0 kernel 1"][1:]
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(CheckpointError):
        LatentConstraints.load(tmp_path / "bad.npz")


def test_only_z_of_the_priors_shape_cost_nothing():
    random = np.random.default_rng(0)
    z = random.standard_normal((16, 512)).astype("float32")
    z /= np.sqrt((z**2).mean(1, keepdims=True))
    alike, different = np.ones((16, 1), "float32"), np.arange(16, dtype="float32")[:, None]
    close = z[:1] + 0.1 * z
    close /= np.sqrt((close**2).mean(1, keepdims=True))
    costs = [(z, alike), (2 * z, alike), (close, alike), (close, different)]
    prior, longer, closer, otherwise = (float(out_of_shape(*case)) for case in costs)
    assert prior == pytest.approx(0, abs=1e-5)
    assert longer == pytest.approx(3, rel=1e-3)
    assert closer > 0.5
    assert otherwise == pytest.approx(0, abs=1e-5)


def test_what_is_asked_for_together_is_drawn_of_z_that_have_it():
    z = np.random.default_rng(0).standard_normal((600, 3)).astype("float32")
    columns = {"up": z[:, 0] > 0.5, "side": z[:, 1] > 0.5}
    attributes = [infer_attribute(n, v.astype(object), "binary") for n, v in columns.items()]
    codes = [v.astype(float) for v in columns.values()]
    predictors = [Predictor(np.zeros((3, 2), "float32"), bias=np.zeros(2, "float32"))] * 2

    def share(together):
        batch = Batches(
            z, np.zeros((1, 3)), attributes, predictors, codes, 4000, 1, 0, together=together
        )[0]
        both = (batch["condition"][:, [1, 3]] == 1).all(1)
        assert (batch["real"][both][:, :2] > 0.5).all()
        return both.mean()

    assert share(0.0) < 0.05
    assert share(0.5) == pytest.approx(0.8 * 0.5, abs=0.05)


def test_a_measured_rule_can_be_asked_for_a_value():
    settings = {"samples": 300, "turns": 240, "batch_size": 32, "learning_rate": 3e-3}
    constraints = small().fit_reward(decode, {"first": lambda o: o[0]}, rounds=2, **settings)
    assert constraints.attributes[0].kind == "continuous"
    low, high = (
        np.mean([o[0] for o in decode(constraints.sample(100, {"first": value}, seed=2))])
        for value in (-0.6, 0.6)
    )
    assert high - low > 0.6


def test_more_rounds_compile_nothing_more(monkeypatch):
    traced = []
    loss = LCGAN.actor_loss
    monkeypatch.setattr(LCGAN, "actor_loss", lambda self, b: traced.append(1) or loss(self, b))
    counts = []
    for rounds in (1, 3):
        small().fit_reward(
            decode, lambda o: o[0] > 0, rounds=rounds, samples=60, turns=rounds, batch_size=8
        )
        counts.append(len(traced))
    assert counts[1] == 2 * counts[0]


def test_a_class_that_shows_up_late_is_left_out():
    asked = []

    def rule(output):
        asked.append(output)
        return "late" if len(asked) > 130 else "left" if output[0] < 0 else "right"

    constraints = small().fit_reward(decode, rule, rounds=2, samples=60, turns=2, batch_size=8)
    assert constraints.attributes[0].classes == ("left", "right")
    assert "of late" not in str(constraints.report)


def test_bad_rules_are_refused():
    cases = [
        (decode, lambda o: 1 / 0, "failed on a decoded output"),
        (decode, lambda o: None, "received None"),
        (decode, lambda o: True, "received True for all"),
        (decode, "rule", "expected a decoder"),
        ("vae", lambda o: True, "expected a decoder"),
        (lambda z: [1], lambda o: True, "expected to return 60 outputs"),
    ]
    for decoder, rule, message in cases:
        with pytest.raises(InputError, match=message):
            small().fit_reward(decoder, rule, samples=30)


@pytest.fixture(scope="module")
def fitted():
    z, kind = make_latents()
    labels = make_labels(z, kind)
    settings = {"turns": 250, "critic_steps": 5, "batch_size": 32, "learning_rate": 3e-3}
    settings["scale"] = np.full(SIZE, 0.3)
    return small().fit(z, {name: labels[name] for name in ("first", "right")}, **settings)


def test_evaluate_compares_methods_by_an_independent_judge(fitted):
    z, kind = make_latents(300, seed=2)
    table = evaluate(
        fitted,
        lambda z: np.tanh(z),
        {name: lambda out, name=name: truth(np.arctanh(out), name) for name in ("first", "right")},
        methods=("prior", "vector", "actor"),
        samples=50,
        features=lambda out: out,
        members={"first": z[kind == 0], "right": z[z[:, 4] > 0]},
    )
    prior, vector, actor = table.rows
    assert [row.method for row in table.rows] == ["prior", "vector", "actor"]
    assert prior.distance == 0
    assert actor.satisfaction > max(0.7, prior.satisfaction + 0.2)
    assert set(actor.by_attribute) == {"first", "right"}
    assert 0.2 < actor.diversity < 2
    assert actor.distance > 0
    lines = str(table).splitlines()
    assert len(lines) == 4
    assert len(set(map(len, lines))) == 1
    assert f"{vector.satisfaction:.2f}" in lines[2]


def test_evaluate_refuses_bad_judges(fitted):
    def yes(outputs):
        return np.ones(len(outputs))

    cases = [
        ({"second": yes}, {}, "among first, right"),
        ({}, {}, "received 0 judges"),
        ({"first": yes}, {"methods": ("magic",)}, "magic"),
        ({"first": lambda outputs: [1.0]}, {"methods": ("prior",)}, "64 finite verdicts"),
    ]
    for judges, settings, message in cases:
        with pytest.raises(InputError, match=message):
            evaluate(fitted, decode, judges, **settings)
