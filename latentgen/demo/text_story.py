"""What the demonstration asks of text: captions of photographs, as the shipped preset has them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from rich.console import Console

from latentgen.cli.progress import waiting
from latentgen.demo.rule_story import RuleWish, Take, tell_rules
from latentgen.errors import InputError
from latentgen.text.attributes import (
    contains_word,
    number_of_words,
    reading_level,
    repetition,
    type_token_ratio,
)
from latentgen.text.vae import TextVAE

PRESET = "coco"
REAL, QUESTIONS = 1500, 1000  # few captions have a cat in them, and writing is quick
DECODING: dict[str, Any] = {"greedy": True}
PEOPLE = (
    *("person", "people", "man", "men", "woman", "women", "boy", "boys", "girl", "girls", "child"),
    *("children", "baby", "lady", "guy", "guys", "someone", "player", "rider", "riders", "group"),
    *("his", "her", "he", "she", "they", "skateboarder", "cyclist", "bicyclist", "motorcyclist"),
)


def mentions(*words: str) -> Callable[[str], bool]:
    """A rule: one of the words occurs."""
    return lambda sentence: any(contains_word(sentence, word) for word in words)


def short(sentence: str) -> bool:
    return 3 <= number_of_words(sentence) <= 8


def long(sentence: str) -> bool:
    return number_of_words(sentence) >= 11


def without_people(sentence: str) -> bool:
    return number_of_words(sentence) >= 3 and not mentions(*PEOPLE)(sentence)


WISHES = (
    RuleWish(
        "bathroom", "in a bathroom", mentions("bathroom", "toilet", "shower", "bathtub", "tub")
    ),
    RuleWish("long", "long (11 words or more)", long),
    RuleWish("short", "short (8 words or fewer)", short),
    RuleWish("cat", "about a cat", mentions("cat", "cats", "kitten")),
    RuleWish("nobody", "without people", without_people),
    RuleWish("motorcycle", "a motorcycle", mentions("motorcycle", "motorcycles", "motorbike")),
)
PAIRS = (("cat", "short"), ("motorcycle", "nobody"))
STATISTICS = (number_of_words, reading_level, type_token_ratio, repetition)


def tell_text(seed: int, console: Console) -> Take | None:
    """Runs it all; None, and a word on it, where the preset does not ship."""
    try:
        with waiting(f"Opening {PRESET}"):
            vae = TextVAE.from_preset(PRESET)
    except InputError:
        console.print(f"No preset {PRESET} is installed: its text is left out")
        return None
    take = Take(
        PRESET,
        WISHES,
        PAIRS,
        decode=partial(vae.decode, seed=seed, **DECODING),
        features=partial(_counts, vae),
        measure=_means,
        pieces="captions",
        made="wrote",
        how={"method": "density", "steps": 1},  # more steps lead to ever fewer captions
        change={"method": "ascent", "strength": 1.25},  # 1 is just enough for the critics
        real=REAL,
        questions=QUESTIONS,
    )
    tell_rules(vae, take, seed, console)
    return take


def _counts(vae: TextVAE, sentences: Sequence[str]) -> np.ndarray:
    """How often each token occurs, (n, vocabulary)."""
    size = vae.tokenizer.size
    rows = [np.bincount(vae.tokenizer.encode(s), minlength=size) for s in sentences]
    return np.stack(rows).astype("float32")


def _means(sentences: Sequence[str]) -> dict[str, float]:
    return {rule.__name__: float(np.mean([*map(rule, sentences)])) for rule in STATISTICS}
