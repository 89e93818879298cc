"""Tokenizers: ids and back, the spelling of a corpus, bad input, what is learned and stored."""

import json

import pytest

from latentgen.errors import InputError
from latentgen.text.spelling import Spelling, count_words, split_written
from latentgen.text.tokenizers import (
    END,
    START,
    UNKNOWN,
    Characters,
    Subwords,
    Words,
    tokenizer_of,
)

TOKENISED = [
    "i do n't know what they 're doing , but it 's good !",
    "mr. smith 's dog ( the brown one ) was n't there .",
    "`` never again , '' she said .",
    "the viewers ' opinions cost $ 20 and 5 % more .",
    "is it well-made ? yes , it is ; the u.s. 's best .",
    "do you know the dog ? i know it 's brown .",
]
RAW = ["A man rides a horse.", "Two dogs, one cat: they're friends!", "It isn't here (I think)."]
KINDS = [Characters, Words, Subwords]


def learned(kind, sentences=TOKENISED):
    return kind.learn(sentences, size=200)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_decoded_encodes_to_the_same_ids(kind):
    tokenizer = learned(kind)
    for sentence in TOKENISED:
        ids = tokenizer.encode(sentence, verbatim=True)
        assert UNKNOWN not in ids
        assert min(ids) > UNKNOWN
        assert max(ids) < tokenizer.size
        assert tokenizer.text(ids) == sentence
        assert tokenizer.encode(sentence) == ids
        assert tokenizer.encode(tokenizer.decode(ids)) == ids


