"""What the judge made of one example."""

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from gemini_sft.inference import Outcome, Prediction


class Choice(StrEnum):
    """Which of two answers is better."""

    FIRST = "A"
    SECOND = "B"
    TIE = "TIE"


class Winner(StrEnum):
    """Whose answer is better."""

    BASE = "base"
    CANDIDATE = "candidate"
    TIE = "tie"


class Reason(StrEnum):
    """Why it is: both orders say so, or do not agree, or the answers are identical, or answers or verdicts missing."""

    JUDGED = "judged"
    DISAGREED = "disagreed"
    IDENTICAL = "identical"
    MISSING = "missing"
    UNREADABLE = "unreadable"


class Pair(BaseModel):
    """Two answers to one example.

    Attributes:
        example_id: Whose they are.
        winner: Whose is better; None if the judge's verdicts could not be read.
        reason: Why.
        base_first: What the judge said when the base model's answer stood first; None if it was not asked or not
            understood.
        candidate_first: Likewise with the candidate's.
        base_grade: The base model's answer by itself, from 1 to 5; None likewise, or if no grades were asked for.
        candidate_grade: The candidate's, likewise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    example_id: str
    winner: Winner | None
    reason: Reason
    base_first: Choice | None = None
    candidate_first: Choice | None = None
    base_grade: int | None = None
    candidate_grade: int | None = None


def unasked(base: Prediction, candidate: Prediction) -> Pair | None:
    """Returns the pair if nobody need be asked: one answer is missing, or both are, or they are identical."""
    has = base.outcome.has_answer, candidate.outcome.has_answer
    if not all(has):
        winner = Winner.TIE if has[0] == has[1] else Winner.BASE if has[0] else Winner.CANDIDATE
        return Pair(example_id=base.example_id, winner=winner, reason=Reason.MISSING)
    if base.text.strip() == candidate.text.strip():
        return Pair(example_id=base.example_id, winner=Winner.TIE, reason=Reason.IDENTICAL)
    return None


def judged(example_id: str, base_first: Choice | None, candidate_first: Choice | None) -> Pair:
    """Returns the pair that two verdicts amount to: who wins in both orders has won, anything else is a tie."""
    match (base_first, candidate_first):
        case (None, _) | (_, None):
            winner, reason = None, Reason.UNREADABLE
        case (Choice.FIRST, Choice.SECOND):
            winner, reason = Winner.BASE, Reason.JUDGED
        case (Choice.SECOND, Choice.FIRST):
            winner, reason = Winner.CANDIDATE, Reason.JUDGED
        case (Choice.TIE, Choice.TIE):
            winner, reason = Winner.TIE, Reason.JUDGED
        case _:
            winner, reason = Winner.TIE, Reason.DISAGREED
    return Pair(
        example_id=example_id,
        winner=winner,
        reason=reason,
        base_first=base_first,
        candidate_first=candidate_first,
    )


def read(verdict: Prediction, choices: Sequence[str]) -> str | None:
    """Returns the choice that the judge made; None if it said anything else, or nothing."""
    said = verdict.text.strip()
    return said if verdict.outcome is Outcome.ANSWERED and said in choices else None
