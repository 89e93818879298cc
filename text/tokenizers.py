"""Tokenizers: sentences to token ids and back, in characters, words or subwords.

Every tokenizer has the same three special ids: 0 ends a sentence and pads it, 1 starts one, 2 is
what is unknown. Subwords are those of SentencePiece, which comes as one package without others and
learns from counted words; Hugging Face's tokenizers brings a client of their hub and eight more.
"""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from latentgen.errors import InputError
from latentgen.text.spelling import Spelling, count_words, split_written

END, START, UNKNOWN = 0, 1, 2
SPECIAL = ("<end>", "<start>", "<unk>")


class Tokenizer:
    """Sentences to ids and back; see `Characters`, `Words` and `Subwords`.

    A sentence that a person typed is first spelled as the corpus is, from which the tokenizer
    learned; what is decoded is written as a person would (`latentgen.text.spelling`). Within a
    corpus that is lower-cased and tokenised throughout, `encode(decode(ids)) == ids` for ids of its
    sentences without unknowns.

    Attributes:
        kind: what `arguments` calls it.
        vocabulary: the text of every id, the special ones included.
        spelling: that of the corpus.
    """

    kind: str

    def __init__(self, tokens: Sequence[str], spelling: Spelling | Mapping[str, Any] | None):
        self.vocabulary = (*SPECIAL, *tokens)
        self.spelling = Spelling.of(spelling)

    @property
    def size(self) -> int:
        """How many ids there are, the special ones included."""
        return len(self.vocabulary)

    def encode(self, sentence: str, verbatim: bool = False) -> list[int]:
        """The ids of a sentence, without start and end.

        Args:
            sentence: as a person writes, or as the corpus has it.
            verbatim: it is a line of the corpus, of which nothing is to be spelled otherwise.
        """
        return self._encode(
            " ".join(sentence.split()) if verbatim else self.spelling.read(sentence)
        )

    def decode(self, ids: Iterable[int]) -> str:
        """The sentence of ids up to the first end, as a person would write it."""
        return self.spelling.write(self.text(ids))

    def text(self, ids: Iterable[int]) -> str:
        """The sentence of ids up to the first end, in the corpus's spelling."""
        return self._join(self.tokens(ids))

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """The text of each id up to the first end; starts are left out.

        Raises:
            InputError: an id that is none of this vocabulary.
        """
        found = []
        for value in np.asarray(list(ids)).tolist():
            if not 0 <= value < self.size or value != int(value):
                raise InputError(
                    f"ids: expected ids from 0 to {self.size - 1}, received {value}: "
                    "they belong to another vocabulary"
                )
            if value == END:
                break
            if value != START:
                found.append(self.vocabulary[int(value)])
        return found

    def arguments(self) -> dict[str, Any]:
        """What `tokenizer_of` makes this tokenizer of again, plain JSON."""
        return {"kind": self.kind, **self._learned(), "spelling": self.spelling.arguments()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tokenizer) and self.arguments() == other.arguments()

    def __hash__(self) -> int:
        return hash((self.kind, self.vocabulary))

    def _encode(self, sentence: str) -> list[int]:
        raise NotImplementedError

    def _join(self, tokens: Sequence[str]) -> str:
        raise NotImplementedError

    def _learned(self) -> dict[str, Any]:
        raise NotImplementedError


class Characters(Tokenizer):
    """One id a character, the space among them.

    Args:
        vocabulary: the characters, each once.
        spelling: that of the corpus, see `Spelling.of`.

    Raises:
        InputError: no characters, or one twice.
    """

    kind = "characters"

    def __init__(
        self, vocabulary: Sequence[str], spelling: Spelling | Mapping[str, Any] | None = None
    ):
        self._ids = _numbered(vocabulary)
        if any(len(character) != 1 for character in vocabulary):
            raise InputError("vocabulary: expected single characters, received longer strings")
        super().__init__(vocabulary, spelling)

    @classmethod
    def learn(cls, sentences: Iterable[str], size: int = 512, minimum_count: int = 1) -> Self:
        """The characters of sentences: the most frequent ones, so that there are `size` ids."""
        counts = count_words(sentences)
        characters = {" ": sum(counts.values())}
        for word, count in counts.items():
            for character in word:
                characters[character] = characters.get(character, 0) + count
        return cls(_most_frequent(characters, size, minimum_count), Spelling.learn(counts))

    def _encode(self, sentence: str) -> list[int]:
        return [self._ids.get(character, UNKNOWN) for character in sentence]

    def _join(self, tokens: Sequence[str]) -> str:
        return "".join(tokens)

    def _learned(self) -> dict[str, Any]:
        return {"vocabulary": list(self.vocabulary[len(SPECIAL) :])}


