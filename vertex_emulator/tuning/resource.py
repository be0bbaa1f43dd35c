"""A tuning job as a document in the database, and the moves between states that it may make."""

from collections.abc import Mapping
from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.errors import RPC_CODES
from vertex_emulator.names import new_name
from vertex_emulator.wire import now

KIND = "tuningJobs"

ENDED = ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED")


class JobResource:
    """One tuning job. Every move is written down at once.

    While it runs, `tuningJobState` tells what it is doing: waiting for quota, processing the dataset, waiting for
    capacity, tuning, post-processing.

    Args:
        database: Where the document is.
        name: The job's resource name.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self.name = name
        self.location = name.rpartition(f"/{KIND}/")[0]
        self.id = name.rpartition("/")[2]

    @classmethod
    def create(cls, database: Database, location: str, fields: Mapping[str, Any]) -> "JobResource":
        """Makes a job in a location, pending."""
        job = cls(database, new_name(database, location, KIND))
        at = now()
        document = {
            "name": job.name,
            "state": "JOB_STATE_PENDING",
            "createTime": at,
            "updateTime": at,
            **fields,
        }
        database.put(KIND, location, document)
        return job

    @property
    def document(self) -> dict[str, Any]:
        """The job as the API shows it."""
        document = self._database.get(self.name)
        assert document is not None, self.name
        return document

    @property
    def state(self) -> str:
        """Its `JobState`."""
        return str(self.document["state"])

    def set(self, **fields: Any) -> None:
        """Changes fields; those set to None go."""
        document = self.document | fields | {"updateTime": now()}
        kept = {name: value for name, value in document.items() if value is not None}
        self._database.put(KIND, self.location, kept)

    def wait(self) -> None:
        """Puts a job at the beginning, to wait for its turn."""
        self.set(
            state="JOB_STATE_PENDING",
            tuningJobState="TUNING_JOB_STATE_WAITING_FOR_QUOTA",
            tuningJobMetadata=None,
            experiment=None,
        )

    def run(self) -> None:
        """Begins: the dataset is read."""
        self.set(
            state="JOB_STATE_RUNNING",
            tuningJobState="TUNING_JOB_STATE_PROCESSING_DATASET",
            startTime=self.document.get("startTime", now()),
        )

    def succeed(self, tuned_model: Mapping[str, Any]) -> None:
        """Ends with a tuned model."""
        self._end("JOB_STATE_SUCCEEDED", tunedModel=dict(tuned_model))

    def fail(self, status: str, message: str) -> None:
        """Ends with an error, `status` being a canonical name such as `INVALID_ARGUMENT`."""
        self._end("JOB_STATE_FAILED", error={"code": RPC_CODES[status], "message": message})

    def cancel(self) -> None:
        """Ends at the user's wish."""
        error = {"code": RPC_CODES["CANCELLED"], "message": "The tuning job was cancelled by the user."}
        self._end("JOB_STATE_CANCELLED", error=error)

    def _end(self, state: str, **fields: Any) -> None:
        self.set(state=state, tuningJobState=None, endTime=now(), **fields)
