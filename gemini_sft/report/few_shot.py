"""The control arm: the base model with examples in its prompt."""

from collections.abc import Sequence
from dataclasses import dataclass

from gemini_sft.decision import worth
from gemini_sft.metrics.words import metric_words
from gemini_sft.report import numbers
from gemini_sft.report.axis import Axis, IntervalPlot
from gemini_sft.report.input import ReportInput
from gemini_sft.report.words import title

_ARMS = ("base", "few_shot", "candidate")
_NOT_COUNTED = "not counted"


@dataclass(frozen=True)
class WorthRow:
    """One metric of the three; the difference is that of the tuned model to the base model with examples.

    Metrics of the whole split have no interval.
    """

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
        rows: Every metric, the one that decides first and those of the whole split last.
        scale: Both ends of what intervals are drawn on.
        failures: How many examples have no answer that could be scored, of the base model, with examples, of the tuned
            model; of how many.
        prompts: Mean tokens of a prompt: of the base model, with examples, of the tuned model.
        answers: Likewise of an answer.
        confidence: Of the intervals.
    """

    answer: str
    examples: int
    rows: list[WorthRow]
    scale: tuple[str, str]
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
        difference = arm.differences[name]
        rows.append(
            WorthRow(
                label=title(metric_words(name).label),
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
    rows += [_whole_row(name, [one.corpus.get(name) for one in sides]) for name in comparison.base.corpus]
    tokens = [arm.tokens.get(one) for one in _ARMS]
    return WorthView(
        answer=worth(comparison),
        examples=arm.examples,
        rows=rows,
        scale=axis.ends(),
        failures=[f"{numbers.count(side.failures)} of {numbers.count(side.n)}" for side in sides],
        prompts=[numbers.count(round(one.prompt)) if one else _NOT_COUNTED for one in tokens],
        answers=[numbers.count(round(one.answer)) if one else _NOT_COUNTED for one in tokens],
        confidence=numbers.percent(arm.differences[primary].confidence),
    )


def _whole_row(name: str, values: Sequence[float | None]) -> WorthRow:
    base, few_shot, tuned = (numbers.NOTHING if one is None else numbers.score(one) for one in values)
    _, before, after = values
    return WorthRow(
        label=title(metric_words(name).label),
        decides=False,
        base=base,
        few_shot=few_shot,
        tuned=tuned,
        difference=numbers.NOTHING if before is None or after is None else numbers.signed(after - before),
        span="",
        plot=None,
    )
