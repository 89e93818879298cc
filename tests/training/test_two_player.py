"""The two-player trainer, on whichever backend KERAS_BACKEND names."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.errors import InputError
from latentgen.training.gradients import gradient
from latentgen.training.two_player import TwoPlayerModel


@keras.saving.register_keras_serializable("latentgen_tests")
class Duel(TwoPlayerModel):
    """A generator of 2-D points against a critic with a gradient penalty."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.actor = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
        hidden = keras.layers.Dense(8, "relu")
        self.critic = keras.Sequential([keras.Input((2,)), hidden, keras.layers.Dense(1)])
        self.seeds = keras.random.SeedGenerator(7)

    def fake(self, x):
        return self.actor(keras.random.normal(ops.shape(x), seed=self.seeds))

    def critic_loss(self, x):
        fake = self.fake(x)
        slope = gradient(lambda point: ops.sum(self.critic(point)), x)
        penalty = ops.mean((ops.norm(slope, axis=-1) - 1) ** 2)
        return ops.mean(self.critic(fake)) - ops.mean(self.critic(x)) + penalty

    def actor_loss(self, x):
        return -ops.mean(self.critic(self.fake(x)))


def points(n=66):
    return np.random.default_rng(0).normal([3.0, -1.0], 0.1, (n, 2)).astype("float32")


def duel(**settings):
    keras.utils.set_random_seed(1)
    model = Duel()
    settings = {"critic_steps": 3, "jit_compile": True, **settings}
    model.compile(keras.optimizers.Adam(3e-2), keras.optimizers.Adam(3e-2), **settings)
    return model


def values(model):
    return [np.array(v.value) for v in [*model.variables, *model.optimizer.variables]]


def changed(variables, before):
    return [not np.array_equal(v, b) for v, b in zip(variables, before, strict=True)]


@pytest.mark.parametrize("settings", [{}, {"split_batch": True}, {"steps_per_execution": 3}])
def test_fit_under_xla_pulls_the_actor_to_the_data(settings):
    model = duel(critic_steps=5, **settings)

    def miss():
        return np.linalg.norm(np.mean(model.fake(points()), 0) - points().mean(0))

    start = miss()
    history = model.fit(points(), batch_size=22, epochs=80, verbose=0).history
    assert miss() < 0.5 * start
    assert set(history) == {"critic_loss", "actor_loss"}
    assert np.isfinite(history["critic_loss"]).all()


@pytest.mark.parametrize("frozen", ["actor", "critic"])
def test_a_player_moves_only_in_its_own_turns(frozen):
    model = duel()
    optimizers = {"actor": model.optimizer, "critic": model.critic_optimizer}
    optimizers[frozen].learning_rate = 0.0
    before = {p: [np.array(v) for v in getattr(model, f"{p}_variables")] for p in optimizers}
    model.fit(points(), batch_size=22, verbose=0)
    for player, old in before.items():
        moved = changed([np.array(v) for v in getattr(model, f"{player}_variables")], old)
        assert any(moved) is (player != frozen)


def test_steps_a_turn_are_counted_by_each_optimiser():
    model = duel(critic_steps=4, actor_steps=2)
    model.fit(points(), batch_size=22, verbose=0)
    assert int(model.critic_optimizer.iterations) == 3 * 4
    assert int(model.optimizer.iterations) == 3 * 2


def test_split_batch_gives_every_step_its_own_rows():
    class Watcher(Duel):
        def critic_loss(self, x):
            return ops.mean(x) + 0 * ops.sum(self.critic(x))

        def actor_loss(self, x):
            return ops.mean(x) + 0 * ops.sum(self.actor(x))

    model = Watcher()
    model.compile(keras.optimizers.SGD(), keras.optimizers.SGD(), 2, 1, True, jit_compile=True)
    x = np.repeat([[1.0, 1.0], [3.0, 3.0], [7.0, 7.0]], 4, axis=0).astype("float32")
    logs = model.fit(x, batch_size=12, shuffle=False, verbose=0).history
    assert logs["critic_loss"] == [pytest.approx(2.0)]
    assert logs["actor_loss"] == [pytest.approx(7.0)]
    short = model.fit(x[:2], batch_size=12, shuffle=False, verbose=0).history  # 2 rows, 3 steps
    assert short["actor_loss"] == [pytest.approx(1.0)]


def test_killed_and_resumed_from_a_file_is_the_uninterrupted_run(tmp_path):
    whole = duel()
    whole.fit(points(), batch_size=22, epochs=4, shuffle=False, verbose=0)

    killed = duel()
    killed.fit(points(), batch_size=22, epochs=2, shuffle=False, verbose=0)
    killed.save(tmp_path / "duel.keras")
    resumed = keras.saving.load_model(tmp_path / "duel.keras")
    assert resumed.settings["critic_steps"] == 3
    resumed.fit(points(), batch_size=22, epochs=4, initial_epoch=2, shuffle=False, verbose=0)
    for a, b in zip(values(whole), values(resumed), strict=True):
        np.testing.assert_array_equal(a, b)


def test_backup_and_restore_resumes_both_optimisers(tmp_path):
    class Killed(Exception):
        pass

    class Kill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise Killed

    def fit(model, *callbacks):
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        rows = {"batch_size": 22, "epochs": 4, "shuffle": False, "verbose": 0}
        model.fit(points(), callbacks=[backup, *callbacks], **rows)
        return values(model)

    with pytest.raises(Killed):
        fit(duel(), Kill())
    resumed = fit(duel())
    whole = duel()
    whole.fit(points(), batch_size=22, epochs=4, shuffle=False, verbose=0)
    for a, b in zip(values(whole), resumed, strict=True):
        np.testing.assert_array_equal(a, b)


def test_variables_hold_the_critics_optimiser_and_the_seeds():
    model = duel()
    held = {id(v) for v in model.variables}
    assert {id(v) for v in model.critic_optimizer.variables} <= held
    assert id(model.seeds.state) in held
    assert not held & {id(v) for v in model.optimizer.variables}
    assert len(held) == len(model.variables)


def test_bad_players_are_refused():
    with pytest.raises(InputError, match="positive steps a turn"):
        duel(critic_steps=0)
    model = Duel()
    model.critic = keras.Sequential([keras.layers.ReLU()])
    with pytest.raises(InputError, match="player without"):
        model.compile(keras.optimizers.SGD(), keras.optimizers.SGD())
