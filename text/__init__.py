"""Text: tokenizers, corpora, TextVAE, attributes of a sentence.

Nothing heavy is imported here: the names below are resolved at first use.
"""

import importlib
from typing import Any

_EXPORTS: dict[str, str] = {
    name: f"latentgen.text.{module}"
    for module, names in {
        "attributes": (
            "contains_word",
            "has_tense",
            "is_question",
            "number_of_characters",
            "number_of_words",
            "reading_level",
            "repetition",
            "tense",
            "type_token_ratio",
        ),
        "classifier": ("SentenceClassifier",),
        "corpus": ("Corpus", "read_corpus", "read_parallel_corpus"),
        "data": ("ParallelBatches", "TextBatches", "pad_ids"),
        "evaluation": ("Evaluation", "evaluate"),
        "model": ("LanguageModel",),
        "labelled": ("read_labelled_sentences",),
        "reading": ("read_labelled_lines", "read_lines", "read_parallel"),
        "seq2seq": ("Seq2Seq",),
        "spelling": ("Spelling",),
        "tokenizers": ("Characters", "Subwords", "Tokenizer", "Words", "tokenizer_of"),
        "vae": ("TextVAE",),
    }.items()
    for name in names
}
__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'latentgen.text' has no attribute {name!r}")
