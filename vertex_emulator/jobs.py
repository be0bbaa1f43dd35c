"""What tuning jobs and batch prediction jobs have in common as documents in the database."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from vertex_emulator.database import Database
from vertex_emulator.errors import RPC_CODES
from vertex_emulator.names import new_name
from vertex_emulator.wire import now

ENDED = ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED")


class Job:
    """One job. Every move between states is written down at once.

    Args:
        database: Where the document is.
        name: The job's resource name.

    Attributes:
        kind: The collection that such jobs are in.
    """

    kind: ClassVar[str]

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self.name = name
        self.location = name.rpartition(f"/{self.kind}/")[0]
        self.id = name.rpartition("/")[2]

    @classmethod
    def create(cls, database: Database, location: str, fields: Mapping[str, Any]) -> Self:
        """Makes a job in a location, pending."""
        job = cls(database, new_name(database, location, cls.kind))
        at = now()
        document = {"name": job.name, "state": "JOB_STATE_PENDING", "createTime": at, "updateTime": at, **fields}
        database.put(cls.kind, location, document)
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
        self._database.put(self.kind, self.location, kept)

    def end(self, state: str, **fields: Any) -> None:
        """Ends in a state of `ENDED`."""
        self.set(state=state, endTime=now(), **fields)

    def fail(self, status: str, message: str) -> None:
        """Ends with an error, `status` being a canonical name such as `INVALID_ARGUMENT`."""
        self.end("JOB_STATE_FAILED", error={"code": RPC_CODES[status], "message": message})
