"""What is refused."""

from typing import Any

import pytest

from tests.contract.schedules.conftest import PARENT, Scheduling
from vertex_emulator.environment import LOCATION, PROJECT

NOW = "2026-12-01T00:00:00Z"


def refused(answer: Any, field: str, message: str) -> None:
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert message in error["message"]
    assert error["details"][0]["fieldViolations"][0]["field"] == field


@pytest.fixture(autouse=True)
def held(scheduling: Scheduling) -> None:
    scheduling.clock(NOW, speed=0)


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"displayName": None}, "display_name", "Required field is not set: display_name."),
        ({"displayName": "x" * 129}, "", "at most 128 characters"),
        ({"cron": None}, "cron", "Required field is not set: cron."),
        ({"cron": "61 * * * *"}, "cron", "Invalid cron '61 * * * *': bad minute. Expected MINUTE HOUR"),
        ({"cron": "0 6 * *"}, "cron", "it has 4 fields instead of five"),
        ({"cron": "0 0 6 * * 1"}, "cron", "it has 6 fields instead of five"),
        ({"cron": "0 6 * * 5L"}, "cron", "bad day-of-week '5L'"),
        ({"cron": "0 6 30 2 *"}, "cron", "bad day-of-month"),
        ({"cron": "TZ=Europe/Berlim 0 6 * * 1"}, "cron", "'Europe/Berlim' is not a time zone"),
        ({"cron": "TZ=../../etc/passwd 0 6 * * 1"}, "cron", "is not a time zone"),
        ({"cron": "TZ=Europe 0 6 * * 1"}, "cron", "is not a time zone"),
        ({"maxConcurrentRunCount": None}, "max_concurrent_run_count", "Required field is not set"),
        ({"maxConcurrentRunCount": -1}, "max_concurrent_run_count", "must be positive, got -1"),
        ({"maxRunCount": "-5"}, "max_run_count", "must be positive"),
        ({"maxConcurrentActiveRunCount": -1}, "max_concurrent_active_run_count", "must be positive"),
        ({"maxRunCount": "many"}, "maxRunCount", "Invalid value"),
        ({"endTime": "2026-11-30T00:00:00Z"}, "end_time", "end_time must be later"),
        ({"startTime": "2027-01-01T00:00:00Z", "endTime": "2026-12-31T00:00:00Z"}, "end_time", "must be later"),
        ({"startTime": "tomorrow"}, "startTime", "Invalid value"),
        ({"createPipelineJobRequest": None}, "create_pipeline_job_request", "Required field is not set"),
        ({"labels": {"a": "b"}}, "", 'Unknown name "labels"'),
    ],
)
def test_wrong_schedules_are_refused(scheduling: Scheduling, change: Any, field: str, message: str) -> None:
    whole = f"schedule.{field}" if field else {"labels": "schedule"}.get(next(iter(change)), "display_name")
    refused(scheduling.post(**change), whole, message)


def test_the_pipeline_job_is_checked_as_if_it_were_posted(scheduling: Scheduling) -> None:
    good = scheduling.quick
    mistakes: list[dict[str, Any]] = [
        {"pipelineSpec": {**good["pipelineSpec"], "schemaVersion": "1.0"}},
        {"pipelineSpec": {**good["pipelineSpec"], "surprise": 1}},
        {"pipelineSpec": {}},
        {"runtimeConfig": {**good["runtimeConfig"], "parameterValues": {"given": 3}}},
        {"runtimeConfig": {**good["runtimeConfig"], "gcsOutputDirectory": "gs://no-such-bucket"}},
        {"labels": {"Upper": "x"}},
    ]
    for change in mistakes:
        job = {**good, **change}
        posted = scheduling.http.post(f"/v1/{PARENT}/pipelineJobs", json=job)
        assert posted.status_code == 400
        assert scheduling.post(job).json() == posted.json()
    for parent in ("", f"projects/{PROJECT}", f"projects/{PROJECT}/locations/europe-west4"):
        request = {"parent": parent, "pipelineJob": good}
        refused(
            scheduling.post(createPipelineJobRequest=request),
            "schedule.create_pipeline_job_request.parent",
            f"must be where the schedule is, projects/101544766350/locations/{LOCATION}, got '{parent}'",
        )
    request = {"parent": PARENT, "pipelineJob": good, "pipelineJobId": "Upper"}
    refused(scheduling.post(createPipelineJobRequest=request), "pipeline_job_id", "Invalid pipeline job id 'Upper'")
    notebook: dict[str, Any] = {
        "createPipelineJobRequest": None,
        "createNotebookExecutionJobRequest": {"parent": PARENT},
    }
    assert scheduling.post(**notebook).json()["error"]["status"] == "UNIMPLEMENTED"


