"""Attributes of a sentence: stated values, both spellings, the empty string, the tense by hand."""

import pytest

from latentgen.cli.rules import measures_of, parse_rule
from latentgen.errors import InputError
from latentgen.text import attributes
from latentgen.text.attributes import (
    contains_word,
    has_tense,
    is_question,
    number_of_characters,
    number_of_words,
    reading_level,
    repetition,
    tense,
    type_token_ratio,
)

TENSES = {
    "past": [
        "the waiter brought us the wrong order .",
        "i loved this place !",
        "We were seated right away.",
        "she did n't answer the phone .",
        "the company reported a loss of $ N million",
        "our room had n't been cleaned",
        "He left without saying a word.",
        "sales fell N N in the third quarter",
        "the soup tasted like water .",
        "nobody came to help .",
        "they never called me back .",
        "What did you think?",
        "it would have been nice to know",
        "the fried rice was cold .",
        "a friend recommended this hotel .",
        "Two years ago they moved to Chicago.",
    ],
    "present": [
        "the food is great !",
        "i love the fried chicken here .",
        "Do you know them?",
        "a man is riding a horse on the beach .",
        "it 's the best place in town",
        "they have the best tacos .",
        "She works at the desk and knows everyone.",
        "do n't waste your money .",
        "the salad tastes fresh .",
        "avoid this place at all costs .",
        "We've been here many times.",
        "i would recommend it to anyone .",
        "you ca n't beat the price .",
        "the bank says it expects a profit",
        "people love the pool .",
        "There are two dogs in the grass.",
    ],
    "future": [
        "i will definitely be back .",
        "We'll see you soon!",
        "they wo n't refund us .",
        "i 'm going to try the fish next time",
        "the company will sell N shares",
        "Shall we go?",
        "it is n't going to work",
        "you 'll love it here .",
    ],
    "none": [
        "great food and friendly service .",
        "What a mess!",
        "a plate filled with meat and greens on a table",
        "two men on a motorcycle in the street .",
        "a herd of horses running in a field",
        "not worth it .",
        "best pizza in town !",
        "a car parked next to a tree",
        "",
        "...",
    ],
}


def test_the_tense_agrees_with_labels_by_hand():
    cases = [(sentence, name) for name, group in TENSES.items() for sentence in group]
    assert len(cases) == 50
    wrong = [(sentence, name, tense(sentence)) for sentence, name in cases]
    wrong = [case for case in wrong if case[1] != case[2]]
    assert len(wrong) <= 2, wrong
    assert has_tense("it was good", "past") == 1.0
    assert has_tense("it was good", "future") == 0.0
    with pytest.raises(InputError, match="expected one of past, present, future, none"):
        has_tense("it was good", "perfect")


def test_words_and_characters_are_counted_as_a_person_writes():
    for sentence in ("i do n't know ( yet ) .", "I don't know (yet)."):
        assert number_of_words(sentence) == 4.0
        assert number_of_characters(sentence) == 19.0
    assert number_of_words("it -lrb- is -rrb- well-made -- 's N <unk> 20") == 6.0


def test_a_word_is_found_whole_whatever_its_capitals():
    assert contains_word("The dogs, they bark", "DOGS") == 1.0
    assert contains_word("the dogs bark", "dog") == 0.0
    assert contains_word("i do n't like it .", "don't like") == 1.0
    assert contains_word("like i do n't", "don't like") == 0.0
    with pytest.raises(InputError, match="word: expected a word"):
        contains_word("the dogs bark", " ")


@pytest.mark.parametrize(
    ("sentence", "asks"),
    [
        ("do you like it ?", True),
        ("You like it?!", True),
        ("really ? yes .", False),
        ("did you see the dog .", False),
        ("did you see the dog", True),
        ("how many people are there", True),
        ("what a day", False),
        ("when i came it was cold", False),
        ("is n't it nice", True),
        ("the dog is there", False),
    ],
)
def test_questions(sentence, asks):
    assert is_question(sentence) == float(asks)


def test_the_reading_level_is_flesch_and_kincaids_grade():
    # 6 words, 6 syllables: 0.39 * 6 + 11.8 - 15.59
    assert reading_level("the cat sat on the mat .") == pytest.approx(-1.45)
    # 4 words in 2 sentences, 4 + 1 + 4 + 1 syllables
    assert reading_level("Definitely not. Unfortunately yes.") == pytest.approx(
        0.39 * 2 + 11.8 * 11 / 4 - 15.59
    )
    easy = "We like the food here."
    hard = "The administration subsequently reconsidered its controversial recommendation."
    assert reading_level(easy) < 3 < 15 < reading_level(hard)


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        ("people", 2),
        ("definitely", 4),
        ("tables", 2),
        ("tasted", 2),
        ("cooked", 1),
        ("places", 2),
        ("while", 1),
        ("area", 3),
        ("million", 2),
        ("playing", 2),
        ("i", 1),
        ("friendly", 2),
        ("something", 2),
        ("hmm", 1),
    ],
)
def test_syllables(word, syllables):
    assert attributes._syllables(word) == syllables


def test_repetition_counts_words_and_pairs_that_come_again():
    assert type_token_ratio("the dog saw the dog") == pytest.approx(3 / 5)
    assert repetition("the dog saw the dog") == pytest.approx(1 / 4)
    assert type_token_ratio("a b c") == 1.0
    assert repetition("a b c") == 0.0


@pytest.mark.parametrize("sentence", ["", "   ", ".", "?!", "<unk>", "ﷺ 猫", "'", "n't", "( ( ("])
def test_every_string_has_a_finite_value(sentence):
    for name, measure in measures_of(attributes).items():
        more = {"contains_word": ["x"], "has_tense": ["past"]}.get(name, [])
        value = measure(sentence, *more)
        assert value in attributes.TENSES if name == "tense" else abs(value) < 100


def test_they_are_rules_of_the_command():
    texts = ["number_of_words<=4", "contains_word(dog)>0.5", "has_tense(past)>0.5"]
    rule = parse_rule(texts, attributes, example="number_of_words<8", nothing="")
    assert rule("the dog was happy .")
    assert not rule("the dog is happy .")
    assert not rule("the cat was happy .")
    with pytest.raises(InputError, match="expected one of past"):
        parse_rule(["has_tense(now)>0.5"], attributes, example="", nothing="")
