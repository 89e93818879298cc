"""`latentgen text constrain`: write what a few labels, or a rule, ask for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentgen.cli import constrain as constraining
from latentgen.cli.constrain import (
    Keep,
    Labels,
    Method,
    Rules,
    Save,
    Strength,
    Turns,
    Want,
)
from latentgen.cli.options import Count, Overwrite, Preset, Seed, Temperature, examples
from latentgen.cli.progress import waiting
from latentgen.cli.rules import Rule, parse_rule
from latentgen.cli.text.model import open_vae, writing
from latentgen.cli.text.options import CAPTIONS, Output, TopK, TopP
from latentgen.cli.text.sentences import (
    check_given,
    check_out,
    choose,
    read_given,
    read_labelled,
    write,
)

if TYPE_CHECKING:
    from latentgen.constraints.latent_constraints import LatentConstraints

app = typer.Typer()


@app.command(
    epilog=examples(
        "latentgen text constrain --rule 'contains_word(dog) > 0.5' --rule 'number_of_words < 8'",
        "latentgen text constrain --rule 'tense == past' --preset my-text --out past.txt",
        "latentgen text constrain liked.csv --want liked=yes -n 20 --out more.html",
        "latentgen text constrain sentiment --want 1 --limit 70 --preset my-text",
        "latentgen text constrain by-feeling/ --want quiet --change 'the dog was loud'",
        "latentgen text constrain --rule 'tense == past' --change captions.txt --strength 1.5",
        "latentgen text constrain captions.txt --out like-these.json",
    )
)
def constrain(
    labelled: Annotated[
        Path | None,
        typer.Argument(
            help="Labelled sentences: a table with a column 'text' and one for each attribute; a "
            "folder of a folder or a .txt for each class; NAME, of files NAME.0 and NAME.1; or a "
            "file with --labels. Without --want: sentences like these."
        ),
    ] = None,
    labels: Labels = None,
    want: Want = [],  # noqa: B006
    rule: Rules = [],  # noqa: B006
    change: Annotated[
        str | None,
        typer.Option(help="A sentence, or a file, to change; without it new ones are written."),
    ] = None,
    keep: Keep = [],  # noqa: B006
    method: Annotated[
        Method | None,
        typer.Option(
            help="How to get there.",
            show_default="density, or actor for a model without latents.npz; ascent to change",
        ),
    ] = None,
    strength: Strength = 1.0,
    turns: Turns = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Learn from so many sentences, drawn at random.")
    ] = None,
    count: Count = 8,
    preset: Preset = CAPTIONS,
    temperature: Temperature = 0.0,
    top_k: TopK = None,
    top_p: TopP = None,
    out: Output = None,
    save: Save = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Write what seventy labels, or a rule, ask for. Learnt fast; the model stays as it is."""
    check_out(out, overwrite)
    constraining.check_save(save, overwrite)
    constraining.check_source(labelled, rule, "sentences")
    check_given(*([change] if change else []))
    obeys = _rule(rule)
    sentences, columns = read_labelled(labelled, labels, bool(want)) if labelled else ([], {})
    wanted = constraining.obedience(rule) or constraining.wanted_values(want, keep, columns)
    vae = open_vae(preset)
    changed = read_given(change, vae, count) if change else []
    how = writing(temperature, top_k, top_p, seed)
    constraints: LatentConstraints
    if rule:
        constraints = constraining.learn_rule(
            vae, lambda z: vae.decode(z, **how), rule, obeys, turns, seed, vae.reference
        )
    else:
        chosen = choose(sentences, columns, vae, limit, seed)
        constraints = constraining.learn(vae, *chosen, turns, seed)
    constraining.keep_learnt(constraints, save)
    if method is None and wanted and changed:
        method = Method.ascent
    elif method is None:  # without a reference there is no density of real sentences to follow
        method = Method.density if vae.reference or not wanted else Method.actor
    # More steps on the density lead to ever fewer sentences.
    options = {"steps": 1} if method is Method.density else {}
    with waiting("Writing what was asked for"):
        z = constraining.constrained(
            constraints,
            vae,
            count,
            wanted,
            changed,
            method=method,
            strength=strength,
            keep=keep,
            seed=seed,
            **options,
        )
        written = vae.decode(z, **how)
    asked = constraining.in_words(rule, wanted)
    what = f"{len(written)} sentences, asked for {asked}"
    write(out, written, f"Asked for {asked}", what, originals=changed)
    if rule:
        constraining.say_what_obeys(obeys, written)


def _rule(texts: list[str]) -> Rule:
    from latentgen.text import attributes

    return parse_rule(texts, attributes, example="number_of_words<8", nothing="")
