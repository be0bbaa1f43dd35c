"""Metrics and outcomes of the models, side by side."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gemini_sft.decision import Comparison, Difference
from gemini_sft.decision.comparison import Side
from gemini_sft.decision.level import level
from gemini_sft.inference import Outcome
from gemini_sft.metrics.words import metric_words
from gemini_sft.report import numbers
from gemini_sft.report.arms import ArmNumbers
from gemini_sft.report.axis import Axis, IntervalPlot
from gemini_sft.report.input import ReportInput
from gemini_sft.report.words import OUTCOMES, UNREADABLE, title


@dataclass(frozen=True)
class GainView:
    """How much better the tuned model is than another; empty texts where there is no interval.

    Attributes:
        over: The other model.
        gain: By how much.
        span: The interval.
        reading: What that means.
        won: In which share of the resampled worlds the tuned model is better.
        plot: The drawing; None without numbers.
    """

    over: str
    gain: str
    span: str = ""
    reading: str = ""
    won: str = ""
    plot: IntervalPlot | None = None


@dataclass(frozen=True)
class MetricRow:
    """One metric: what each model scored, and what the tuned model gains over each other.

    `scale` says what its intervals are drawn on, if its values do not lie in [0, 1] as most do.
    """

    label: str
    meaning: str
    decides: bool
    less: bool
    scores: list[str]
    gains: list[GainView]
    scale: str = ""


@dataclass(frozen=True)
class MetricTable:
    """Every metric, the one that decides first.

    Attributes:
        names: Of the models that were asked.
        rows: One for each metric.
        scale: Both ends of what intervals are drawn on, of all metrics whose values lie in [0, 1].
        confidence: Of the intervals.
    """

    names: list[str]
    rows: list[MetricRow]
    scale: tuple[str, str]
    confidence: str


@dataclass(frozen=True)
class OutcomeRow:
    """How many requests ended in one way, and their share of all that were sent, for each model."""

    name: str
    meaning: str
    cells: list[tuple[str, str]]


def metric_table(data: ReportInput, arms: Mapping[str, ArmNumbers]) -> MetricTable:
    """Returns the metrics side by side.

    Args:
        data: Of the run.
        arms: The models that were asked.
    """
    comparison = data.comparison
    primary, asked = comparison.primary_metric, data.experiment.gate.min_gain
    over = _differences(comparison, arms)
    shots = arms["few_shot"].name if "few_shot" in arms else ""
    ends = {name: [end for one in over.values() for end in one[name].gain] for name in comparison.differences}
    ends[primary].append(asked)
    changes, intervals = comparison.corpus_differences(), comparison.corpus_intervals
    whole = {name: change for name, change in changes.items() if change is not None and name in intervals}
    ends |= {name: [change, intervals[name].low, intervals[name].high] for name, change in whole.items()}
    shares = [name for name in ends if all(0 <= one <= 1 for one in _scores(name, arms) if one is not None)]
    shared = Axis.around([end for name in shares for end in ends[name]])
    axes = {name: shared if name in shares else Axis.around(ends[name]) for name in ends}
    scales = {name: "from {} to {}".format(*axes[name].ends()) for name in ends if name not in shares}
    rows = []
    for name in sorted(comparison.differences, key=lambda name: name != primary):
        words = metric_words(name)
        held = {whom: one[name] for whom, one in over.items() if name == primary or whom != shots}
        rows.append(
            MetricRow(
                label=title(words.label),
                meaning=words.meaning,
                decides=name == primary,
                less=comparison.differences[name].lower_is_better,
                scores=[numbers.score(one.side.metrics[name]) for one in arms.values()],
                gains=[
                    gain_view(whom, one, axes[name], asked if name == primary else None) for whom, one in held.items()
                ],
                scale=scales.get(name, ""),
            )
        )
    rows += [
        _whole_row(data, name, change, arms, axes.get(name), scales.get(name, "")) for name, change in changes.items()
    ]
    names = [one.name for one in arms.values()]
    return MetricTable(names, rows, shared.ends(), level(comparison.confidence))


def outcome_rows(arms: Mapping[str, ArmNumbers]) -> list[OutcomeRow]:
    """Returns every outcome that occurred, and `answered` in any case, of the models that were asked."""
    sides = [one.side for one in arms.values()]
    rows = []
    for outcome, meaning in OUTCOMES.items():
        counts = [one.outcomes.get(outcome, 0) for one in sides]
        if any(counts) or outcome is Outcome.ANSWERED:
            rows.append(OutcomeRow(outcome.value, meaning, _counted(counts, sides)))
    unreadable = [one.unreadable for one in sides]
    if any(unreadable):
        rows.append(OutcomeRow("of these unreadable", UNREADABLE, _counted(unreadable, sides)))
    return rows


def _differences(comparison: Comparison, arms: Mapping[str, ArmNumbers]) -> dict[str, dict[str, Difference]]:
    """Returns by the other models' names the tuned model's differences to them."""
    found = {"base": comparison.differences}
    if comparison.few_shot:
        found["few_shot"] = comparison.few_shot.differences
    if comparison.champion:
        found["champion"] = comparison.champion.differences
    return {arms[key].name: found[key] for key in arms if key in found}


def gain_view(over: str, difference: Difference, axis: Axis, asked: float | None) -> GainView:
    """Returns the gain over another model in words, and its drawing against what was asked, if anything was."""
    gain, low, high = difference.gain
    return GainView(
        over=over,
        gain=numbers.signed(gain),
        span=numbers.span(low, high),
        reading=numbers.reading(difference.gain),
        won=won(difference),
        plot=axis.interval(difference, asked),
    )


def won(difference: Difference) -> str:
    """Returns in which share of the resampled worlds the tuned model is better; no share is rounded to all or none."""
    return share_won(difference.won) if all(map(math.isfinite, difference.gain)) else ""


def share_won(share: float) -> str:
    """Returns a share of the resampled worlds."""
    if 0 < share < 0.001:
        return "under 0.1%"
    return "over 99.9%" if 0.999 < share < 1 else numbers.percent(share)


def _scores(name: str, arms: Mapping[str, ArmNumbers]) -> list[float | None]:
    """Returns what each model scored in a metric, of each example or of the whole split; None where it has none."""
    return [one.side.metrics.get(name, one.side.corpus.get(name)) for one in arms.values()]


def _whole_row(
    data: ReportInput,
    name: str,
    change: float | None,
    arms: Mapping[str, ArmNumbers],
    axis: Axis | None,
    scale: str,
) -> MetricRow:
    """Returns the row of a metric of the whole split; `axis` is what its interval is drawn on, if it has one."""
    words, signature = metric_words(name), data.base.result.signatures.get(name)
    values = _scores(name, arms)
    gain = GainView(arms["base"].name, numbers.NOTHING if change is None else numbers.signed(change))
    if change is not None and axis is not None:
        found = data.comparison.corpus_intervals[name]
        ends = (change, found.low, found.high)
        gain = GainView(
            over=gain.over,
            gain=gain.gain,
            span=numbers.span(found.low, found.high),
            reading=numbers.reading(ends),
            won=share_won(found.won),
            plot=axis.span(*ends),
        )
    return MetricRow(
        label=title(words.label),
        meaning=f"{words.meaning} ({signature})" if signature else words.meaning,
        decides=False,
        less=False,
        scores=[numbers.NOTHING if one is None else numbers.score(one) for one in values],
        gains=[gain],
        scale=scale,
    )


def _counted(counts: Sequence[int], sides: Sequence[Side]) -> list[tuple[str, str]]:
    return [(numbers.count(n), numbers.percent(n / (side.n or 1))) for n, side in zip(counts, sides, strict=True)]
