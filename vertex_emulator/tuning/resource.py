"""A tuning job as a document in the database, and the moves between states that it may make."""

from typing import Any

from vertex_emulator.errors import RPC_CODES
from vertex_emulator.jobs import ENDED, Job
from vertex_emulator.wire import now

__all__ = ["ENDED", "KIND", "JobResource"]

KIND = "tuningJobs"


class JobResource(Job):
    """One tuning job.

    While it runs, `tuningJobState` tells what it is doing: waiting for quota, processing the dataset, waiting for
    capacity, tuning, post-processing.
    """

    kind = KIND

    def queue(self) -> None:
        """Puts a new job behind whatever else the service has to do."""
        self.set(state="JOB_STATE_QUEUED")

    def wait(self) -> None:
        """Puts a job at the beginning, to wait for its turn."""
        self.set(
            state="JOB_STATE_PENDING",
            tuningJobState="TUNING_JOB_STATE_WAITING_FOR_QUOTA",
            tuningJobMetadata=None,
            tuningDataStats=None,
            evaluateDatasetRuns=None,
            experiment=None,
        )

    def run(self) -> None:
        """Begins: the dataset is read."""
        self.set(
            state="JOB_STATE_RUNNING",
            tuningJobState="TUNING_JOB_STATE_PROCESSING_DATASET",
            startTime=self.document.get("startTime", now()),
        )

    def cancel(self) -> None:
        """Ends at the user's wish."""
        error = {"code": RPC_CODES["CANCELLED"], "message": "The tuning job was cancelled by the user."}
        self.end("JOB_STATE_CANCELLED", error=error)

    def end(self, state: str, **fields: Any) -> None:
        """Ends in a state of `ENDED`."""
        super().end(state, tuningJobState=None, **fields)
