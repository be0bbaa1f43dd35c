"""Question answering held against its two definitions, stated here once more and in other words than in the library.

The official one follows the paper and the description of SQuAD 2.0's evaluation; the tutorial's follows Google's
notebook. Both work on strings with regular expressions and plain loops.
"""

import re

from hypothesis import example, given, settings

from gemini_sft.metrics.question_answering import score
from tests.unit.gemini_sft.metrics.hostile import REFERENCES, TEXTS

MARKS = r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"""


def normal(text: str) -> str:
    text = "".join(letter for letter in text.lower() if letter not in MARKS)
    return " ".join(re.sub(r"\b(?:the|an|a)\b", " ", text).split())


def in_common(one: list[str], other: list[str]) -> int:
    left, count = list(other), 0
    for word in one:
        if word in left:
            left.remove(word)
            count += 1
    return count


def harmonic(given: list[str], wanted: list[str]) -> float:
    count = in_common(given, wanted)
    if count == 0:
        return 0
    precision, recall = count / len(given), count / len(wanted)
    return (2 * precision * recall) / (precision + recall)


def official_f1(answer: str, reference: str) -> float:
    given, wanted = normal(answer).split(), normal(reference).split()
    if not given or not wanted:
        return int(given == wanted)
    return harmonic(given, wanted)


def official(answer: str, references: tuple[str, ...]) -> tuple[float, float]:
    golds = [one for one in references if normal(one)]
    if not golds:
        golds = [""]
    exact = max(int(normal(answer) == normal(one)) for one in golds)
    return exact, max(official_f1(answer, one) for one in golds)


def tutorial(answer: str, reference: str) -> tuple[float, float]:
    given, wanted = (" ".join(one.lower().split()) for one in (answer, reference))
    return int(given == wanted), harmonic(given.split(), wanted.split())


@given(TEXTS, REFERENCES)
@settings(deadline=None, max_examples=300)
@example("", ("",))
@example("the", ("a", "b"))
@example("", ("the", "New York"))
@example("New York New York", ("New York",))
@example("a—the—an", ("——",))
def test_the_official_metrics(answer: str, references: tuple[str, ...]) -> None:
    scores = score(answer, references)
    assert (scores["exact_match"], scores["token_f1"]) == official(answer, references)


@given(TEXTS, REFERENCES)
@settings(deadline=None, max_examples=200)
@example("", ("",))
def test_the_tutorials_metrics(answer: str, references: tuple[str, ...]) -> None:
    scores = score(answer, references)
    each = [tutorial(answer, one) for one in references]
    assert scores["exact_match_tutorial"] == max(exact for exact, _ in each)
    assert scores["token_f1_tutorial"] == max(f1 for _, f1 in each)


def test_of_ten_thousand_words() -> None:
    answer = " ".join(f"w{number % 97}" for number in range(10_000))
    scores = score(answer, (answer[: len(answer) // 2], "w1"))
    assert (scores["exact_match"], scores["token_f1"]) == official(answer, (answer[: len(answer) // 2], "w1"))
