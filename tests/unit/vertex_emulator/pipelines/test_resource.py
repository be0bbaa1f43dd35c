import json
import re
from pathlib import Path
from typing import Any

import pytest
from google.cloud.aiplatform_v1beta1.types import PipelineJob

from vertex_emulator.database import Database
from vertex_emulator.pipelines.resource import JobResource
from vertex_emulator.storage.objects import ObjectStore

NAME = "projects/123/locations/us-central1/pipelineJobs/job-1"
NOTHING: dict[str, Any] = {"parameters": {}, "artifacts": {}}


@pytest.fixture
def job(tmp_path: Path) -> JobResource:
    database = Database(tmp_path / "vertex.db")
    objects = ObjectStore(tmp_path / "storage", database)
    job = JobResource.create(NAME, {"pipelineSpec": {"a": 1}}, "a-pipeline", database, objects)
    job.apply({"event": "pipeline_started", "tasks": {"body": "the body", "after": "after"}})
    return job


def started(task: str, *tasks: str, kind: str = "container", inputs: Any = NOTHING) -> dict[str, Any]:
    return {
        "event": "task_started",
        "task": task,
        "kind": kind,
        "tasks": dict(zip(tasks, tasks, strict=True)),
        "inputs": inputs,
    }


def finished(task: str, cause: str | None = None, outputs: Any = NOTHING) -> dict[str, Any]:
    event = {"event": "task_finished", "task": task, "succeeded": cause is None, "outputs": outputs}
    return event if cause is None else {**event, "cause": cause}


def states(job: JobResource) -> dict[str, str]:
    PipelineJob.from_json(json.dumps(job.document))
    details = job.document["jobDetail"]["taskDetails"]
    return {detail["taskUniqueName"]: detail["state"] for detail in details}


def test_tasks_wait_run_and_end(job: JobResource, tmp_path: Path) -> None:
    assert (job.state, states(job)) == ("PIPELINE_STATE_RUNNING", {"body": "PENDING", "after": "PENDING"})
    job.apply(started("body", "inner", "other", kind="dag"))
    job.apply(started("body.inner", inputs={"parameters": {"n": 3}, "artifacts": {}}))
    assert states(job) == {"body": "RUNNING", "after": "PENDING", "body.inner": "RUNNING", "body.other": "PENDING"}
    artifact = {
        "uri": str(tmp_path / "storage" / "a-bucket" / "x"),
        "schemaTitle": "system.Model",
        "schemaVersion": "0.0.1",
        "metadata": {"k": 1},
    }
    job.apply(finished("body.inner", outputs={"parameters": {"m": 4}, "artifacts": {"model": [artifact]}}))
    job.apply(finished("body"))
    assert states(job)["body.other"] == "NOT_TRIGGERED"
    job.apply({"event": "pipeline_finished", "cause": None})
    assert (job.state, states(job)["after"]) == ("PIPELINE_STATE_SUCCEEDED", "NOT_TRIGGERED")
    body, _, inner, _ = job.document["jobDetail"]["taskDetails"]
    assert inner["parentTaskId"] == body["taskId"]
    assert inner["execution"]["metadata"] == {"input:n": 3, "output:m": 4}
    (made,) = inner["outputs"]["model"]["artifacts"]
    assert (made["uri"], made["displayName"], made["metadata"]) == ("gs://a-bucket/x", "model", {"k": 1})


def test_a_failure_names_its_cause(job: JobResource) -> None:
    job.apply(started("body"))
    job.apply(finished("body", "ValueError: x"))
    job.apply({"event": "pipeline_finished", "cause": "The DAG failed"})
    assert job.document["error"] == {"code": 9, "message": "The DAG failed"}
    assert states(job) == {"body": "FAILED", "after": "NOT_TRIGGERED"}
    assert job.document["jobDetail"]["taskDetails"][0]["error"] == {"code": 9, "message": "ValueError: x"}


def test_a_job_can_succeed_although_it_is_being_cancelled(job: JobResource) -> None:
    job.apply(started("body"))
    job.cancelling()
    job.apply(finished("body"))
    job.apply({"event": "pipeline_finished", "cause": None})
    assert job.state == "PIPELINE_STATE_SUCCEEDED" and "error" not in job.document


def test_a_cancelled_job_has_only_cancelled_tasks(job: JobResource) -> None:
    job.apply(started("body"))
    job.cancelling()
    job.apply(finished("body", "killed"))
    job.end("CANCELLED", "The job was cancelled.", "CANCELLED")
    assert set(states(job).values()) == {"CANCELLED"}
    assert job.document["error"]["code"] == 1


def test_each_attempt_of_a_task_is_a_custom_job(job: JobResource) -> None:
    job.apply(started("body"))
    jobs = []
    for number in range(3):
        job.apply({"event": "container_started", "task": "body", "lines": f"{number}.jsonl"})
        states(job)
        detail = job.document["jobDetail"]["taskDetails"][0]["executorDetail"]["containerDetail"]
        jobs.append(detail["mainJob"])
        assert detail.get("failedMainJobs", []) == jobs[:-1]
    assert len(set(jobs)) == 3
    assert all(re.fullmatch(r"projects/123/locations/us-central1/customJobs/\d{19}", name) for name in jobs)
