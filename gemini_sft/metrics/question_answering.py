"""Exact match and token F1 of short answers, as SQuAD's official evaluation defines them.

P. Rajpurkar, J. Zhang, K. Lopyrev, P. Liang, "SQuAD: 100,000+ Questions for Machine Comprehension of Text", 2016,
section 6.1; for answers without a word P. Rajpurkar, R. Jia, P. Liang, "Know What You Don't Know: Unanswerable
Questions for SQuAD", 2018, and the evaluation script of that version.
"""

import re
import string
from collections import Counter

NAMES = ("exact_match", "token_f1")
"""Each in [0, 1]."""

PRIMARY = "token_f1"

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")


def score(answer: str, references: tuple[str, ...]) -> dict[str, float]:
    """Returns `exact_match` and `token_f1` of an answer.

    Args:
        answer: What the model said.
        references: The right answers, at least one. Each metric is its best over all of them.
    """
    given, wanted = _words(answer), [_words(one) for one in references]
    return {
        "exact_match": float(given in wanted),
        "token_f1": max(_f1(given, one) for one in wanted),
    }


def _words(text: str) -> list[str]:
    """Returns the words in lower case, without ASCII punctuation and without articles."""
    return _ARTICLE.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def _f1(given: list[str], wanted: list[str]) -> float:
    """Counts each word as often as both sides have it; no words at all agree only with no words at all."""
    if not given or not wanted:
        return float(given == wanted)
    return 2 * (Counter(given) & Counter(wanted)).total() / (len(given) + len(wanted))
