"""What the judge said, in numbers, with the uncertainty that so many examples leave."""

from collections.abc import Mapping

import numpy as np
from pydantic import BaseModel, ConfigDict

from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES, worlds
from gemini_sft.decision.level import level
from gemini_sft.judging import Grades, Judgement, Tally, Winner

MOST_BIASED = 0.3
"""Share of the readable pairs: beyond it, where an answer stood has decided too often for what it says to count."""

_REASONS = 3
_POINTS = {Winner.CANDIDATE: 1.0, Winner.TIE: 0.5, Winner.BASE: 0.0}


class Judged(BaseModel):
    """The part of a judgement that is without single examples; it has a say only through `gate.min_win_rate`.

    Attributes:
        model: The judge.
        served_by: What answered, in the service's own words.
        tally: The pairs, counted.
        low: Lower end of the win rate's bootstrap interval; None without a win rate, or with too few pairs for one.
        high: Upper end, likewise.
        confidence: Of that interval.
        base_grades: How good the base model's answers are by themselves; None if no grades were asked for.
        candidate_grades: Likewise the candidate's.
        failures: Why the judge made no choice, and in how many requests, comparisons and grades alike.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    served_by: str
    tally: Tally
    low: float | None
    high: float | None
    confidence: float
    base_grades: Grades | None
    candidate_grades: Grades | None
    failures: dict[str, int] = {}

    @property
    def biased(self) -> bool:
        """Whether the judge went by the place of an answer too often to be relied on."""
        return (self.tally.position_bias or 0) > MOST_BIASED

    @property
    def reasons(self) -> str:
        """The most frequent of `failures`, in brackets behind a space; empty if there are none."""
        most = sorted(self.failures.items(), key=lambda one: -one[1])[:_REASONS]
        said = "; ".join(f"{n:,} \u00d7 {reason}" for reason, n in most)
        return f" (of all its requests {said})" if said else ""

    @property
    def words(self) -> str:
        """All that in a few sentences."""
        tally, judge = self.tally, f"The judge, {self.model},"
        said = (
            f"{judge} prefers the tuned model's answer in {tally.wins:,} of {tally.n:,} pairs and the base model's in"
            f" {tally.losses:,}; {tally.ties:,} {'is a tie' if tally.ties == 1 else 'are ties'}."
        )
        if tally.win_rate is not None:
            said += f" Win rate, a tie counting as half: {tally.win_rate:.1%} of {tally.n:,}"
            if self.low is not None and self.high is not None:
                said += f", {level(self.confidence)} interval [{self.low:.1%}, {self.high:.1%}]"
            said += "."
        if tally.unreadable:
            why = ("" if tally.win_rate is not None else ": too many for a win rate") + self.reasons
            said += f" {tally.unreadable:,} of {tally.examples:,} are left out, without two readable verdicts{why}."
        if self.biased:
            said += f" It prefers {_places(tally)} pairs, whatever stands there: do not rely on it."
        return said


def judged(judgement: Judgement, confidence: float, clusters: Mapping[str, str] | None = None) -> Judged:
    """Returns a judgement in numbers.

    Args:
        judgement: With its single examples.
        confidence: Of the win rate's interval.
        clusters: What each example belongs to, by its id; those that are missing stand for themselves.
    """
    low = high = None
    pairs = sorted((one for one in judgement.pairs if one.winner is not None), key=lambda one: one.example_id)
    points = np.array([_POINTS[one.winner] for one in pairs if one.winner is not None])
    belongs = [clusters.get(one.example_id, one.example_id) for one in pairs] if clusters else None
    if judgement.tally.win_rate is not None and len(set(belongs) if belongs else pairs) >= FEWEST_EXAMPLES:
        low, high = worlds(points[:, None], belongs).interval(0, confidence)
    return Judged(
        model=judgement.model,
        served_by=judgement.served_by,
        tally=judgement.tally,
        low=low,
        high=high,
        confidence=confidence,
        base_grades=judgement.base_grades,
        candidate_grades=judgement.candidate_grades,
        failures=judgement.failures,
    )


def _places(tally: Tally) -> str:
    places = (("first", tally.first_place), ("second", tally.second_place))
    return " and ".join(f"the {name} place in {n:,}" for name, n in places if n) + f" of {tally.judged:,}"
