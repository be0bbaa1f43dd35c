"""Choosing a checkpoint: by the metric that decides or the loss, both on validation, or the last."""

import math
from collections.abc import Sequence

from gemini_sft.cost import Bill
from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.tuning.curves import Curve, Curves
from gemini_sft.tuning.record import Checkpoint, TuningRecord
from gemini_sft.tuning.selection import Candidate, Selection


def candidates_of(record: TuningRecord, curves: Curves) -> list[Candidate]:
    """Returns the checkpoints of a tuning job that answer somewhere, in the order of their epochs.

    A job that exported only its last has one candidate without an id, which the model's own endpoint answers for.
    """
    found = [one for one in record.checkpoints if one.endpoint]
    last = Checkpoint(id="", epoch=record.epochs or 0, step=record.steps, endpoint=record.endpoint)
    return [
        Candidate(
            trial=record.trial,
            job=record.job,
            model=record.model,
            checkpoint=one.id,
            epoch=one.epoch or None,
            step=one.step or None,
            endpoint=one.endpoint,
            validation_loss=_at(curves.validation_loss, one.step),
        )
        for one in sorted(found, key=lambda one: (one.epoch, one.step)) or [last]
    ]


def to_be_asked(candidates: Sequence[Candidate], by: CheckpointChoice, *, trial: bool) -> list[Candidate]:
    """Returns which candidates of one job must be scored on validation, so that one of them can be chosen.

    Args:
        candidates: Of one job.
        by: What is chosen by.
        trial: Whether there are other jobs that this one competes with.
    """
    if by is CheckpointChoice.METRIC:
        return list(candidates) if trial or len(candidates) > 1 else []
    return [candidates[-1]] if by is CheckpointChoice.LAST and trial else []


def choose(
    candidates: Sequence[Candidate],
    by: CheckpointChoice,
    metric: str,
    bills: Sequence[Bill] = (),
    *,
    lower_is_better: bool = False,
) -> Selection:
    """Returns which candidate is taken.

    By the metric it is the one with the best score; among equals the one with the lower loss, then the earlier. By
    the loss it is the one with the lowest. Where there is nothing to choose by, it is the last; of several trials,
    that with the best last checkpoint.

    Args:
        candidates: At least one, trial by trial in the order of their epochs.
        by: What is wanted.
        metric: The metric that scores are of.
        bills: Of the jobs.
        lower_is_better: Whether less of the metric is better.
    """
    scored = [n for n, one in enumerate(candidates) if one.score is not None]
    with_loss = [n for n, one in enumerate(candidates) if one.validation_loss is not None]
    if by is CheckpointChoice.LOSS and with_loss:
        chosen = min(with_loss, key=lambda n: (_loss(candidates[n]), n))
        reason = f"its loss on validation, {_loss(candidates[chosen]):.4g}, is the lowest of {len(with_loss)}"
    elif by is not CheckpointChoice.LOSS and scored:
        sign = 1 if lower_is_better else -1
        chosen = min(scored, key=lambda n: (sign * (candidates[n].score or 0.0), _loss(candidates[n]), n))
        best = candidates[chosen]
        what = "last checkpoints" if by is CheckpointChoice.LAST else "checkpoints"
        reason = f"its {metric} on {best.n:,} validation examples, {best.score:.3f}, "
        rank = "lowest" if lower_is_better else "best"
        reason += f"is the {rank} of {len(scored)} {what}" if len(scored) > 1 else "has no other beside it"
        reason += _ties([candidates[n] for n in scored if candidates[n].score == best.score], best)
    else:
        chosen, reason = len(candidates) - 1, _nothing_to_choose_by(candidates, by)
        by = CheckpointChoice.LAST
    return Selection(
        by=by,
        metric=metric,
        lower_is_better=lower_is_better,
        candidates=list(candidates),
        chosen=chosen,
        reason=reason,
        bills=list(bills),
    )


def _ties(equals: Sequence[Candidate], taken: Candidate) -> str:
    """Says that others have the same score, and why this one was taken among them."""
    others = len(equals) - 1
    if not others:
        return ""
    lower = _loss(taken) < min(_loss(one) for one in equals if one is not taken)
    which = "has the lowest loss" if lower else "came first"
    return f"; {others} other{'s have' if others > 1 else ' has'} the same, and of these it {which}"


def _nothing_to_choose_by(candidates: Sequence[Candidate], by: CheckpointChoice) -> str:
    if len(candidates) == 1:
        return "there is no other"
    if by is CheckpointChoice.LAST:
        return "tuning.checkpoint is last"
    if any(one.error for one in candidates):
        return "none could be scored, so it is the last"
    lacking = "is no loss on validation" if by is CheckpointChoice.LOSS else "are no validation examples"
    return f"there {lacking} to choose by, so it is the last"


def _loss(candidate: Candidate) -> float:
    return math.inf if candidate.validation_loss is None else candidate.validation_loss


def _at(curve: Curve | None, step: int) -> float | None:
    """Returns what was measured last at or before a step."""
    known = [value for at, value in zip(curve.steps, curve.values, strict=True) if at <= step] if curve else []
    return known[-1] if known else None
