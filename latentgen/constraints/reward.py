"""Zero-shot constraints: any Python function on decoded output is the teacher.

The published experiment (LC-GAN, section 5.3): decode prior samples, ask the rule, train on the
answers. A rule is cheap, so that every further round also asks it about what the actor itself
proposes: the critic learns where the actor is wrong, and the rare hits of the prior multiply.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from latentgen.constraints.attributes import FEWEST_OF_A_CLASS
from latentgen.constraints.constrained import check_z
from latentgen.errors import InputError

if TYPE_CHECKING:
    from latentgen.constraints.latent_constraints import LatentConstraints

logger = logging.getLogger(__name__)

SEARCHES = 10  # how often a rule without hits is asked again before it is called hopeless


def fit_reward(
    constraints: "LatentConstraints",
    vae: Any,
    rule: Callable[[Any], Any] | Mapping[str, Callable[[Any], Any]],
    rounds: int = 5,
    samples: int = 500,
    z: Any = None,
    seed: int | None = None,
    progress: Callable[[float, str], None] | None = None,
    **settings: Any,
) -> "LatentConstraints":
    """Fits `constraints` to rules in a number of rounds.

    Args:
        constraints: what to fit; its `attributes` argument may state the rules' kinds.
        vae: anything with `decode(z)`, or such a function itself: z (n, latent_size) -> n outputs.
        rule: a function of one output to True/False (or a class, or a number), then called 'rule';
            or a mapping of names to such functions.
        rounds: of asking and training; each starts from the last one's proposals.
        samples: z decoded in each round: prior samples, and from the second round on half of them
            the actor's.
        z: real latent vectors (n, latent_size), decoded and asked about too; without them the
            prior's samples stand for what is real.
        seed: in place of the constructor's.
        progress: called with the share done (0..1) and what is being done.
        **settings: of `LatentConstraints.fit`; `turns` is shared among the rounds.

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
    random = np.random.default_rng(seed)
    size = constraints.latent_size
    known = np.zeros((0, size), "float32") if z is None else check_z(z, size)
    answers: dict[str, list[Any]] = {name: [] for name in rules}

    def ask(z: np.ndarray) -> None:
        for output in _outputs(decode, z):
            for name, function in rules.items():
                answers[name].append(_answer(function, output, name))

    if len(known):
        ask(known)
    turns = max(1, settings.pop("turns", 500) // rounds)
    for index in range(rounds):
        tell(index / rounds, f"round {index + 1} of {rounds}: asking the rule")
        fresh = random.standard_normal((samples, size)).astype("float32")
        if index:
            for position, name in enumerate(rules):
                share = slice(position, samples // 2, len(rules))
                fresh[share] = _proposals(constraints, fresh[share], name)
        ask(fresh)
        known = np.concatenate([known, fresh])
        if not index:
            for _ in range(SEARCHES):
                if all(map(_teaches, answers.values())):
                    break
                more = random.standard_normal((samples, size)).astype("float32")
                ask(more)
                known = np.concatenate([known, more])
            _check_answers(answers)
        step = _share_of(tell, index, rounds)
        warm = index > 0
        constraints.fit(
            known, answers, turns=turns, seed=seed, progress=step, warm_start=warm, **settings
        )
    if constraints.report is not None:
        constraints.report = replace(constraints.report, seconds=time.monotonic() - started)
    return constraints


def _share_of(
    tell: Callable[[float, str], None], index: int, rounds: int
) -> Callable[[float, str], None]:
    """The progress of one round as a share of all rounds."""
    prefix = f"round {index + 1} of {rounds}: "
    return lambda share, message: tell((index + share) / rounds, prefix + message)


def _proposals(constraints: "LatentConstraints", z: np.ndarray, name: str) -> np.ndarray:
    """The actor's z for the rule's True, or for each class or a measured value in turn."""
    attribute = constraints.attributes[constraints.attribute_names.index(name)]
    if attribute.kind == "binary":
        values: Any = True
    elif attribute.classes:
        values = [attribute.classes[row % len(attribute.classes)] for row in range(len(z))]
    else:
        values = (attribute.mean + attribute.scale * np.linspace(-1.5, 1.5, len(z))).tolist()
    return constraints.transform(z, {name: values}) if len(z) else z


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
