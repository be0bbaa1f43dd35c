"""Two finished runs: which of their tuned models is better, and whether that is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gemini_sft.cost import Quote
from gemini_sft.data.summary import DataSummary
from gemini_sft.decision import Comparison, Difference
from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES
from gemini_sft.decision.paired import Paired
from gemini_sft.experiment import Experiment, Task
from gemini_sft.experiment.schema import FAILURE_RATE
from gemini_sft.inference import Prediction, Traffic
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.report import numbers
from gemini_sft.report.facts import told_apart
from gemini_sft.tuning import Curves, Selection, TuningRecord
from gemini_sft.words import BY_WORDS


@dataclass(frozen=True)
class FinishedRun:
    """What a run has left.

    Attributes:
        run_id: Of the run.
        experiment: What was asked.
        comparison: What was decided.
        result: What the tuned model scored on the test examples.
        predictions: Its answers to them.
        traffic: How they came about.
        tuning: The tuning job.
        selection: Which of its checkpoints was taken.
        curves: Its loss and accuracy.
        quote: What the run was quoted at.
        data: What was made of the user's files.
    """

    run_id: str
    experiment: Experiment
    comparison: Comparison
    result: EvaluationResult
    predictions: Sequence[Prediction]
    traffic: Traffic
    tuning: TuningRecord
    selection: Selection
    curves: Curves
    quote: Quote
    data: DataSummary


@dataclass(frozen=True)
class Between:
    """The tuned models of two runs, called A and B; swapping them only turns signs round.

    Attributes:
        a: One run.
        b: The other.
        apart: Why they cannot be compared example by example, in sentences; empty if they can.
        differences: B minus A, of every metric and of the failure rate; empty if they cannot be so compared.
        confidence: Of the intervals: that of the run which asked for more.
    """

    a: FinishedRun
    b: FinishedRun
    apart: list[str]
    differences: dict[str, Difference]
    confidence: float

    @property
    def metric(self) -> str | None:
        """The metric that decided in both runs; None if they were decided by different ones."""
        first, second = (one.comparison.primary_metric for one in (self.a, self.b))
        return first if first == second else None

    @property
    def difference(self) -> Difference | None:
        """B minus A in that metric; None if there is no such metric, or no such difference."""
        return self.differences.get(self.metric) if self.metric else None

    @property
    def doubts(self) -> list[str]:
        """Why their intervals claim too much, in sentences; empty if they do not."""
        found = []
        if self.differences and self.a.result.n < FEWEST_EXAMPLES:
            found.append(f"Fewer than {FEWEST_EXAMPLES} examples decide nothing.")
        groups = self.a.comparison.groups or self.b.comparison.groups
        if self.differences and groups:
            found.append(
                f"The test examples belong to {numbers.count(groups, 'group')}, and which to which is not among a run's"
                " files. Here each stands for itself, so the intervals are narrower than they should be."
            )
        return found

    @property
    def better(self) -> str:
        """Which is known to be better, `A` or `B`; empty if that is not known."""
        if self.difference is None or self.doubts:
            return ""
        _, low, high = self.difference.gain
        return "B" if low > 0 else "A" if high < 0 else ""

    @property
    def same_model(self) -> bool:
        """Whether both runs took the same checkpoint of the same tuned model."""
        first, second = ((one.selection.taken.model, one.selection.taken.checkpoint) for one in (self.a, self.b))
        return first == second


def between(a: FinishedRun, b: FinishedRun) -> Between:
    """Compares two runs' tuned models on their test examples."""
    confidence = max(a.comparison.confidence, b.comparison.confidence)
    apart = [*_apart(a, b)]
    differences: dict[str, Difference] = {}
    if not apart:
        paired = Paired(a.result, b.result, a.experiment.evaluation.lower_is_better)
        differences = paired.differences([*a.result.metrics, FAILURE_RATE], confidence)
    return Between(a, b, apart, differences, confidence)


def _apart(a: FinishedRun, b: FinishedRun) -> Iterator[str]:
    first, second = a.result, b.result
    common = len(first.scores.keys() & second.scores.keys())
    if not common == first.n == second.n:
        yield (
            f"They were not asked the same test examples: of A's {numbers.count(first.n)} and B's"
            f" {numbers.count(second.n)}, {numbers.count(common)} are the same."
        )
    if not (first.prompt and second.prompt):
        yield "With which prompt they were asked is not known: a run did not write down its fingerprint."
    elif first.prompt != second.prompt:
        yield (
            f"They were asked with different prompts: the fingerprint of A's is {first.prompt}, that of B's"
            f" {second.prompt}."
        )
    if only := [*_only("A", first, second), *_only("B", second, first)]:
        yield f"They were scored with different metrics: {' and '.join(only)}."
        return
    scoring = _scoring(b.experiment)
    for key, value in _scoring(a.experiment).items():
        if value != scoring[key]:
            yield f"They were scored differently: {key} is {value} for A and {scoring[key]} for B."


def _only(name: str, one: EvaluationResult, other: EvaluationResult) -> Iterator[str]:
    if names := sorted(one.metrics.keys() - other.metrics.keys()):
        yield f"only {name} has {', '.join(names)}"


def _scoring(experiment: Experiment) -> dict[str, str]:
    """Returns the settings without which metrics of the same name mean something else."""
    asked = experiment.evaluation
    by_words = experiment.task in (*BY_WORDS, Task.QUESTION_ANSWERING)
    less = ", ".join(f"{name}: {value:g}" for name, value in sorted(asked.lower_is_better.items()))
    return {
        "evaluation.tokenizer": asked.tokenizer.value if by_words else "without effect",
        "evaluation.metrics": ", ".join(sorted(map(told_apart, asked.metrics))) or "empty",
        "evaluation.lower_is_better": less or "empty",
    }