@pytest.mark.parametrize("kind", KINDS)
def test_decoded_sentences_are_written_as_a_person_writes(kind):
    tokenizer = learned(kind)
    written = [tokenizer.decode(tokenizer.encode(sentence)) for sentence in TOKENISED]
    assert written == [
        "I don't know what they're doing, but it's good!",
        "Mr. smith's dog (the brown one) wasn't there.",
        '"Never again," she said.',
        "The viewers' opinions cost $20 and 5% more.",
        "Is it well-made? Yes, it is; the u.s.'s best.",
        "Do you know the dog? I know it's brown.",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_sentences_of_a_corpus_that_is_not_tokenised_stay_as_they_are(kind):
    tokenizer = learned(kind, RAW)
    for sentence in RAW:
        ids = tokenizer.encode(sentence)
        assert UNKNOWN not in ids
        assert tokenizer.decode(ids) == sentence


@pytest.mark.parametrize("kind", KINDS)
def test_a_sentence_ends_at_the_first_end_and_starts_are_left_out(kind):
    tokenizer = learned(kind)
    ids = tokenizer.encode("do you know the dog ?")
    assert tokenizer.text([START, *ids, END, *ids]) == "do you know the dog ?"
    assert tokenizer.decode([END]) == tokenizer.decode([]) == ""
    assert tokenizer.encode("   ") == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_never_seen_is_unknown(kind):
    tokenizer = learned(kind)
    ids = tokenizer.encode("ﷺ 猫")
    assert ids.count(UNKNOWN) == 2
    assert "<unk>" in tokenizer.decode(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_arguments_are_plain_json_and_make_the_same_tokenizer(kind):
    tokenizer = learned(kind)
    stored = json.loads(json.dumps(tokenizer.arguments()))
    again = tokenizer_of(stored)
    assert again == tokenizer
    assert type(again) is kind
    assert again != learned(kind, RAW)
    sentence = "I don't know the brown dog's viewers."
    assert again.encode(sentence) == tokenizer.encode(sentence)
    assert tokenizer_of(again) is again


@pytest.mark.parametrize("kind", KINDS)
def test_learning_does_not_depend_on_order_and_reads_sentences_once(kind):
    assert learned(kind, iter(TOKENISED)) == learned(kind, TOKENISED[::-1])


@pytest.mark.parametrize("kind", KINDS)
def test_ids_of_another_vocabulary_are_refused(kind):
    tokenizer = learned(kind)
    for bad in ([tokenizer.size], [-1], [3.5]):
        with pytest.raises(InputError, match="another vocabulary"):
            tokenizer.decode(bad)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("sentences", "options"),
    [
        ([], {}),
        (["", "  "], {}),
        ("one string", {}),
        (TOKENISED, {"size": 3}),
        (TOKENISED, {"size": 50, "minimum_count": 10_000}),
        (TOKENISED, {"size": 50, "minimum_count": 0}),
    ],
)
def test_nothing_to_learn_from_is_refused(kind, sentences, options):
    with pytest.raises(InputError, match="expected"):
        kind.learn(sentences, **options)


def test_the_most_frequent_words_make_a_vocabulary_of_the_wanted_size():
    sentences = ["a b c", "a b", "a", "d d d d", "<unk> <unk> <unk> <unk> <unk>"]
    words = Words.learn(sentences, size=5)
    assert words.vocabulary == ("<end>", "<start>", "<unk>", "d", "a")
    assert words.encode("a <unk> b d") == [4, UNKNOWN, UNKNOWN, 3]
    assert Words.learn(sentences, minimum_count=2).size == 6
    assert Subwords.learn(TOKENISED, size=100).size <= 100


def test_too_many_characters_for_so_few_subwords_are_one_clear_error():
    with pytest.raises(InputError, match="size: expected room for every character"):
        Subwords.learn(["abcdefghijklmnopqrstuvwxyz"], size=12)


@pytest.mark.parametrize(
    "arguments",
    [
        None,
        {"kind": "letters"},
        {"kind": "words"},
        {"kind": "words", "vocabulary": []},
        {"kind": "words", "vocabulary": ["a", "a"]},
        {"kind": "words", "vocabulary": ["two words"]},
        {"kind": "words", "vocabulary": ["<unk>"]},
        {"kind": "words", "vocabulary": [1, 2]},
        {"kind": "words", "vocabulary": ["a"], "more": 1},
        {"kind": "words", "vocabulary": ["a"], "spelling": {"cased": "yes"}},
        {"kind": "words", "vocabulary": ["a"], "spelling": {"loud": True}},
        {"kind": "characters", "vocabulary": ["ab"]},
        {"kind": "subwords", "model": ""},
        {"kind": "subwords", "model": "no base64!"},
        {"kind": "subwords", "model": "AAAA" * 20},
        {"kind": "subwords", "model": None},
    ],
)
def test_arguments_that_fit_no_tokenizer_are_refused(arguments):
    with pytest.raises(InputError, match="expected"):
        tokenizer_of(arguments)


@pytest.mark.parametrize(
    ("chunk", "tokens"),
    [
        ("don't", "do n't"),
        ("It's", "It 's"),
        ("dogs'", "dogs '"),
        ('("well-made"),', '( " well-made " ) ,'),
        ("wait...", "wait ..."),
        ("U.S.", "U.S."),
        ("Mr.", "Mr."),
        ("dog.", "dog ."),
        ("what?!", "what ? !"),
        ("$20", "$ 20"),
        ("5%", "5 %"),
        ("8:30", "8:30"),
        ("--", "--"),
        ("n't", "n't"),
        (".", "."),
        ('"', '"'),
    ],
)
def test_writing_is_cut_as_the_penn_treebank_is(chunk, tokens):
    assert split_written(chunk) == tokens.split()


def test_a_spelling_learns_what_its_corpus_keeps_together():
    treebank = ["the N corp. of mich. said <unk>", "in mich. it 's N $ N", "the chip , said mr. x"]
    spelling = Spelling.learn(count_words(treebank * 3))
    assert spelling.tokenised
    assert not spelling.cased
    assert spelling.read("In Mich. it's N, Mr.") == "in mich. it 's N , mr."
    assert [spelling.read(sentence) for sentence in treebank] == treebank
    reviews = ["it was good .", "very good , really .", "good."]
    assert Spelling.learn(count_words(reviews)).read("It was GOOD.") == "it was good ."


def test_brackets_and_quotes_are_spelled_as_in_the_corpus():
    films = ["it -lrb- the film -rrb- is `` fine '' .", "yes ."]
    spelling = Spelling.learn(count_words(films))
    assert spelling.write(films[0]) == 'It (the film) is "fine".'
    assert spelling.read('It (the film) is "fine".') == films[0]
