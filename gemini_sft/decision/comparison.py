"""Two evaluations, paired example by example, and what follows from them."""

import math
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES, interval
from gemini_sft.decision.judged import Judged
from gemini_sft.errors import EvaluationError
from gemini_sft.experiment import Gate, Task
from gemini_sft.inference.evaluation import EvaluationResult, failures
from gemini_sft.inference.prediction import Outcome
from gemini_sft.metrics import metrics_of


class Verdict(StrEnum):
    """What to do with the tuned model."""

    PROMOTE = "promote"
    REJECT = "reject"
    INCONCLUSIVE = "inconclusive"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Difference(_Frozen):
    """Candidate minus base, of one metric.

    Attributes:
        mean: Mean of the differences of all examples.
        low: Lower end of the mean's bootstrap interval.
        high: Upper end.
        confidence: Of that interval.
        wins: How many examples the candidate answered better.
        ties: How many equally well.
        losses: How many worse.
    """

    mean: float
    low: float
    high: float
    confidence: float
    wins: int
    ties: int
    losses: int


class Side(_Frozen):
    """One of the two models: see `EvaluationResult`, of which this is the part without single examples."""

    model: str
    served_by: str
    n: int
    outcomes: dict[Outcome, int]
    unreadable: int = 0
    metrics: dict[str, float]
    corpus: dict[str, float | None] = {}

    @property
    def failures(self) -> int:
        """How many examples have no answer that could be scored."""
        return failures(self.outcomes, self.unreadable)


class PerRequest(_Frozen):
    """Mean tokens of the requests that a model answered: of the prompt, and of the answer with all thoughts."""

    prompt: float
    answer: float


class FewShot(_Frozen):
    """The base model with examples in its prompt: what one could have without tuning. It never changes the verdict.

    Attributes:
        examples: How many stand in its prompt.
        base: What it scored.
        differences: Candidate minus that, of every metric.
        tokens: Per request of `base`, `few_shot` and `candidate`, as far as the service counted them.
    """

    examples: int
    base: Side
    differences: dict[str, Difference]
    tokens: dict[str, PerRequest]


class Comparison(_Frozen):
    """The outcome of a run.

    Attributes:
        verdict: Promote, reject or inconclusive.
        reasons: Why, in words.
        primary_metric: The metric that decided.
        base: What the base model scored.
        candidate: What the tuned model scored.
        differences: Of every metric.
        few_shot: The control arm; None if the experiment has none.
        judge: What the judge said, in numbers; likewise.
        absent: What was asked for and could not be had, and why, in sentences.
    """

    verdict: Verdict
    reasons: list[str]
    primary_metric: str
    base: Side
    candidate: Side
    differences: dict[str, Difference]
    few_shot: FewShot | None = None
    judge: Judged | None = None
    absent: list[str] = []

    @property
    def difference(self) -> Difference:
        """Of the primary metric."""
        return self.differences[self.primary_metric]

    def corpus_differences(self) -> dict[str, float | None]:
        """Returns candidate minus base of each metric of the whole split; None where one of the two has none."""
        sides = ((name, value, self.candidate.corpus.get(name)) for name, value in self.base.corpus.items())
        return {name: None if base is None or tuned is None else tuned - base for name, base, tuned in sides}

    def headline(self) -> dict[str, str | float]:
        """Returns the few values that stand for the whole."""
        difference = self.difference
        return {
            "verdict": self.verdict.value,
            "primary_metric": self.primary_metric,
            "base": self.base.metrics[self.primary_metric],
            "candidate": self.candidate.metrics[self.primary_metric],
            "difference": difference.mean,
            "difference_low": difference.low,
            "difference_high": difference.high,
        }


def compare(task: Task, gate: Gate, base: EvaluationResult, candidate: EvaluationResult) -> Comparison:
    """Compares two models on the same examples.

    Raises:
        EvaluationError: They were not asked the same examples, or not scored with the same metrics.
    """
    primary = metrics_of(task).primary
    if base.metrics.keys() != candidate.metrics.keys():
        raise EvaluationError("base and tuned model were not scored with the same metrics")
    pairs = paired_differences(base, candidate)
    differences = {name: _difference(pairs[name], gate.confidence) for name in base.metrics}
    verdict, reasons = _decide(primary, differences[primary], gate, len(pairs))
    return Comparison(
        verdict=verdict,
        reasons=reasons,
        primary_metric=primary,
        base=_side(base),
        candidate=_side(candidate),
        differences=differences,
    )


def paired_differences(base: EvaluationResult, candidate: EvaluationResult) -> pd.DataFrame:
    """Returns candidate minus base: one row per example id, one column per metric.

    Raises:
        EvaluationError: They were not asked the same examples.
    """
    if base.scores.keys() != candidate.scores.keys():
        only = len(base.scores.keys() ^ candidate.scores.keys())
        raise EvaluationError(f"base and tuned model were not asked the same examples: {only} stand on one side only")
    if not base.scores:
        raise EvaluationError("there are no examples to compare on")
    before, after = (pd.DataFrame.from_dict(one.scores, orient="index") for one in (base, candidate))
    return after.loc[before.index] - before


def _difference(values: "pd.Series[float]", confidence: float) -> Difference:
    array: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    low, high = interval(array, confidence)
    return Difference(
        mean=float(array.mean()),
        low=low,
        high=high,
        confidence=confidence,
        wins=int((array > 0).sum()),
        ties=int((array == 0).sum()),
        losses=int((array < 0).sum()),
    )


def _decide(metric: str, difference: Difference, gate: Gate, n: int) -> tuple[Verdict, list[str]]:
    """Applies the gate: only an interval that lies wholly above what was asked promotes."""
    span = f"[{difference.low:+.4f}, {difference.high:+.4f}]"
    stated = (
        f"{metric} changed by {difference.mean:+.4f} over {n} examples, {difference.confidence:.0%} interval {span}"
    )
    asked = f"the gain of {gate.min_gain:g} that was asked" if gate.min_gain else "zero"
    if not all(map(math.isfinite, (difference.mean, difference.low, difference.high))):
        return Verdict.REJECT, [f"{metric} could not be computed for every example"]
    if n < FEWEST_EXAMPLES:
        return Verdict.INCONCLUSIVE, [f"{stated}: fewer than {FEWEST_EXAMPLES} examples decide nothing"]
    if difference.low > gate.min_gain:
        return Verdict.PROMOTE, [f"{stated}: it lies wholly above {asked}"]
    if difference.high <= gate.min_gain:
        return Verdict.REJECT, [f"{stated}: it does not reach above {asked}"]
    return Verdict.INCONCLUSIVE, [f"{stated}: it holds {asked}, so these examples cannot tell"]


def _side(result: EvaluationResult) -> Side:
    return Side(
        model=result.model,
        served_by=result.served_by,
        n=result.n,
        outcomes=result.outcomes,
        unreadable=result.unreadable,
        metrics=result.metrics,
        corpus=result.corpus,
    )
