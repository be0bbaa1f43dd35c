"""The verdict and the gain that it rests on."""

from dataclasses import dataclass

from gemini_sft.decision import Verdict
from gemini_sft.metrics.words import metric_words
from gemini_sft.report import numbers
from gemini_sft.report.axis import Axis, IntervalPlot, Tick
from gemini_sft.report.input import ReportInput
from gemini_sft.report.over_fitting import OverFitting, over_fitting
from gemini_sft.report.selection import not_the_last
from gemini_sft.report.words import HEADLINES

STAND_IN = "stand-in"
"""How the names of models begin that the local emulator answers with."""


@dataclass(frozen=True)
class Share:
    """A part of the examples: how many, and the percentage that its bar is wide."""

    label: str
    sign: str
    count: int
    width: float


@dataclass(frozen=True)
class VerdictView:
    """The top of the page, in words and places."""

    verdict: Verdict
    headline: str
    reasons: list[str]
    name: str
    metric: str
    meaning: str
    n: int
    base: str
    tuned: str
    gain: str
    low: str
    high: str
    confidence: str
    asked: str
    plot: IntervalPlot | None
    ticks: list[Tick]
    shares: list[Share]
    stand_in: str
    checkpoint: str
    over_fitting: OverFitting | None


def verdict_view(data: ReportInput) -> VerdictView:
    """Returns what the top of the page shows."""
    comparison, asked = data.comparison, data.experiment.gate.min_gain
    name, difference = comparison.primary_metric, comparison.difference
    words = metric_words(name)
    axis = Axis.around((difference.low, difference.mean, difference.high, asked))
    return VerdictView(
        verdict=comparison.verdict,
        headline=HEADLINES[comparison.verdict],
        reasons=comparison.reasons,
        name=name,
        metric=words.label,
        meaning=words.meaning,
        n=comparison.candidate.n,
        base=numbers.score(comparison.base.metrics[name]),
        tuned=numbers.score(comparison.candidate.metrics[name]),
        gain=numbers.signed(difference.mean),
        low=numbers.signed(difference.low),
        high=numbers.signed(difference.high),
        confidence=numbers.percent(difference.confidence),
        asked=f"more than {asked:g}",
        plot=axis.interval(difference, asked),
        ticks=axis.ticks(),
        shares=shares(difference.wins, difference.ties, difference.losses),
        checkpoint=not_the_last(data.selection) if data.selection else "",
        over_fitting=over_fitting(data.curves, data.tuning, data.selection),
        stand_in=data.base.result.served_by if data.base.result.served_by.startswith(STAND_IN) else "",
    )


def shares(wins: int, ties: int, losses: int, between: str = "the same") -> list[Share]:
    """Returns the parts of a bar: better, what is `between`, worse."""
    total = wins + ties + losses or 1
    parts = (("better", "\u25b2", wins), (between, "=", ties), ("worse", "\u25bc", losses))
    return [Share(label, sign, n, round(100 * n / total, 2)) for label, sign, n in parts]
