"""Runs pipeline jobs, each in a process group of its own."""

import asyncio
import contextlib
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError
from vertex_emulator.logs import entries
from vertex_emulator.pipelines.causes import cause_of
from vertex_emulator.pipelines.process import RunnerProcess
from vertex_emulator.pipelines.resource import ENDED, KIND, JobResource
from vertex_emulator.storage.objects import ObjectStore

_CANCEL_SECONDS = 5.0
_STOP_SECONDS = 1.0
_STOPPED = "The emulator stopped while the job ran."
_TASKS = {
    "PYTHONUNBUFFERED": "1",  # a task's log must be complete when it is killed
    "NO_COLOR": "1",
}


@dataclass(frozen=True)
class Scheduled:
    """What a run that a schedule starts knows of it.

    Attributes:
        name: The schedule's resource name.
        time: The time that the run is for, RFC 3339.
    """

    name: str
    time: str


class PipelineJobs:
    """The pipeline jobs of an emulator. Use within a running event loop.

    Args:
        database: Where the jobs are kept.
        objects: Where their tasks leave artifacts.
        data_dir: Where they have their working folders while they run.
        environment: Variables that point the SDKs in the tasks at this emulator.
        task_python: The Python that they run in; None for this one.
    """

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        data_dir: Path,
        environment: Mapping[str, str],
        task_python: Path | None = None,
    ) -> None:
        self._database = database
        self._objects = objects
        self._folder = data_dir.resolve() / "pipeline_jobs"
        self._logs = data_dir.resolve() / entries.FOLDER
        self._executions = data_dir.resolve() / "executions"
        self._environment = environment
        self._task_python = str(task_python.absolute()) if task_python else None
        self._running: dict[str, _Run] = {}
        self._stopping = False

    def resume(self) -> None:
        """Fails the jobs that ran when the emulator died: their tasks died with it."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for part in self._database.parts(KIND, None, ["state"]):
            document = None if part["state"] in ENDED else self._database.get(part["name"])
            if document is not None:
                _close(JobResource(document, self._database, self._objects), _STOPPED, "FAILED_PRECONDITION")

    async def stop(self) -> None:
        """Ends the running jobs, with short notice."""
        self._stopping = True
        await asyncio.gather(*(run.end(_STOP_SECONDS) for run in self._running.values()))
        await asyncio.gather(*(run.task for run in self._running.values()))

    def active(self, schedule: str) -> int:
        """Returns how many runs of a schedule, a resource name, have not ended."""
        jobs = (run.job for run in self._running.values())
        return sum(job.document.get("scheduleName") == schedule and not job.ended for job in jobs)

    def create(
        self,
        name: str,
        fields: dict[str, Any],
        pipeline_name: str,
        parameters: dict[str, Any],
        root: Path,
        scheduled: Scheduled | None = None,
    ) -> JobResource:
        """Makes a job from a request that was found good, and starts it.

        Args:
            name: The new job's resource name.
            fields: The fields that the client gave, in camelCase.
            pipeline_name: Name of the pipeline in its spec.
            parameters: The values to run the pipeline with.
            root: The folder that the job's `gcsOutputDirectory` means.
            scheduled: What schedule it is a run of.

        Raises:
            ApiError: 409 if there is a job of that name.
        """
        if self._database.get(name) is not None:
            raise ApiError("ALREADY_EXISTS", f"The PipelineJob `{name}` already exists.")
        if scheduled is not None:
            fields = {**fields, "scheduleName": scheduled.name}
        job = JobResource.create(name, fields, pipeline_name, self._database, self._objects)
        _, project, _, _, _, job_id = name.split("/")
        folder = self._folder / uuid.uuid4().hex
        order = {
            "jobName": name,
            "jobId": job_id,
            "pipelineSpec": fields["pipelineSpec"],
            "parameters": parameters,
            "createTime": job.document["createTime"],
            "scheduleTime": job.document["createTime"] if scheduled is None else scheduled.time,
            "pipelineRoot": str(root / project),
            "workspace": str(folder / "workspace"),
            "taskPython": self._task_python,
            "logs": str(self._logs),
            "executions": str(self._executions),
            "cancelled": False,
            "failFast": fields["runtimeConfig"].get("failurePolicy") == "PIPELINE_FAILURE_POLICY_FAIL_FAST",
        }
        run = _Run(job)
        self._running[name] = run
        run.task = asyncio.create_task(self._run(run, order, folder))
        run.task.add_done_callback(lambda _: self._forget(name, run))
        return job

    def cancel(self, job: JobResource) -> None:
        """Ends a job at the user's wish; tasks have a few seconds to clean up.

        Raises:
            ApiError: 400 FAILED_PRECONDITION if it has ended.
        """
        run = self._running.get(job.name)
        if job.ended or run is None:
            message = f"The PipelineJob `{job.name}` is in state {job.state} and cannot be cancelled."
            raise ApiError("FAILED_PRECONDITION", message)
        if run.ending is None:
            run.job.cancelling()
            run.ending = asyncio.create_task(run.end(_CANCEL_SECONDS))

    async def _run(self, run: "_Run", order: dict[str, Any], folder: Path) -> None:
        """Brings a job to its end, whatever happens."""
        job = run.job
        log = _artifacts(order) / "pipeline.log"
        problem: Exception | None = None
        try:
            await self._follow(run, order, folder, log)
        except Exception as error:
            problem = error
        exit_code = await run.ended()
        if job.state == "PIPELINE_STATE_CANCELLING" and job.cancel_tasks(run.exit_tasks) and not self._stopping:
            # Exit tasks run whatever happened to the others, of which nothing is left now.
            run.begin_again()
            with contextlib.suppress(Exception):  # the job is cancelled all the same
                await self._follow(run, {**order, "cancelled": True}, folder, log)
            await run.ended()
        if self._stopping:
            _close(job, _STOPPED, "FAILED_PRECONDITION")
        elif problem is not None:
            _close(job, f"The pipeline could not be run: {type(problem).__name__}: {problem}", "INTERNAL")
        else:
            cause = cause_of(log.read_text("utf-8", "replace"), exit_code)
            _close(job, f"The pipeline's process ended without a word: {cause} (log: {log})", "INTERNAL")
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _follow(self, run: "_Run", order: dict[str, Any], folder: Path, log: Path) -> None:
        """Starts a runner, and takes over what it tells until it is gone."""
        await asyncio.to_thread(_prepare, order, folder)
        environment = {**_TASKS, **self._environment, "TMPDIR": str(folder / "tmp")}
        process = await RunnerProcess.start(folder, environment, log)
        run.started(process)
        async for event in process.events():
            if event["event"] == "pipeline_started":
                run.exit_tasks = event["exitTasks"]
            run.job.apply(event)

    def _forget(self, name: str, run: "_Run") -> None:
        if self._running.get(name) is run:  # and not that of a new job, after a deletion
            del self._running[name]


class _Run:
    """A job under way."""

    task: asyncio.Task[None]

    def __init__(self, job: JobResource) -> None:
        self.job = job
        self.ending: asyncio.Task[None] | None = None
        self.exit_tasks: dict[str, list[str]] = {}
        self.begin_again()

    def begin_again(self) -> None:
        self._process: asyncio.Future[RunnerProcess | None] = asyncio.get_running_loop().create_future()

    def started(self, process: RunnerProcess) -> None:
        self._process.set_result(process)

    async def end(self, grace: float) -> None:
        process = await self._process
        if process is not None:
            await process.end(grace)

    async def ended(self) -> int:
        """Leaves no process behind; returns the exit code."""
        if not self._process.done():
            self._process.set_result(None)
        process = self._process.result()
        if process is None:
            return 0
        await process.end(0)
        return await process.wait()


def _close(job: JobResource, message: str, code: str) -> None:
    """Ends a job whose process is gone, if that did not say itself how the job ended."""
    if job.state == "PIPELINE_STATE_CANCELLING":
        job.end("CANCELLED", "The job was cancelled.", "CANCELLED")
    elif not job.ended:
        job.end("FAILED", message, code)


def _prepare(order: dict[str, Any], folder: Path) -> None:
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    (folder / "order.json").write_bytes(orjson.dumps(order))
    _artifacts(order).mkdir(parents=True, exist_ok=True)


def _artifacts(order: dict[str, Any]) -> Path:
    """Returns the folder of a job's artifacts, which lies below the pipeline root as on Vertex."""
    return Path(order["pipelineRoot"], order["jobId"])
