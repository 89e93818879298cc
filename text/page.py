"""Pages of sentences, to read; where sentences were changed, with what became of each.

`lines` makes a list of sentences for any page that has `STYLE` in it; `write_page` a page of its
own, light or dark as its reader's system is.
"""

import difflib
import os
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from latentgen import page
from latentgen.errors import InputError

STYLE = """
.lines { list-style:none; margin:12px 0 0; padding:0; max-width:820px }
.lines li { padding:9px 0; border-top:1px solid var(--line) }
.lines del { display:block; color:var(--muted); text-decoration:none; font-size:15px }
.lines mark { background:none; color:var(--accent) }
"""
_NOTHING = "—"  # where a model stopped before it had begun


class Section(NamedTuple):
    """A part of a page: what stands above its sentences, and the sentences."""

    title: str
    sentences: Sequence[str]
    originals: Sequence[str] = ()
    text: str = ""


def lines(
    sentences: Sequence[str], originals: Sequence[str] = (), captions: Sequence[str] = ()
) -> str:
    """Sentences as a list in HTML; each below its original, where there are some.

    What an original did not have is marked. Captions stand in small letters beside.

    Raises:
        InputError: originals or captions that are not as many as the sentences.
    """
    for name, others in (("originals", originals), ("captions", captions)):
        if others and len(others) != len(sentences):
            raise InputError(f"{name}: expected {len(sentences)}, received {len(others)}")
    items = []
    for index, sentence in enumerate(sentences):
        caption = f"<small>{escape(captions[index])}</small>" if captions else ""
        before = originals[index] if originals else None
        above = "" if before is None else f"<del>{escape(before) or _NOTHING}</del>"
        shown = escape(sentence) if before is None else _marked(before, sentence)
        items.append(f"<li>{caption}{above}{shown or _NOTHING}</li>")
    return f'<ol class="lines">{"".join(items)}</ol>'


def write_page(
    path: str | os.PathLike, title: str, sections: Iterable[Section], lead: str = ""
) -> None:
    """Writes a page of sections, whole or not at all. All texts are plain, not HTML."""
    body = "".join(
        page.section(part.title, part.text, lines(part.sentences, part.originals))
        for part in sections
    )
    page.write_page(path, title, body, lead, STYLE)


def _marked(before: str, after: str) -> str:
    """`after` in HTML, the words marked that `before` has not at their place."""
    old, new = before.split(), after.split()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    parts = []
    for change, _, _, start, end in matcher.get_opcodes():
        words = escape(" ".join(new[start:end]))
        if words:
            parts.append(words if change == "equal" else f"<mark>{words}</mark>")
    return " ".join(parts)
