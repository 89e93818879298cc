"""The demonstration's page of text: captions of photographs that nobody took."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from latentgen.demo.page import TEXT, head, pages
from latentgen.demo.rule_page import STYLE as PART
from latentgen.demo.rule_page import take_part
from latentgen.demo.rule_story import Take
from latentgen.text.page import STYLE as LINES
from latentgen.text.page import lines

STYLE = """
.take .lines { margin:0; max-width:none } .take .lines li { border-top:0; padding:5px 0 }
.red .lines { color:var(--accent) } .lines small { float:right; padding-left:18px }
"""
SOURCE = "captions of COCO's photographs (Chen et al. 2015, CC BY 4.0)"


def write_text_page(path: Path, take: Take, seed: int, there: Sequence[str]) -> None:
    """Writes the page of what was written; `there` are all pages, to link to."""
    text = (
        head("latentgen: ask for it, in words", LINES + PART + STYLE)
        + f"<main>{pages(TEXT, there)}{_opening(take)}"
        + take_part(take, _row, "Captions", SOURCE)
        + f"{_colophon(seed)}</main></html>\n"
    )
    path.write_text(text, encoding="utf-8")


def _opening(take: Take) -> str:
    return (
        "<h1>Ask for it, in words.</h1>"
        '<p class="lead">A small network learnt to write captions of photographs, each from 64 '
        "numbers. Left alone it writes what comes, in red. Constraints on these numbers make it "
        "write what was asked for. Nobody labelled anything: a line of Python says what is wanted, "
        f"is asked about {take.answered:,} captions, and its answers teach the constraints. The "
        "network that writes is never changed.</p>"
    )


def _colophon(seed: int) -> str:
    return (
        f'<p class="note" style="margin-top:72px">Seed {seed}. The model learnt from '
        f"{escape(SOURCE)}; everything on this page was written by it, each word being the "
        "likeliest. Latent constraints: Engel, Hoffman, Roberts 2017 (arXiv 1711.05772); text VAE: "
        "Bowman et al. 2016 (arXiv 1511.06349). Again: "
        f"<code>latentgen demo --seed {seed}</code>.</p>"
    )


def _row(
    name: str,
    pieces: Sequence[str],
    captions: Sequence[str] = (),
    red: bool = False,
    originals: Sequence[str] = (),
) -> str:
    return (
        f'<div class="take{" red" if red else ""}">{name}{lines(pieces, originals, captions)}</div>'
    )
