"""What benchmarks/oracle.py compares: sizes, and methods with their rates, epochs and figures."""

from collections.abc import Callable
from typing import Any, NamedTuple

BATCH = 64
LIKELIHOOD = "likelihood"


class Sizes(NamedTuple):
    """Of the oracle, the models, the data, and what is measured."""

    vocabulary: int = 5000
    length: int = 20
    units: int = 32
    dropout: float = 0.3  # of the models' inputs: without it they soon know the samples by heart
    filters: int = 32  # of the discriminators, and half of the mediator's units
    training: int = 10_000  # sequences to train on, to measure NLL_test on, and drawn at the end
    drawn: int = 2000  # for NLL_oracle during training
    pretraining: int = 40  # epochs of likelihood before those that need it
    every: int = 4  # epochs between two measures
    rollouts: int = 4  # of each beginning, of which every `rollout_every`th; published: 16, 1
    rollout_every: int = 4


TINY = Sizes(12, 5, 6, 0.3, 4, 96, 50, 2, 1, 2, 2)


class Method(NamedTuple):
    """How a method trains a model, and what was published for it."""

    make: Callable[[Any, Sizes, int], Any]
    nll_oracle: float | None
    seconds: float | None  # an epoch
    nll_test: float | None = None
    pretrained: bool = False
    rate: float = 1e-2
    critic_rate: float = 3e-3
    epochs: int = 80  # of the others fewer: what two cores do in ten minutes or so
    beta_2: float = 0.999  # of the second network's Adam
    slower: tuple[int, ...] = ()  # epochs after which the model's rate becomes a fifth


def _objective(name: str, **options: Any) -> Callable[[Any, Sizes, int], Any]:
    """Makes the trainer of that name, with a seed and, where it takes one, a discriminator."""

    def make(model, sizes, seed):
        from latentgen import objectives

        return getattr(objectives, name)(model, seed=seed, **options)

    return make


def _with_discriminator(name: str, rolls: bool = False, **options: Any):
    def make(model, sizes, seed):
        from latentgen import objectives

        reads = objectives.ElementEmbedding.of(model.head, sizes.units)
        chosen: dict[str, Any] = {
            "discriminator": objectives.ConvolutionalDiscriminator(reads, filters=sizes.filters)
        }
        if rolls:
            chosen |= {"rollouts": sizes.rollouts, "every": sizes.rollout_every}
        return getattr(objectives, name)(model, seed=seed, **chosen, **options)

    return make


def _scheduled(model, sizes, seed):
    from latentgen.objectives import scheduled_sampling
    from latentgen.training.schedules import LinearRamp

    return scheduled_sampling(model, LinearRamp(0.0, 0.5, 40 * (sizes.training // BATCH)))


def _cot(dropout: float, prior: float = 0.5):
    """With a mediator twice as wide as the model and with dropout, as the published one."""

    def make(model, sizes, seed):
        from latentgen.layers.decoder import Decoder
        from latentgen.objectives import CoT

        units = 2 * sizes.units
        head = model.head.from_config(
            model.head.get_config() | {"feature_size": units, "embedding_size": units}
        )
        mediator = Decoder(head, units, 0, input_dropout=dropout, seed=seed)
        return CoT(model, mediator, prior=prior, seed=seed)

    return make


def _tuned(make: Any, nll_oracle: float | None, seconds: float | None, epochs: int) -> Method:
    """A method that goes on from a model trained by likelihood, at a low rate."""
    return Method(make, nll_oracle, seconds, None, True, 1e-4, epochs=epochs)


METHODS = {
    LIKELIHOOD: Method(lambda model, sizes, seed: model, 9.08, 16.1, 8.97),
    "scheduled sampling": Method(_scheduled, 8.89, 32.5),
    "CoT": Method(_cot(0.5), 8.19, 53.9, 8.03),
    # A mediator that learns data more than draws teaches much faster.
    "CoT, prior ⅞": Method(
        _cot(0.2, 7 / 8),
        8.19,
        53.9,
        8.03,
        critic_rate=1e-2,
        epochs=112,
        beta_2=0.95,
        slower=(52, 96),
    ),
    "SeqGAN": _tuned(_with_discriminator("SeqGAN", rolls=True), 8.68, 818.0, 8),
    "RankGAN": _tuned(_with_discriminator("RankGAN", rolls=True), 8.37, 1270.0, 4),
    "MaliGAN": _tuned(_with_discriminator("MaliGAN"), 8.73, 741.0, 16),
    "ScratchGAN": Method(_objective("ScratchGAN"), None, None, epochs=24),
    "professor forcing": Method(_objective("ProfessorForcing"), 9.43, 487.0, epochs=24),
    "generalized JS": _tuned(_with_discriminator("GeneralizedJS"), None, None, 8),
    "Gumbel-softmax": _tuned(_objective("GumbelSoftmax"), None, None, 4),
}
