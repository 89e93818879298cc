"""A text model's tokenizer as TensorFlow operations: a SavedModel that reads and writes text.

It needs TensorFlow alone, none of its extensions, and no Python where it runs: the vocabulary lies
in the graph. String operations run on the CPU, and not under XLA.
"""

import base64
from typing import Any

import numpy as np
import tensorflow as tf

from latentgen.errors import InputError
from latentgen.export.rows import checked
from latentgen.export.spelling_in_graph import (
    SpellingInGraph,
    join,
    readable,
    split_written,
    table,
)
from latentgen.text.tokenizers import (
    END,
    SPECIAL,
    START,
    UNKNOWN,
    Characters,
    Subwords,
    Tokenizer,
    Words,
)

LONGEST = 2**26
"""Most characters of all sentences, times those of the longest word: `Subwords` take so many steps,
which is a second."""


class TextInGraph(tf.Module):
    """What a tokenizer's `encode` and `decode` do, for many sentences, in a graph.

    Equal to the library's but for what `SpellingInGraph` states, and
    - bytes that are no UTF-8, and the character 0, are read as U+FFFD (Python refuses the former);
    - subwords of words of thousands of characters: an InvalidArgumentError, see LONGEST.

    Args:
        tokenizer: of a text model.

    Raises:
        InputError: subwords that are not byte-pair encoding as `Subwords.learn` makes it.
    """

    def __init__(self, tokenizer: Tokenizer):
        super().__init__(name="text")
        self._spelling = SpellingInGraph(tokenizer.spelling)
        self._vocabulary = np.array(tokenizer.vocabulary, dtype=object)
        self._of: Any
        match tokenizer:
            case Words() | Characters():
                self._of = _Whole(tokenizer)
            case Subwords():
                self._of = _Pieces(tokenizer)
            case _:
                raise InputError(
                    "tokenizer: expected Words, Characters or Subwords, "
                    f"received {type(tokenizer).__name__}"
                )

    def encode(self, sentences: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Sentences as a person writes them to ids, as `latentgen.text.data.pad_ids` pads them.

        Args:
            sentences: strings (n,) in UTF-8.

        Returns:
            ids (n, T) int32, closed by the end's 0: T is a multiple of 8 and longer than all; and
            how many ids each sentence has, (n,) int32: 0 for one with nothing in it.
        """
        ids = self._of.ids(self._spelling.read(readable(tf.convert_to_tensor(sentences))))
        lengths = tf.cast(ids.row_lengths(), tf.int32)
        steps = (tf.reduce_max(tf.concat([lengths, [0]], axis=0)) // 8 + 1) * 8
        return tf.cast(ids.to_tensor(END, shape=tf.stack([-1, steps])), tf.int32), lengths

    def decode(self, ids: Any) -> tf.Tensor:
        """Sentences (n,) of ids (n, T) up to the first end, as a person would write them.

        Ids of another vocabulary are an InvalidArgumentError.
        """
        ids = tf.cast(ids, tf.int32)
        shown = tf.math.cumsum(tf.cast(ids == END, tf.int32), axis=1) == 0
        ids = tf.ragged.boolean_mask(ids, shown & (ids != START))
        size = len(self._vocabulary)
        known = tf.reduce_all((ids.flat_values >= 0) & (ids.flat_values < size))
        expected = f"ids: expected ids from 0 to {size - 1}, received others"
        tokens = tf.gather(
            tf.constant(self._vocabulary, tf.string), checked(ids.flat_values, known, expected)
        )
        return self._spelling.write(self._of.text(ids.with_flat_values(tokens)))


class _Whole(tf.Module):
    """Ids that are words or characters: one table."""

    def __init__(self, tokenizer: Words | Characters):
        super().__init__()
        words = isinstance(tokenizer, Words)
        self.characters = not words
        self.cut = words and not tokenizer.spelling.tokenised
        known = tokenizer.vocabulary[len(SPECIAL) :]
        self._ids = table(known, np.arange(len(SPECIAL), tokenizer.size), UNKNOWN)

    def ids(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        if self.characters:
            tokens = tf.strings.unicode_split(join(tokens), "UTF-8")
        elif self.cut:
            cut = tf.strings.split(split_written(tokens.flat_values))
            tokens = tokens.with_flat_values(cut).merge_dims(1, 2)
        return tokens.with_flat_values(self._ids.lookup(tokens.flat_values))

    def text(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        if self.characters:
            return tf.strings.reduce_join(tokens.to_tensor(""), axis=1)
        return join(tokens)


class _Pieces(tf.Module):
    """Ids that are SentencePiece's byte pairs.

    A word is cut into characters, and the two neighbours whose union has the best score of all
    pieces are put together, the first two of several, until no union is a piece. Pieces begin with
    "▁" where a word does and have it nowhere else, so that words do not meet.
    """

    def __init__(self, tokenizer: Subwords):
        import sentencepiece

        super().__init__()
        model = base64.b64decode(tokenizer.arguments()["model"])
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        ids = {p: k for k, p in enumerate(tokenizer.vocabulary) if k >= len(SPECIAL)}
        single = {piece for piece in ids if len(piece) == 1}
        if (
            "▁" not in single
            or not single.issuperset("".join(ids))
            or any("▁" in p[1:] for p in ids)
        ):
            raise InputError("tokenizer: expected subwords as Subwords.learn makes them")
        self._size = tokenizer.size
        found = np.array([ids[character] for character in sorted(single)])
        self._characters = table(sorted(single), found, UNKNOWN)
        unions = {
            ids[piece[:k]] * self._size + ids[piece[k:]]: union
            for piece, union in ids.items()
            for k in range(1, len(piece))
            if piece[:k] in ids and piece[k:] in ids
        } or {0: 0}
        keys = np.array(list(unions), "int64"), np.array(list(unions.values()), "int64")
        self._unions = table(*keys, -1)
        scores = [processor.get_score(k) for k in range(self._size)]
        self._scores = np.array([*scores, -np.inf], "float32")  # the last for no piece
        self._check(tokenizer)

    def _check(self, tokenizer: Subwords) -> None:
        """Whether its words are cut so: a model of another kind cuts some of them otherwise."""
        pieces = [piece.removeprefix("▁") for piece in tokenizer.vocabulary[len(SPECIAL) :]]
        words = ["".join(pair) for pair in zip(pieces, pieces[::-1], strict=True) if any(pair)]
        words = words[:: len(words) // 1_000 + 1]
        expected = [tokenizer.encode(word, verbatim=True) for word in words]
        found = self.ids(tf.RaggedTensor.from_row_lengths(words, [1] * len(words)))
        if found.to_list() != expected:
            raise InputError("tokenizer: expected byte-pair encoding, received other subwords")

    def ids(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        # SentencePiece takes the ends of a text off; what is unknown already goes by the character
        # 0, which no text has.
        text = tf.strings.regex_replace(join(tokens), r"[ ▁]+(<unk>|$)", r" \1")
        words = tf.strings.split(tf.strings.regex_replace(text, "<unk>", " \0 "))
        flat = tf.where(words.flat_values == "\0", "\0", "▁" + words.flat_values)
        units = tf.strings.split(tf.strings.regex_replace(flat, "▁", " ▁"))
        characters = tf.strings.unicode_split(units.flat_values, "UTF-8")
        ids, unit = self._united(self._characters.lookup(characters.flat_values), characters)
        unknown = ids == UNKNOWN
        again = (unit[1:] == unit[:-1]) & unknown[1:] & unknown[:-1]  # many unknowns are one
        kept = tf.concat([[True], ~again], axis=0)[: tf.size(ids)]
        sentence = tf.gather(words.value_rowids(), units.value_rowids())
        return tf.RaggedTensor.from_value_rowids(
            tf.boolean_mask(ids, kept),
            tf.gather(sentence, tf.boolean_mask(unit, kept)),
            nrows=tokens.nrows(),
        )

    def _united(self, ids: tf.Tensor, units: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Ids of all characters → those of pieces, and the unit each belongs to."""
        n = units.nrows()
        steps = tf.size(ids, tf.int64) * units.bounding_shape(axis=1)
        expected = "sentences: expected shorter words, or fewer at once"
        ids = checked(ids, steps <= LONGEST, expected)

        def unite(ids, unit, going):
            place, left = tf.range(tf.size(ids) - 1), unit[:-1]
            union = self._unions.lookup(ids[:-1] * self._size + ids[1:])
            union = tf.where(left == unit[1:], union, -1)
            scores = tf.gather(self._scores, union % (self._size + 1))
            highest = tf.gather(tf.math.unsorted_segment_max(scores, left, n), left)
            best = (union >= 0) & (scores == highest)
            places = tf.where(best, place, tf.size(ids))
            best &= place == tf.gather(tf.math.unsorted_segment_min(places, left, n), left)
            ids = tf.concat([tf.where(best, union, ids[:-1]), ids[-1:]], axis=0)
            kept = tf.concat([[True], ~best], axis=0)
            return tf.boolean_mask(ids, kept), tf.boolean_mask(unit, kept), tf.reduce_any(best)

        return tf.while_loop(
            lambda ids, unit, going: going,
            unite,
            (ids, units.value_rowids(), tf.size(ids) > 1),
            shape_invariants=(tf.TensorShape([None]), tf.TensorShape([None]), tf.TensorShape([])),
        )[:2]

    def text(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        text = tf.strings.reduce_join(tokens.to_tensor(""), axis=1)
        text = tf.strings.regex_replace(text, "<unk>", " <unk> ")
        return tf.strings.regex_replace(text, "▁", " ")
