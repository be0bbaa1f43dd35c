"""All predictions of one model on one split, scored."""

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from gemini_sft.data import Example
from gemini_sft.errors import EvaluationError
from gemini_sft.experiment import Task
from gemini_sft.inference.prediction import Outcome, Prediction
from gemini_sft.metrics import metrics_of


class EvaluationResult(BaseModel):
    """What one model scored.

    Attributes:
        model: The base model's id or the endpoint that was asked.
        served_by: What answered, in the service's own words.
        n: How many examples: the denominator of every number here.
        outcomes: How many predictions ended in each outcome that occurred.
        metrics: Mean of each metric over all `n` examples; an example without an answer counts as 0.
        scores: Each example's own metrics, by its id.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    served_by: str
    n: int
    outcomes: dict[Outcome, int]
    metrics: dict[str, float]
    scores: dict[str, dict[str, float]]

    @property
    def failures(self) -> int:
        """How many examples have no answer to score."""
        return sum(count for outcome, count in self.outcomes.items() if not outcome.has_answer)


def evaluate(
    task: Task,
    model: str,
    examples: Sequence[Example],
    predictions: Sequence[Prediction],
    *,
    max_failure_rate: float,
) -> EvaluationResult:
    """Scores the predictions of one model.

    Raises:
        EvaluationError: More than `max_failure_rate` of the examples have no answer; the reasons are counted.
    """
    metrics = metrics_of(task)
    nothing = dict.fromkeys(metrics.names, 0.0)
    scores = {
        example.id: metrics.score(prediction.text, example.references) if prediction.outcome.has_answer else nothing
        for example, prediction in zip(examples, predictions, strict=True)
    }
    result = EvaluationResult(
        model=model,
        served_by=next((one.model_version for one in predictions if one.model_version), ""),
        n=len(examples),
        outcomes=Counter(prediction.outcome for prediction in predictions),
        metrics={name: sum(one[name] for one in scores.values()) / len(scores) for name in metrics.names},
        scores=scores,
    )
    if result.failures / result.n > max_failure_rate:
        raise EvaluationError(_too_many_failures(result, predictions, max_failure_rate))
    return result


def _too_many_failures(result: EvaluationResult, predictions: Sequence[Prediction], max_failure_rate: float) -> str:
    failed = [one for one in predictions if not one.outcome.has_answer]
    reasons = Counter(one.error or f"{one.outcome} {one.finish_reason}".strip() for one in failed)
    worst = "; ".join(f"{count} x {reason[:200]}" for reason, count in reasons.most_common(3))
    return (
        f"{result.failures} of {result.n} examples have no answer from {result.model}, more than the"
        f" {max_failure_rate:.0%} that evaluation.max_failure_rate allows: {worst}"
    )
