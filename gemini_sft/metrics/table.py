"""Which metrics a task is measured with, and which one decides."""

from collections.abc import Callable
from dataclasses import dataclass

from gemini_sft.experiment import Task
from gemini_sft.metrics.rouge import NAMES as ROUGE_NAMES
from gemini_sft.metrics.rouge import rouge


@dataclass(frozen=True)
class MetricSet:
    """The metrics of a task.

    Attributes:
        names: Every metric, in the order in which they are shown. Each is in [0, 1], and more is better.
        primary: The one that the verdict rests on.
        score: Scores an answer against its reference; returns a value for every name.
    """

    names: tuple[str, ...]
    primary: str
    score: Callable[[str, str], dict[str, float]]


_TABLE = {Task.SUMMARIZATION: MetricSet(ROUGE_NAMES, "rougeL_f", rouge)}


def metrics_of(task: Task) -> MetricSet:
    """Returns the metrics of a task."""
    return _TABLE[task]
