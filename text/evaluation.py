"""How well a model of text does on sentences it has not seen, and whether its z is alive."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from keras import ops
from scipy.special import logsumexp

from latentgen.compilation import compiled
from latentgen.evaluation.latents import active_units, mutual_information
from latentgen.generation import in_batches
from latentgen.text.model import LanguageModel
from latentgen.text.vae import TextVAE
from latentgen.vae import Posterior, kl_divergence


class Evaluation(NamedTuple):
    """Means over sentences, nats a sentence.

    Attributes:
        sentences, tokens: how many; each sentence's end is one of its tokens.
        nll: −log p(x): its bound, reconstruction + kl, of a VAE; exact of a language model.
        perplexity: exp of the nll a token: a word, of a vocabulary of words.
        reconstruction: −log p(x|z), z drawn from the posterior.
        kl: KL of the posterior from the prior.
        active_units: how many of latent_size dimensions of z depend on the sentence.
        mutual_information: of sentence and z (see latentgen.evaluation.latents).
        importance_weighted: a tighter bound on −log p(x) by several z (Burda et al. 2016).
    """

    sentences: int
    tokens: int
    nll: float
    perplexity: float
    reconstruction: float | None = None
    kl: float | None = None
    active_units: int | None = None
    latent_size: int | None = None
    mutual_information: float | None = None
    importance_weighted: float | None = None

    def __str__(self) -> str:
        text = f"{self.sentences:,} sentences: NLL {self.nll:.2f} nats"
        if self.latent_size is None:
            return f"{text}, perplexity {self.perplexity:.2f}"
        text = (
            f"{text} at most (reconstruction {self.reconstruction:.2f} + KL {self.kl:.2f}), "
            f"perplexity {self.perplexity:.2f}, {self.active_units} of {self.latent_size} units "
            f"active, mutual information {self.mutual_information:.2f} nats"
        )
        if self.importance_weighted is None:
            return text
        return f"{text}, importance-weighted NLL {self.importance_weighted:.2f} nats"


def evaluate(
    model: TextVAE | LanguageModel,
    batches: Iterable[tuple[dict[str, np.ndarray]]],
    seed: int = 0,
    importance_samples: int = 0,
) -> Evaluation:
    """Evaluates on batches, such as `TextBatches(…).once()`.

    Args:
        seed: of the z.
        importance_samples: how many z of each sentence for the importance-weighted bound; 0 for
            none.
    """
    with_z = isinstance(model, TextVAE)
    run = compiled(model, _scores(model), jit_compile=False)
    random = np.random.default_rng(seed)
    rows: list[tuple[np.ndarray, ...]] = []
    weights: list[np.ndarray] = []
    for (batch,) in batches:
        size = len(batch["length"])
        draws = [
            in_batches(run, batch | {"noise": noise.astype("float32")}, size)
            for noise in random.standard_normal(
                (max(importance_samples, 1) if with_z else 1, size, model.decoder.latent_size)
            )
        ]
        rows.append(draws[0])
        if importance_samples and with_z:
            log_weights = np.stack([draw[2] for draw in draws])
            weights.append(logsumexp(log_weights, axis=0) - np.log(importance_samples))
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    tokens, loss, _, kl = columns[:4]
    nll = float(np.mean(loss + kl, dtype="float64"))
    count = int(tokens.sum())
    summary = (len(loss), count, nll, float(np.exp(nll * len(loss) / count)))
    if not with_z:
        return Evaluation(*summary)
    posterior = Posterior(*columns[4:])
    return Evaluation(
        *summary,
        float(loss.mean()),
        float(kl.mean()),
        int(active_units(posterior).sum()),
        model.latent_size,
        mutual_information(posterior, seed),
        -float(np.concatenate(weights).mean()) if weights else None,
    )


def _scores(model: Any) -> Callable:
    def scores(inputs):
        """Tokens, −log p(x|z), log of the importance weight, KL (B,); mean and scale of z."""
        posterior: tuple = ()
        z, kl = None, ops.zeros(ops.shape(inputs["length"]))
        if isinstance(model, TextVAE):
            mean, scale = posterior = model.posterior(inputs)
            noise = inputs["noise"]
            z, kl = mean + scale * noise, ops.sum(kl_divergence(mean, scale), axis=-1)
        counted = ops.sum(ops.cast(model.counted(inputs), "float32"), axis=1)
        loss = model.sequence_loss(model.head.loss, inputs, model.unroll(z, inputs).parameters)
        weight = -loss
        if posterior:  # + log p(z) − log q(z|x), the constants ½ log 2π taken off both
            weight = weight + ops.sum(
                0.5 * ops.square(noise) + ops.log(scale) - 0.5 * ops.square(z), axis=-1
            )
        return counted, loss, weight, kl, *posterior

    return scores
