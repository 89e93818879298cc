"""`latentgen.text.spelling` as TensorFlow operations, for graphs that read and write sentences.

The patterns are those of that module, in the syntax of TensorFlow's regular expressions (RE2), of
which none looks ahead or behind. All rows, and all pieces between spaces, are treated at once.
"""

import re
from typing import Any

import tensorflow as tf

from latentgen.text import spelling as rules
from latentgen.text.spelling import Spelling

_SPACE = (  # where Python's str.split() cuts
    r"[\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"
)
_LETTERS = r"\p{L}\p{N}"  # str.isalnum


def as_re2(pattern: re.Pattern[str]) -> str:
    """A pattern of Python's as RE2 has it: `\\w` stands for ASCII alone there."""
    source = pattern.pattern.replace(r"[\w", f"[{_LETTERS}_").replace(r"\w", f"[{_LETTERS}_]")
    return f"(?i:{source})" if pattern.flags & re.IGNORECASE else source


_OPENING = as_re2(rules._OPENING)
_CLOSING = as_re2(rules._CLOSING).removesuffix("$")
_ABBREVIATION = as_re2(rules._ABBREVIATION)
_CLITIC = f"^{as_re2(rules._CLITIC)}$"
_STEM = f"^{as_re2(rules._STEM)}$"
_LEFT, _RIGHT = as_re2(rules._LEFT), as_re2(rules._RIGHT)
_SPLIT_APOSTROPHE = as_re2(rules._SPLIT_APOSTROPHE).replace(r"\b", rf"([^{_LETTERS}_]|$)")


def readable(strings: tf.Tensor) -> tf.Tensor:
    """Strings in which U+FFFD stands for what is no UTF-8, and for the character 0."""
    strings = tf.strings.unicode_transcode(strings, "UTF-8", "UTF-8", errors="replace")
    return tf.strings.regex_replace(strings, r"\x{0}", "\ufffd")


def split_at_spaces(strings: tf.Tensor) -> tf.RaggedTensor:
    """str.split() of each of (n,) strings: (n, None)."""
    return tf.strings.split(tf.strings.regex_replace(strings, _SPACE, " "))


def join(tokens: tf.RaggedTensor) -> tf.Tensor:
    """Tokens (n, None) with spaces between them, (n,)."""
    return tf.strings.unsorted_segment_join(
        tokens.flat_values, tokens.value_rowids(), tokens.nrows(), separator=" "
    )


def split_written(chunks: tf.Tensor) -> tf.Tensor:
    """`spelling.split_written` of (n,) pieces between spaces, none empty: tokens between spaces."""
    before, chunks = _cut(chunks, f"^((?:{_OPENING})*)(.+)$")
    before = tf.strings.regex_replace(before, _OPENING, r"\0 ")
    chunks, after = _without_closings(chunks)
    # An abbreviation is all that has another full stop, so that at most one is taken off.
    stopped = tf.strings.regex_replace(chunks, r"^(.+)\.$", r"\1")
    stops = tf.strings.regex_full_match(chunks, r".+\.")
    stops &= ~tf.strings.regex_full_match(stopped, _ABBREVIATION)
    chunks = tf.where(stops, stopped, chunks)
    after = tf.where(stops, " .", "") + after
    chunks, inner = _without_closings(chunks)
    for pattern in (_CLITIC, _STEM):
        chunks = tf.strings.regex_replace(chunks, pattern, r"\1 \2")
    return before + chunks + inner + after


