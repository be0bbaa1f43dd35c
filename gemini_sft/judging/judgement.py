"""All pairs of a run, counted."""

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from gemini_sft.judging.pair import Choice, Pair, Reason, Winner

MOST_UNREADABLE = 0.1
"""Share of the pairs that the judge was asked about: beyond it those that are left out could have turned the rest."""
LOWEST = 1
"""The grade of an answer that is missing."""


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Grades(_Frozen):
    """How good the answers of one model are, each by itself.

    Attributes:
        mean: From 1 to 5, over `n` answers; None if there are none, or if too many have no grade.
        n: How many have a grade.
        missing: How many of these are no answers, and have the lowest grade without anybody having been asked.
        unreadable: How many have none, because the judge gave none.
    """

    mean: float | None
    n: int
    missing: int
    unreadable: int


class Tally(_Frozen):
    """The pairs, counted; `examples` is `wins + ties + losses + unreadable`.

    Attributes:
        examples: How many there are.
        wins: In how many the candidate's answer is better.
        ties: In how many neither is, or the two orders disagreed.
        losses: In how many the base model's is.
        unreadable: How many are left out, because the judge gave less than two verdicts.
        win_rate: Share of the others that the candidate won, a tie counting as half; None if there are none, or if too
            many are left out.
        identical: How many are ties without the judge, because the answers are identical.
        missing: How many are decided without it, because an answer is missing: whoever has one wins.
        judged: In how many it gave two verdicts.
        first_place: In how many of these it preferred whichever answer stood first.
        second_place: Likewise second.
    """

    examples: int
    wins: int
    ties: int
    losses: int
    unreadable: int
    win_rate: float | None
    identical: int
    missing: int
    judged: int
    first_place: int
    second_place: int

    @property
    def n(self) -> int:
        """Of how many pairs `win_rate` is a share."""
        return self.examples - self.unreadable

    @property
    def position_bias(self) -> float | None:
        """Share of the pairs with two verdicts in which a place won and not an answer; None if there are no such."""
        return (self.first_place + self.second_place) / self.judged if self.judged else None


class Judgement(_Frozen):
    """What the judge said.

    Attributes:
        model: The judge.
        served_by: What answered, in the service's own words.
        criteria: What it went by.
        tally: The pairs, counted.
        base_grades: How good the base model's answers are by themselves; None if no grades were asked for.
        candidate_grades: Likewise the candidate's.
        failures: Why verdicts are missing, and how many.
        pairs: One for each example, in the examples' order.
    """

    model: str
    served_by: str
    criteria: str
    tally: Tally
    base_grades: Grades | None
    candidate_grades: Grades | None
    failures: dict[str, int]
    pairs: list[Pair]

    def summary(self) -> dict[str, float]:
        """Returns the numbers for Metrics, as far as they are known."""
        counts = self.tally.model_dump(include={"examples", "wins", "ties", "losses", "unreadable"})
        shares = {"n": self.tally.n, "win_rate": self.tally.win_rate, "position_bias": self.tally.position_bias}
        grades = {
            f"{side}_grade": one.mean
            for side, one in (("base", self.base_grades), ("candidate", self.candidate_grades))
            if one
        }
        return {name: value for name, value in (counts | shares | grades).items() if value is not None}


def tally(pairs: Sequence[Pair]) -> Tally:
    """Counts."""
    winners, reasons = Counter(one.winner for one in pairs), Counter(one.reason for one in pairs)
    said = Counter((one.base_first, one.candidate_first) for one in pairs)
    wins, ties, losses = winners[Winner.CANDIDATE], winners[Winner.TIE], winners[Winner.BASE]
    unreadable, judged = reasons[Reason.UNREADABLE], reasons[Reason.JUDGED] + reasons[Reason.DISAGREED]
    n = wins + ties + losses
    believed = n and unreadable <= MOST_UNREADABLE * (judged + unreadable)
    return Tally(
        examples=len(pairs),
        wins=wins,
        ties=ties,
        losses=losses,
        unreadable=unreadable,
        win_rate=(wins + ties / 2) / n if believed else None,
        identical=reasons[Reason.IDENTICAL],
        missing=reasons[Reason.MISSING],
        judged=judged,
        first_place=said[Choice.FIRST, Choice.FIRST],
        second_place=said[Choice.SECOND, Choice.SECOND],
    )


def grades(given: Sequence[int | None], missing: int) -> Grades:
    """Sums up the grades of one model.

    Args:
        given: Of each of its answers; None where the judge gave none.
        missing: How many examples it has no answer to.
    """
    known = [one for one in given if one is not None] + [LOWEST] * missing
    unreadable = len(given) + missing - len(known)
    believed = known and unreadable <= MOST_UNREADABLE * len(given)
    return Grades(
        mean=sum(known) / len(known) if believed else None,
        n=len(known),
        missing=missing,
        unreadable=unreadable,
    )
