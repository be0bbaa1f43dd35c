"""All predictions of one model on one split, scored."""

from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import ConfigDict

from gemini_sft import storage
from gemini_sft.data import Example
from gemini_sft.errors import EvaluationError
from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.inference.prediction import Outcome, Prediction
from gemini_sft.metrics import MetricSet
from gemini_sft.metrics.whole import Confusion, WholeSplit


class EvaluationResult(WholeSplit):
    """What one model scored; of the split as a whole, see `WholeSplit`.

    Attributes:
        model: The base model's id or the endpoint that was asked.
        served_by: What answered, in the service's own words.
        n: How many examples: the denominator of every number here.
        outcomes: How many predictions ended in each outcome that occurred.
        unreadable: How many of the answers no metric could read (see `gemini_sft.words`): failures too.
        metrics: Mean of each metric over all `n` examples; what a failure counts as, see `MetricSet.failure`.
        scores: Each example's own metrics, by its id.
        failed: Ids of the examples without an answer that could be scored, in the split's order.
        prompt: Fingerprint of the prompt that was asked with; empty if that is not one which a split was made with.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    served_by: str
    n: int
    outcomes: dict[Outcome, int]
    unreadable: int = 0
    metrics: dict[str, float]
    scores: dict[str, dict[str, float]]
    failed: list[str]
    prompt: str = ""

    @property
    def failures(self) -> int:
        """How many examples have no answer that could be scored."""
        return failures(self.outcomes, self.unreadable)

    def numbers(self) -> dict[str, float]:
        """Returns the numbers that are shown as Metrics."""
        whole = {name: value for name, value in self.corpus.items() if value is not None}
        return {"examples": self.n, "failures": self.failures, **self.metrics, **whole}


def failures(outcomes: dict[Outcome, int], unreadable: int) -> int:
    """Returns how many examples have no answer that could be scored."""
    return unreadable + sum(count for outcome, count in outcomes.items() if not outcome.has_answer)


def evaluate(
    metrics: MetricSet,
    model: str,
    examples: Sequence[Example],
    predictions: Sequence[Prediction],
    *,
    max_failure_rate: float,
    prompt: str = "",
) -> EvaluationResult:
    """Scores the predictions of one model.

    Args:
        metrics: What to score with.
        model: Whose they are.
        examples: What was asked.
        predictions: One for each of them, in their order.
        max_failure_rate: Share of the examples that may be without an answer that could be scored.
        prompt: See `EvaluationResult`.

    Raises:
        EvaluationError: There are no examples; or more than `max_failure_rate` of them have no answer that could be
            scored, and then the reasons are counted; or a metric of the user's own failed.
    """
    if not examples:
        raise EvaluationError("there are no examples to evaluate on")
    failure = metrics.failure()
    failed: list[str] = []
    scores: dict[str, dict[str, float]] = {}
    unreadable = 0
    for example, prediction in zip(examples, predictions, strict=True):
        lost = prediction.text.strip() and not metrics.readable(prediction.text)
        scored = prediction.outcome.has_answer and not lost
        scores[example.id] = _score(metrics, example, prediction.text) if scored else failure
        if not scored:
            failed.append(example.id)
        unreadable += prediction.outcome.has_answer and not scored
    answers = [one.text if one.outcome.has_answer else "" for one in predictions]
    result = EvaluationResult(
        model=model,
        served_by=next((one.model_version for one in predictions if one.model_version), ""),
        n=len(examples),
        outcomes=Counter(prediction.outcome for prediction in predictions),
        unreadable=unreadable,
        metrics={name: sum(one[name] for one in scores.values()) / len(scores) for name in metrics.names},
        scores=scores,
        failed=failed,
        prompt=prompt,
        **dict(metrics.whole(answers, [one.references for one in examples])),
    )
    if result.failures / result.n > max_failure_rate:
        raise EvaluationError(_too_many_failures(result, metrics, predictions, max_failure_rate))
    return result


def most_failures(n: int, rate: float) -> int:
    """Returns how many of `n` examples may fail: the most that `evaluate` lets pass, whatever floats make of it."""
    about = int(n * rate)
    return max(one for one in (about - 1, about, about + 1) if one / n <= rate) if n else 0


def read_confusion(uri: str) -> Confusion | None:
    """Returns which labels were taken for which, of an evaluation that was written; None if it has no labels."""
    confusion = storage.read_json(uri).get("confusion")
    return None if confusion is None else Confusion.model_validate(confusion)


def _score(metrics: MetricSet, example: Example, answer: str) -> dict[str, float]:
    try:
        return metrics.score(answer, example.references, example.prompt_text)
    except EvaluationError as error:
        raise EvaluationError(f"{example.source}:{example.line}: {error}") from None


def _too_many_failures(
    result: EvaluationResult, metrics: MetricSet, predictions: Iterable[Prediction], max_failure_rate: float
) -> str:
    reasons = Counter(one.reason for one in predictions if not one.outcome.has_answer)
    if result.unreadable:
        reasons[f"unreadable: {_unread(metrics)}"] = result.unreadable
    worst = "; ".join(f"{count} x {reason}" for reason, count in reasons.most_common(3))
    return (
        f"{result.failures} of {result.n} examples have no answer from {result.model} that could be scored, more than"
        f" the {max_failure_rate:.0%} that evaluation.max_failure_rate allows: {worst}"
    )


def _unread(metrics: MetricSet) -> str:
    said = f"no word for evaluation.tokenizer: {metrics.tokenizer}"
    if metrics.tokenizer is Tokenizer.UNICODE:
        return said
    return f"{said}, or most letters not ASCII (other scripts need evaluation.tokenizer: unicode)"
