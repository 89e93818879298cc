"""The demonstration's page of music: rolls that play when they are clicked, without any network."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from note_seq import NoteSequence

from latentgen.demo.page import MUSIC, head, pages
from latentgen.demo.rule_page import STYLE as PART
from latentgen.demo.rule_page import take_part
from latentgen.demo.rule_story import Take
from latentgen.music.rendering.frame import Frame, frame
from latentgen.music.rendering.page import SCRIPT, figure
from latentgen.music.rendering.page import STYLE as ROLLS

STYLE = """
.take .rolls { display:grid; grid-template-columns:repeat(3,1fr); gap:14px 22px; margin:0 }
.roll.red { color:var(--accent) } .roll figcaption { margin-top:4px }
.roll figcaption:empty::after { content:'play' }
"""
NAMES = {"melody_2bar": "Melodies", "drums_2bar": "Drums"}
SOURCES = {
    "melody_2bar": "the melodies of POP909 (Wang et al. 2020, MIT licence)",
    "drums_2bar": "drummers of the Groove MIDI dataset (Gillick et al. 2019, CC BY 4.0)",
}


def write_music_page(path: Path, takes: Sequence[Take], seed: int, there: Sequence[str]) -> None:
    """Writes the page of what was played; `there` are all pages, to link to."""
    parts = "\n".join(map(_part, takes))
    text = (
        head("latentgen: ask for it, to the ear", ROLLS + PART + STYLE)
        + f"<main>{pages(MUSIC, there)}{_opening(takes[0])}{parts}{_colophon(takes, seed)}</main>"
        + f"<script>{SCRIPT}</script></html>\n"
    )
    path.write_text(text, encoding="utf-8")


def _opening(take: Take) -> str:
    return (
        "<h1>Ask for it, to the ear.</h1>"
        '<p class="lead">Small networks learnt to play two bars: melodies, and drums. Left alone '
        "they play what comes, in red. Constraints on their latent space make them play what was "
        "asked for. Nobody labelled anything: a line of Python says what is wanted, is asked about "
        f"{take.answered:,} passages, and its answers teach the constraints. The networks that "
        "play are never changed. Click a roll to hear it.</p>"
    )


def _part(take: Take) -> str:
    groups = (take.realistic, *take.asked.values(), take.sweep, take.path)
    scales = frame(
        [p for group in (*groups, take.originals, *take.changed.values()) for p in group]
    )
    # The prior may play at both ends of the piano: it has scales of its own.
    unasked = frame(take.unasked, height=scales.height)

    def row(
        name: str,
        pieces: Sequence[NoteSequence],
        captions: Sequence[str] = (),
        red: bool = False,
        originals: Sequence[NoteSequence] = (),
    ) -> str:
        return _row(name, pieces, unasked if red else scales, captions, red)

    title, source = NAMES.get(take.preset, take.preset), SOURCES.get(take.preset, "music")
    return take_part(take, row, title, source)


def _colophon(takes: Sequence[Take], seed: int) -> str:
    sources = "; ".join(SOURCES.get(take.preset, take.preset) for take in takes)
    return (
        f'<p class="note" style="margin-top:72px">Seed {seed}. The models learnt from '
        f"{escape(sources)}; everything on this page was played by them. Latent constraints: "
        "Engel, Hoffman, Roberts 2017 (arXiv 1711.05772); MusicVAE: Roberts et al. 2018 (arXiv "
        f"1803.05428). Again: <code>latentgen demo --seed {seed}</code>.</p>"
    )


def _row(
    name: str,
    passages: Sequence[NoteSequence],
    scales: Frame,
    captions: Sequence[str] = (),
    red: bool = False,
) -> str:
    rolls = "".join(
        figure(passage, caption, scales)
        for passage, caption in zip(passages, captions or [""] * len(passages), strict=True)
    )
    if red:
        rolls = rolls.replace('class="roll"', 'class="roll red"')
    return f'<div class="take">{name}<div class="rolls">{rolls}</div></div>'
