"""Which metrics a task is measured with, and which one decides."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from gemini_sft.data.dataset import read_labels, read_split
from gemini_sft.experiment.schema import FAILURE_RATE, Experiment, Task, Tokenizer
from gemini_sft.metrics import classification, extraction, generation, question_answering, rouge
from gemini_sft.metrics.own import OwnMetric, load_own, rehearse
from gemini_sft.metrics.whole import WholeMetric, WholeStatistics, nothing, nothing_to_sum
from gemini_sft.words import BY_WORDS, readable

_REHEARSED = 20

Score = Callable[[str, tuple[str, ...]], dict[str, float]]
"""From an answer and all answers that are right, of which there is at least one, to a value for every metric."""


@dataclass(frozen=True)
class MetricSet:
    """The metrics of a task.

    Attributes:
        task_names: Of each example, in the order in which they are shown. Each is in [0, 1], and more is better.
        primary: The metric of an example that the verdict rests on, one of the task's or of the user's own.
        task_score: Computes them.
        whole: Computes those of a whole split.
        statistics: Finds what they are computed from, for resampling.
        whole_names: Their names.
        readable: Returns whether the metrics can make anything of an answer.
        tokenizer: What counts as a word.
        own: The user's own.
        of_failure: What an example without an answer scores in those of which less is better.
    """

    task_names: tuple[str, ...]
    primary: str
    task_score: Score
    whole: WholeMetric
    statistics: WholeStatistics
    whole_names: tuple[str, ...]
    readable: Callable[[str], bool]
    tokenizer: Tokenizer
    own: tuple[OwnMetric, ...]
    of_failure: Mapping[str, float] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Every metric of an example."""
        return (*self.task_names, *(one.name for one in self.own))

    @property
    def lower_is_better(self) -> frozenset[str]:
        """Those of which less is better."""
        return frozenset(self.of_failure)

    def failure(self) -> dict[str, float]:
        """Returns what an example without an answer that could be scored has, for every name."""
        return {**dict.fromkeys(self.names, 0.0), **self.of_failure}

    def score(self, answer: str, references: tuple[str, ...], prompt: str = "") -> dict[str, float]:
        """Returns a value for every name.

        Args:
            answer: What the model said.
            references: All answers that are right, at least one.
            prompt: What it was asked, for metrics of the user's own.

        Raises:
            EvaluationError: A metric of the user's own failed.
        """
        return self.task_score(answer, references) | {
            one.name: one.score(answer, references, prompt) for one in self.own
        }


def metrics_for(experiment: Experiment, split_uri: str) -> MetricSet:
    """Returns the metrics with which an experiment scores the answers to a split, and which of them decides.

    Raises:
        ExperimentError: A metric of the user's own cannot be loaded.
    """
    labels: Sequence[str] = ()
    if experiment.task is Task.CLASSIFICATION:
        labels = experiment.data.labels or read_labels(split_uri)
    settings = experiment.evaluation
    metrics = metrics_of(experiment.task, settings.tokenizer, labels, own_metrics(experiment))
    primary = experiment.gate.metric or metrics.primary
    return replace(metrics, primary=primary, of_failure=settings.lower_is_better)


def own_metrics(experiment: Experiment) -> tuple[OwnMetric, ...]:
    """Returns the metrics of the user's own that an experiment names.

    Raises:
        ExperimentError: One of them cannot be loaded.
    """
    others = [metrics_of(task, labels=("any", "label")) for task in Task]
    taken = {name for one in others for name in (*one.names, *one.whole_names)}
    return load_own(experiment.evaluation.metrics, taken | {FAILURE_RATE})


def rehearse_own(experiment: Experiment, test_uri: str) -> None:
    """Loads the metrics of the user's own and tries them on some test examples, before anything is paid for.

    Raises:
        ExperimentError: One of them cannot be loaded, or failed.
    """
    if own := own_metrics(experiment):
        rehearse(own, read_split(test_uri)[:_REHEARSED])


def metrics_of(
    task: Task,
    tokenizer: Tokenizer = Tokenizer.ASCII,
    labels: Sequence[str] = (),
    own: tuple[OwnMetric, ...] = (),
) -> MetricSet:
    """Returns the metrics of a task.

    Args:
        task: What kind of answer is wanted.
        tokenizer: What counts as a word.
        labels: All labels of a classification; without them nothing can be said of its splits as a whole.
        own: Metrics of the user's own.
    """
    can_read: Callable[[str], bool] = partial(readable, tokenizer=tokenizer) if task in BY_WORDS else _anything
    names: tuple[str, ...]
    score: Score
    whole: WholeMetric = nothing
    statistics: WholeStatistics = nothing_to_sum
    whole_names: tuple[str, ...] = ()
    match task:
        case Task.QUESTION_ANSWERING:
            names, primary = question_answering.NAMES, question_answering.PRIMARY
            score = question_answering.question_answering(tokenizer)
        case Task.CLASSIFICATION:
            names, primary, score = classification.NAMES, classification.PRIMARY, classification.score
            if labels:
                whole, whole_names = classification.classes(labels), classification.WHOLE
                statistics = classification.sums(labels)
        case Task.EXTRACTION:
            names, primary, score = extraction.NAMES, extraction.PRIMARY, extraction.score
        case Task.SUMMARIZATION | Task.CHAT | Task.GENERATION:
            names, primary, score = rouge.NAMES, rouge.PRIMARY, rouge.rouge(tokenizer)
            if task is not Task.SUMMARIZATION:
                whole, whole_names = generation.overlap(tokenizer), generation.WHOLE
                statistics = generation.sums(tokenizer)
    return MetricSet(names, primary, score, whole, statistics, whole_names, can_read, tokenizer, own)


def _anything(text: str) -> bool:
    return True
