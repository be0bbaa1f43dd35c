"""What tasks write, read with Google's own client of Cloud Logging."""

# KFP's decorators have no types, and its pipelines no annotation for what they return.
# mypy: disable-error-code="untyped-decorator,no-untyped-def,type-arg"

import json
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import logging
from google.cloud.aiplatform_v1beta1.types import PipelineJob
from google.cloud.logging_v2.types import ListLogEntriesRequest
from kfp import dsl

from vertex_emulator.environment import PROJECT

component = partial(dsl.component, install_kfp_package=False, base_image="python:3.11")


@component()
def speak(marker: dsl.Output[dsl.Artifact]) -> str:
    import sys
    from pathlib import Path

    for number in range(60):
        print(f"word {number}")
    if not Path(marker.path).exists():
        Path(marker.path).touch()
        print("only once", file=sys.stderr)
        sys.exit(3)
    return "well"


@component()
def listen(text: str) -> None:
    print("heard", text)


@dsl.pipeline(name="talking")
def talking():
    listen(text=speak().set_retry(num_retries=1, backoff_duration="0s").outputs["Output"])


@pytest.fixture(scope="module")
def containers(emulator: Any, compiled: Any) -> Any:
    """The executor details of the two tasks of a job that has ended."""
    job = emulator.wait(emulator.submit(compiled(talking), "talking-1"))
    assert job["state"] == "PIPELINE_STATE_SUCCEEDED"
    PipelineJob.from_json(json.dumps(job))  # it has no field that Vertex AI has not
    return {name: detail["executorDetail"]["containerDetail"] for name, detail in emulator.tasks(job).items()}


@pytest.fixture
def client(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    options = ClientOptions(api_endpoint=emulator.url)
    return logging.Client(project=PROJECT, credentials=AnonymousCredentials(), client_options=options, _use_grpc=False)


def job_id(name: str) -> str:
    return name.rpartition("/")[2]


def is_said(entry: Any) -> bool:
    """Tells whether a line is the component's own; before and after it, kfp speaks of its work, as on Vertex AI."""
    return str(entry.payload["message"]).startswith(("word", "heard"))


def test_googles_client_reads_the_lines_of_an_attempt(containers: Any, client: Any) -> None:
    (failed,), main = containers["speak"]["failedMainJobs"], containers["speak"]["mainJob"]
    assert "failedMainJobs" not in containers["listen"]
    query = f'resource.type="ml_job" AND resource.labels.job_id="{job_id(failed)}"'
    entries = list(client.list_entries(filter_=query, page_size=7))
    said = [(entry.payload["message"], entry.severity) for entry in entries]
    assert [one for one in said if one[0].startswith("word")] == [(f"word {number}", "INFO") for number in range(60)]
    assert ("only once", "ERROR") in said
    first = entries[0]
    assert first.log_name == f"projects/{PROJECT}/logs/workerpool0-0"
    assert (first.resource.type, first.resource.labels["job_id"]) == ("ml_job", job_id(failed))
    assert len({entry.insert_id for entry in entries}) == len(entries)
    times = [entry.timestamp for entry in entries]
    assert times == sorted(times)
    # Newest first, and both attempts and another task at once.
    jobs = " OR ".join(f'"{job_id(name)}"' for name in (failed, main, containers["listen"]["mainJob"]))
    query = f'resource.type="ml_job" resource.labels.job_id=({jobs}) severity=info'
    newest = list(client.list_entries(filter_=query, order_by=logging.DESCENDING, page_size=100))
    assert [one.payload["message"] for one in newest if is_said(one)][:2] == ["heard well", "word 59"]
    assert len([one for one in newest if is_said(one)]) == 121
    heard = next(one for one in newest if is_said(one))
    later = f'{query} AND timestamp>="{heard.timestamp.isoformat()}"'
    assert [one.payload["message"] for one in client.list_entries(filter_=later) if is_said(one)] == ["heard well"]
    assert list(client.list_entries(filter_=query, resource_names=["projects/another-project"])) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "resource_names are required"),
        ({"resourceNames": ["folders/1"]}, "'folders/1' is no projects/PROJECT"),
        ({"resourceNames": ["projects/p"], "pageSize": 1001}, "page_size must not be"),
        ({"resourceNames": ["projects/p"], "pageSize": "many"}, "Invalid JSON payload"),
        ({"resourceNames": ["projects/p"], "orderBy": "severity"}, "order_by must be"),
        ({"resourceNames": ["projects/p"], "pageToken": "x"}, "page_token 'x' is not one"),
        ({"resourceNames": ["projects/p"], "pageToken": "9" * 5000}, "is not one that was given"),
        ({"resourceNames": ["projects/p"], "surprise": 1}, "surprise"),
        ({"resourceNames": ["projects/p"], "filter": "resource.type"}, "Unparseable filter: expected FIELD"),
    ],
)
def test_wrong_requests_are_refused(emulator: Any, body: Any, message: str) -> None:
    answer = emulator.http.post(f"{emulator.url}/v2/entries:list", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
    assert message in error["message"]


def test_every_field_of_googles_request_is_taken(emulator: Any) -> None:
    given = {"resourceNames": ["projects/p"], "filter": "", "orderBy": "timestamp asc", "pageSize": 5, "pageToken": "0"}
    assert {field.json_name for field in ListLogEntriesRequest.pb().DESCRIPTOR.fields} == set(given)
    answer = emulator.http.post(f"{emulator.url}/v2/entries:list", json=given)
    assert (answer.status_code, answer.json()) == (200, {})
    assert emulator.http.post(f"{emulator.url}/v2/entries:list", json={"project_ids": ["p"]}).status_code == 200


def test_lines_are_there_while_the_emulator_remembers_them(containers: Any, emulator: Any) -> None:
    job = job_id(containers["listen"]["mainJob"])
    body = {"resourceNames": [f"projects/{PROJECT}"], "filter": f"resource.labels.job_id={job}"}
    entries = emulator.http.post(f"{emulator.url}/v2/entries:list", json=body).json()["entries"]
    entry = next(one for one in entries if one["jsonPayload"] == {"message": "heard well"})
    assert datetime.fromisoformat(entry["timestamp"]).tzinfo is not None