class Words(Tokenizer):
    """One id a word, punctuation and "n't", "'s" being words too.

    Lines of a corpus whose punctuation stands by itself are taken as they are, between spaces;
    others are cut in the Penn Treebank's way (`spelling.split_written`). `<unk>` is unknown.

    Args:
        vocabulary: the words, each once.
        spelling: that of the corpus, see `Spelling.of`.

    Raises:
        InputError: no words, one twice, or one with a space in it.
    """

    kind = "words"

    def __init__(
        self, vocabulary: Sequence[str], spelling: Spelling | Mapping[str, Any] | None = None
    ):
        self._ids = _numbered(vocabulary)
        if any(word.split() != [word] or word in SPECIAL for word in vocabulary):
            raise InputError(f"vocabulary: expected words without spaces, and none of {SPECIAL}")
        super().__init__(vocabulary, spelling)

    @classmethod
    def learn(cls, sentences: Iterable[str], size: int = 20_000, minimum_count: int = 1) -> Self:
        """The words of sentences: the most frequent ones, so that there are `size` ids."""
        counts = count_words(sentences)
        spelling = Spelling.learn(counts)
        words: dict[str, int] = {}
        for chunk, count in counts.items():
            for word in [chunk] if spelling.tokenised else split_written(chunk):
                words[word] = words.get(word, 0) + count
        for special in SPECIAL:
            words.pop(special, None)
        return cls(_most_frequent(words, size, minimum_count), spelling)

    def _encode(self, sentence: str) -> list[int]:
        chunks = sentence.split()
        if not self.spelling.tokenised:
            chunks = [word for chunk in chunks for word in split_written(chunk)]
        return [self._ids.get(word, UNKNOWN) for word in chunks]

    def _join(self, tokens: Sequence[str]) -> str:
        return " ".join(tokens)

    def _learned(self) -> dict[str, Any]:
        return {"vocabulary": list(self.vocabulary[len(SPECIAL) :])}


