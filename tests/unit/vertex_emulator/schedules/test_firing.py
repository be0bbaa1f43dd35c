"""Schedules that start nothing, and a machine that sleeps."""

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vertex_emulator.database import Database
from vertex_emulator.pipelines.jobs import PipelineJobs
from vertex_emulator.schedules import firing
from vertex_emulator.schedules.clock import Setting
from vertex_emulator.schedules.firing import Schedules
from vertex_emulator.schedules.resource import Schedule
from vertex_emulator.storage.objects import ObjectStore

NAME = "projects/1/locations/us-central1/schedules/1"


async def started(tmp_path: Path, seconds: float, *, fires: bool, setting: Setting | None) -> tuple[int, Schedule]:
    """Plays an hourly schedule for some seconds; returns how many runs it has started, and the schedule."""
    database = Database(tmp_path / "vertex.db")
    pipelines = PipelineJobs(database, ObjectStore(tmp_path / "storage", database), tmp_path, {})
    schedules = Schedules(database, pipelines, fires=fires)
    runs: list[Any] = []

    async def submit(*order: Any) -> None:
        runs.append(order)

    schedules.start(submit)
    document = {"name": NAME, "cron": "0 * * * *", "state": "ACTIVE", "startedRunCount": "0"}
    request: dict[str, Any] = {"pipelineJob": {}}
    schedule = Schedule({**document, "startTime": "2020-01-01T00:00:00Z", "createPipelineJobRequest": request})
    schedule.arm(schedules.clock.now())
    schedules.save(schedule)
    await asyncio.sleep(0.05)
    if setting:
        schedules.set_clock(setting)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not runs:
                await asyncio.sleep(0.02)
    await schedules.stop()
    stored = database.get(NAME)
    assert stored is not None
    database.close()
    return len(runs), Schedule(stored)


def test_fires_only_if_told_to(tmp_path: Path) -> None:
    setting = Setting(speed=36_000)
    assert asyncio.run(started(tmp_path, 0.5, fires=False, setting=setting))[0] == 0
    assert asyncio.run(started(tmp_path, 20, fires=True, setting=setting))[0] >= 1


def test_what_was_due_while_the_machine_slept_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asleep = [0.0]

    class Time:
        @staticmethod
        def time() -> float:
            return time.time() + asleep[0]

    monkeypatch.setattr("vertex_emulator.schedules.clock.time", Time)
    monkeypatch.setattr(firing, "time", Time)
    monkeypatch.setattr(firing, "_LOOK_SECONDS", 0.2)

    async def sleep() -> tuple[int, Schedule]:
        asyncio.get_running_loop().call_later(0.1, lambda: asleep.__setitem__(0, 3 * 24 * 3600.0))
        return await started(tmp_path, 0.6, fires=True, setting=None)

    count, schedule = asyncio.run(sleep())
    assert count == 0
    assert schedule.next_run is not None and schedule.next_run > datetime.now(UTC).replace(microsecond=0)
    assert (schedule.next_run.timestamp() - Time.time()) <= 3600
