"""Was tuning worth it? The candidate against the base model with examples in its prompt."""

from collections.abc import Mapping, Sequence

from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES
from gemini_sft.decision.comparison import Comparison, Difference, FewShot, PerRequest, side_of
from gemini_sft.decision.evidence import Evidence
from gemini_sft.decision.level import level
from gemini_sft.decision.paired import Paired
from gemini_sft.decision.ruling import examples, is_number
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
    tokens = {name: per_request(one) for name, one in predictions.items()}
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
    said = (
        f"With {examples(arm.examples)} in its prompt, the base model scores"
        f" {arm.base.metrics[metric]:.4f} in {metric} ({comparison.base.metrics[metric]:.4f} without);"
        f" {_beyond(arm.differences[metric], arm.base.n, comparison.groups)}."
    )
    tokens = arm.tokens
    if {"few_shot", "candidate"} <= tokens.keys():
        said += (
            f" A prompt has {tokens['few_shot'].prompt:,.0f} tokens with the examples in it and"
            f" {tokens['candidate'].prompt:,.0f} for the tuned model."
        )
    return said


def _beyond(difference: Difference, n: int, groups: int | None) -> str:
    if not is_number(difference):
        return "what tuning gains over that could not be computed for every example"
    _, low, high = difference.gain
    if (groups or n) < FEWEST_EXAMPLES or low <= 0 <= high:
        reading = f"{'this' if n == 1 else 'these'} {examples(n, 'test example')} cannot tell which is better"
    else:
        reading = "tuning is better" if low > 0 else "the examples are better"
    if difference.lower_is_better:
        change = f"changes that by {difference.mean:+.4f} (less is better)"
    else:
        verb = "gains" if difference.mean > 0 else "loses" if difference.mean < 0 else "changes"
        change = f"{verb} {abs(difference.mean):.4f} over that"
    return (
        f"tuning {change}, {level(difference.confidence)} interval"
        f" [{difference.low:+.4f}, {difference.high:+.4f}]: {reading}"
    )


def per_request(predictions: Sequence[Prediction]) -> PerRequest | None:
    """Returns the tokens of a model's requests, as far as the service counted them; None if it counted none."""
    counted = [one for one in predictions if one.prompt_tokens]
    if not counted:
        return None
    return PerRequest(
        prompt=sum(one.prompt_tokens for one in counted) / len(counted),
        answer=sum(one.output_tokens + one.thought_tokens for one in counted) / len(counted),
    )
