"""ROUGE-1, ROUGE-2 and ROUGE-L as the package rouge-score defines them, with its Porter stemmer.

C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004.
"""

from functools import cache
from typing import Any

_TYPES = ("rouge1", "rouge2", "rougeL")

NAMES = tuple(f"{kind}_{part}" for kind in _TYPES for part in ("precision", "recall", "f"))
"""`rouge1_precision`, `rouge1_recall`, `rouge1_f`, and the same for `rouge2` and `rougeL`; each in [0, 1]."""

PRIMARY = "rougeL_f"


@cache
def _scorer() -> Any:
    from rouge_score import rouge_scorer

    return rouge_scorer.RougeScorer(list(_TYPES), use_stemmer=True)


def score(answer: str, references: tuple[str, ...]) -> dict[str, float]:
    """Returns every ROUGE score of an answer, by the names in `NAMES`.

    Args:
        answer: What the model said.
        references: The right answers, at least one. All scores are those against one of them: the one with the best
            ROUGE-L F, and of several such the first.
    """
    return max((_scores(answer, one) for one in references), key=lambda scores: scores[PRIMARY])


def _scores(answer: str, reference: str) -> dict[str, float]:
    scores = _scorer().score(target=reference, prediction=answer)
    return {
        f"{kind}_{part}": value
        for kind in _TYPES
        for part, value in zip(("precision", "recall", "f"), scores[kind], strict=True)
    }
