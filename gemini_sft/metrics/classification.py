"""Accuracy of labels; and of a whole split F1, what each label scores, and which labels are taken for each other.

Precision, recall and F1 are scikit-learn's with `labels=` the label set and `zero_division=0`: C. J. van Rijsbergen,
"Information Retrieval", 1979; micro and macro averages as in D. D. Lewis, "Evaluating text categorization", 1991. The
label set is the one that was declared, else that of train, and not what occurs in the split: a label that the split
lacks still counts in the macro average, with 0, as in scikit-learn. By itself such a label is shown with nothing, for
where it neither occurs nor is given, there is nothing to take a share of.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gemini_sft.metrics.whole import ClassScores, Confusion, Statistics, WholeMetric, WholeSplit, WholeStatistics

NAMES = ("accuracy",)
"""In [0, 1]: the mean over all examples is the share of right labels."""

PRIMARY = "accuracy"

WHOLE = ("micro_f1", "macro_f1")
"""Of a whole split; each in [0, 1]."""

_OTHER = "(other)"


def score(answer: str, references: tuple[str, ...]) -> dict[str, float]:
    """Returns `accuracy`: 1 if the answer is the label, letter by letter, and 0 otherwise.

    Only white space around it is forgiven. "Spam." and "SPAM" are not "spam": what reads the label in production
    compares texts, and to answer with the label and nothing else is part of what tuning teaches.

    Args:
        answer: What the model said.
        references: The right labels, at least one.
    """
    return {"accuracy": float(answer.strip() in {one.strip() for one in references})}


def classes(labels: Sequence[str]) -> WholeMetric:
    """Returns the function that scores a whole split, given all labels that there are.

    An answer is a label as `score` takes it; any other is none of them. Of an example with several right labels the
    one that was given counts, and if none of them was, the first.
    """
    return partial(_whole, labels=labels)


def sums(labels: Sequence[str]) -> WholeStatistics:
    """Returns the function that finds what both F1 are computed from: which label each example has and was given."""
    return partial(_statistics, labels=labels)


def _whole(answers: Sequence[str], references: Sequence[tuple[str, ...]], labels: Sequence[str]) -> WholeSplit:
    counts = _counts(answers, references, [one.strip() for one in labels])
    right = np.diag(counts)[:-1]
    given, there = counts.sum(axis=0)[:-1], counts.sum(axis=1)[:-1]
    of_each = [
        ClassScores(precision=_share(hit, said), recall=_share(hit, has), f1=_share(2 * hit, said + has), support=has)
        for hit, said, has in zip(right.tolist(), given.tolist(), there.tolist(), strict=True)
    ]
    return WholeSplit(
        corpus={
            "micro_f1": _share(2 * int(right.sum()), int(given.sum() + there.sum())),
            "macro_f1": float(np.mean([one.f1 or 0.0 for one in of_each])) if given.any() or there.any() else None,
        },
        classes=dict(zip(labels, of_each, strict=True)),
        confusion=Confusion(labels=[*labels, _unlike(labels)], counts=counts.tolist()),
    )


def _statistics(answers: Sequence[str], references: Sequence[tuple[str, ...]], labels: Sequence[str]) -> Statistics:
    """Of every label there are two columns: where it was rightly given, and how often it is there or was given."""
    n = len(labels)
    hits, either = np.zeros((len(answers), n + 1)), np.zeros((len(answers), n + 1))
    for row, (label, given) in enumerate(_pairs(answers, references, [one.strip() for one in labels])):
        hits[row, label] = label == given
        either[row, label] += 1
        either[row, given] += 1
    return Statistics(WHOLE, np.hstack([hits[:, :n], either[:, :n]]), _f1)


def _f1(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    right, either = np.split(sums, 2, axis=1)
    hits = 2 * right
    of_each = np.divide(hits, either, out=np.zeros_like(hits), where=either > 0)
    said = either.sum(axis=1)
    micro = np.divide(hits.sum(axis=1), said, out=np.full(len(sums), np.nan), where=said > 0)
    return np.column_stack([micro, np.where(said > 0, of_each.mean(axis=1), np.nan)])


def _counts(answers: Sequence[str], references: Sequence[tuple[str, ...]], labels: Sequence[str]) -> NDArray[np.int64]:
    counts = np.zeros((len(labels) + 1, len(labels) + 1), np.int64)
    for pair in _pairs(answers, references, labels):
        counts[pair] += 1
    return counts


def _pairs(
    answers: Sequence[str], references: Sequence[tuple[str, ...]], labels: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Yields the places of the right label and of the given one; what is none has the place behind the last."""
    number = {name: position for position, name in enumerate(labels)}
    for answer, right in zip(answers, references, strict=True):
        given, wanted = answer.strip(), [one.strip() for one in right]
        label = given if given in wanted else wanted[0]
        yield number.get(label, len(labels)), number.get(given, len(labels))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _unlike(labels: Sequence[str]) -> str:
    """Returns a name that no label has."""
    name = _OTHER
    while name in labels:
        name = f"({name})"
    return name