class Subwords(Tokenizer):
    """Byte-pair encoding: frequent words are one id, others are put together of several.

    A piece begins with "▁" where a word begins. `encode(decode(ids)) == ids` where ids are those
    that `encode` gives: the same letters may be cut in other places too.

    Args:
        model: a SentencePiece model with the special ids of this module, as base64.
        spelling: that of the corpus, see `Spelling.of`.

    Raises:
        InputError: no such model.
    """

    kind = "subwords"

    def __init__(self, model: str, spelling: Spelling | Mapping[str, Any] | None = None):
        import sentencepiece

        try:
            data = base64.b64decode(model, validate=True)
            if not data:
                raise ValueError("it is empty")
            self._processor = sentencepiece.SentencePieceProcessor(model_proto=data)
            tokens = [
                self._processor.id_to_piece(k) for k in range(self._processor.get_piece_size())
            ]
        except (TypeError, ValueError, RuntimeError) as error:
            raise InputError(
                f"model: expected a SentencePiece model, received none: {error}"
            ) from None
        ends = self._processor.eos_id(), self._processor.bos_id(), self._processor.unk_id()
        if ends != (END, START, UNKNOWN) or self._processor.pad_id() != -1:
            raise InputError(
                f"model: expected {END}, {START} and {UNKNOWN} to end, to start and for unknowns, "
                f"received {ends}"
            )
        self._model = model
        super().__init__(tokens[len(SPECIAL) :], spelling)

    @classmethod
    def learn(cls, sentences: Iterable[str], size: int = 8_000, minimum_count: int = 1) -> Self:
        """The subwords of sentences, at most `size`, from words that occur often enough.

        Raises:
            InputError: there are more characters than subwords.
        """
        import sentencepiece

        counts = count_words(sentences)
        words = {word: count for word, count in counts.items() if word not in SPECIAL}
        kept = _most_frequent(words, len(words) + len(SPECIAL), minimum_count)
        written = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(f"{word}\t{counts[word]}" for word in kept),
                input_format="tsv",
                model_writer=written,
                model_type="bpe",
                vocab_size=size,
                hard_vocab_limit=False,
                character_coverage=1.0,
                normalization_rule_name="identity",
                eos_id=END,
                bos_id=START,
                unk_id=UNKNOWN,
                pad_id=-1,
                eos_piece=SPECIAL[END],
                bos_piece=SPECIAL[START],
                unk_piece=SPECIAL[UNKNOWN],
                minloglevel=2,
            )
        except RuntimeError as error:
            raise InputError(
                f"size: expected room for every character, received {size}: {error}"
            ) from None
        return cls(base64.b64encode(written.getvalue()).decode(), Spelling.learn(counts))

    def _encode(self, sentence: str) -> list[int]:
        first, *others = (self._processor.encode(part) for part in sentence.split(SPECIAL[UNKNOWN]))
        return first + [token for part in others for token in (UNKNOWN, *part)]

    def _join(self, tokens: Sequence[str]) -> str:
        text = "".join(tokens).replace(SPECIAL[UNKNOWN], f"▁{SPECIAL[UNKNOWN]}▁")
        return " ".join(text.replace("▁", " ").split())

    def _learned(self) -> dict[str, Any]:
        return {"model": self._model}


_KINDS: dict[str, type[Characters] | type[Words] | type[Subwords]] = {
    kind.kind: kind for kind in (Characters, Words, Subwords)
}


def tokenizer_of(value: Tokenizer | Mapping[str, Any]) -> Tokenizer:
    """A tokenizer from its `arguments`; one that is made already is given back.

    Raises:
        InputError: neither, or arguments that fit no tokenizer.
    """
    if isinstance(value, Tokenizer):
        return value
    if not isinstance(value, Mapping) or value.get("kind") not in _KINDS:
        raise InputError(
            f"tokenizer: expected a Tokenizer or its arguments() of kind {', '.join(_KINDS)}, "
            f"received {str(value)[:80]}"
        )
    arguments = {name: content for name, content in value.items() if name != "kind"}
    try:
        return _KINDS[value["kind"]](**arguments)
    except TypeError as error:
        raise InputError(f"tokenizer: expected what arguments() gave, {error}") from None


def _numbered(vocabulary: Sequence[str]) -> dict[str, int]:
    """The id of each token."""
    if isinstance(vocabulary, str):
        vocabulary = list(vocabulary)
    if not len(vocabulary) or not all(isinstance(token, str) and token for token in vocabulary):
        raise InputError("vocabulary: expected strings, at least one, received none or others")
    ids = {token: k for k, token in enumerate(vocabulary, start=len(SPECIAL))}
    if len(ids) < len(vocabulary):
        raise InputError("vocabulary: expected each token once, received one twice")
    return ids


def _most_frequent(counts: Mapping[str, int], size: int, minimum_count: int) -> list[str]:
    """The tokens that occur most, in a fixed order; with the special ids they are `size`."""
    if size <= len(SPECIAL) or minimum_count < 1:
        raise InputError(
            f"size, minimum_count: expected more than {len(SPECIAL)} ids and at least one "
            f"occurrence, received {size} and {minimum_count}"
        )
    tokens = sorted(
        (token for token, count in counts.items() if count >= minimum_count),
        key=lambda token: (-counts[token], token),
    )
    if not tokens:
        raise InputError(
            f"minimum_count: expected tokens that occur {minimum_count} times, none do"
        )
    return tokens[: size - len(SPECIAL)]
