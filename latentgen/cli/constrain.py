"""What `constrain` is in every domain: its options, and learning from labels or from a rule."""

import enum
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentgen.cli.labels import parse_wants, typed_value
from latentgen.cli.output import check_file, say, wrote
from latentgen.cli.progress import progress_bar
from latentgen.cli.rules import Rule
from latentgen.errors import InputError
from latentgen.labels import read_labelled, typed

if TYPE_CHECKING:
    import numpy as np

    from latentgen.constraints.latent_constraints import LatentConstraints
    from latentgen.domain import DomainVAE
    from latentgen.vae import Posterior


class Method(enum.StrEnum):
    """How a constrained z is found."""

    actor = "actor"
    ascent = "ascent"
    density = "density"
    hmc = "hmc"
    rejection = "rejection"
    vector = "vector"


Labels = Annotated[
    Path | None,
    typer.Option(help="CSV or JSON with a column for each attribute, a row for each example."),
]
Want = Annotated[
    list[str], typer.Option(help="attribute=value, or a class; may be given several times.")
]
Rules = Annotated[
    list[str],
    typer.Option(help="A measured attribute and its bound, in place of labels; several too."),
]
Keep = Annotated[list[str], typer.Option(help="An attribute that must stay as it is; several too.")]
Strength = Annotated[
    float, typer.Option(min=0.0, help="How far to go: 0 stays, 1 as learnt, beyond at will.")
]
Turns = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="How long to learn: turns of critic and actor.",
        show_default="500 from labels, 1500 from a rule",
    ),
]
Save = Annotated[
    Path | None,
    typer.Option(help="Keep what was learnt, an .npz: for latentgen export --constraint."),
]
FROM_LABELS, FROM_A_RULE = 500, 1500


def check_source(labelled: Path | None, rule: Sequence[str], what: str) -> None:
    """Refuses both and neither of the two teachers."""
    if bool(rule) == (labelled is not None):
        raise InputError(
            f"expected {what} to learn from, or --rule in their place, "
            f"received {'both' if rule else 'neither'}"
        )


def check_save(save: Path | None, overwrite: bool) -> None:
    """Refuses a name that what is learnt cannot be kept under."""
    if save is not None:
        check_file(save, [".npz"], overwrite, "--save")


def keep_learnt(constraints: "LatentConstraints", save: Path | None) -> None:
    """Writes what was learnt, if that is wanted."""
    if save is not None:
        constraints.save(save)
        wrote(save, f"what was learnt: {', '.join(constraints.attribute_names) or 'realism'}")


def read_examples(
    source: Path,
    table: Path | None,
    with_labels: bool,
    read: Callable[[Path], list[Any]],
    suffixes: Collection[str],
) -> tuple[list[Any], dict[str, list[Any]]]:
    """Examples and their labels; the examples alone where nothing is asked of the labels."""
    if not with_labels and source.is_file() and table is None:
        return read(source), {}
    found = read_labelled(source, table, read, suffixes)
    columns = {name: typed(texts) for name, texts in found.labels.items()}
    return found.examples, columns if with_labels else {}


def wanted_values(
    wants: Sequence[str], keep: Sequence[str], columns: dict[str, list[Any]]
) -> dict[str, Any]:
    """What `--want` asks for, by attribute; refuses to want or `--keep` what has no labels."""
    for name in keep:
        if name not in columns:
            raise InputError(f"--keep {name}: expected one of {sorted(columns)}")
    return {
        name: typed_value(name, text, columns[name])
        for name, text in parse_wants(wants, columns).items()
    }


def learn(
    vae: "DomainVAE",
    examples: list[Any],
    columns: dict[str, list[Any]],
    turns: int | None,
    seed: int,
) -> "LatentConstraints":
    """Constraints from labels (none: realism alone), with a word on how well each was learnt."""
    from latentgen.constraints.latent_constraints import LatentConstraints

    constraints = LatentConstraints(vae.latent_size, seed=seed)
    with progress_bar(f"Learning from {len(examples)} examples", 100) as advance:
        posterior = vae.encode(examples)
        constraints.fit(
            posterior.mean,
            columns,
            scale=posterior.scale,
            unlabelled=vae.reference.mean if vae.reference else None,
            turns=turns or FROM_LABELS,
            progress=lambda share, what: advance(round(100 * share), what),
        )
    say(constraints.report)
    return constraints


def learn_rule(
    vae: "DomainVAE",
    decode: Callable[["np.ndarray"], list[Any]],
    rule: Sequence[str],
    obeys: Rule,
    turns: int | None,
    seed: int,
    real: "Posterior | None" = None,
) -> "LatentConstraints":
    """Constraints from what a rule, or several, says of the model's own pieces.

    `real` z say what is real.
    """
    from latentgen.constraints.latent_constraints import LatentConstraints

    constraints = LatentConstraints(vae.latent_size, seed=seed)
    with progress_bar("Learning the rule", 100) as advance:
        constraints.fit_reward(
            decode,
            {rule_name(rule): obeys},
            z=real.mean if real else None,
            turns=turns or FROM_A_RULE,
            progress=lambda share, what: advance(round(100 * share), what),
        )
    if real:
        constraints.keep_real(real.mean, real.scale, seed)
    say(constraints.report)
    return constraints


def constrained(
    constraints: "LatentConstraints",
    vae: "DomainVAE",
    count: int,
    wanted: dict[str, Any],
    changed: list[Any],
    *,
    method: Method,
    strength: float,
    keep: list[str],
    seed: int,
    **options: Any,
) -> "np.ndarray":
    """z as asked for: those of what is to be changed, moved; of the prior where there is none.

    `options` are the method's own.
    """
    how: dict[str, Any] = {
        "method": method.value,
        "strength": strength,
        "keep": keep,
        "seed": seed,
        **options,
    }
    if changed:
        return constraints.transform(vae.encode(changed).mean, wanted, **how)
    return constraints.sample(count, wanted, **how)


def in_words(rule: Sequence[str], wanted: dict[str, Any]) -> str:
    """What was asked for, to tell a person."""
    values = [f"{name}={value}" for name, value in wanted.items()]
    return ", ".join(list(rule) or values or ["nothing but realism"])


def rule_name(rule: Sequence[str]) -> str:
    """What rules that are asked for together are called, in an export too."""
    return " and ".join(map(str.strip, rule))


def obedience(rule: Sequence[str]) -> dict[str, Any]:
    """What is wanted where there is a rule: that it be obeyed."""
    return {rule_name(rule): True} if rule else {}


def say_what_obeys(obeys: Rule, pieces: Sequence[Any]) -> None:
    """How many of the results do what the rule says."""
    say(f"{sum(map(obeys, pieces))} of {len(pieces)} obey the rule")
