"""ABC notation made plain enough for note_seq's parser, which refuses more than half of real tunes.

Standard: http://abcnotation.com/wiki/abc:standard:v2.1. Chords of notes and several voices remain
refused.
"""

import re
from fractions import Fraction

from latentgen.music.errors import Unsuitable

MAX_TUNE_CHARACTERS = 50_000  # a long tune has some thousand

_FIELD = re.compile(r"([A-Za-z]):(?![|:\]])")
_HEADER_FIELDS = "TCMLQK"
_BODY_FIELDS = "MLQK"
# From the mark of a first ending up to the repeat sign that closes it, or to the second ending.
_FIRST_ENDING = re.compile(r"[|\[]+[ ]*1[0-9,-]*(?![0-9/]).*?(?=:[|:\]]|[|\[]+[ ]*2)", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<text>"[^"\n]*")
    | (?P<field>\[[A-Za-z]:[^|:\]\n][^\]\n]*\])
    | (?P<tuplet>\((?P<notes>\d)(?::(?P<time>\d)?(?::(?P<count>\d)?)?)?)
    | (?P<ornament>![^!\s]*!|\+[^+\s]*\+|\{[^}\n]*\}|[().~HLMOPSTuvy`\\!$*])
    | (?P<bar>(?:[:|\]][:|\]\[]*|\[(?=[|\]\s\d]))(?:[ ]*\d[\d,-]*)?)
    | (?P<broken><+|>+)
    | (?P<tie>-)
    | (?P<note>(?P<pitch>(?:\^\^|\^|__|_|=)?[A-Ga-gzx][',]*)(?P<times>\d*)(?P<over>/*)(?P<by>\d*))
    | (?P<other>.)
    """,
    re.VERBOSE,
)
# How many note lengths a tuplet of so many notes lasts; 5, 7 and 9 depend on the meter.
_TUPLET_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}


def simplify_tune(text: str) -> tuple[str, list[str]]:
    """One tune → ABC that note_seq's `ABCTune` parses, and the role of each note in it.

    Repeats are written once, with their last ending; part marks, ornaments, slurs and words go;
    tuplets and broken rhythms become notes of plain lengths. note_seq knows neither rests nor
    ties: both are written as notes.

    Args:
        text: from the `X:` line on.

    Returns:
        The text, and for each of its notes in order 'note', 'rest' or 'tied' (the note before it
        goes on).

    Raises:
        Unsuitable: no tune, or something in it cannot be expressed.
    """
    if len(text) > MAX_TUNE_CHARACTERS:
        raise Unsuitable("too large", f"a tune of {len(text)} characters")
    lines = [line.partition("%")[0].strip() for line in text.splitlines()]
    key = next((i for i, line in enumerate(lines) if line.startswith("K:")), None)
    if key is None:
        raise Unsuitable("damaged file", "a tune without the field K: that ends its header")
    if len({line for line in lines if line.startswith("V:")}) > 1:
        raise Unsuitable("not supported", "ABC in several voices")
    # Fields straight after K: belong to the header. The last of each kind counts: collections hold
    # a corrected M: under a wrong one.
    music = next((i for i, line in enumerate(lines) if i > key and _field(line) == "-"), len(lines))
    header = {line[0]: line for line in lines[:music] if _field(line) in _HEADER_FIELDS}
    body = _FIRST_ENDING.sub("|", "\n".join(lines[music:]))
    compound = re.search(r"(6|9|12)\s*/\s*8", header.get("M", "")) is not None
    plain, roles = _plain_notes(body, compound)
    return "\n".join([*header.values(), plain]), roles


def _field(line: str) -> str:
    """The letter of an information field, or '-' for a line of music."""
    match = _FIELD.match(line)
    return match[1] if match else "-" if line else " "


def _plain_notes(body: str, compound: bool) -> tuple[str, list[str]]:
    """The music of a tune, and its notes' roles, as for `simplify_tune`."""
    pieces: list[str | list] = []  # text, or a note as [pitch, length]
    roles: list[str] = []
    last: list | None = None  # the note before, whose length a broken rhythm changes
    tie = False
    factor = Fraction(1)  # of the next note, from a broken rhythm
    tuplet, remaining = Fraction(1), 0
    for line in body.splitlines():
        if _FIELD.match(line):
            pieces += [line, "\n"] if line[0] in _BODY_FIELDS else []
            continue
        for match in _TOKEN.finditer(line):
            kind = match.lastgroup
            if kind == "note":
                length = _length(match) * factor
                factor = Fraction(1)
                if remaining:
                    length, remaining = length * tuplet, remaining - 1
                pitch = match["pitch"]
                rest = pitch[-1] in "zx"
                tied = tie and last is not None and not rest and _same(last[0], pitch)
                roles.append("rest" if rest else "tied" if tied else "note")
                # Without an accidental neither can change a note that follows it in the bar.
                last = ["D" if rest else pitch.lstrip("^_=") if tied else pitch, length]
                pieces.append(last)
                tie = False
            elif kind == "tie":
                tie = last is not None and roles[-1] != "rest"
            elif kind == "broken":
                marks = match[0]
                if last is None or len(marks) > 3:
                    raise Unsuitable("damaged file", f"a broken rhythm {marks[:5]!r}")
                short = Fraction(1, 2 ** len(marks))
                first, factor = (short, 2 - short) if marks[0] == "<" else (2 - short, short)
                last[1] *= first
            elif kind == "tuplet":
                notes = int(match["notes"])
                time = int(match["time"] or _TUPLET_TIME.get(notes, 3 if compound else 2))
                if not notes or not time:
                    raise Unsuitable("damaged file", f"a tuplet {match[0]!r}")
                tuplet, remaining = Fraction(time, notes), int(match["count"] or notes)
            elif kind == "bar":
                pieces.append("|")
            elif kind in ("text", "field"):
                pieces.append(match[0])
            elif match[0] == "[":
                raise Unsuitable("not supported", "ABC with chords of notes")
            elif kind == "other" and not match[0].isspace():
                raise Unsuitable("damaged file", f"a character {match[0]!r} in the music")
        pieces.append("\n")
    written = [
        piece
        if isinstance(piece, str)
        else f"{piece[0]}{piece[1].numerator}/{piece[1].denominator}"
        for piece in pieces
    ]
    return "".join(written), roles


def _length(match: re.Match) -> Fraction:
    """A note's length in unit notes: '3/2', '/', '//', '2' or nothing."""
    numerator, slashes, denominator = match["times"], match["over"], match["by"]
    if max(len(numerator), len(denominator)) > 4 or len(slashes) > 6:
        raise Unsuitable("damaged file", f"a note {match[0][:20]!r}")
    if denominator and (len(slashes) > 1 or not int(denominator)):
        raise Unsuitable("damaged file", f"a note {match[0]!r}")
    below = int(denominator) if denominator else 2 ** len(slashes)
    length = Fraction(int(numerator or 1), below)
    if not length:
        raise Unsuitable("damaged file", f"a note {match[0]!r} without length")
    return length


def _same(first: str, second: str) -> bool:
    """Whether a tie can join two notes: the second has the first's accidental, or none."""
    return second in (first, first.lstrip("^_="))
