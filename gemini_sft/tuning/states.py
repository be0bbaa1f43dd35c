"""The states of a tuning job: which of them are the end, and what a job that goes on is waiting for.

google-genai's own `has_ended` knows neither PARTIALLY_SUCCEEDED nor PAUSED, and a loop on it never ends. States are
those of `google.cloud.aiplatform.v1.JobState` and of `TuningJob.TuningJobState`.
"""

import math
import time
from enum import Enum
from typing import TYPE_CHECKING

from gemini_sft.telling import duration

if TYPE_CHECKING:
    from google.genai.types import TuningJob


class Stand(Enum):
    """What a state means for whoever waits."""

    GOING = "goes on"
    SUCCEEDED = "has brought a model"
    PARTLY = "may have brought a model"
    STUCK = "will not go on by itself"
    ENDED = "has ended without a model"


_STANDS = {
    "JOB_STATE_SUCCEEDED": Stand.SUCCEEDED,
    "JOB_STATE_PARTIALLY_SUCCEEDED": Stand.PARTLY,
    "JOB_STATE_PAUSED": Stand.STUCK,  # no method of tuning jobs resumes one
    "JOB_STATE_FAILED": Stand.ENDED,
    "JOB_STATE_CANCELLED": Stand.ENDED,
    "JOB_STATE_EXPIRED": Stand.ENDED,
}

_WAITING_FOR = {
    "JOB_STATE_QUEUED": "waits in the queue",
    "JOB_STATE_PENDING": "waits to be started",
    "JOB_STATE_RUNNING": "runs",
    "JOB_STATE_UPDATING": "is being changed, and goes on after that",
    "JOB_STATE_CANCELLING": "is being cancelled",
    "TUNING_JOB_STATE_WAITING_FOR_QUOTA": "waits for quota: other tuning jobs of the project are running",
    "TUNING_JOB_STATE_PROCESSING_DATASET": "reads and checks the data",
    "TUNING_JOB_STATE_WAITING_FOR_CAPACITY": "waits for machines to tune on",
    "TUNING_JOB_STATE_POST_PROCESSING": "registers the model and makes its endpoints",
}


def stand(job: "TuningJob") -> Stand:
    """Returns what a job's state means; a state that nobody knows yet is taken to go on, until the deadline."""
    return _STANDS.get(state_of(job), Stand.GOING)


def goes_on(state: str) -> bool:
    """Returns whether a job in a state, as the service writes it, is under way."""
    return _STANDS.get(state, Stand.GOING) is Stand.GOING


def state_of(job: "TuningJob") -> str:
    """Returns a job's state as the service writes it."""
    return job.state.value if job.state else ""


class Pace:
    """Says where a job stands, and reckons how long its steps will still take."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def words(self, job: "TuningJob") -> str:
        """Returns what a job that goes on waits for, or how far it is."""
        detail, state = job.tuning_job_state.value if job.tuning_job_state else "", state_of(job)
        if state in ("JOB_STATE_UPDATING", "JOB_STATE_CANCELLING"):
            return _WAITING_FOR[state]
        done = job.tuning_job_metadata
        steps = (done.completed_step_count if done else None) or 0
        if detail == "TUNING_JOB_STATE_TUNING" or (steps and detail not in _WAITING_FOR):
            return self._progress(job, (done.completed_epoch_count if done else None) or 0, steps)
        return _WAITING_FOR.get(detail) or _WAITING_FOR.get(state) or f"is in the state {detail or state}"

    def _progress(self, job: "TuningJob", epochs: int, steps: int) -> str:
        now = time.monotonic()
        first = self._first = self._first or (now, steps)
        all_steps, all_epochs = _totals(job)
        said = f"epoch {min(epochs + 1, all_epochs or math.inf):.0f}{f' of {all_epochs}' if all_epochs else ''}"
        said += f", step {steps:,}{f' of {all_steps:,}' if all_steps else ''}"
        if all_steps and steps > first[1] and steps < all_steps:
            left = (now - first[0]) * (all_steps - steps) / (steps - first[1])
            said += f", about {duration(left)} left"
        return f"tunes: {said}"


def _totals(job: "TuningJob") -> tuple[int, int]:
    """Returns how many steps and epochs a job is to have; 0 for what the service has not said."""
    stats = job.tuning_data_stats.supervised_tuning_data_stats if job.tuning_data_stats else None
    spec = job.supervised_tuning_spec
    hyper = spec.hyper_parameters if spec else None
    return (stats.tuning_step_count if stats else 0) or 0, (hyper.epoch_count if hyper else 0) or 0
