"""How a corpus spells its sentences, and the way between that and how a person writes.

Corpora of research are lower-cased and cut into tokens as the Penn Treebank is: "do n't stop , he
said ." A model speaks its corpus's language; people type and read "Don't stop, he said."
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from latentgen.errors import InputError

_ESCAPES = {  # tokens of the Penn Treebank that stand for a character
    "``": '"',
    "''": '"',
    "`": "'",
    "-lrb-": "(",
    "-rrb-": ")",
    "-LRB-": "(",
    "-RRB-": ")",
    "-lsb-": "[",
    "-rsb-": "]",
}
_OPENING = re.compile(r"``|[(\[{\"“‘$£€#]")
_CLOSING = re.compile(r"(?:''|…|\.{2,}|[)\]},;:?!\"”’%])$")
_CLITIC = re.compile(r"(.*[\w.])(n['’]t|['’](?:s|m|re|ve|ll|d))", re.IGNORECASE)
_STEM = re.compile(r"(.+s)(['’])", re.IGNORECASE)  # "the viewers' opinions"
_ABBREVIATION = re.compile(r"\w|.*\..*|mrs?|ms|dr|st|jr|sr|vs|etc|prof|inc|corp|co|ltd", re.I)
_LEFT = re.compile(r"[.,;:?!%)\]}”’…]|\.{2,}|n['’]t|['’](?:s|m|re|ve|ll|d)", re.IGNORECASE)
_RIGHT = re.compile(r"[(\[{$£€#“‘]")
_SPLIT_APOSTROPHE = re.compile(r"(\w) ' (s|t|m|re|ve|ll|d)\b", re.IGNORECASE)
_NOT_WORDS = {"N", "<unk>"}  # of the Penn Treebank: a number, a rare word


def count_words(sentences: Iterable[str]) -> Counter[str]:
    """How often each piece between spaces occurs: all that tokenizers learn from.

    The sentences are read once, so they may come from a file larger than memory.

    Raises:
        InputError: no sentence with anything in it, or one string in place of many.
    """
    if isinstance(sentences, str):
        raise InputError("sentences: expected many sentences, received one string")
    counts: Counter[str] = Counter()
    for sentence in sentences:
        counts.update(sentence.split())
    if not counts:
        raise InputError("sentences: expected at least one with a word in it, received none")
    return counts


@dataclass(frozen=True)
class Spelling:
    """The spelling of a corpus; `read` takes a person's into it, `write` brings it back.

    Attributes:
        tokenised: whether punctuation and "n't", "'s" stand by themselves, between spaces.
        cased: whether it tells capitals from small letters.
        kept: tokens that would be taken apart or lower-cased but for their being usual as they
            stand, such as "corp." and the "N" of the Penn Treebank.
        escapes: tokens of the Penn Treebank for quotation marks and brackets that occur.
    """

    tokenised: bool = True
    cased: bool = True
    kept: frozenset[str] = frozenset()
    escapes: frozenset[str] = frozenset()

    @classmethod
    def learn(cls, counts: Mapping[str, int]) -> "Spelling":
        """The spelling of a corpus whose pieces between spaces occur so often (`count_words`)."""
        whole = {chunk for chunk in counts if len(split_written(chunk)) == 1}
        apart = sum(n for chunk, n in counts.items() if chunk not in whole)
        alone = sum(counts[chunk] for chunk in whole if _stands_alone(chunk))
        capitals = sum(chunk != chunk.lower() and chunk not in _NOT_WORDS for chunk in counts)
        tokenised, cased = alone >= apart, capitals > 0.01 * len(counts)
        changed = {
            chunk
            for chunk in counts
            if (tokenised and chunk not in whole) or (not cased and chunk != chunk.lower())
        }
        # "corp." is usual where "corp" is not; "good." is a slip beside the frequent "good".
        usual = {
            chunk
            for chunk in changed - _NOT_WORDS
            if counts[chunk] > max(1, *(counts.get(p, 0) for p in split_written(chunk.lower())))
        }
        kept = usual | (changed & _NOT_WORDS)
        escapes = frozenset(_ESCAPES) & counts.keys() if tokenised else frozenset()
        return cls(tokenised, cased, frozenset(kept), escapes)

    def read(self, sentence: str) -> str:
        """A sentence as the corpus would have it; one that is in its spelling already stays."""
        tokens: list[str] = []
        for chunk in sentence.split():
            pieces = split_written(chunk) if self.tokenised and chunk not in self.kept else [chunk]
            word = next((k for k, p in enumerate(pieces) if p[0].isalnum()), len(pieces))
            if self._cased("".join(pieces[word : word + 2])) in self.kept:  # "corp", "."
                pieces[word : word + 2] = ["".join(pieces[word : word + 2])]
            tokens += [self._escaped(self._cased(p), k < word) for k, p in enumerate(pieces)]
        return " ".join(tokens)

    def write(self, sentence: str) -> str:
        """A sentence of the corpus as a person would write it."""
        text, glue, inside, start = "", True, False, not self.cased
        for token in sentence.split():
            opening = token in ("``", "`") or (token == '"' and not inside)
            closing = token == "''" or (token == '"' and inside)
            inside = (inside or opening) and not closing
            possessive = token in ("'", "’") and text.endswith("s")
            shown = _ESCAPES.get(token, token).replace("\\/", "/").replace("\\*", "*")
            if not self.cased and re.fullmatch(r"i(?:['’]\w+)?", shown):
                shown = "I" + shown[1:]
            if start and any(map(str.isalnum, shown)):
                shown, start = shown[0].upper() + shown[1:], False
            joined = glue or closing or possessive or _LEFT.fullmatch(shown) is not None
            text += shown if joined else f" {shown}"
            glue = opening or _RIGHT.fullmatch(shown) is not None
            start = start or (not self.cased and shown in (".", "?", "!"))
        return _SPLIT_APOSTROPHE.sub(r"\1'\2", text)

    def arguments(self) -> dict[str, Any]:
        """What `Spelling.of` makes it of again, plain JSON."""
        lists = {"kept": sorted(self.kept), "escapes": sorted(self.escapes)}
        return {"tokenised": self.tokenised, "cased": self.cased, **lists}

    @classmethod
    def of(cls, value: "Spelling | Mapping[str, Any] | None") -> "Spelling":
        """A spelling from its `arguments`; the default one of None."""
        if isinstance(value, Spelling):
            return value
        try:
            given = dict(value or {})
            flags = {name: given.pop(name, True) for name in ("tokenised", "cased")}
            words = {name: frozenset(given.pop(name, ())) for name in ("kept", "escapes")}
            strings = all(isinstance(word, str) for group in words.values() for word in group)
            if given or not strings or not all(isinstance(flag, bool) for flag in flags.values()):
                raise ValueError
        except (TypeError, ValueError):
            raise InputError(
                f"spelling: expected what Spelling.arguments() gave, received {str(value)[:80]}"
            ) from None
        return cls(flags["tokenised"], flags["cased"], words["kept"], words["escapes"])

    def _cased(self, piece: str) -> str:
        return piece if self.cased or piece in self.kept else piece.lower()

    def _escaped(self, piece: str, before: bool) -> str:
        if piece == '"':
            token = "``" if before else "''"
        else:
            token = next(
                (t for t in sorted(self.escapes) if _ESCAPES[t] == piece and t != "`"), piece
            )
        return token if token in self.escapes else piece


@functools.lru_cache(maxsize=2**16)
def _split(chunk: str) -> tuple[str, ...]:
    before: list[str] = []
    after: list[str] = []
    while (match := _OPENING.match(chunk)) and match.end() < len(chunk):
        before.append(match[0])
        chunk = chunk[match.end() :]
    while not _CLOSING.fullmatch(chunk) and (match := _CLOSING.search(chunk) or _stop(chunk)):
        after.append(match[0])
        chunk = chunk[: match.start()]
    match = _CLITIC.fullmatch(chunk) or _STEM.fullmatch(chunk)
    middle = match.groups() if match else (chunk,)
    return (*before, *middle, *reversed(after))


def split_written(chunk: str) -> list[str]:
    """The tokens, in the Penn Treebank's way, of a piece of writing between two spaces.

    >>> split_written('("don\\'t"),')
    ['(', '"', 'do', "n't", '"', ')', ',']
    """
    return list(_split(chunk))


def small_tokens(sentence: str) -> list[str]:
    """The tokens of a sentence, however it is spelt, in the Penn Treebank's way and small letters.

    >>> small_tokens("I don't know.")
    ['i', 'do', "n't", 'know', '.']
    """
    return [piece for chunk in sentence.lower().split() for piece in split_written(chunk)]


def _stop(chunk: str) -> re.Match[str] | None:
    """The full stop that ends a sentence, and no abbreviation."""
    match = re.search(r"(?<=.)\.$", chunk)
    return None if match is None or _ABBREVIATION.fullmatch(chunk[:-1]) else match


def _stands_alone(chunk: str) -> bool:
    return bool(chunk in _ESCAPES or _LEFT.fullmatch(chunk) or _RIGHT.fullmatch(chunk))
