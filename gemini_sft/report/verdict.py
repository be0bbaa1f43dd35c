"""The verdict, and the gains and guards that it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from gemini_sft.decision import Comparison, Difference, Guarded, Verdict
from gemini_sft.decision import power as reckoning
from gemini_sft.decision.level import level
from gemini_sft.metrics.words import metric_words
from gemini_sft.report import numbers
from gemini_sft.report.arms import ArmNumbers
from gemini_sft.report.axis import Axis, IntervalPlot, Tick
from gemini_sft.report.input import ReportInput
from gemini_sft.report.over_fitting import OverFitting, over_fitting
from gemini_sft.report.scores import won
from gemini_sft.report.selection import not_the_last
from gemini_sft.report.slices import is_lost
from gemini_sft.report.words import STAND_IN, headline, sentence

_WHOM = {"base": "the base model", "champion": "the champion"}
_HELD = {True: ("holds", "\u2713", "held"), False: ("does not hold", "\u2715", "broken"), None: ("open", "?", "open")}


@dataclass(frozen=True)
class Share:
    """A part of the examples: how many, and the percentage that its bar is wide."""

    label: str
    sign: str
    count: int
    width: float


@dataclass(frozen=True)
class Against:
    """The gain over one model; `won` is the share of the resampled worlds in which the tuned model is better."""

    whom: str
    score: str
    gain: str
    low: str
    high: str
    won: str
    plot: IntervalPlot | None


@dataclass(frozen=True)
class GuardView:
    """A guard in words, and a sign, a word and a style for what became of it."""

    words: str
    state: str
    sign: str
    style: str


@dataclass(frozen=True)
class VerdictView:
    """The top of the page, in words and places.

    Attributes:
        verdict: The verdict.
        headline: What to do.
        reasons: Why, in sentences, without those of guards and of power, which stand apart.
        name: Of the deciding metric.
        metric: Likewise, for people.
        meaning: What it measures; empty if that is not known.
        less: Whether less of it is better.
        n: How many examples were asked.
        tuned: What the tuned model scored.
        against: The gain over the base model, and over the champion if there is one; what is in use comes last.
        confidence: Of the intervals.
        asked: The gain that was asked for.
        asked_at: Where that is on the axis, in percent.
        label_at: Where neither that line nor the one at zero crosses a label, in percent.
        ticks: On the axis.
        shares: How many examples the tuned model answered better than what is in use, and worse.
        guards: What must not get worse.
        power: What these examples can see, in a sentence; empty unless the verdict is open.
        stand_in: What answered, if it was not Gemini.
        checkpoint: Which was taken, if not the last.
        over_fitting: What the verdict must not be read without.
        lost: Where the tuned model is clearly worse than what is in use; likewise, empty if nowhere.
    """

    verdict: Verdict
    headline: str
    reasons: list[str]
    name: str
    metric: str
    meaning: str
    less: bool
    n: int
    tuned: str
    against: list[Against]
    confidence: str
    asked: str
    asked_at: float
    label_at: float
    ticks: list[Tick]
    shares: list[Share]
    guards: list[GuardView]
    power: str
    stand_in: str
    checkpoint: str
    over_fitting: OverFitting | None
    lost: str


def verdict_view(data: ReportInput, arms: Mapping[str, ArmNumbers]) -> VerdictView:
    """Returns what the top of the page shows.

    Args:
        data: Of the run.
        arms: The models that were asked.
    """
    comparison, asked = data.comparison, data.experiment.gate.min_gain
    name, decisive = comparison.primary_metric, comparison.decisive
    words = metric_words(name)
    held = {"base": comparison.difference}
    if comparison.champion:
        held["champion"] = comparison.champion.differences[name]
    axis = Axis.around([*(end for one in held.values() for end in one.gain), asked])
    power = open_power(comparison, asked)
    return VerdictView(
        verdict=comparison.verdict,
        headline=headline(comparison),
        reasons=reasons(comparison, asked),
        name=name,
        metric=words.label,
        meaning=words.meaning,
        less=decisive.lower_is_better,
        n=comparison.candidate.n,
        tuned=numbers.score(comparison.candidate.metrics[name]),
        against=[_against(_WHOM[key], arms[key], name, one, axis, asked) for key, one in held.items()],
        confidence=level(comparison.confidence),
        asked=f"more than {asked:g}",
        asked_at=axis.at(asked),
        label_at=_free(axis.at(0.0), axis.at(asked)),
        ticks=axis.ticks(),
        shares=shares(decisive.wins, decisive.ties, decisive.losses),
        guards=[_guard(one) for one in comparison.guards],
        power=sentence(power),
        stand_in=data.base.result.served_by if data.base.result.served_by.startswith(STAND_IN) else "",
        checkpoint=not_the_last(data.selection) if data.selection else "",
        over_fitting=over_fitting(data.curves, data.tuning, data.selection),
        lost="; ".join(f"{one.column} = {one.value}" for one in comparison.slices if is_lost(one)),
    )


def reasons(comparison: Comparison, min_gain: float) -> list[str]:
    """Returns why, in sentences, without what stands apart: the guards, and what the examples can see."""
    apart = {*(one.words for one in comparison.guards), open_power(comparison, min_gain)}
    return [sentence(one) for one in comparison.reasons if one not in apart]


def open_power(comparison: Comparison, min_gain: float) -> str:
    """Returns what these examples can see, in words; empty unless they cannot tell whether the gain is enough."""
    if comparison.power is None:
        return ""
    return reckoning.words(comparison.power, comparison.candidate.n, min_gain)


def shares(wins: int, ties: int, losses: int, between: str = "the same") -> list[Share]:
    """Returns the parts of a bar: better, what is `between`, worse."""
    total = wins + ties + losses or 1
    parts = (("better", "\u25b2", wins), (between, "=", ties), ("worse", "\u25bc", losses))
    return [Share(label, sign, n, round(100 * n / total, 2)) for label, sign, n in parts]


def _free(*lines: float) -> float:
    """Returns the middle of the widest gap between lines and ends of an axis, in percent."""
    start, end = max(pairwise(sorted((0.0, *lines, 100.0))), key=lambda gap: gap[1] - gap[0])
    return round((start + end) / 2, 2)


def _against(whom: str, other: ArmNumbers, metric: str, difference: Difference, axis: Axis, asked: float) -> Against:
    gain, low, high = difference.gain
    return Against(
        whom=whom,
        score=numbers.score(other.side.metrics[metric]),
        gain=numbers.signed(gain),
        low=numbers.signed(low),
        high=numbers.signed(high),
        won=won(difference),
        plot=axis.interval(difference, asked),
    )


def _guard(one: Guarded) -> GuardView:
    return GuardView(sentence(one.words), *_HELD[one.held])