def test_what_was_posted_is_kept(scheduling: Scheduling) -> None:
    job = {**scheduling.quick, "runtimeConfig": {**scheduling.quick["runtimeConfig"]}}
    job["runtimeConfig"]["parameterValues"] = {"given": "x", "count": 2}
    request = {"parent": PARENT, "pipeline_job": job}
    answer = scheduling.post(version="v1beta1", createPipelineJobRequest=request, startTime="2026-12-07T06:00:00Z")
    schedule = answer.json()
    assert schedule["createPipelineJobRequest"]["pipelineJob"] == job
    assert "'count': 2}" in str(schedule["createPipelineJobRequest"])  # and not 2.0
    assert schedule["nextRunTime"] == "2026-12-07T06:00:00Z"  # a run at the very start
    assert schedule["createTime"] == NOW and schedule["state"] == "ACTIVE" and schedule["startedRunCount"] == "0"
    scheduling.http.delete(f"/v1/{schedule['name']}")


def test_wrong_updates_are_refused(scheduling: Scheduling) -> None:
    name = scheduling.create(scheduling.quick, maxRunCount=3)

    def patch(mask: str, **fields: Any) -> Any:
        return scheduling.http.patch(f"/v1/{name}", params={"updateMask": mask} if mask else {}, json=fields)

    refused(patch("", cron="* * * * *"), "update_mask", "Required field is not set: update_mask.")
    refused(patch("state", state="PAUSED"), "update_mask", "Unsupported update mask path 'state'")
    refused(patch("maxRunCount", cron="* * * * *"), "schedule.max_run_count", "is set and cannot be unset")
    refused(patch("cron", cron="* * * *"), "schedule.cron", "it has 4 fields")
    refused(patch("end_time", endTime="2020-01-01T00:00:00Z"), "schedule.end_time", "must be later")
    job = {**scheduling.quick, "pipelineSpec": {}}
    request = {"parent": PARENT, "pipelineJob": job}
    refused(
        patch("createPipelineJobRequest", createPipelineJobRequest=request),
        "pipeline_job.pipeline_spec",
        "pipeline_spec is required",
    )
    request["pipelineJob"] = scheduling.endless
    assert patch("createPipelineJobRequest,displayName", createPipelineJobRequest=request, displayName="y").is_success
    changed = scheduling.get(name)
    assert changed["createPipelineJobRequest"]["pipelineJob"]["pipelineSpec"] == scheduling.endless["pipelineSpec"]
    assert (changed["displayName"], changed["maxRunCount"], changed["cron"]) == ("y", "3", "0 6 * * 1")
    scheduling.http.delete(f"/v1/{name}")
    assert patch("cron", cron="* * * * *").status_code == 404


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"speed": -1}, "$.speed"),
        ({"sped": 1}, "sped"),
        ({"now": "2026-12-01T00:00:00"}, "timezone"),
        ([], "Expected `object`"),
    ],
)
def test_wrong_clocks_are_refused(scheduling: Scheduling, setting: Any, message: str) -> None:
    answer = scheduling.http.put("/emulator/schedules", json=setting)
    assert answer.status_code == 400 and message in answer.json()["error"]["message"]
    assert scheduling.http.get("/emulator/schedules").json() == {"now": NOW, "speed": 0.0}


def test_lists_refuse_what_they_do_not_know(scheduling: Scheduling) -> None:
    for query in (
        {"orderBy": "cron"},
        {"filter": "cron=x"},
        {"filter": "state:ACTIVE"},
        {"page": "2"},
        {"readMask": "name"},
    ):
        assert scheduling.http.get(f"/v1/{PARENT}/schedules", params=query).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ""), ("GET", "/1"), ("DELETE", "/1"), ("POST", "/1:pause"), ("POST", "/1:resume"), ("PATCH", "/1")],
)
def test_every_method_refuses_a_parameter_that_it_does_not_know(scheduling: Scheduling, method: str, path: str) -> None:
    url = f"/v1/{PARENT}/schedules{path}"
    answer = scheduling.http.request(method, url, params={"updateMask": "cron", "surprise": "1"}, json={})
    assert answer.status_code == 400 and "Cannot bind query parameter" in answer.json()["error"]["message"]
