"""What can only be said of a split as a whole, not of one example."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClassScores(_Frozen):
    """How well one label is told from the others. What there is nothing to compute from is None, not 0.

    Attributes:
        precision: Of the examples that were given this label, the share that has it; None if it was never given.
        recall: Of the examples that have it, the share that was given it; None if none has it.
        f1: Harmonic mean of both; None if no example has the label and none was given it.
        support: How many examples have it.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    support: int


class Confusion(_Frozen):
    """Which label was given to which examples.

    Attributes:
        labels: Of the rows and of the columns; the last stands for no label or any other answer.
        counts: Examples; row: the label that is right, column: the label that was given; shape (labels, labels).
    """

    labels: list[str]
    counts: list[list[int]]


class WholeSplit(_Frozen):
    """The metrics of a split as a whole.

    Attributes:
        corpus: Each by its name; None if there is nothing to compute it from.
        signatures: How a metric was computed, in the words of the package that did it, for those that have one.
        classes: By label, for a classification.
        confusion: For a classification.
    """

    corpus: dict[str, float | None] = {}
    signatures: dict[str, str] = {}
    classes: dict[str, ClassScores] = {}
    confusion: Confusion | None = None


WholeMetric = Callable[[Sequence[str], Sequence[tuple[str, ...]]], WholeSplit]
"""From all answers, empty where there is none, and all right answers of each, in the same order."""


@dataclass(frozen=True)
class Statistics:
    """What metrics of a whole split can be computed from for any choice of its examples: numbers that are summed.

    Attributes:
        names: Of the metrics.
        rows: Numbers of each example, shape (n, k).
        score: From sums of rows, shape (choices, k), to the metrics, shape (choices, names); NaN if there is nothing to
            compute one from.
    """

    names: tuple[str, ...]
    rows: NDArray[np.float64]
    score: Callable[[NDArray[np.float64]], NDArray[np.float64]]


WholeStatistics = Callable[[Sequence[str], Sequence[tuple[str, ...]]], Statistics]
"""From what a `WholeMetric` is given."""


def nothing(answers: Sequence[str], references: Sequence[tuple[str, ...]]) -> WholeSplit:
    """Returns no metrics, for tasks that have none of a whole split."""
    return WholeSplit()


def nothing_to_sum(answers: Sequence[str], references: Sequence[tuple[str, ...]]) -> Statistics:
    """Likewise returns statistics of no metrics."""
    return Statistics((), np.zeros((len(answers), 0)), lambda sums: np.zeros((len(sums), 0)))
