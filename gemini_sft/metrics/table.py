"""Which metrics a task is measured with, and which one decides."""

from collections.abc import Callable
from dataclasses import dataclass

from gemini_sft.experiment import Task
from gemini_sft.metrics import classification, extraction, question_answering, rouge


@dataclass(frozen=True)
class MetricSet:
    """The metrics of a task.

    Attributes:
        names: Every metric, in the order in which they are shown. Each is in [0, 1], and more is better.
        primary: The one that the verdict rests on.
        score: Scores an answer against all answers that are right, of which there is at least one; returns a value for
            every name.
    """

    names: tuple[str, ...]
    primary: str
    score: Callable[[str, tuple[str, ...]], dict[str, float]]


_ROUGE = MetricSet(rouge.NAMES, rouge.PRIMARY, rouge.score)

_TABLE = {
    Task.SUMMARIZATION: _ROUGE,
    Task.QUESTION_ANSWERING: MetricSet(question_answering.NAMES, question_answering.PRIMARY, question_answering.score),
    Task.CLASSIFICATION: MetricSet(classification.NAMES, classification.PRIMARY, classification.score),
    Task.CHAT: _ROUGE,
    Task.GENERATION: _ROUGE,
    Task.EXTRACTION: MetricSet(extraction.NAMES, extraction.PRIMARY, extraction.score),
}


def metrics_of(task: Task) -> MetricSet:
    """Returns the metrics of a task."""
    return _TABLE[task]
