"""What latentgen's pages share: one HTML file that needs nothing else, no network.

Light or dark, as its reader's system is.
"""

import os
from html import escape

from latentgen.files import atomic_file

STYLE = """
:root { color-scheme:light dark; --paper:#fbfaf7; --ink:#1d1d1f; --muted:#77757a;
  --line:#e6e2d8; --accent:#c2452d }
@media (prefers-color-scheme: dark) { :root { --paper:#161618; --ink:#ebe8e0; --muted:#98948b;
  --line:#33312d; --accent:#ff7d5f } }
* { box-sizing:border-box }
body { margin:0; background:var(--paper); color:var(--ink);
  font:17px/1.55 Georgia,'Iowan Old Style','Times New Roman',serif }
main { max-width:1160px; margin:0 auto; padding:64px 32px 96px }
h1 { font-size:clamp(36px,6vw,58px); line-height:1.04; font-weight:400; letter-spacing:-.02em;
  margin:0 0 16px }
h2 { font-size:28px; font-weight:400; letter-spacing:-.01em; margin:68px 0 4px }
p { max-width:680px; margin:0 0 12px } .lead { font-size:20px; color:var(--muted) }
"""


def head(title: str, style: str) -> str:
    """The beginning of a page, up to its body."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style>"
    )


def section(title: str, text: str, content: str) -> str:
    """A part of a page: its title, a text where there is one, and what it shows, as HTML."""
    return f"<h2>{escape(title)}</h2>{f'<p>{escape(text)}</p>' if text else ''}{content}"


def write_page(
    path: str | os.PathLike,
    title: str,
    body: str,
    lead: str = "",
    style: str = "",
    script: str = "",
) -> None:
    """Writes a page, whole or not at all. Title and lead are plain, the body is HTML."""
    intro = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    page = (
        head(title, STYLE + style)
        + f"<main><h1>{escape(title)}</h1>{intro}{body}</main>"
        + (f"<script>{script}</script>" if script else "")
        + "</html>\n"
    )
    with atomic_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
