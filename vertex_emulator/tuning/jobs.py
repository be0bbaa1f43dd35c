"""Runs tuning jobs: one after another, each in a process of its own, through kills and restarts."""

import asyncio
import contextlib
import shutil
from collections.abc import Mapping
from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError
from vertex_emulator.serving import Serving
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.tuning.dataset import DatasetError
from vertex_emulator.tuning.outcome import publish, work_folder
from vertex_emulator.tuning.plan import plan
from vertex_emulator.tuning.process import follow
from vertex_emulator.tuning.resource import ENDED, KIND, JobResource
from vertex_emulator.tuning.training import Training


class TuningJobs:
    """The tuning jobs of an emulator. Use within a running event loop.

    Args:
        database: Where the jobs and all that they make are kept.
        objects: Where the datasets are.
        serving: Where the weights go.
        concurrent_jobs: How many jobs train at once; others wait for quota. Vertex gives a project at least 1, over
            all locations; here it is of the emulator, whatever the project.
    """

    def __init__(self, database: Database, objects: ObjectStore, serving: Serving, *, concurrent_jobs: int = 1) -> None:
        self._database = database
        self._objects = objects
        self._serving = serving
        self._slots = asyncio.Semaphore(concurrent_jobs)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def resume(self) -> None:
        """Starts again what was not finished when the emulator ended; completes what was being cancelled."""
        for document in self._database.list(KIND):
            job = JobResource(self._database, document["name"])
            if job.state == "JOB_STATE_CANCELLING":
                shutil.rmtree(work_folder(self._serving, job), ignore_errors=True)
                job.cancel()
            elif job.state not in ENDED:
                job.wait()
                self._start(job)

    async def stop(self) -> None:
        """Kills the running trainings; `resume` starts them again."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def create(self, location: str, fields: Mapping[str, Any]) -> JobResource:
        """Makes a job from the fields of a request that was found good, and starts it."""
        job = JobResource.create(self._database, location, fields)
        self._start(job)
        return job

    def cancel(self, job: JobResource) -> None:
        """Ends a job at the user's wish.

        Raises:
            ApiError: 400 FAILED_PRECONDITION if it has ended.
        """
        if job.state in ENDED:
            message = f"The TuningJob `{job.name}` is in state {job.state} and cannot be cancelled."
            raise ApiError("FAILED_PRECONDITION", message)
        job.set(state="JOB_STATE_CANCELLING")
        self._tasks[job.name].cancel()

    def _start(self, job: JobResource) -> None:
        task = asyncio.create_task(self._run(job))
        self._tasks[job.name] = task
        task.add_done_callback(lambda _: self._finish(job))

    async def _run(self, job: JobResource) -> None:
        """Waits for the job's turn and brings it to its end, whatever happens but a cancellation."""
        try:
            if self._slots.locked():
                job.wait()
            async with self._slots:
                await self._train(job)
        except DatasetError as error:
            job.fail("INVALID_ARGUMENT", str(error))
        except Exception as error:
            job.fail("INTERNAL", f"Internal error encountered: {error or type(error).__name__}")

    async def _train(self, job: JobResource) -> None:
        job.run()
        folder = work_folder(self._serving, job)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        order = plan(job.document, self._objects, self._serving, str(folder))
        training = Training(self._database, job, order)
        async with contextlib.aclosing(follow(order)) as messages:
            async for message in messages:
                training.hear(message)
        # From here to the end nothing waits, so that no request sees a half-made outcome.
        job.succeed(publish(self._database, self._serving, job, training.checkpoints))

    def _finish(self, job: JobResource) -> None:
        """Tidies up after a job's task, also when it was cancelled before it began."""
        del self._tasks[job.name]
        shutil.rmtree(work_folder(self._serving, job), ignore_errors=True)
        if job.state == "JOB_STATE_CANCELLING":
            job.cancel()
