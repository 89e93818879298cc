"""Zero-shot constraints: any Python function on decoded output is the teacher.

The published experiment (LC-GAN, section 5.3): decode prior samples, ask the rule, train on the
answers. A rule is cheap, so that every further round also asks it about what the actor itself
proposes: the critic learns where the actor is wrong, and the rare hits of the prior multiply. Four
further deviations, measured on Magenta's melodies (benchmarks/music_constraints.py):

- the attribute critics (networks here, judge.py) weigh far more for the actor than the critic,
  which alone keeps z' where the z that obey are: apart from each other, and of their lengths;
- they judge z' with noise, and with dropout: without it an actor finds the z' that please them and
  not the rule; the rules are asked about proposals with that noise, too;
- z' longer than the prior's cost: what the actor proposes is learnt from, so that without it two
  rules at once led round by round to z' of five times that length, where no rule held;
- z' closer to each other than the prior's cost: without it two rules at once led to z' around one
  point, and one melody in ten was the same as another.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from latentgen.constraints.attributes import FEWEST_OF_A_CLASS, Attribute, infer_attribute
from latentgen.constraints.batches import Batches
from latentgen.constraints.constrained import check_z
from latentgen.constraints.judge import Judge, hold_out
from latentgen.constraints.lc_gan import log_match
from latentgen.constraints.report import FitReport
from latentgen.errors import InputError

if TYPE_CHECKING:
    from latentgen.constraints.latent_constraints import LatentConstraints

SHAPE_WEIGHT = 30.0  # of z' longer than the prior's or closer together, see lc_gan.py
TRUE_SHARE = 0.65  # of the rows that ask for a rule: what a rule is for is to hold
TOGETHER = 0.3  # of these rows of several rules, those that ask for all at once
SEARCHES = 10  # how often a rule without hits is asked again before it is called hopeless


def fit_reward(
    constraints: "LatentConstraints",
    vae: Any,
    rule: Callable[[Any], Any] | Mapping[str, Callable[[Any], Any]],
    rounds: int = 10,
    samples: int = 1000,
    z: Any = None,
    turns: int = 1500,
    batch_size: int = 64,
    critic_steps: int = 2,
    learning_rate: float = 1e-3,
    attribute_weight: float = 10.0,
    noise: float = 0.5,
    jit_compile: bool = False,
    seed: int | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> "LatentConstraints":
    """Fits `constraints` to rules in a number of rounds.

    Args:
        constraints: what to fit; its `attributes` argument may state the rules' kinds.
        vae: anything with `decode(z)`, or such a function itself: z (n, latent_size) -> n outputs.
        rule: a function of one output to True/False (or a class, or a number), then called 'rule';
            or a mapping of names to such functions.
        rounds: of asking and training; each starts from the last one's proposals.
        samples: z decoded in each round: prior samples (in the first round twice as many), and
            from the second round on half of them the actor's.
        z: real latent vectors (n, latent_size), decoded and asked about too; without them the
            prior's samples stand for what is real.
        turns: of `critic_steps` critic updates and one actor update, `batch_size` rows each; shared
            among the rounds.
        learning_rate: of both players at the start; it falls to 0 along a cosine.
        attribute_weight: the actor's wish to satisfy the attribute critics, in place of the
            constructor's, which is for few labels.
        noise: deviation of the noise around z' in which the attribute critics must be satisfied.
        jit_compile: XLA on TensorFlow (JAX always has it).
        seed: in place of the constructor's.
        progress: called with the share done (0..1) and what is being done.

    Raises:
        InputError: the rule fails, or answers the same for all it was asked about.
    """
    started, seed = time.monotonic(), constraints.seed if seed is None else seed
    decode = vae.decode if hasattr(vae, "decode") else vae
    rules = dict(rule) if isinstance(rule, Mapping) else {"rule": rule}
    if not rules or not callable(decode) or not all(map(callable, rules.values())) or rounds < 1:
        raise InputError(
            "fit_reward expected a decoder, a function on one output (or a mapping of names to "
            f"such) and rounds of 1 or more, received {vae!r:.40}, {rule!r:.40} and {rounds!r}"
        )
    tell = progress or (lambda share, message: None)
    random, size = np.random.default_rng(seed), constraints.latent_size

    def prior(count: int) -> np.ndarray:
        return random.standard_normal((count, size), dtype="float32")

    tell(0.0, f"round 1 of {rounds}: asking the rule")
    real, others = _Asked(decode, rules, size), _Asked(decode, rules, size)
    drawn = real  # what the prior's samples count as
    if z is not None:
        real.ask(check_z(z, size))
        drawn = others
    for _ in range(SEARCHES):
        drawn.ask(prior(2 * samples))
        answers = {name: real.answers[name] + drawn.answers[name] for name in rules}
        if all(map(_teaches, answers.values())):
            break
    _check_answers(answers)
    kinds = constraints.kinds(answers)
    attributes = [infer_attribute(n, np.array(answers[n], object), kinds[n]) for n in kinds]
    judges = [Judge(attribute, size, seed + k) for k, attribute in enumerate(attributes)]
    constraints.attributes, constraints.attribute_names = tuple(attributes), tuple(kinds)
    network = constraints.build(
        np.zeros(size),
        seed,
        attribute_weight=attribute_weight,
        # Compiled once: the actor's loss reads the judges' variables, whatever they learn later.
        log_match=log_match(judges, [attribute.width for attribute in attributes]),
        judges=[judge.network for judge in judges],
        noise=noise,
        shape_weight=SHAPE_WEIGHT,
    )
    each = max(1, turns // rounds)
    network.compile_for(each * rounds, critic_steps, learning_rate, jit_compile)
    for index in range(rounds):
        step = _share_of(tell, index, rounds)
        if index:
            step(0.0, "asking the rule")
            proposals = _proposals(constraints, prior(samples // 2))
            # Every second where the judges are read: with noise.
            apart = np.arange(len(proposals))[:, None] % 2
            others.ask(proposals + apart * np.float32(noise) * prior(len(proposals)))
            drawn.ask(prior(samples - samples // 2))
        step(0.2, "training the attribute critics")
        everything = np.concatenate([real.z, others.z])
        codes, learnt = [], []
        for attribute, judge in zip(attributes, judges, strict=True):
            parts = [asked.codes(attribute) for asked in (real, others)]
            held_out = np.concatenate([hold_out(attribute, part) for part in parts])
            codes.append(np.concatenate(parts))
            judge.train(everything, codes[-1], held_out)
            learnt.append(judge.frozen(everything, codes[-1], held_out))
        constraints.learn([p for p, _ in learnt], [r for _, r in learnt], everything, codes)
        batches = Batches(
            everything,
            np.zeros((1, size), "float32"),
            attributes,
            list(constraints.predictors),
            codes,
            rows=batch_size * (critic_steps + 1),
            count=each,
            seed=seed + index,
            real=len(real.z),
            true_share=TRUE_SHARE,
            together=TOGETHER,
        )
        losses = network.play(batches, partial(_later, step))
    network.log_match = log_match(constraints.predictors, [a.width for a in attributes])
    constraints.keep_real(real.z, np.zeros(1), seed)
    seconds = time.monotonic() - started
    constraints.report = FitReport(constraints.reports, len(everything), seconds, **losses)
    return constraints


class _Asked:
    """z (n, latent_size) and what each rule answered about them when decoded."""

    def __init__(self, decode: Callable, rules: Mapping[str, Callable], size: int):
        self.decode, self.rules = decode, rules
        self.z = np.zeros((0, size), "float32")
        self.answers: dict[str, list[Any]] = {name: [] for name in rules}

    def ask(self, z: np.ndarray) -> None:
        for output in _outputs(self.decode, z) if len(z) else ():
            for name, function in self.rules.items():
                self.answers[name].append(_answer(function, output, name))
        self.z = np.concatenate([self.z, z])

    def codes(self, attribute: Attribute) -> np.ndarray:
        """An attribute's codes (n,); NaN for a class that the first answers did not have."""
        known = attribute.classes
        answers = self.answers[attribute.name]
        return attribute.encode([a if not known or a in known else None for a in answers])


