"""Runs batch prediction jobs beside everything else, through kills and restarts."""

import asyncio
from datetime import UTC, datetime

from vertex_emulator.batches.lines import BatchError, disorder, predict, read_requests
from vertex_emulator.batches.request import find_model
from vertex_emulator.batches.resource import BatchJob, Tally
from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError
from vertex_emulator.faults import Faults
from vertex_emulator.jobs import CANCELLING, ENDED, Jobs
from vertex_emulator.serving import Serving
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.storage.preconditions import Preconditions


class BatchJobs(Jobs[BatchJob]):
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

    resource = BatchJob
    title = "BatchPredictionJob"

    def __init__(
        self, database: Database, objects: ObjectStore, serving: Serving, faults: Faults, *, concurrent_jobs: int = 4
    ) -> None:
        super().__init__(database, concurrent_jobs)
        self._objects = objects
        self._serving = serving
        self._faults = faults

    def delete(self, job: BatchJob) -> None:
        """Forgets a job; its predictions stay.

        Raises:
            ApiError: 400 FAILED_PRECONDITION if it has not ended.
        """
        if job.state not in ENDED:
            message = f"The BatchPredictionJob `{job.name}` is in state {job.state}: cancel it before you delete it."
            raise ApiError("FAILED_PRECONDITION", message)
        self._database.delete(job.name)

    def fail(self, job: BatchJob, error: Exception) -> None:
        """Ends a job: input that is wrong is the user's to mend."""
        match error:
            case BatchError():
                job.fail("INVALID_ARGUMENT", str(error))
            case ApiError(status=("INVALID_ARGUMENT" | "NOT_FOUND") as status):
                job.fail(status, error.message)
            case ApiError():
                job.fail("INTERNAL", error.message)
            case _:
                super().fail(job, error)

    async def work(self, job: BatchJob) -> None:
        """Answers all lines and writes what came of them; of a job that is cancelled, those until then."""
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
            if job.state == CANCELLING:
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
