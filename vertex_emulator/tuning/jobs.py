"""Runs tuning jobs: one after another, each in a process of its own, through kills and restarts."""

import contextlib
import shutil
from collections.abc import Mapping
from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.jobs import Jobs
from vertex_emulator.serving import Serving
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.tuning.dataset import DatasetError
from vertex_emulator.tuning.fates import Control, Course, Fate, Fates, Struck
from vertex_emulator.tuning.outcome import publish, work_folder
from vertex_emulator.tuning.plan import plan
from vertex_emulator.tuning.process import follow
from vertex_emulator.tuning.resource import JobResource
from vertex_emulator.tuning.training import Training


class TuningJobs(Jobs[JobResource]):
    """The tuning jobs of an emulator. Use within a running event loop.

    Args:
        database: Where the jobs and all that they make are kept.
        objects: Where the datasets are.
        serving: Where the weights go.
        concurrent_jobs: How many jobs train at once; others wait for quota. Vertex gives a project at least 1, over
            all locations; here it is of the emulator, whatever the project.
    """

    resource = JobResource
    title = "TuningJob"

    def __init__(self, database: Database, objects: ObjectStore, serving: Serving, *, concurrent_jobs: int = 1) -> None:
        super().__init__(database, concurrent_jobs)
        self._objects = objects
        self._serving = serving
        self._fates = Fates()

    def put(self, control: Control) -> None:
        """Decides how many jobs train at once, whatever waits now, and what befalls jobs that are made from now on."""
        self._slots.count = control.concurrent_jobs
        self._fates.replace(control)

    @property
    def control(self) -> dict[str, Any]:
        """What is in force, as JSON."""
        return {"concurrent_jobs": self._slots.count, "fates": self._fates.shown}

    def create(self, location: str, fields: Mapping[str, Any]) -> JobResource:
        """Makes a job from the fields of a request that was found good, gives it its fate, and starts it."""
        job = super().create(location, fields)
        if self._fates.draw(job.name, job.document).has("QUEUED"):
            job.queue()
        return job

    async def queue(self, job: JobResource) -> None:
        """Keeps a job as long as its fate says."""
        await Course(job, self._fates.of(job.name)).queue()

    async def wind_down(self, job: JobResource) -> None:
        """Keeps a job that is being cancelled as long as its fate says."""
        await Course(job, self._fates.of(job.name)).wind_down()

    async def work(self, job: JobResource) -> None:
        """Trains in a process of its own, and publishes the model."""
        job.run()
        fate = self._fates.of(job.name)
        course = Course(job, fate)
        folder = work_folder(self._serving, job)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        order = plan(job.document, self._objects, self._serving, str(folder), course.pace)
        training = Training(self._database, self._objects, job, order, fate)
        try:
            async with contextlib.aclosing(follow(order)) as messages:
                async for message in messages:
                    await course.meet(message)
                    training.hear(message)
            await course.finish()
        except Struck as struck:
            if struck.end.state != "PARTIALLY_SUCCEEDED":
                raise
            self._publish(job, training.checkpoints, fate, "JOB_STATE_PARTIALLY_SUCCEEDED", struck.end.error)
        else:
            self._publish(job, training.checkpoints, fate, "JOB_STATE_SUCCEEDED")

    def _publish(
        self, job: JobResource, checkpoints: list[dict[str, Any]], fate: Fate, state: str, error: Any = None
    ) -> None:
        # Nothing in here waits, so that no request sees a half-made outcome.
        tuned_model = publish(self._database, self._serving, job, checkpoints) if checkpoints else None
        job.end(state, tunedModel=fate.shown(tuned_model), error=error)

    def fail(self, job: JobResource, error: Exception) -> None:
        """Ends a job: data that are wrong are the user's to mend."""
        if isinstance(error, DatasetError):
            job.fail("INVALID_ARGUMENT", str(error))
        elif isinstance(error, Struck):
            job.end(f"JOB_STATE_{error.end.state}", error=error.end.error)
        else:
            super().fail(job, error)

    def tidy(self, job: JobResource) -> None:
        """Deletes what the training has written on its way."""
        shutil.rmtree(work_folder(self._serving, job), ignore_errors=True)
        self._fates.forget(job.name)
