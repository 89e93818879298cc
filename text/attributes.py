"""Measured attributes of a sentence: labels to learn constraints from, rewards, and judges.

Each is a function of a sentence, in a corpus's spelling or as a person writes, English where it
says so; it has a value for every string, the empty one included.
"""

import re
from itertools import pairwise

from latentgen.errors import InputError
from latentgen.text.spelling import Spelling, small_tokens
from latentgen.text.verbs import tense_of

TENSES = ("past", "present", "future", "none")
_CLITICS = frozenset(["n't", "'s", "'m", "'re", "'ve", "'ll", "'d"])
_BRACKETS = frozenset(["-lrb-", "-rrb-", "-lsb-", "-rsb-", "-lcb-", "-rcb-"])
_ASKING = re.compile(
    r"(?:(?:what|who|whom|whose|which|where|when|why|how)\s(?:\w+\s){0,2})?"
    r"(?:is|are|am|was|were|do|does|did|have|has|had|can|could|will|would|should|shall|may|might)"
    r"\s(?:n't\s)?(?:i|you|he|she|it|we|they|there|this|that|these|those|anyone|anybody|the|a|an|"
    r"my|your|his|her|our|their)\b"
)
_INNER_SILENT = re.compile(
    r"(?<=[^aeiouy])e(?=(?:ly|ments?|less|ful|ness|thing|ones?|where|body|boards?|times?)$)"
)
_SILENT = re.compile(
    r"(?<=[aeiouy][^aeiouy])e$|(?<=[aeiouy][^aeiouy][^aeiouyl])e$"
    r"|(?<=[^aeiouytd])e(?=d$)|(?<=[^aeiouyscxzhgl])e(?=s$)|(?<=[aeiouy]l)e(?=s$)"
)
_TWO_VOWELS = re.compile(
    r"(?<![tscglq])i[aou]|(?<![tscgl])io|[eoiuy]ing$|sm$|ua(?=[lt])|ea(?=s?$)(?<=r..)"
)


def number_of_words(sentence: str) -> float:
    """How many words there are: "don't" is one, "well-made" is one, punctuation is none.

    >>> number_of_words("i do n't know .")
    3.0
    """
    return float(len(_words(sentence)))


def number_of_characters(sentence: str) -> float:
    """How many characters there are as a person writes it, spaces and punctuation included.

    >>> number_of_characters("i do n't know .")
    13.0
    """
    return float(len(Spelling().write(sentence)))


def contains_word(sentence: str, word: str) -> float:
    """1 where the word occurs, else 0; capitals do not matter, and "cat" is not in "cats".

    Args:
        sentence: any.
        word: one word, or several in a row.

    Raises:
        InputError: no word.
    """
    wanted = small_tokens(word)
    if not wanted:
        raise InputError(f"word: expected a word, received {word!r}")
    tokens = small_tokens(sentence)
    starts = range(len(tokens) - len(wanted) + 1)
    return float(any(tokens[k : k + len(wanted)] == wanted for k in starts))


def is_question(sentence: str) -> float:
    """1 for a question, else 0: by its mark, or in English by its first words if it has none.

    >>> is_question("what do you think")
    1.0
    """
    ends = re.findall(r"[.!?]+", sentence)
    if ends:
        return float("?" in ends[-1])
    return float(_ASKING.match(" ".join(small_tokens(sentence))) is not None)


def tense(sentence: str) -> str:
    """'past', 'present', 'future' or 'none', of the first finite verb in English.

    "Have gone" is present, as are commands and "would"; "would have" is past; "going to" and
    "will" are future. A caption without a finite verb has none. See `latentgen.text.verbs`.

    >>> tense("the waiter brought us the wrong order .")
    'past'
    """
    return tense_of(small_tokens(sentence))


def has_tense(sentence: str, name: str) -> float:
    """1 where `tense` says so, else 0: for rules.

    Args:
        sentence: in English.
        name: 'past', 'present', 'future' or 'none'.

    Raises:
        InputError: another name.
    """
    if name not in TENSES:
        raise InputError(f"tense: expected one of {', '.join(TENSES)}, received {name!r}")
    return float(tense(sentence) == name)


def reading_level(sentence: str) -> float:
    """The Flesch-Kincaid grade, the American school year that can read it; 0 without words.

    0.39 words a sentence + 11.8 syllables a word - 15.59, so that short simple words have less
    than 0. Syllables are counted by English spelling, right for 98% of running words (CMU's
    pronouncing dictionary on newspaper text, reviews and captions).
    """
    words = _words(sentence)
    if not words:
        return 0.0
    sentences = max(1, len(re.findall(r"\w[^\w.!?]*[.!?]+(?=\s|$)", sentence)))
    syllables = sum(map(_syllables, words))
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def type_token_ratio(sentence: str) -> float:
    """Different words over words. Range [0, 1]: 1 where none comes twice; 0 without words."""
    words = _words(sentence)
    return len(set(words)) / len(words) if words else 0.0


def repetition(sentence: str) -> float:
    """The share of pairs of successive words that came before. Range [0, 1], 0 without pairs."""
    pairs = list(pairwise(_words(sentence)))
    return 1 - len(set(pairs)) / len(pairs) if pairs else 0.0


def _words(sentence: str) -> list[str]:
    """The words in small letters, "don't" as one."""
    words: list[str] = []
    for token in small_tokens(sentence):
        if token in _CLITICS and words:
            words[-1] += token
        elif any(map(str.isalnum, token)) and token not in _BRACKETS:
            words.append(token)
    return words


def _syllables(word: str) -> int:
    """Groups of vowels, but silent e's, and twice where two vowels are spoken apart."""
    spoken = _SILENT.sub("", _INNER_SILENT.sub("", word))
    return max(1, len(re.findall(r"[aeiouy]+", spoken)) + len(_TWO_VOWELS.findall(word)))
