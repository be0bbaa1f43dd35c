"""Metrics and outcomes of both models, side by side."""

from dataclasses import dataclass

from gemini_sft.decision import Difference
from gemini_sft.inference import Outcome
from gemini_sft.metrics.whole import ClassScores
from gemini_sft.metrics.words import metric_words
from gemini_sft.report import numbers
from gemini_sft.report.axis import Axis, IntervalPlot
from gemini_sft.report.input import ReportInput
from gemini_sft.report.words import OUTCOMES, UNREADABLE, title


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
    """Every metric, the one that decides first, drawn on one scale with these ends."""

    rows: list[MetricRow]
    scale: tuple[str, str]
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


@dataclass(frozen=True)
class ClassRow:
    """What one label of a classification scores; of base and tuned model precision, recall and F1 in this order."""

    label: str
    support: int
    base: list[str]
    tuned: list[str]


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
                label=title(words.label),
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
    return MetricTable(rows, axis.ends(), numbers.percent(comparison.difference.confidence))


def class_rows(data: ReportInput) -> list[ClassRow]:
    """Returns every label of a classification, in the order of the label set; of other tasks none."""
    return [
        ClassRow(label, of_base.support, _parts(of_base), _parts(data.candidate.result.classes[label]))
        for label, of_base in data.base.result.classes.items()
        if label in data.candidate.result.classes
    ]


def outcome_rows(data: ReportInput) -> list[OutcomeRow]:
    """Returns every outcome that occurred, and `answered` in any case."""
    base, tuned = data.base.result, data.candidate.result
    of = base.n, tuned.n
    rows = []
    for outcome, meaning in OUTCOMES.items():
        counts = base.outcomes.get(outcome, 0), tuned.outcomes.get(outcome, 0)
        if any(counts) or outcome is Outcome.ANSWERED:
            rows.append(OutcomeRow(outcome.value, meaning, *_counted(counts, of)))
    unreadable = base.unreadable, tuned.unreadable
    if any(unreadable):
        rows.append(OutcomeRow("of these unreadable", UNREADABLE, *_counted(unreadable, of)))
    return rows


def _whole_row(data: ReportInput, name: str, change: float | None) -> MetricRow:
    """Returns the row of a metric of the whole split, which has no interval."""
    words, signature = metric_words(name), data.base.result.signatures.get(name)
    values = data.comparison.base.corpus[name], data.comparison.candidate.corpus.get(name)
    base, tuned = (numbers.NOTHING if one is None else numbers.score(one) for one in values)
    return MetricRow(
        label=title(words.label),
        meaning=f"{words.meaning} ({signature})" if signature else words.meaning,
        decides=False,
        base=base,
        tuned=tuned,
        difference=numbers.NOTHING if change is None else numbers.signed(change),
        span=numbers.NOTHING,
        reading="",
        plot=None,
    )


def _counted(counts: tuple[int, int], of: tuple[int, int]) -> list[str]:
    pairs = ((numbers.count(n), numbers.percent(n / (whole or 1))) for n, whole in zip(counts, of, strict=True))
    return [text for pair in pairs for text in pair]


def _parts(scores: ClassScores) -> list[str]:
    of_all = (scores.precision, scores.recall, scores.f1)
    return [numbers.NOTHING if one is None else numbers.score(one) for one in of_all]


def _reading(difference: Difference) -> str:
    if difference.low > 0:
        return "\u25b2 higher"
    if difference.high < 0:
        return "\u25bc lower"
    return "= no clear change" if difference.low <= 0 <= difference.high else ""
