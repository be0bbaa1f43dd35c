"""Runs tuning jobs: one after another, each in a process of its own, through kills and restarts."""

import contextlib
import shutil

from vertex_emulator.database import Database
from vertex_emulator.jobs import Jobs
from vertex_emulator.serving import Serving
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.tuning.dataset import DatasetError
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

    async def work(self, job: JobResource) -> None:
        """Trains in a process of its own, and publishes the model."""
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

    def fail(self, job: JobResource, error: Exception) -> None:
        """Ends a job: data that are wrong are the user's to mend."""
        if isinstance(error, DatasetError):
            job.fail("INVALID_ARGUMENT", str(error))
        else:
            super().fail(job, error)

    def tidy(self, job: JobResource) -> None:
        """Deletes what the training has written on its way."""
        shutil.rmtree(work_folder(self._serving, job), ignore_errors=True)
