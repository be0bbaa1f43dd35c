"""Was tuning worth it? The candidate against the base model with examples in its prompt."""

import math
from collections.abc import Mapping, Sequence

from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES
from gemini_sft.decision.comparison import Comparison, Difference, FewShot, PerRequest, side_of
from gemini_sft.decision.evidence import Evidence
from gemini_sft.decision.paired import Paired
from gemini_sft.decision.ruling import level
from gemini_sft.errors import EvaluationError
from gemini_sft.inference import Prediction
from gemini_sft.inference.evaluation import EvaluationResult


def few_shot_arm(
    examples: int,
    few_shot: EvaluationResult,
    evidence: Evidence,
    confidence: float,
    predictions: Mapping[str, Sequence[Prediction]],
) -> FewShot:
    """Compares the candidate with the base model that had examples in its prompt.

    Args:
        examples: How many stood in the prompt.
        few_shot: What it scored with them.
        evidence: Knows what the candidate scored.
        confidence: Of the intervals.
        predictions: Of `base`, `few_shot` and `candidate`, for their tokens.

    Raises:
        EvaluationError: They were not asked the same examples.
    """
    try:
        paired = Paired(few_shot, evidence.candidate, evidence.lower_is_better, evidence.clusters)
    except EvaluationError as error:
        raise EvaluationError(f"with few-shot examples: {error}") from None
    tokens = {name: _per_request(one) for name, one in predictions.items()}
    return FewShot(
        examples=examples,
        base=side_of(few_shot),
        differences=paired.differences(list(few_shot.metrics), confidence),
        tokens={name: one for name, one in tokens.items() if one},
    )


def worth(comparison: Comparison) -> str:
    """Answers in words whether tuning was worth it; empty without the control arm."""
    arm, metric = comparison.few_shot, comparison.primary_metric
    if arm is None:
        return ""
    difference = arm.differences[metric]
    change = {True: "gains", False: "loses"}[difference.gain[0] > 0] if difference.mean else "changes"
    said = (
        f"With {arm.examples} example{'s' * (arm.examples > 1)} in its prompt, the base model scores"
        f" {arm.base.metrics[metric]:.4f} in {metric} ({comparison.base.metrics[metric]:.4f} without); tuning {change}"
        f" {abs(difference.mean):.4f} over that, {level(difference.confidence)} interval"
        f" [{difference.low:+.4f}, {difference.high:+.4f}]: {_reading(difference, arm.base.n)}."
    )
    tokens = arm.tokens
    if {"few_shot", "candidate"} <= tokens.keys():
        said += (
            f" A prompt has {tokens['few_shot'].prompt:,.0f} tokens with the examples in it and"
            f" {tokens['candidate'].prompt:,.0f} for the tuned model."
        )
    return said


def _reading(difference: Difference, n: int) -> str:
    if not all(map(math.isfinite, (difference.low, difference.high))):
        return "it could not be computed for every example"
    _, low, high = difference.gain
    if n < FEWEST_EXAMPLES or low <= 0 <= high:
        return f"these {n} test examples cannot tell which is better"
    return "tuning is better" if low > 0 else "the examples are better"


def _per_request(predictions: Sequence[Prediction]) -> PerRequest | None:
    counted = [one for one in predictions if one.prompt_tokens]
    if not counted:
        return None
    return PerRequest(
        prompt=sum(one.prompt_tokens for one in counted) / len(counted),
        answer=sum(one.output_tokens + one.thought_tokens for one in counted) / len(counted),
    )
