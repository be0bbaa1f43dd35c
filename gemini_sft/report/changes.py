"""The section of the test examples: those whose score changed most, and a search over all."""

from dataclasses import dataclass

from gemini_sft.metrics.words import metric_words
from gemini_sft.report.cards import Card, Kind, cards, right_or_wrong
from gemini_sft.report.explorer import Explorer, explorer
from gemini_sft.report.input import ReportInput

SHOWN = 10
"""Examples per direction."""


@dataclass(frozen=True)
class Changes:
    """The test examples.

    Attributes:
        metric: What decides, in words.
        against: What the tuned model is compared with, in words.
        lower_is_better: Whether less of it is better.
        right_or_wrong: Whether it says no more of an example than that.
        losses: Of those that got worse the worst, at most `SHOWN`.
        wins: Of those that got better the best, likewise.
        worse: How many got worse.
        better: How many got better.
        n: How many were asked.
        unscored: How many of them have no difference.
        explorer: All of them, to be searched.
    """

    metric: str
    against: str
    lower_is_better: bool
    right_or_wrong: bool
    losses: list[Card]
    wins: list[Card]
    worse: int
    better: int
    n: int
    unscored: int
    explorer: Explorer


def changes(data: ReportInput) -> Changes:
    """Returns the test examples, the largest changes in the primary metric first."""
    every = cards(data)
    worse, better, unscored = (
        [one for one in every if one.kind is kind] for kind in (Kind.WORSE, Kind.BETTER, Kind.UNSCORED)
    )
    metric = metric_words(data.comparison.primary_metric).label
    return Changes(
        metric=metric,
        against="the champion" if data.champion else "the base model",
        lower_is_better=data.comparison.difference.lower_is_better,
        right_or_wrong=right_or_wrong(data),
        losses=worse[:SHOWN],
        wins=better[:SHOWN],
        worse=len(worse),
        better=len(better),
        n=len(every),
        unscored=len(unscored),
        explorer=explorer(every, metric),
    )
