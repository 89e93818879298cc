"""Two-player training: two losses, two optimisers and their turns become one compiled Keras `fit`.

A subclass builds `self.actor` and `self.critic` in its constructor and states `actor_loss(batch)`
and `critic_loss(batch)`, which return scalars and may draw from SeedGenerators and update metrics
of the model. Then:

    model.compile(keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-4), critic_steps=10)
    model.fit(data, batch_size=64)

One `train_step` is one turn: `critic_steps` updates of the critic's variables, then `actor_steps`
of the actor's. With `split_batch=True` every update gets its own part of the batch (cut along the
first axis), otherwise each sees the whole. What all steps of a turn need is worked out once by
`prepare(batch)`, and a player whom `plays` holds back stands still in that step, its optimiser too.
The steps of a turn are a loop in the graph, so that ten of them compile as fast as one. All state
is in variables: the critic's optimiser is part of `model.variables` (this carries it through the
stateless step on JAX), and a saved model holds both optimisers and the seeds, so that it continues
exactly where it was stopped.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import keras
from keras import ops, tree

from latentgen.errors import InputError


class TwoPlayerModel(keras.Model):
    """A Keras model trained by turns of a critic and an actor; see the module's docstring."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.critic_optimizer: keras.Optimizer | None = None
        self.loss_means = [keras.metrics.Mean(name=f"{p}_loss") for p in ("critic", "actor")]

    @property
    def critic_variables(self) -> list[keras.Variable]:
        """What the critic's steps change, and nothing else does."""
        return self.critic.trainable_variables

    @property
    def actor_variables(self) -> list[keras.Variable]:
        """What the actor's steps change, and nothing else does."""
        return self.actor.trainable_variables

    def prepare(self, batch: Any) -> Any:
        """What the losses of a turn are given of its batch; no gradient goes through it."""
        return batch

    def plays(self, player: str) -> Any:
        """Whether 'critic' or 'actor' takes the step whose loss has just been worked out.

        True, or a scalar tensor. Who does not play keeps weights, moments and count of steps: a
        gradient of zeros would still move the weights by what the optimiser remembers.
        """
        return True

    def compile(
        self,
        actor_optimizer: keras.Optimizer,
        critic_optimizer: keras.Optimizer | None = None,
        critic_steps: int = 1,
        actor_steps: int = 1,
        split_batch: bool = False,
        **kwargs: Any,
    ) -> None:
        """`keras.Model.compile` (jit_compile, steps_per_execution, ...) for two players.

        The critic's optimiser is one like the actor's by default.
        """
        if critic_optimizer is None:
            critic_optimizer = type(actor_optimizer).from_config(actor_optimizer.get_config())
        if not (self.critic_variables and self.actor_variables):
            raise InputError(
                "compile expected two built networks, received a player without variables; "
                "build both in the model's constructor"
            )
        if min(critic_steps, actor_steps) < 1:
            raise InputError(
                f"compile expected positive steps a turn, received {critic_steps} of the critic "
                f"and {actor_steps} of the actor; pass 1 or more"
            )
        super().compile(optimizer=actor_optimizer, auto_scale_loss=False, **kwargs)
        self.critic_optimizer = critic_optimizer
        self.settings = {"critic_steps": critic_steps, "actor_steps": actor_steps}
        self.settings |= {"split_batch": split_batch, **kwargs}
        self.optimizer.build(self.actor_variables)
        self.critic_optimizer.build(self.critic_variables)
        self.built = True

    def get_compile_config(self) -> dict[str, Any]:
        if not self.compiled:
            return {}
        players = {"actor_optimizer": self.optimizer, "critic_optimizer": self.critic_optimizer}
        return {**keras.saving.serialize_keras_object(players), **self.settings}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))

    @property
    def variables(self) -> list[keras.Variable]:
        """All but metrics and the actor's optimiser, both of which Keras finds by itself."""
        return super().variables + list(getattr(self.critic_optimizer, "variables", []))

    @property
    def metrics(self) -> list[keras.Metric]:
        """The two losses and the subclass's own; not Keras's `loss`, which nothing updates."""
        return [metric for metric in super().metrics if metric.name != "loss"]

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        for index, seeds in enumerate(self._seeds()):  # Keras itself does not save these
            store[f"seed_{index}"] = ops.convert_to_numpy(seeds.state)

    def load_own_variables(self, store: Any) -> None:
        own = {key: store[key] for key in store.keys()}  # noqa: SIM118 (a store is no dictionary)
        for index, seeds in enumerate(self._seeds()):
            seeds.state.assign(own.pop(f"seed_{index}"))
        super().load_own_variables(own)

    def _seeds(self) -> list[keras.random.SeedGenerator]:
        """The model's own seeds and those of all its parts, each once."""
        return list({s: s for layer in self._flatten_layers() for s in layer._seed_generators})

    def _turn(self) -> Iterator[tuple[Any, ...]]:
        """Each player's name, loss of (data, step), optimiser, variables, first and last step."""
        steps = [self.settings["critic_steps"], self.settings["actor_steps"]]
        parts = sum(steps) if self.settings["split_batch"] else 1

        def loss_of(loss: Any, mean: keras.Metric, data: Any, step: Any) -> Any:
            value = loss(tree.map_structure(lambda x: _part(x, step, parts), data))
            mean.update_state(value)
            return value

        critic_loss = partial(loss_of, self.critic_loss, self.loss_means[0])
        yield "critic", critic_loss, self.critic_optimizer, self.critic_variables, 0, steps[0]
        actor_loss = partial(loss_of, self.actor_loss, self.loss_means[1])
        yield "actor", actor_loss, self.optimizer, self.actor_variables, steps[0], sum(steps)

    def _tensorflow_train_step(self, data: Any) -> dict[str, Any]:
        import tensorflow as tf

        data = self.prepare(data)
        for player, loss_of, optimizer, own, first, last in self._turn():

            def update(step, carry, player=player, loss_of=loss_of, optimizer=optimizer, own=own):
                with tf.GradientTape() as tape:
                    loss = loss_of(data, step)
                grads = tape.gradient(loss, own)

                def move():
                    optimizer.apply(grads, own)
                    return True

                playing = self.plays(player)
                if playing is True:
                    move()
                else:
                    tf.cond(playing, move, lambda: False)
                return carry

            ops.fori_loop(first, last, update, 0)
        return self.get_metrics_result()

    def _jax_train_step(self, state: Any, data: Any) -> tuple[dict[str, Any], Any]:
        import jax

        lists = (self.trainable_variables, self.non_trainable_variables)
        everything = tree.flatten((lists, self.optimizer.variables, self.metrics_variables))
        position = {id(variable): index for index, variable in enumerate(everything)}

        def run(function, values, own=(), own_values=()):
            """function() with the variables at these values; its result and their new values."""
            mapping = [*zip(everything, values, strict=True), *zip(own, own_values, strict=True)]
            with keras.StatelessScope(state_mapping=mapping) as scope:
                result = function()
            return result, [scope.get_current_value(variable) for variable in everything]

        values = tree.flatten(state)
        data, values = run(lambda: self.prepare(data), values)
        for player, loss_of, optimizer, own, first, last in self._turn():

            def update(step, values, player=player, loss_of=loss_of, optimizer=optimizer, own=own):
                grad = jax.grad(
                    lambda now: run(lambda: loss_of(data, step), values, own, now), has_aux=True
                )
                grads, values = grad([values[position[id(variable)]] for variable in own])

                def move(values):
                    return run(lambda: optimizer.apply(grads, own), values)[1]

                playing = run(lambda: self.plays(player), values)[0]
                if playing is True:
                    return move(values)
                return jax.lax.cond(playing, move, lambda values: values, values)

            values = jax.lax.fori_loop(first, last, update, values)
        logs = run(self.get_metrics_result, values)[0]
        return logs, tree.pack_sequence_as(state, values)

    train_step = _jax_train_step if keras.backend.backend() == "jax" else _tensorflow_train_step


def _part(x: Any, step: Any, total: int) -> Any:
    """The step-th of `total` equal parts of x (rows, ...); where rows run out they begin anew."""
    if total == 1:
        return x
    rows = ops.shape(x)[0]
    size = (rows + total - 1) // total
    return ops.take(x, (step * size + ops.arange(size)) % rows, axis=0)
