"""What tuning jobs and batch prediction jobs have in common: as documents in the database, and as work that is done."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar

from vertex_emulator.database import Database
from vertex_emulator.errors import RPC_CODES, ApiError
from vertex_emulator.names import new_name
from vertex_emulator.slots import Slots
from vertex_emulator.wire import now

CANCELLING = "JOB_STATE_CANCELLING"
ENDED = (
    "JOB_STATE_SUCCEEDED",
    "JOB_STATE_FAILED",
    "JOB_STATE_CANCELLED",
    "JOB_STATE_EXPIRED",
    "JOB_STATE_PARTIALLY_SUCCEEDED",
)


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

    def wait(self) -> None:
        """Puts a job at the beginning, behind others."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Ends at the user's wish."""
        raise NotImplementedError

    def end(self, state: str, **fields: Any) -> None:
        """Ends in a state of `ENDED`."""
        self.set(state=state, endTime=now(), **fields)

    def fail(self, status: str, message: str) -> None:
        """Ends with an error, `status` being a canonical name such as `INVALID_ARGUMENT`."""
        self.end("JOB_STATE_FAILED", error={"code": RPC_CODES[status], "message": message})


AnyJob = TypeVar("AnyJob", bound=Job)


class Jobs(Generic[AnyJob]):
    """The jobs of one kind, through kills and restarts. Use within a running event loop.

    Args:
        database: Where they are kept.
        concurrent_jobs: How many run at once; others wait.

    Attributes:
        resource: The kind.
        title: What such a job is called.
    """

    resource: type[AnyJob]
    title: ClassVar[str]

    def __init__(self, database: Database, concurrent_jobs: int) -> None:
        self._database = database
        self._slots = Slots(concurrent_jobs)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    def resume(self) -> None:
        """Starts again what was not finished when the emulator ended; completes what was being cancelled."""
        for document in self._database.list(self.resource.kind):
            job = self.resource(self._database, document["name"])
            if job.state == CANCELLING:
                self.tidy(job)
                job.cancel()
            elif job.state not in ENDED:
                job.wait()
                self._start(job)

    async def stop(self) -> None:
        """Stops the running jobs; `resume` starts them again."""
        self._stopping = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def create(self, location: str, fields: Mapping[str, Any]) -> AnyJob:
        """Makes a job from the fields of a request that was found good, and starts it."""
        job = self.resource.create(self._database, location, fields)
        self._start(job)
        return job

    def cancel(self, job: AnyJob) -> None:
        """Ends a job at the user's wish; of one that is being cancelled, nothing changes.

        Raises:
            ApiError: 400 FAILED_PRECONDITION if it has ended.
        """
        if job.state in ENDED:
            message = f"The {self.title} `{job.name}` is in state {job.state} and cannot be cancelled."
            raise ApiError("FAILED_PRECONDITION", message)
        if job.state != CANCELLING:
            job.set(state=CANCELLING)
            self._tasks[job.name].cancel()

    def _start(self, job: AnyJob) -> None:
        task = asyncio.create_task(self._run(job))
        self._tasks[job.name] = task
        task.add_done_callback(lambda _: self._finish(job))

    def _finish(self, job: AnyJob) -> None:
        del self._tasks[job.name]
        self.tidy(job)
        if job.state == CANCELLING:  # before it began
            job.cancel()

    async def _run(self, job: AnyJob) -> None:
        """Waits for the job's turn and brings it to its end, whatever happens but a cancellation."""
        try:
            await self.queue(job)
            if self._slots.full:
                job.wait()
            async with self._slots:
                await self.work(job)
        except asyncio.CancelledError:
            if job.state == CANCELLING and not self._stopping:
                await self.wind_down(job)
            raise
        except Exception as error:
            self.fail(job, error)

    async def queue(self, job: AnyJob) -> None:
        """Hook: what keeps a job before it may have its turn."""

    async def wind_down(self, job: AnyJob) -> None:
        """Hook: what keeps a job that is being cancelled, when its work has stopped."""

    async def work(self, job: AnyJob) -> None:
        """Hook: does the work, from the job's turn to its success."""
        raise NotImplementedError

    def fail(self, job: AnyJob, error: Exception) -> None:
        """Hook: ends a job of which the work has failed."""
        job.fail("INTERNAL", f"Internal error encountered: {error or type(error).__name__}")

    def tidy(self, job: AnyJob) -> None:
        """Hook: takes away what the work has left, whatever its end."""
