"""LC-GAN: an actor that moves z to where a critic finds it real and as asked (arXiv 1711.05772).

Losses, with D the critic, G the actor, y a condition and z ~ q(z | x) a real latent vector:

- critic: CE(D(z, y), 1) + CE(D(G(source, y), y), 0) + CE(D(z, wrong y), 0)
  + 10 * (|grad_z D| - 1)^2 at points between real and fake;
- actor: CE(D(z', y), 1) + w * mean over dims of log(1 + (z' - z)^2) / sigma^2, z' = G(z, y), and,
  beyond the paper, - a * log p(y | z' + noise) by the attribute critics: from seventy labels these
  are far better calibrated than D can be. a = 0 is the published loss. Noise is for attribute
  critics that are networks: an actor finds the z' where they err, unless it must please them all
  around z' (reward.py). There leaving the shape of the prior costs too, by
s * (max(0, mean z'^2 - 1) + max(0, 0.7 - mean (z'_i - z'_j)^2 / 2)): each z' longer than the
prior's, and each two that are asked for the same and lie closer together than most of the prior's.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import keras
import numpy as np
from keras import ops

from latentgen import random
from latentgen.constraints.networks import Trunk, gate
from latentgen.training.gradients import gradient
from latentgen.training.two_player import TwoPlayerModel

GRADIENT_PENALTY = 10.0
SPREAD = 0.7  # half the mean square distance of two z' a dimension; the prior's have 1


class LCGAN(TwoPlayerModel):
    """Trained on `Batches`; `log_match(z, condition)` (n,) is log p(y | z), or None.

    `judges` are networks that `log_match` reads: as parts of the model their variables enter every
    compiled step anew. `noise` is the deviation of the noise that they see z' with.
    `shape_weight` is s.
    """

    def __init__(
        self,
        latent_size: int,
        condition_size: int,
        hidden: int,
        layers: int,
        sigma: np.ndarray,
        distance_weight: float,
        attribute_weight: float,
        log_match: Any = None,
        seed: int = 0,
        judges: Sequence[keras.layers.Layer] = (),
        noise: float = 0.0,
        shape_weight: float = 0.0,
    ):
        super().__init__()
        self.actor = Trunk(latent_size, condition_size, 2 * latent_size, hidden, layers, 2 * seed)
        self.critic = Trunk(latent_size, condition_size, 1, hidden, layers, 2 * seed + 1)
        self.precision = (1 / np.broadcast_to(sigma, (latent_size,)) ** 2).astype("float32")
        self.distance_weight, self.attribute_weight = distance_weight, attribute_weight
        self.log_match = log_match
        self.judges, self.noise, self.shape_weight = list(judges), noise, shape_weight
        self.draws = keras.random.SeedGenerator(seed)

    def compile_for(
        self, turns: int, critic_steps: int, learning_rate: float, jit_compile: bool
    ) -> None:
        """Compiles, for so many turns in all: the learning rate falls to 0 along a cosine."""
        schedule = [
            keras.optimizers.schedules.CosineDecay(learning_rate, turns * steps)
            for steps in (1, critic_steps)
        ]
        actor, critic = (keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.9) for rate in schedule)
        jit_compile = jit_compile or keras.backend.backend() == "jax"
        self.compile(
            actor, critic, critic_steps=critic_steps, split_batch=True, jit_compile=jit_compile
        )

    def play(
        self, batches: keras.utils.PyDataset, tell: Callable[[float, str], None]
    ) -> dict[str, float]:
        """A turn a batch; returns the last losses by name."""
        turns = len(batches)
        follow = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda turn, logs: tell(
                (turn + 1) / turns, "training actor and critic"
            )
        )
        history = self.fit(batches, verbose=0, shuffle=False, callbacks=[follow]).history
        return {name: float(values[-1]) for name, values in history.items()}

    def act(self, z: Any, condition: Any) -> Any:
        """The actor's z' for z (n, latent_size) and conditions (n, c)."""
        return gate(z, self.actor(z, condition))

    def critic_loss(self, batch: dict[str, Any]) -> Any:
        real, condition = batch["real"], batch["condition"]
        fake = self.act(batch["source"], condition)
        fake = ops.stop_gradient(ops.where(batch["untouched"] > 0, batch["source"], fake))
        logits = self.critic(
            ops.concatenate([real, fake, real]),
            ops.concatenate([condition, condition, batch["wrong"]]),
        )
        real_logit, fake_logit, wrong_logit = ops.split(logits[:, 0], 3)
        loss = ops.mean(ops.softplus(-real_logit) + ops.softplus(fake_logit))
        loss += ops.mean(batch["mismatched"] * ops.softplus(wrong_logit))
        between = batch["mix"] * real + (1 - batch["mix"]) * fake
        slope = gradient(lambda z: ops.sum(self.critic(z, condition)), between)
        norm = ops.sqrt(ops.sum(slope**2, axis=-1) + 1e-12)
        return loss + GRADIENT_PENALTY * ops.mean((norm - 1) ** 2)

    def actor_loss(self, batch: dict[str, Any]) -> Any:
        source, condition = batch["source"], batch["condition"]
        moved = self.act(source, condition)
        loss = ops.mean(ops.softplus(-self.critic(moved, condition)))
        distance = ops.log1p((moved - source) ** 2) * self.precision
        loss += self.distance_weight * ops.mean(distance)
        if self.shape_weight:
            loss += self.shape_weight * out_of_shape(moved, condition)
        if self.log_match is not None and self.attribute_weight:
            if self.noise:
                near = random.normal(ops.shape(moved), seed=self.draws)
                moved = moved + self.noise * near
            loss -= self.attribute_weight * ops.mean(self.log_match(moved, condition))
        return loss


def out_of_shape(z: Any, condition: Any) -> Any:
    """How much longer z (n, latent_size) are than the prior's, and closer to one another."""
    squares = ops.mean(z**2, axis=-1)
    products = ops.matmul(z, ops.transpose(z)) / z.shape[-1]
    distances = squares[:, None] + squares - 2 * products
    differ = ops.sum(ops.abs(condition[:, None] - condition), axis=-1)
    alike = ops.cast(differ < 1e-6, z.dtype) - ops.eye(ops.shape(z)[0])
    close = ops.sum(alike * ops.relu(SPREAD - distances / 2)) / (ops.sum(alike) + 1)
    return ops.mean(ops.relu(squares - 1)) + close


def log_match(predictors: Sequence[Any], widths: Sequence[int]) -> Any:
    """The function (z, condition) -> log p(all that the condition asks | z), (n,); see
    `Predictor.log_match`."""
    ends = np.cumsum([0, *widths])

    def match(z: Any, condition: Any) -> Any:
        total = ops.zeros_like(z[:, 0])
        for predictor, (start, end) in zip(predictors, pairwise(ends), strict=True):
            total = total + predictor.log_match(z, condition[..., start:end])
        return total

    return match
