"""How well a MusicVAE does on music it has not seen: likelihood, and accuracy in both unrolls."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from latentgen.compilation import compiled
from latentgen.generation import in_batches
from latentgen.layers.groove_head import GrooveHead
from latentgen.layers.joint_head import JointHead
from latentgen.layers.nade import NadeHead
from latentgen.music.vae import MusicVAE
from latentgen.vae import kl_divergence


class Evaluation(NamedTuple):
    """Means over examples, nats an example; accuracies are shares of the steps that count.

    Attributes:
        examples: how many.
        reconstruction: −log p(x|z), z drawn from the posterior; of grooves, the training loss.
        kl: KL of the posterior from the prior.
        elbo: −reconstruction − kl, the bound on log p(x).
        teacher_forced: by part of an element, how often the most likely value is the true one,
            where each step reads the truth.
        free_running: the same where each step reads what the decoder drew, at temperature 1.
    """

    examples: int
    reconstruction: float
    kl: float
    elbo: float
    teacher_forced: dict[str, float]
    free_running: dict[str, float]

    def __str__(self) -> str:
        lines = [
            f"{self.examples:,} examples: reconstruction {self.reconstruction:.2f} nats, "
            f"KL {self.kl:.2f} nats, ELBO {self.elbo:.2f} nats"
        ]
        for name, forced in self.teacher_forced.items():
            free = self.free_running[name]
            lines.append(f"  {name:<10} accuracy {forced:.3f} teacher-forced, {free:.3f} free")
        return "\n".join(lines)


def evaluate(
    vae: MusicVAE, batches: Iterable[tuple[dict[str, np.ndarray]]], seed: int = 0
) -> Evaluation:
    """Evaluates on batches, such as `MusicBatches(…).once()`.

    As Magenta evaluates: z is drawn from the posterior. (A configuration with scheduled sampling
    is evaluated there in the free run alone.)
    """
    run = compiled(vae, _scores(vae), jit_compile=False)
    random = np.random.default_rng(seed)
    rows: list[tuple[np.ndarray, ...]] = []
    for (batch,) in batches:
        size, steps = batch["sequence"].shape[:2]
        noises = {
            "z noise": random.standard_normal((size, vae.latent_size)),
            "noise": random.random((size, steps, vae.head.noise_size)),
        }
        inputs = batch | {name: noise.astype("float32") for name, noise in noises.items()}
        rows.append(in_batches(run, inputs, size))
    loss, kl, count, forced, free = (np.concatenate(column) for column in zip(*rows, strict=True))
    names = [name for name, _ in parts_of(vae.head)]
    accuracies = [(right.sum(0) / count.sum()).tolist() for right in (forced, free)]
    return Evaluation(
        len(loss),
        float(loss.mean()),
        float(kl.mean()),
        float(-loss.mean() - kl.mean()),
        *(dict(zip(names, values, strict=True)) for values in accuracies),
    )


def parts_of(head: Any) -> list[tuple[str, slice]]:
    """What of an element is right or wrong by itself: names and columns."""
    if isinstance(head, JointHead):
        ends = np.cumsum([0, *head.element_sizes])
        return [
            (part.name, slice(int(a), int(b)))
            for part, a, b in zip(head.heads, ends, ends[1:], strict=False)
        ]
    if isinstance(head, GrooveHead):
        return [("hits", slice(0, head.drums))]
    return [("hits" if isinstance(head, NadeHead) else "events", slice(0, head.element_size))]


def _scores(vae: MusicVAE) -> Callable:
    parts = parts_of(vae.head)
    # Drums that may be struck together are right or wrong one by one.
    each = isinstance(vae.head, NadeHead | GrooveHead)

    def right(parameters, inputs, counted):
        """Right steps of each part (B, parts)."""
        same = ops.abs(vae.head.mode(parameters) - inputs["sequence"]) < 0.5
        shares = [ops.cast(same[..., columns], "float32") for _, columns in parts]
        shares = [ops.mean(s, axis=-1) if each else ops.min(s, axis=-1) for s in shares]
        return ops.stack([ops.sum(share * counted, axis=1) for share in shares], axis=-1)

    def scores(inputs):
        mean, scale = vae.posterior(inputs)
        z = mean + scale * inputs["z noise"]
        control = vae.read_control(inputs.get("control"))
        counted = ops.cast(vae.counted(inputs), "float32")
        forced = vae.decoder.teacher_forced(z, inputs["sequence"], control=control)
        free = vae.decoder.free_running(z, inputs["noise"], control=control)
        loss = vae.sequence_loss(vae.head.loss, inputs, forced.parameters)
        kl = ops.sum(kl_divergence(mean, scale), axis=-1)
        return (
            loss,
            kl,
            ops.sum(counted, axis=1),
            right(forced.parameters, inputs, counted),
            right(free.parameters, inputs, counted),
        )

    return scores
