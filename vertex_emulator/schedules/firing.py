"""Starts pipeline jobs when schedules are due."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError
from vertex_emulator.pipelines.jobs import PipelineJobs, Scheduled
from vertex_emulator.schedules.clock import Clock, Setting
from vertex_emulator.schedules.resource import KIND, Schedule
from vertex_emulator.wire import timestamp

Submit = Callable[[str, dict[str, Any], str, Scheduled], Awaitable[Any]]

_LOOK_SECONDS = 60.0
_WAIT_SECONDS = 0.2
_ASLEEP_SECONDS = 60.0
_AT_ONCE = 50
_SMALL = ("state", "nextRunTime", "endTime", "maxRunCount", "startedRunCount")


class Schedules:
    """The schedules of an emulator. Use within a running event loop.

    Requests are started one after the other, so that `maxConcurrentRunCount`, which limits how many of a schedule are
    being started at once, is always kept.

    Args:
        database: Where they are kept.
        pipelines: Tells how many runs of a schedule are active.
        fires: Whether they start anything.

    Attributes:
        clock: What they go by.
        fires: As given.
    """

    def __init__(self, database: Database, pipelines: PipelineJobs, *, fires: bool) -> None:
        self._database = database
        self._pipelines = pipelines
        self.fires = fires
        self.clock = Clock()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, submit: Submit) -> None:
        """Begins to fire. What was due before is not made up.

        Args:
            submit: Starts a pipeline job: location, PipelineJob, job id and schedule.
        """
        self._rearm()
        if self.fires:
            self._task = asyncio.create_task(self._run(submit))

    async def stop(self) -> None:
        """Ends the firing; jobs that were started are not touched."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def set_clock(self, setting: Setting) -> None:
        """Sets the clock. Forward, everything in between is due now; backward, next runs are computed anew."""
        before = self.clock.now()
        self.clock.set(setting)
        if self.clock.now() < before:
            self._rearm()
        self._changed.set()

    def save(self, schedule: Schedule) -> None:
        """Stores a schedule that is new or was changed, and goes by it."""
        schedule.document["updateTime"] = timestamp(self.clock.now())
        self._database.put(KIND, schedule.name.rpartition(f"/{KIND}/")[0], schedule.document)
        self._changed.set()

    def _rearm(self) -> None:
        for schedule in self._active():
            schedule.arm(self.clock.now())
            self.save(schedule)

    def _active(self) -> list[Schedule]:
        schedules = [Schedule(document) for document in self._database.list(KIND)]
        return [schedule for schedule in schedules if schedule.state == "ACTIVE"]

    async def _run(self, submit: Submit) -> None:
        while True:
            self._changed.clear()
            # Hundreds may wait for next week: only what is due is read with the pipeline that it starts.
            active = [part for part in self._database.parts(KIND, None, _SMALL) if part["state"] == "ACTIVE"]
            seconds = min([_LOOK_SECONDS, *[await self._look(Schedule(part), submit) for part in active[::-1]]])
            began = time.time()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
            if time.time() - began > seconds + _ASLEEP_SECONDS:
                self._rearm()  # a machine that sleeps is an emulator that is off

    async def _look(self, part: Schedule, submit: Submit) -> float:
        """Does what is due of a schedule of which a part was read; returns the real seconds until more may be due."""
        seconds = self.clock.seconds_until(part.wakes)
        if seconds > 0 and not part.complete(self.clock.now()):
            return seconds
        return await self._advance(part.name, submit)

    async def _advance(self, name: str, submit: Submit) -> float:
        """Does what is due of a schedule; returns the real seconds until something may be due again."""
        # One that is always due, under a clock that runs fast, leaves the others their turn.
        for _ in range(_AT_ONCE):
            await asyncio.sleep(0)  # so many may be due that requests would wait
            document = self._database.get(name)
            if document is None or document["state"] != "ACTIVE":
                return _LOOK_SECONDS
            schedule = Schedule(document)
            if schedule.complete(self.clock.now()):
                self.save(schedule)
                return _LOOK_SECONDS
            seconds = self.clock.seconds_until(schedule.wakes)
            if seconds > 0 or schedule.next_run is None:
                return seconds
            active = self._pipelines.active(name)
            match schedule.verdict(active):
                case "wait":
                    return _WAIT_SECONDS
                case "skip":
                    schedule.skipped(schedule.take(), active)
                    self.save(schedule)
                case "start":
                    await self._start(schedule, submit)
        return 0.0

    async def _start(self, schedule: Schedule, submit: Submit) -> None:
        due = schedule.take()  # first, so that whatever happens no run is started twice
        self.save(schedule)
        location = schedule.name.rpartition(f"/{KIND}/")[0]
        request = schedule.document["createPipelineJobRequest"]
        problem = ""
        try:
            scheduled = Scheduled(schedule.name, timestamp(due))
            await submit(location, request["pipelineJob"], request.get("pipelineJobId", ""), scheduled)
        except ApiError as error:
            problem = f"{error.status}: {error.message}"
        except Exception as error:
            problem = f"INTERNAL: {type(error).__name__}: {error}"
        document = self._database.get(schedule.name)  # which may have been changed or deleted meanwhile
        if document is not None:
            changed = Schedule(document)
            changed.respond(due, problem) if problem else changed.started(due)
            self.save(changed)
