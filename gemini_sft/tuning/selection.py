"""Which of the checkpoints of one tuning job, or of the jobs of a sweep, is taken."""

from pydantic import BaseModel, ConfigDict

from gemini_sft.cost import Bill
from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.tuning.record import TuningRecord
from gemini_sft.vertex import resource_uri


def bill_of(record: TuningRecord) -> Bill:
    """Returns what a job's bill says."""
    return Bill(trial=record.trial, tokens=record.billable_tokens, epochs=record.epochs, adopted=record.adopted)


class Candidate(BaseModel):
    """One checkpoint that could be taken.

    Attributes:
        trial: Of the sweep; empty if there is none.
        job: Resource name of its tuning job.
        model: Resource name of the tuned model, with its version.
        checkpoint: Its id in that model; empty if the job exported only the last.
        epoch: After which it was written; None if the service did not say.
        step: Likewise.
        endpoint: Where it answers.
        n: How many validation examples it was asked; 0 if it was not.
        failures: How many of them brought no answer that could be scored; see `MetricSet.failure` for what they count.
        score: Mean of the metric over all `n`; None if it was not asked.
        validation_loss: At its step; None if there is none.
        error: Why it could not be scored; None if it was, or if nobody wanted it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    trial: str = ""
    job: str
    model: str
    checkpoint: str
    epoch: int | None
    step: int | None
    endpoint: str
    n: int = 0
    failures: int = 0
    score: float | None = None
    validation_loss: float | None = None
    error: str | None = None

    def resources(self) -> tuple[str, str, str, str]:
        """Returns the names of its model and its endpoint, each with its HTTPS address behind it."""
        return self.model, resource_uri(self.model), self.endpoint, resource_uri(self.endpoint)


class Selection(BaseModel):
    """What was tried and what was taken.

    Attributes:
        by: What it was chosen by; `last` also where there is nothing to choose by.
        metric: The metric that `score` is the mean of.
        lower_is_better: Whether less of it is better.
        candidates: All of them, trial by trial in the order of their epochs.
        chosen: Position of the one that was taken.
        reason: Why it was, in a sentence.
        other_default: The checkpoint that stays the model's default one, because another run has chosen it; else None.
        bills: Of every tuning job that was paid for, also of those that were not taken.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: CheckpointChoice
    metric: str
    lower_is_better: bool = False
    candidates: list[Candidate]
    chosen: int
    reason: str
    other_default: str | None = None
    bills: list[Bill] = []

    @property
    def taken(self) -> Candidate:
        """The one that was taken."""
        return self.candidates[self.chosen]

    @property
    def trials(self) -> list[str]:
        """The trials of a sweep, in their order; empty if there is none."""
        return [name for name in dict.fromkeys(one.trial for one in self.candidates) if name]

    def summary(self) -> dict[str, float | str]:
        """Returns what is shown as Metrics: what was taken, and of how many."""
        taken = self.taken
        shown = {
            "checkpoint": taken.checkpoint,
            "trial": taken.trial,
            "epoch": taken.epoch,
            "step": taken.step,
            f"validation_{self.metric}": taken.score,
            "validation_loss": taken.validation_loss,
            "validation_examples": taken.n or None,
        }
        known = {name: value for name, value in shown.items() if value not in (None, "")}
        return known | {
            "candidates": len(self.candidates),
            "trials": max(1, len(self.trials)),
            "chosen_by": self.by.value,
        }
