"""Jobs and training processes when the emulator ends, whether it was told to or killed."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.serving import Serving
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.tuning.fates import read_control
from vertex_emulator.tuning.jobs import TuningJobs
from vertex_emulator.tuning.order import Order, Source
from vertex_emulator.tuning.resource import JobResource

LOCATION = "projects/123456789012/locations/us-central1"


def dataset(path: Path, examples: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        {
            "contents": [
                {"role": "user", "parts": [{"text": f"Order {number} is late. Where is it?"}]},
                {"role": "model", "parts": [{"text": str(number)}]},
            ]
        }
        for number in range(examples)
    )
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return path


class Emulator:
    """The tuning service of an emulator's data."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "vertex.db")
        self.objects = ObjectStore(folder / "storage", self.database)
        self.serving = Serving(self.database, folder / "adapters")
        self.jobs = TuningJobs(self.database, self.objects, self.serving)

    def tune(self, epochs: int) -> JobResource:
        spec = {"trainingDatasetUri": "gs://bucket/t.jsonl", "hyperParameters": {"epochCount": str(epochs)}}
        return self.jobs.create(LOCATION, {"baseModel": "gemini-2.5-flash", "supervisedTuningSpec": spec})

    async def until(self, job: JobResource, reached: Callable[[dict[str, Any]], bool]) -> None:
        deadline = time.monotonic() + 30
        while not reached(JobResource(self.database, job.name).document):
            assert time.monotonic() < deadline, job.document
            await asyncio.sleep(0.02)


def test_unfinished_jobs_start_again_and_cancelled_ones_end(tmp_path: Path) -> None:
    dataset(tmp_path / "storage" / "bucket" / "t.jsonl", 100)

    async def first_life() -> list[JobResource]:
        emulator = Emulator(tmp_path)
        made = [emulator.tune(100), emulator.tune(1), emulator.tune(1)]
        await emulator.until(made[0], lambda document: "experiment" in document)
        await emulator.jobs.stop()
        assert [job.state for job in made] == ["JOB_STATE_RUNNING", "JOB_STATE_PENDING", "JOB_STATE_PENDING"]
        # What a kill between the request to cancel and its fulfilment leaves:
        made[2].set(state="JOB_STATE_CANCELLING")
        shorter = {"trainingDatasetUri": "gs://bucket/t.jsonl", "hyperParameters": {"epochCount": "2"}}
        made[0].set(supervisedTuningSpec=shorter)
        emulator.database.close()
        return made

    async def second_life(names: list[str], started: str) -> None:
        emulator = Emulator(tmp_path)
        emulator.jobs.resume()
        long, short, cancelled = (JobResource(emulator.database, name) for name in names)
        assert cancelled.state == "JOB_STATE_CANCELLED"
        assert long.document.get("experiment") is None
        for job in (long, short):
            await emulator.until(job, lambda document: "endTime" in document)
            assert job.state == "JOB_STATE_SUCCEEDED"
        assert long.document["startTime"] == started
        assert [each["epoch"] for each in long.document["tunedModel"]["checkpoints"]] == ["1", "2"]
        assert emulator.serving.tuned(long.document["tunedModel"]["model"])
        # Nothing of the first life's training is left beside the two models.
        models = sorted(job.document["tunedModel"]["model"].rpartition("/")[2] for job in (long, short))
        assert sorted(path.name for path in (tmp_path / "adapters").iterdir()) == models
        await emulator.jobs.stop()
        emulator.database.close()

    made = asyncio.run(first_life())
    database = Database(tmp_path / "vertex.db")
    started = JobResource(database, made[0].name).document["startTime"]
    database.close()
    asyncio.run(second_life([job.name for job in made], started))


def test_held_jobs_go_on_their_usual_way_after_a_restart(tmp_path: Path) -> None:
    dataset(tmp_path / "storage" / "bucket" / "t.jsonl", 20)
    held = ["QUEUED", "WAITING_FOR_QUOTA", "PROCESSING_DATASET", "TUNING", "UPDATING", "PAUSED", "POST_PROCESSING"]
    fates = [{"times": 1, "seconds": {stay: "forever"}} for stay in held]
    slow = {"seconds": {"PAUSED": "forever", "CANCELLING": "forever"}}

    async def first_life() -> list[str]:
        emulator = Emulator(tmp_path)
        emulator.jobs.put(read_control({"concurrent_jobs": 9, "fates": [*fates, slow]}))
        made = [emulator.tune(1) for _ in (*held, slow)]
        for job in (made[4], made[5], made[7]):
            await emulator.until(job, lambda document: document["state"] in ("JOB_STATE_UPDATING", "JOB_STATE_PAUSED"))
        emulator.jobs.cancel(made[7])
        await emulator.until(made[6], lambda document: document.get("tuningJobState", "").endswith("POST_PROCESSING"))
        await emulator.jobs.stop()
        states = ["QUEUED", "PENDING", "RUNNING", "RUNNING", "UPDATING", "PAUSED", "RUNNING", "CANCELLED"]
        assert [job.state for job in made] == [f"JOB_STATE_{state}" for state in states]
        emulator.database.close()
        return [job.name for job in made[:7]]

    async def second_life(names: list[str]) -> None:
        emulator = Emulator(tmp_path)
        emulator.jobs.resume()
        jobs = [JobResource(emulator.database, name) for name in names]
        assert {(job.state, "tuningDataStats" in job.document) for job in jobs} == {("JOB_STATE_PENDING", False)}
        for job in jobs:
            await emulator.until(job, lambda document: "endTime" in document)
            assert job.state == "JOB_STATE_SUCCEEDED"
        await emulator.jobs.stop()
        emulator.database.close()

    asyncio.run(second_life(asyncio.run(first_life())))


def test_jobs_run_side_by_side_if_allowed(tmp_path: Path) -> None:
    dataset(tmp_path / "storage" / "bucket" / "t.jsonl", 100)

    async def life() -> None:
        emulator = Emulator(tmp_path)
        emulator.jobs = TuningJobs(emulator.database, emulator.objects, emulator.serving, concurrent_jobs=2)
        made = [emulator.tune(100) for _ in range(3)]
        await asyncio.sleep(0.1)
        states = [job.state for job in made]
        assert states == ["JOB_STATE_RUNNING", "JOB_STATE_RUNNING", "JOB_STATE_PENDING"]
        assert made[2].document["tuningJobState"] == "TUNING_JOB_STATE_WAITING_FOR_QUOTA"
        await emulator.jobs.stop()
        emulator.database.close()

    asyncio.run(life())


def test_a_training_process_ends_with_its_server(tmp_path: Path) -> None:
    source = Source("gs://bucket/t.jsonl", str(dataset(tmp_path / "t.jsonl", 100)))
    order = Order(source, None, 131072, 100, 1.0, 4, None, str(tmp_path), True)
    worker = subprocess.Popen(
        [sys.executable, "-m", "vertex_emulator.tuning.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    with worker:
        assert worker.stdin and worker.stdout
        worker.stdin.write(order.to_json())
        worker.stdin.flush()
        assert b'"read"' in worker.stdout.readline()
        worker.stdin.close()
        assert worker.wait(5) == 1
    assert not list(tmp_path.glob("*.npz"))