def _without_closings(chunks: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Chunks, and what closes each, a space before every piece; one that is all closing stays."""
    chunks, after = _cut(chunks, rf"^(\.{{2,}}|''|.+?)((?:{_CLOSING})*)$")
    return chunks, tf.strings.regex_replace(after, _CLOSING, r" \0")


def _cut(strings: tf.Tensor, pattern: str) -> tuple[tf.Tensor, tf.Tensor]:
    """The two groups of a pattern that fits all strings."""
    first, second = (tf.strings.regex_replace(strings, pattern, group) for group in (r"\1", r"\2"))
    return first, second


class SpellingInGraph(tf.Module):
    """A corpus's spelling: `read` takes a person's into it, `write` brings it back.

    Equal to `Spelling.read` and `write` but for
    - letters that only one of Python's and TensorFlow's editions of Unicode knows;
    - small letters in a process whose locale is Turkish or Azeri, where ICU makes "ı" of "I";
    - an empty string among the `kept`, which no corpus gives.

    Args:
        spelling: that of the corpus.
    """

    def __init__(self, spelling: Spelling):
        super().__init__(name="spelling")
        self.tokenised, self.cased = spelling.tokenised, spelling.cased
        kept = sorted(spelling.kept - {""})
        self._kept = members(kept) if kept else None
        escaped = {
            (piece, before): spelling._escaped(piece, before)
            for piece in set(rules._ESCAPES.values())
            for before in (True, False)
        }
        self._escaped = [(*key, token) for key, token in escaped.items() if token != key[0]]
        self._escapes = tuple(rules._ESCAPES.items())

    def read(self, sentences: tf.Tensor) -> tf.RaggedTensor:
        """Sentences (n,) to the tokens (n, None) that `Spelling.read` puts spaces between."""
        chunks = split_at_spaces(sentences)
        flat = chunks.flat_values
        if self.tokenised:
            flat = tf.where(self._is_kept(flat), flat, split_written(flat))
        pieces = tf.strings.split(flat)
        chunk, tokens = pieces.value_rowids(), pieces.flat_values
        sentence = tf.gather(chunks.value_rowids(), chunk)
        # The first piece of each chunk that is a word, and which pieces stand before it.
        place = tf.range(tf.size(tokens))
        is_word = tf.strings.regex_full_match(tokens, f"[{_LETTERS}].*")
        word = tf.math.unsorted_segment_min(
            tf.where(is_word, place, tf.size(tokens)), chunk, pieces.nrows()
        )
        before = place < tf.gather(word, chunk)
        if self.tokenised and self._kept is not None:  # "corp", "."
            joined = tokens + tf.concat([tokens[1:], [""]], axis=0)
            follows = tf.concat([chunk[1:] == chunk[:-1], [False]], axis=0)[: tf.size(tokens)]
            merged = (place == tf.gather(word, chunk)) & follows
            merged &= self._is_kept(self._in_case(joined))
            tokens = tf.where(merged, joined, tokens)
            swallowed = tf.concat([[False], merged[:-1]], axis=0)[: tf.size(tokens)]
            tokens, before, sentence = (
                tf.boolean_mask(part, ~swallowed) for part in (tokens, before, sentence)
            )
        tokens = self._in_case(tokens)
        for piece, is_before, token in self._escaped:
            tokens = tf.where((tokens == piece) & (before == is_before), token, tokens)
        return tf.RaggedTensor.from_value_rowids(tokens, sentence, nrows=chunks.nrows())

    def write(self, sentences: tf.Tensor) -> tf.Tensor:
        """Sentences (n,) of the corpus as a person would write them, (n,)."""
        rows = split_at_spaces(sentences)
        tokens = shown = rows.flat_values
        for token, character in self._escapes:
            shown = tf.where(tokens == token, character, shown)
        shown = tf.strings.regex_replace(shown, r"\\([/*])", r"\1")
        if not self.cased:
            shown = tf.strings.regex_replace(shown, rf"^i((?:['’][{_LETTERS}_]+)?)$", r"I\1")
        opening, closing, starts = self._quotes_and_starts(rows, shown)
        if not self.cased:
            one = tf.ones_like(tokens, tf.int32)
            first = tf.strings.substr(shown, 0 * one, one, unit="UTF8_CHAR")
            rest = tf.strings.substr(shown, one, one * tf.int32.max, unit="UTF8_CHAR")
            shown = tf.where(starts, tf.strings.upper(first, encoding="utf-8") + rest, shown)
        after_s = _before(tf.strings.regex_full_match(shown, "(?s:.*)s"))
        glue = _before(opening | tf.strings.regex_full_match(shown, _RIGHT))
        row = rows.value_rowids()
        glue |= row != tf.concat([[-1], row[:-1]], axis=0)[: tf.size(row)]  # a row's first token
        possessive = ((tokens == "'") | (tokens == "’")) & after_s
        glue |= closing | possessive | tf.strings.regex_full_match(shown, _LEFT)
        text = rows.with_flat_values(tf.where(glue, "", " ") + shown)
        text = tf.strings.reduce_join(text.to_tensor(""), axis=1)
        return tf.strings.regex_replace(text, _SPLIT_APOSTROPHE, r"\1'\2\3")

    def _quotes_and_starts(self, rows: tf.RaggedTensor, shown: tf.Tensor) -> tuple[Any, Any, Any]:
        """Which tokens open and close a quotation, and which begin a sentence: flat flags."""
        tokens = rows.flat_values
        flags = (
            (tokens == "``") | (tokens == "`"),
            tokens == "''",
            tokens == '"',
            tf.strings.regex_full_match(shown, f"(?s:.*)[{_LETTERS}](?s:.*)"),
            (shown == ".") | (shown == "?") | (shown == "!"),
        )
        opens, closes, either, words, stops = (
            tf.transpose(rows.with_flat_values(flag).to_tensor(False)) for flag in flags
        )  # (T, n)

        def after(state, step):
            inside, starts = state
            opens, closes, either, word, stops = step
            return (inside | opens) & ~closes ^ either, starts & ~word | stops

        none = tf.zeros([rows.nrows()], tf.bool)
        first = (none, none | (not self.cased))
        states = tf.scan(after, (opens, closes, either, words, stops), first)
        inside, starts = (
            tf.concat([start[None], state], axis=0)[:-1]
            for start, state in zip(first, states, strict=True)
        )
        return tuple(
            tf.RaggedTensor.from_tensor(tf.transpose(flag), rows.row_lengths()).flat_values
            for flag in (opens | either & ~inside, closes | either & inside, starts & words)
        )

    def _is_kept(self, pieces: tf.Tensor) -> tf.Tensor:
        return tf.zeros_like(pieces, tf.bool) if self._kept is None else self._kept.lookup(pieces)

    def _in_case(self, pieces: tf.Tensor) -> tf.Tensor:
        if self.cased:
            return pieces
        return tf.where(self._is_kept(pieces), pieces, tf.strings.lower(pieces, encoding="utf-8"))


def members(words: list[str]) -> tf.lookup.StaticHashTable:
    """A table that says which words are among these."""
    return table(words, [True] * len(words), False)


def table(keys: Any, values: Any, default: Any) -> tf.lookup.StaticHashTable:
    """A table that lies in the graph it is used in."""
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), default)


def _before(flags: tf.Tensor) -> tf.Tensor:
    """The flag of the token before, False for the first."""
    return tf.concat([[False], flags[:-1]], axis=0)[: tf.size(flags)]