def _share_of(
    tell: Callable[[float, str], None], index: int, rounds: int
) -> Callable[[float, str], None]:
    """The progress of one round as a share of all rounds."""
    prefix = f"round {index + 1} of {rounds}: "
    return lambda share, message: tell((index + share) / rounds, prefix + message)


def _later(tell: Callable[[float, str], None], share: float, message: str) -> None:
    """Playing is the last part of a round."""
    tell(0.3 + 0.7 * share, message)


def _proposals(constraints: "LatentConstraints", z: np.ndarray) -> np.ndarray:
    """The actor's z, asked for True, for each class or for measured values in turn.

    Of several rules, each is asked for alone by some rows, and all together by others.
    """
    if not len(z):
        return z
    rows, count = np.arange(len(z)), len(constraints.attributes)
    together = rows // count % 2 == 1
    values: dict[str, list[Any]] = {}
    for index, attribute in enumerate(constraints.attributes):
        choices: Any = attribute.classes
        if attribute.kind == "binary":
            choices = [True]
        elif not choices:
            choices = (attribute.mean + attribute.scale * np.linspace(-1.5, 1.5, 13)).tolist()
        asked = (rows % count == index) | together
        turn = rows // (2 * count)
        values[attribute.name] = [
            choices[turn[row] % len(choices)] if asked[row] else None for row in rows
        ]
    return constraints.transform(z, values)


def _outputs(decode: Callable[[np.ndarray], Any], z: np.ndarray) -> Any:
    outputs = decode(z)
    if len(outputs) != len(z):
        raise InputError(
            f"decode expected to return {len(z)} outputs, one a row of z, received {len(outputs)}"
        )
    return outputs


def _answer(function: Callable[[Any], Any], output: Any, name: str) -> Any:
    try:
        answer = function(output)
        answer = answer.item() if isinstance(answer, np.generic) else answer
    except Exception as error:
        raise InputError(f"rule {name!r} failed on a decoded output: {error!r}") from error
    if not isinstance(answer, str | bool | int | float):
        raise InputError(
            f"rule {name!r} expected to answer with a boolean, a class or a number, received "
            f"{answer!r:.60}"
        )
    return answer


def _teaches(answers: list[Any]) -> bool:
    """Whether there are at least two different answers, often enough to learn from."""
    counts = [answers.count(value) for value in set(answers)]
    discrete = len(counts) < len(answers) / 4
    return len(counts) > 1 and (not discrete or sorted(counts)[-2] >= 2 * FEWEST_OF_A_CLASS)


def _check_answers(answers: Mapping[str, list[Any]]) -> None:
    for name, given in answers.items():
        if len(set(given)) < 2:
            raise InputError(
                f"rule {name!r} expected to answer differently for some of {len(given)} decoded "
                f"samples, received {given[0]!r} for all; loosen it, or pass z that obey it"
            )
