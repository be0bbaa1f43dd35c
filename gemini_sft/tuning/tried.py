"""What a selection tried, job by job, and how far its candidates can be compared."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.tuning.selection import Candidate, Selection


@dataclass(frozen=True)
class Tried:
    """One tuning job of a selection.

    Attributes:
        name: Of the trial; empty if there is no sweep.
        candidates: Its checkpoints, in the order of their epochs.
        best: The one that was taken if it is among them, else the best, else the last.
        taken: Whether the one that was taken is among them.
    """

    name: str
    candidates: Sequence[Candidate]
    best: Candidate
    taken: bool

    def place(self, candidate: Candidate) -> int:
        """Returns which of the checkpoints a candidate is, counted from 1."""
        return next(n for n, one in enumerate(self.candidates, 1) if one is candidate)


def tried(selection: Selection) -> list[Tried]:
    """Returns every job, the best first; those that cannot be compared come last, in their order."""
    groups: dict[tuple[str, str], list[Candidate]] = {}
    for one in selection.candidates:
        groups.setdefault((one.trial, one.job), []).append(one)
    jobs = []
    for (name, _), candidates in groups.items():
        taken = any(one is selection.taken for one in candidates)
        best = selection.taken if taken else max(reversed(candidates), key=lambda one: _rank(selection, one))
        jobs.append(Tried(name, candidates, best, taken))
    return sorted(jobs, key=lambda job: (_rank(selection, job.best), job.taken), reverse=True)


def job_of(selection: Selection) -> Tried:
    """Returns the job of the candidate that was taken."""
    return next(one for one in tried(selection) if one.taken)


def value(selection: Selection, candidate: Candidate) -> float | None:
    """Returns what a candidate is compared by; None if there is nothing to compare it by."""
    # The last checkpoints of trials are compared by the metric; that of a single job is not asked, and has no score.
    number = candidate.validation_loss if selection.by is CheckpointChoice.LOSS else candidate.score
    return number if number is not None and math.isfinite(number) else None


def compared(selection: Selection) -> list[Candidate]:
    """Returns the candidates that there is something to compare by."""
    return [one for one in selection.candidates if value(selection, one) is not None]


def is_best(selection: Selection) -> bool:
    """Returns whether none of the others is better than the one that was taken, as far as they can be compared."""
    ranks = [_rank(selection, one) for one in selection.candidates]
    return ranks[selection.chosen] == max(ranks) > -math.inf


def _rank(selection: Selection, candidate: Candidate) -> float:
    number = value(selection, candidate)
    if number is None:
        return -math.inf
    return -number if selection.by is CheckpointChoice.LOSS or selection.lower_is_better else number
