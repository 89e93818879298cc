"""ROUGE: how much of a reference's words, pairs of words and their order a text has (Lin 2004)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from latentgen.errors import InputError


class Rouge(NamedTuple):
    """Mean F1 over pairs, 0 to 1: of words, of pairs of words, of the longest common sequence."""

    rouge_1: float
    rouge_2: float
    rouge_l: float


def rouge(hypotheses: Sequence[str], references: Sequence[str], stem: bool = False) -> Rouge:
    """ROUGE-1, -2 and -L of n texts, each against its own reference, by rouge-score.

    It lower-cases and leaves out all but letters and digits of ASCII: English alone.

    Args:
        hypotheses, references: n texts each.
        stem: whether words count by their stem, as in most published figures of summaries.

    Raises:
        InputError: no texts, not equally many, or none of texts.
        ImportError: without rouge-score.
    """
    if isinstance(hypotheses, str) or isinstance(references, str):
        raise InputError("hypotheses, references: expected lists of texts, received a string")
    if len(hypotheses) != len(references) or not len(hypotheses):
        raise InputError(
            "hypotheses, references: expected equally many texts, 1 or more, "
            f"received {len(hypotheses)} and {len(references)}"
        )
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError as error:
        raise ImportError("rouge needs rouge-score: pip install 'latentgen[evaluation]'") from error

    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stem)
    scores = [
        [score.fmeasure for score in scorer.score(reference, hypothesis).values()]
        for hypothesis, reference in zip(hypotheses, references, strict=True)
    ]
    return Rouge(*np.mean(scores, axis=0).tolist())
