"""Exact match and token F1 of short answers: SQuAD's official ones, and beside them those of Google's tutorial.

`exact_match` and `token_f1` are those of the official evaluation of SQuAD 2.0: P. Rajpurkar, J. Zhang, K. Lopyrev,
P. Liang, "SQuAD: 100,000+ Questions for Machine Comprehension of Text", 2016, section 6.1; for answers without a word
P. Rajpurkar, R. Jia, P. Liang, "Know What You Don't Know: Unanswerable Questions for SQuAD", 2018, and the script of
that version. A text is put into lower case and loses its ASCII punctuation, which joins what stood around it, and its
articles (a, an, the); what white space divides are its words. References without a word count only if there are no
others, and then mean that there is no answer: only an answer without a word agrees.

`exact_match_tutorial` and `token_f1_tutorial` are those of Google's notebook on tuning Gemini for question answering.
They differ in three ways: punctuation and articles are kept, so that "the Nile." is not "Nile"; an answer without a
word has the F1 0 also where that is right; and where the notebook has one reference, here are several.

With the tokenizer `unicode` the official ones see texts as `gemini_sft.words` says: normalised, without the
punctuation of any script, and with each character of a script without spaces a word of its own. ASCII text scores the
same. The tutorial's do not change.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.words import Words, divided, folded, without_punctuation

NAMES = ("exact_match", "token_f1", "exact_match_tutorial", "token_f1_tutorial")
"""Each in [0, 1]."""

PRIMARY = "token_f1"

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")


def question_answering(tokenizer: Tokenizer) -> Callable[[str, tuple[str, ...]], dict[str, float]]:
    """Returns the function that scores an answer, as `score` does."""
    return partial(_scores, words=_unicode_words if tokenizer is Tokenizer.UNICODE else _words)


def score(answer: str, references: tuple[str, ...]) -> dict[str, float]:
    """Returns every metric of an answer, by the names in `NAMES`, with the tokenizer `ascii`.

    Args:
        answer: What the model said.
        references: The right answers, at least one. Each metric is its best over all of them.
    """
    return _scores(answer, references, _words)


def _scores(answer: str, references: tuple[str, ...], words: Words) -> dict[str, float]:
    given = words(answer)
    wanted = [found for one in references if (found := words(one))] or [[]]
    plain, plains = answer.lower().split(), [one.lower().split() for one in references]
    return {
        "exact_match": float(given in wanted),
        "token_f1": max(_f1(given, one) if given and one else float(given == one) for one in wanted),
        "exact_match_tutorial": float(plain in plains),
        "token_f1_tutorial": max(_f1(plain, one) for one in plains),
    }


def _words(text: str) -> list[str]:
    return _ARTICLE.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def _unicode_words(text: str) -> list[str]:
    if text.isascii():
        return _words(text)
    return [part for word in _ARTICLE.sub(" ", without_punctuation(folded(text))).split() for part in divided(word)]


def _f1(given: Sequence[str], wanted: Sequence[str]) -> float:
    """Returns the harmonic mean of precision and recall, in which a word counts as often as both sides have it."""
    same = (Counter(given) & Counter(wanted)).total()
    if not same:
        return 0.0
    precision, recall = same / len(given), same / len(wanted)
    return 2 * precision * recall / (precision + recall)
