"""Over-fitting in words: where validation loss turned, and what that means for the checkpoint that was taken."""

from dataclasses import dataclass

from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.metrics.words import metric_words
from gemini_sft.report import numbers
from gemini_sft.report.words import sentence
from gemini_sft.tuning import Candidate, Curves, LowestLoss, Selection, TuningRecord, lowest_validation_loss
from gemini_sft.tuning.tried import Tried, job_of, value


@dataclass(frozen=True)
class OverFitting:
    """Half a sentence about the loss, and what to make of it in whole ones."""

    loss: str
    advice: str


def over_fitting(curves: Curves, record: TuningRecord, selection: Selection | None) -> OverFitting | None:
    """Returns what a verdict must not be read without; None if validation loss did not turn."""
    lowest = lowest_validation_loss(curves, record)
    if lowest is None or not lowest.turned:
        return None
    rise = f"rose from {numbers.plain(lowest.value)} to {numbers.plain(lowest.last)} by the end"
    return OverFitting(f"loss on validation was lowest {where(lowest)} and {rise}", advice(lowest, record, selection))


def where(lowest: LowestLoss) -> str:
    """Returns where validation loss was lowest."""
    if lowest.epoch is None:
        return f"at step {lowest.step:,}"
    return f"{'after' if lowest.ends_epoch else 'in'} epoch {lowest.epoch} (step {lowest.step:,})"


def advice(lowest: LowestLoss, record: TuningRecord, selection: Selection | None) -> str:
    """Returns what to make of a loss that has turned; without a selection, none has been made yet."""
    kept = lowest.ends_epoch and any(one.epoch == lowest.epoch for one in record.checkpoints)
    if selection is None:
        if kept:
            return f"By this measure the checkpoint of epoch {lowest.epoch} is the best."
        return "Fewer epochs may do better, or a lower learning rate."
    job, taken = job_of(selection), selection.taken
    name = _named(job, taken)
    if _is_before(taken, lowest):
        return sentence(f"{name} was taken, which is from before the rise")
    by_loss = f"; by the loss it would be that of epoch {lowest.epoch}" if kept else ""
    if _is_best_of(job, selection):
        if selection.by is CheckpointChoice.LOSS:
            return sentence(f"{name} was taken: of those that were kept it has the lowest loss")
        metric = metric_words(selection.metric).label
        return f"By {metric} on validation {name} was still the best, and it was taken{by_loss}."
    otherwise = by_loss or ": fewer epochs may do better, or a lower learning rate"
    return sentence(f"{name} was taken, which is from after the rise{otherwise}")


def _named(job: Tried, candidate: Candidate) -> str:
    if len(job.candidates) == 1:
        return "the only checkpoint"
    if job.place(candidate) == len(job.candidates):
        return "the last checkpoint"
    if candidate.epoch is None:
        return f"checkpoint {job.place(candidate)} of {len(job.candidates)}"
    return f"the checkpoint of epoch {candidate.epoch}"


def _is_before(candidate: Candidate, lowest: LowestLoss) -> bool:
    """Returns whether a checkpoint was written when validation loss had not yet begun to rise."""
    if candidate.step is not None:
        return candidate.step <= lowest.step
    if candidate.epoch is None or lowest.epoch is None:
        return False
    return candidate.epoch < lowest.epoch + lowest.ends_epoch


def _is_best_of(job: Tried, selection: Selection) -> bool:
    """Returns whether the one that was taken is the best of several checkpoints of its own job."""
    if selection.by is CheckpointChoice.LAST:
        return False
    known = [number for one in job.candidates if (number := value(selection, one)) is not None]
    best = min if selection.by is CheckpointChoice.LOSS else max
    return len(known) > 1 and value(selection, selection.taken) == best(known)
