"""`latentgen music constrain`: play what a few labels, or a rule, ask for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from latentgen.cli.music.model import open_model, open_vae, playing
from latentgen.cli.music.options import (
    MELODIES,
    Chords,
    Key,
    Program,
    Tempo,
    Tracks,
    track_names,
)
from latentgen.cli.music.passages import (
    READABLE,
    check_exists,
    check_out,
    read_passages,
    write,
)
from latentgen.cli.options import Count, Out, Overwrite, Preset, Seed, Temperature, examples
from latentgen.cli.output import wrote
from latentgen.cli.progress import waiting
from latentgen.cli.rules import Rule, parse_rule
from latentgen.cli.startup import import_note_seq

if TYPE_CHECKING:
    from note_seq import NoteSequence

app = typer.Typer()


@app.command(
    epilog=examples(
        "latentgen music constrain --rule 'share_in_key(C major) > 0.95' --out in-c.html",
        "latentgen music constrain --rule 'mean_pitch > 72' --rule 'note_density < 4' --out h.mid",
        "latentgen music constrain liked/ --want liked=yes --out more.html",
        "latentgen music constrain by-mood/ --want calm --method ascent --out calm.png",
        "latentgen music constrain liked/ --out like-these.html",
        "latentgen music constrain --rule 'note_density > 5' --change tune.mid --out busier.html",
        "latentgen music constrain --preset my-drums --rule 'kick_on_beat > 0.9' --out four.wav",
    )
)
def constrain(
    labelled: Annotated[
        Path | None,
        typer.Argument(
            help="Labelled music: a folder with labels.csv (file, then a column for each "
            "attribute), a folder of a folder or a file for each class, or a file with --labels. "
            "Without --want: music that is like this."
        ),
    ] = None,
    labels: Labels = None,
    want: Want = [],  # noqa: B006
    rule: Rules = [],  # noqa: B006
    change: Annotated[
        Path | None, typer.Option(help="Music to change; without it new music is made.")
    ] = None,
    keep: Keep = [],  # noqa: B006
    method: Annotated[
        Method | None,
        typer.Option(
            help="How to get there.",
            show_default="density, or actor; ascent to change by labels",
        ),
    ] = None,
    strength: Strength = 1.0,
    turns: Turns = None,
    count: Count = 16,
    preset: Preset = MELODIES,
    temperature: Temperature = 0.5,
    tempo: Tempo = None,
    program: Program = None,
    chords: Chords = "",
    key: Key = "",
    tracks: Tracks = "",
    out: Out = Path("constrained.html"),
    save: Save = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Play what seventy labels, or a rule, ask for. Learnt in seconds; the model stays as it is."""
    check_out(out, count, overwrite)
    constraining.check_save(save, overwrite)
    constraining.check_source(labelled, rule, "music")
    check_exists(*(path for path in (labelled, change) if path))
    import_note_seq()
    obeys = _rule(rule)
    # A rule needs no encoder, so that a decoder alone can be told what to play.
    vae: Any = open_vae(preset) if labelled or change else open_model(preset)
    names = track_names(tracks)

    def read(path: Path) -> "list[NoteSequence]":
        return read_passages(path, vae.converter, names)

    changed = read(change)[:count] if change else []
    check_out(out, len(changed) or count, overwrite)
    how = playing(vae, temperature, tempo, program, chords, key, seed, changed)
    wanted = constraining.obedience(rule)
    if labelled is None:
        asking = playing(vae, temperature, None, None, chords, key, seed, changed[:1])
        constraints = constraining.learn_rule(
            vae,
            lambda z: vae.decode(z, **_for_all(asking)),
            rule,
            obeys,
            turns,
            seed,
            vae.reference,
        )
    else:
        music, columns = constraining.read_examples(labelled, labels, bool(want), read, READABLE)
        wanted = constraining.wanted_values(want, keep, columns)
        constraints = constraining.learn(vae, music, columns, turns, seed)
    constraining.keep_learnt(constraints, save)
    # Ascent stays nearest, but after a rule, whose critics are networks, it stops too soon.
    usual = Method.ascent if changed and labelled and wanted else Method.density
    if vae.reference is None and wanted and not changed:
        usual = Method.actor  # there is no density of real music to follow
    with waiting("Playing what was asked for"):
        z = constraining.constrained(
            constraints,
            vae,
            count,
            wanted,
            changed,
            method=method or usual,
            strength=strength,
            keep=keep,
            seed=seed,
        )
        played = vae.decode(z, **how)
    asked = constraining.in_words(rule, wanted)
    write(out, played, f"Asked for {asked}", originals=changed)
    wrote(out, f"{len(played)} passages, asked for {asked}")
    if rule:
        constraining.say_what_obeys(obeys, played)


def _for_all(how: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `decode` with the control of the first passage for any number of z."""
    control = how.get("control")
    return how | {"control": control[0]} if control is not None and control.ndim == 3 else how


def _rule(texts: list[str]) -> Rule:
    from note_seq import NoteSequence

    from latentgen.music import attributes, drum_attributes

    return parse_rule(
        texts, attributes, drum_attributes, example="note_density<4", nothing=NoteSequence()
    )
