"""What is left of a job when its emulator ends."""

# KFP's decorators have no types, and its pipelines no annotation for what they return.
# mypy: disable-error-code="untyped-decorator,no-untyped-def,type-arg"

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from kfp import dsl

from vertex_emulator.database import Database
from vertex_emulator.pipelines.jobs import PipelineJobs
from vertex_emulator.storage.objects import ObjectStore

component = partial(dsl.component, install_kfp_package=False, base_image="python:3.11")


@component()
def sleep(data: dsl.Output[dsl.Artifact]) -> None:
    import signal
    import time
    from pathlib import Path

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(data.path + "-started").touch()
    time.sleep(120)


@dsl.pipeline(name="sleeping")
def sleeping():
    sleep()


def test_a_killed_emulator_leaves_no_process_and_a_failed_job(emulator: Any, compiled: Any, tmp_path: Path) -> None:
    other = type(emulator)(tmp_path)
    try:
        name = other.post(compiled(sleeping), "killed").json()["name"]
        other.wait("killed", until=lambda _: sleeps(tmp_path))
        assert any("executor_main" in command for command in other.processes().values())
    finally:
        other.end(kill=True)
    other.wait_for_no_process()
    database = Database(tmp_path / "vertex.db")
    PipelineJobs(database, ObjectStore(tmp_path / "storage", database), tmp_path, {}).resume()
    check(database.get(name))
    assert not (tmp_path / "pipeline_jobs").exists()
    database.close()


def test_stop_leaves_no_process_and_a_failed_job(emulator: Any, compiled: Any, tmp_path: Path) -> None:
    name = "projects/123/locations/us-central1/pipelineJobs/stopped"
    database = Database(tmp_path / "vertex.db")
    jobs = PipelineJobs(database, ObjectStore(tmp_path / "storage", database), tmp_path, {})

    async def start_and_stop() -> None:
        fields = {"pipelineSpec": compiled(sleeping), "runtimeConfig": {}}
        jobs.create(name, fields, "sleeping", {}, tmp_path / "storage" / "a-bucket")
        async with asyncio.timeout(30):
            while not sleeps(tmp_path):
                await asyncio.sleep(0.05)
        await jobs.stop()
        assert emulator.processes(tmp_path) == {}
        check(database.get(name))

    asyncio.run(start_and_stop())
    assert list((tmp_path / "pipeline_jobs").iterdir()) == []
    database.close()


def sleeps(data_dir: Path) -> bool:
    return bool(list(data_dir.glob("storage/**/sleep/*-started")))


def check(job: Any) -> None:
    assert job["state"] == "PIPELINE_STATE_FAILED"
    assert job["error"] == {"code": 9, "message": "The emulator stopped while the job ran."}
    assert [task["state"] for task in job["jobDetail"]["taskDetails"]] == ["FAILED"]
