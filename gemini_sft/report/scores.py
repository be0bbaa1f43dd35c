"""Metrics and outcomes of both models, side by side."""

from dataclasses import dataclass

from gemini_sft.decision import Difference
from gemini_sft.inference import Outcome
from gemini_sft.metrics.words import metric_words
from gemini_sft.report import numbers
from gemini_sft.report.axis import Axis, IntervalPlot, Tick
from gemini_sft.report.input import ReportInput
from gemini_sft.report.words import OUTCOMES


@dataclass(frozen=True)
class MetricRow:
    """One metric."""

    label: str
    meaning: str
    decides: bool
    base: str
    tuned: str
    difference: str
    span: str
    reading: str
    plot: IntervalPlot | None


@dataclass(frozen=True)
class MetricTable:
    """Every metric, the one that decides first, drawn on one scale."""

    rows: list[MetricRow]
    ticks: list[Tick]
    confidence: str


@dataclass(frozen=True)
class OutcomeRow:
    """How many requests ended in one way, of all that were sent."""

    name: str
    meaning: str
    base: str
    base_share: str
    tuned: str
    tuned_share: str


def metric_table(data: ReportInput) -> MetricTable:
    """Returns the metrics side by side."""
    comparison = data.comparison
    primary, asked = comparison.primary_metric, data.experiment.gate.min_gain
    names = sorted(comparison.differences, key=lambda name: name != primary)
    axis = Axis.around(
        [end for one in comparison.differences.values() for end in (one.low, one.mean, one.high)] + [asked]
    )
    rows = []
    for name in names:
        difference, words = comparison.differences[name], metric_words(name)
        rows.append(
            MetricRow(
                label=words.label[0].upper() + words.label[1:],
                meaning=words.meaning,
                decides=name == primary,
                base=numbers.score(comparison.base.metrics[name]),
                tuned=numbers.score(comparison.candidate.metrics[name]),
                difference=numbers.signed(difference.mean),
                span=numbers.span(difference.low, difference.high),
                reading=_reading(difference),
                plot=axis.interval(difference, asked if name == primary else None),
            )
        )
    rows += [_whole_row(data, name, change) for name, change in comparison.corpus_differences().items()]
    return MetricTable(rows, axis.ticks(), numbers.percent(comparison.difference.confidence))


def outcome_rows(data: ReportInput) -> list[OutcomeRow]:
    """Returns every outcome that occurred, and `answered` in any case."""
    base, tuned = data.base, data.candidate
    rows = []
    for outcome, meaning in OUTCOMES.items():
        counts = base.outcomes.get(outcome, 0), tuned.outcomes.get(outcome, 0)
        if any(counts) or outcome is Outcome.ANSWERED:
            shares = (numbers.percent(n / (of or 1)) for n, of in zip(counts, (base.n, tuned.n), strict=True))
            base_share, tuned_share = shares
            rows.append(
                OutcomeRow(
                    outcome.value, meaning, numbers.count(counts[0]), base_share, numbers.count(counts[1]), tuned_share
                )
            )
    return rows


def _whole_row(data: ReportInput, name: str, change: float | None) -> MetricRow:
    """Returns the row of a metric of the whole split, which has no interval."""
    words, signature = metric_words(name), data.base.signatures.get(name)
    values = data.comparison.base.corpus[name], data.comparison.candidate.corpus.get(name)
    base, tuned = (numbers.NOTHING if one is None else numbers.score(one) for one in values)
    return MetricRow(
        label=words.label[0].upper() + words.label[1:] if words.label[0:2].islower() else words.label,
        meaning=f"{words.meaning} ({signature})" if signature else words.meaning,
        decides=False,
        base=base,
        tuned=tuned,
        difference=numbers.NOTHING if change is None else numbers.signed(change),
        span=numbers.NOTHING,
        reading="",
        plot=None,
    )


def _reading(difference: Difference) -> str:
    if difference.low > 0:
        return "\u25b2 higher"
    if difference.high < 0:
        return "\u25bc lower"
    return "= no clear change" if difference.low <= 0 <= difference.high else ""
