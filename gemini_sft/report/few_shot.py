"""The control arm: the base model with examples in its prompt."""

from dataclasses import dataclass

from gemini_sft.decision import worth
from gemini_sft.metrics.words import metric_words
from gemini_sft.report import numbers
from gemini_sft.report.axis import Axis, IntervalPlot
from gemini_sft.report.input import ReportInput

_ARMS = ("base", "few_shot", "candidate")
_NOT_COUNTED = "not counted"


@dataclass(frozen=True)
class WorthRow:
    """One metric of the three; the difference is that of the tuned model to the base model with examples."""

    label: str
    decides: bool
    base: str
    few_shot: str
    tuned: str
    difference: str
    span: str
    plot: IntervalPlot | None


@dataclass(frozen=True)
class WorthView:
    """Was tuning worth it?

    Attributes:
        answer: In words.
        examples: How many stand in the prompt.
        rows: Every metric, the one that decides first.
        failures: How many examples have no answer of the base model, with examples, of the tuned model; of how many.
        prompts: Mean tokens of a prompt: of the base model, with examples, of the tuned model.
        answers: Likewise of an answer.
        confidence: Of the intervals.
    """

    answer: str
    examples: int
    rows: list[WorthRow]
    failures: list[str]
    prompts: list[str]
    answers: list[str]
    confidence: str


def worth_view(data: ReportInput) -> WorthView | None:
    """Returns what the section shows; None if the experiment has no control arm."""
    comparison, arm = data.comparison, data.comparison.few_shot
    if arm is None:
        return None
    primary = comparison.primary_metric
    axis = Axis.around([end for one in arm.differences.values() for end in (one.low, one.mean, one.high)])
    rows = []
    for name in sorted(arm.differences, key=lambda name: name != primary):
        difference, label = arm.differences[name], metric_words(name).label
        rows.append(
            WorthRow(
                label=label[0].upper() + label[1:],
                decides=name == primary,
                base=numbers.score(comparison.base.metrics[name]),
                few_shot=numbers.score(arm.base.metrics[name]),
                tuned=numbers.score(comparison.candidate.metrics[name]),
                difference=numbers.signed(difference.mean),
                span=numbers.span(difference.low, difference.high),
                plot=axis.interval(difference),
            )
        )
    sides = (comparison.base, arm.base, comparison.candidate)
    failures = [sum(count for outcome, count in one.outcomes.items() if not outcome.has_answer) for one in sides]
    tokens = [arm.tokens.get(one) for one in _ARMS]
    return WorthView(
        answer=worth(comparison),
        examples=arm.examples,
        rows=rows,
        failures=[
            f"{numbers.count(count)} of {numbers.count(side.n)}" for count, side in zip(failures, sides, strict=True)
        ],
        prompts=[numbers.count(round(one.prompt)) if one else _NOT_COUNTED for one in tokens],
        answers=[numbers.count(round(one.answer)) if one else _NOT_COUNTED for one in tokens],
        confidence=numbers.percent(arm.differences[primary].confidence),
    )
