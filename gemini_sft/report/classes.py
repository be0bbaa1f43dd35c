"""A classification label by label: what each scores, and which are taken for each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from gemini_sft.metrics.whole import ClassScores, Confusion
from gemini_sft.report import numbers
from gemini_sft.report.input import ReportInput
from gemini_sft.report.text import Passage, passage

MOST_LABELS = 40
"""Of a matrix; the others are added up into one row and one column."""

_LABEL_LIMIT = 60


@dataclass(frozen=True)
class ClassRow:
    """What one label of a classification scores; of base and tuned model precision, recall and F1 in this order."""

    label: str
    support: int
    base: list[str]
    tuned: list[str]


@dataclass(frozen=True)
class Cell:
    """How many examples of a row were given the column's label; `share` of the row, in percent."""

    count: int
    share: int
    right: bool


@dataclass(frozen=True)
class Matrix:
    """Which label one model gave to which examples; a row for each right label that occurs."""

    model: str
    labels: list[Passage]
    rows: list[tuple[Passage, list[Cell]]]


def class_rows(data: ReportInput) -> list[ClassRow]:
    """Returns every label of a classification, in the order of the label set; of other tasks none."""
    tuned = data.candidate.result.classes
    return [
        ClassRow(label, of_base.support, _parts(of_base), _parts(tuned[label]))
        for label, of_base in data.base.result.classes.items()
        if label in tuned
    ]


def matrices(data: ReportInput) -> list[Matrix]:
    """Returns the confusion matrix of base and tuned model, of the same labels; of other tasks none."""
    found = [(name, arm.result.confusion) for name, arm in (("Base", data.base), ("Tuned", data.candidate))]
    known = [(name, one) for name, one in found if one is not None]
    if not known:
        return []
    kept = _kept([one for _, one in known])
    return [_matrix(name, one, kept) for name, one in known]


def _kept(confusions: Sequence[Confusion]) -> list[int]:
    """Returns which labels are shown by themselves: those with the most examples, given or right, in their order.

    The last of a matrix, which stands for any other answer, always is, if there is such an answer.
    """
    size = len(confusions[0].labels)
    seen = [sum(sum(one.counts[k]) + sum(row[k] for row in one.counts) for one in confusions) for k in range(size)]
    by_number = sorted(range(size - 1), key=lambda k: (-seen[k], k))[:MOST_LABELS]
    return [*sorted(by_number), *([size - 1] if seen[-1] else [])]


def _matrix(model: str, confusion: Confusion, kept: Sequence[int]) -> Matrix:
    size = len(confusion.labels)
    rest = [k for k in range(size - 1) if k not in set(kept)]
    groups = [[k] for k in kept] + ([rest] if rest else [])
    names = [passage(confusion.labels[k], _LABEL_LIMIT) for k in kept]
    names += [passage(numbers.count(len(rest), "other label"), _LABEL_LIMIT)] if rest else []
    rows = []
    for name, group in zip(names, groups, strict=True):
        counts = [sum(confusion.counts[i][j] for i in group for j in other) for other in groups]
        if whole := sum(counts):
            cells = [Cell(n, round(100 * n / whole), other == group) for n, other in zip(counts, groups, strict=True)]
            rows.append((name, cells))
    return Matrix(model, names, rows)


def _parts(scores: ClassScores) -> list[str]:
    of_all = (scores.precision, scores.recall, scores.f1)
    return [numbers.NOTHING if one is None else numbers.score(one) for one in of_all]
