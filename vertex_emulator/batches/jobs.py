"""Runs batch prediction jobs beside everything else, through kills and restarts."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from vertex_emulator.batches.lines import BatchError, disorder, predict, read_requests
from vertex_emulator.batches.request import find_model
from vertex_emulator.batches.resource import KIND, BatchJob, Tally
from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError
from vertex_emulator.faults import Faults
from vertex_emulator.jobs import ENDED
from vertex_emulator.serving import Serving
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.storage.preconditions import Preconditions

_CANCELLING = "JOB_STATE_CANCELLING"


class BatchJobs:
    """The batch prediction jobs of an emulator. Use within a running event loop.

    Lines are answered in the loop, one at a time, and requests are served between them: an answer of the stand-in
    takes about as long as a request.

    Args:
        database: Where the jobs are kept.
        objects: Where input and output are.
        serving: Where the models are.
        faults: What may go wrong with a line.
        concurrent_jobs: How many jobs run at once; others are queued.
    """

    def __init__(
        self, database: Database, objects: ObjectStore, serving: Serving, faults: Faults, *, concurrent_jobs: int = 4
    ) -> None:
        self._database = database
        self._objects = objects
        self._serving = serving
        self._faults = faults
        self._slots = asyncio.Semaphore(concurrent_jobs)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def resume(self) -> None:
        """Starts again what was not finished when the emulator ended; completes what was being cancelled."""
        for document in self._database.list(KIND):
            job = BatchJob(self._database, document["name"])
            if job.state == _CANCELLING:
                job.cancel()
            elif job.state not in ENDED:
                job.wait()
                self._start(job)

    async def stop(self) -> None:
        """Stops the running jobs; `resume` starts them again."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def create(self, location: str, fields: Mapping[str, Any]) -> BatchJob:
        """Makes a job from the fields of a request that was found good, and starts it."""
        job = BatchJob.create(self._database, location, fields)
        self._start(job)
        return job

    def cancel(self, job: BatchJob) -> None:
        """Ends a job at the user's wish; lines that were answered are kept.

        Raises:
            ApiError: 400 FAILED_PRECONDITION if it has ended.
        """
        if job.state in ENDED:
            message = f"The BatchPredictionJob `{job.name}` is in state {job.state} and cannot be cancelled."
            raise ApiError("FAILED_PRECONDITION", message)
        job.set(state=_CANCELLING)
        self._tasks[job.name].cancel()

    def delete(self, job: BatchJob) -> None:
        """Forgets a job; its predictions stay.

        Raises:
            ApiError: 400 FAILED_PRECONDITION if it has not ended.
        """
        if job.state not in ENDED:
            message = f"The BatchPredictionJob `{job.name}` is in state {job.state}: cancel it before you delete it."
            raise ApiError("FAILED_PRECONDITION", message)
        self._database.delete(job.name)

    def _start(self, job: BatchJob) -> None:
        task = asyncio.create_task(self._run(job))
        self._tasks[job.name] = task
        task.add_done_callback(lambda _: self._finish(job))

    def _finish(self, job: BatchJob) -> None:
        del self._tasks[job.name]
        if job.state == _CANCELLING:  # before it began
            job.cancel()

    async def _run(self, job: BatchJob) -> None:
        """Waits for the job's turn and brings it to its end, whatever happens but the end of the emulator."""
        try:
            if self._slots.locked():
                job.wait()
            async with self._slots:
                await self._predict(job)
        except BatchError as error:
            job.fail("INVALID_ARGUMENT", str(error))
        except ApiError as error:
            status = error.status if error.status in ("INVALID_ARGUMENT", "NOT_FOUND") else "INTERNAL"
            job.fail(status, error.message)
        except Exception as error:
            job.fail("INTERNAL", f"Internal error encountered: {error or type(error).__name__}")

    async def _predict(self, job: BatchJob) -> None:
        job.run()
        document = job.document
        model, version = find_model(document, job.location, self._serving)
        directory = _new_directory(document["outputConfig"]["gcsDestination"]["outputUriPrefix"])
        bucket, _, name = self._objects.uri_of(f"{directory}/predictions.jsonl").removeprefix("gs://").partition("/")
        self._objects.buckets.get(bucket)
        uris = document["inputConfig"]["gcsSource"]["uris"]
        sources = [(uri, self._objects.path_of(uri)) for uri in uris]
        requests = await asyncio.to_thread(read_requests, sources)
        tally = Tally(left=len(requests))
        path = f"/v1/{job.name}:generateContent"
        lines: list[bytes] = []
        try:
            for number in disorder(len(requests)):
                line, answered = predict(requests[number], model, version, self._faults, path)
                lines.append(line)
                tally.count(answered)
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            if job.state == _CANCELLING:
                self._export(lines, bucket, name)
                job.cancel(directory, tally)
            raise
        self._export(lines, bucket, name)
        job.succeed(directory, tally)

    def _export(self, lines: list[bytes], bucket: str, name: str) -> None:
        with self._objects.incoming() as incoming:
            incoming.append(b"".join(lines))
            self._objects.commit(incoming, bucket, name, {}, Preconditions())


def _new_directory(prefix: str) -> str:
    at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return f"{prefix.rstrip('/')}/prediction-model-{at}"
