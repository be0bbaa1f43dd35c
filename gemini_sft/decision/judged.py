"""What the judge said, in numbers, with the uncertainty that so many examples leave."""

import numpy as np
from pydantic import BaseModel, ConfigDict

from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES, interval
from gemini_sft.judging import Grades, Judgement, Tally, Winner

_POINTS = {Winner.CANDIDATE: 1.0, Winner.TIE: 0.5, Winner.BASE: 0.0}


class Judged(BaseModel):
    """The part of a judgement that is without single examples. It never changes the verdict.

    Attributes:
        model: The judge.
        served_by: What answered, in the service's own words.
        tally: The pairs, counted.
        low: Lower end of the win rate's bootstrap interval; None without a win rate, or with too few pairs for one.
        high: Upper end, likewise.
        confidence: Of that interval.
        base_grades: How good the base model's answers are by themselves; None if no grades were asked for.
        candidate_grades: Likewise the candidate's.
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
                said += f", {self.confidence:.0%} interval [{self.low:.1%}, {self.high:.1%}]"
            said += "."
        if tally.unreadable:
            why = "" if tally.win_rate is not None else ": too many for a win rate"
            said += f" {tally.unreadable:,} of {tally.examples:,} are left out, without two readable verdicts{why}."
        return said


def judged(judgement: Judgement, confidence: float) -> Judged:
    """Returns a judgement in numbers.

    Args:
        judgement: With its single examples.
        confidence: Of the win rate's interval.
    """
    low = high = None
    if judgement.tally.win_rate is not None and judgement.tally.n >= FEWEST_EXAMPLES:
        points = [_POINTS[one.winner] for one in judgement.pairs if one.winner is not None]
        low, high = interval(np.asarray(points), confidence)
    return Judged(
        model=judgement.model,
        served_by=judgement.served_by,
        tally=judgement.tally,
        low=low,
        high=high,
        confidence=confidence,
        base_grades=judgement.base_grades,
        candidate_grades=judgement.candidate_grades,
    )
