"""A batch prediction job as a document in the database, and the moves between states that it may make."""

from dataclasses import dataclass
from typing import Any

from vertex_emulator.errors import RPC_CODES
from vertex_emulator.jobs import Job
from vertex_emulator.wire import now

KIND = "batchPredictionJobs"


@dataclass
class Tally:
    """How many lines were answered, how many refused, how many not reached."""

    answered: int = 0
    refused: int = 0
    left: int = 0

    def count(self, answered: bool) -> None:
        """Counts a line that was answered, or refused."""
        self.left -= 1
        self.answered += answered
        self.refused += not answered

    def document(self) -> dict[str, str]:
        """Returns `CompletionStats`, without zeros."""
        counts = {"successfulCount": self.answered, "failedCount": self.refused, "incompleteCount": self.left}
        return {name: str(count) for name, count in counts.items() if count}


class BatchJob(Job):
    """One batch prediction job."""

    kind = KIND

    def wait(self) -> None:
        """Puts a job at the beginning, behind others."""
        self.set(state="JOB_STATE_QUEUED")

    def run(self) -> None:
        """Begins: the input is read."""
        self.set(state="JOB_STATE_RUNNING", startTime=self.document.get("startTime", now()))

    def succeed(self, directory: str, tally: Tally) -> None:
        """Ends with predictions in `directory`."""
        self.end("JOB_STATE_SUCCEEDED", **_outcome(directory, tally))

    def cancel(self, directory: str = "", tally: Tally | None = None) -> None:
        """Ends at the user's wish, with the predictions so far in `directory`, if it had begun."""
        error = {"code": RPC_CODES["CANCELLED"], "message": "The batch prediction job was cancelled by the user."}
        self.end("JOB_STATE_CANCELLED", error=error, **(_outcome(directory, tally) if tally else {}))


def _outcome(directory: str, tally: Tally) -> dict[str, Any]:
    return {"outputInfo": {"gcsOutputDirectory": directory}, "completionStats": tally.document()}
