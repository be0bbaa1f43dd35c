"""What is refused, and what a list answers."""

# KFP's decorators have no types, and its pipelines no annotation for what they return.
# mypy: disable-error-code="untyped-decorator,no-untyped-def,type-arg"

import copy
from functools import partial
from typing import Any

import pytest
from kfp import dsl


@partial(dsl.component, install_kfp_package=False, base_image="python:3.11")
def go_on(text: str) -> str:
    return text


@dsl.pipeline(name="plain")
def plain(text: str, count: int = 1, rate: float = 1.0, on: bool = True, items: list = [], table: dict = {}):  # noqa: B006
    go_on(text=text)


@pytest.fixture(scope="module")
def spec(compiled: Any) -> Any:
    return compiled(plain)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "Required runtime parameters are missing: text."),
        ({"text": "a", "txt": "b"}, "Unknown runtime parameters: txt."),
        ({"text": 1}, "'text' must be of type STRING"),
        ({"text": "a", "count": 1.5}, "'count' must be of type NUMBER_INTEGER, got 1.5"),
        ({"text": "a", "count": True}, "'count' must be of type NUMBER_INTEGER"),
        ({"text": "a", "rate": "1"}, "'rate' must be of type NUMBER_DOUBLE"),
        ({"text": "a", "on": 1}, "'on' must be of type BOOLEAN"),
        ({"text": "a", "items": {}}, "'items' must be of type LIST"),
        ({"text": "a", "table": []}, "'table' must be of type STRUCT"),
        ({"text": None}, "'text' must be of type STRING, got None"),
    ],
)
def test_wrong_parameters_are_refused(emulator: Any, spec: Any, values: Any, message: str) -> None:
    refused(emulator.post(spec, parameterValues=values), message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schemaVersion": "1.0"}, "Invalid schema_version '1.0'"),
        ({"pipelineInfo": {"name": "../up"}}, "Invalid pipeline name '../up'"),
        ({"surprise": 1}, 'has no field named "surprise"'),
        ({"platforms": {}}, "platform spec"),
        ({"root": {}}, "root has no tasks"),
    ],
)
def test_wrong_specs_are_refused(emulator: Any, spec: Any, change: Any, message: str) -> None:
    refused(emulator.post({**copy.deepcopy(spec), **change}, parameterValues={"text": "a"}), message)


def test_other_mistakes_are_refused(emulator: Any, spec: Any) -> None:
    good = {"parameterValues": {"text": "a"}}
    refused(emulator.post({}, **good), "pipeline_spec is required")
    refused(emulator.post(spec, **good, gcsOutputDirectory=""), "must begin with gs://")
    refused(emulator.post(spec, **good, gcsOutputDirectory="gs://no-such-bucket/x"), "does not exist")
    refused(emulator.post(spec, **good, gcsOutputDirectory="gs://pipeline-bucket/a/../../x"), "segment")
    refused(emulator.post(spec, **good, surprise=1), 'Unknown name "surprise" at')
    refused(emulator.post(spec, "Upper", **good), "Invalid pipeline job id 'Upper'")
    refused(emulator.post(spec, **good, parameters={"text": {"stringValue": "a"}}), "use parameter_values")
    assert emulator.http.get("/pipelineJobs/none").status_code == 404
    assert emulator.http.post("/pipelineJobs/none:cancel").status_code == 404
    for method, path in (("GET", "none"), ("DELETE", "none"), ("POST", "none:cancel")):
        refused(emulator.http.request(method, f"/pipelineJobs/{path}?surprise=1"), 'Unknown name "surprise"')
    refused(emulator.http.post("/pipelineJobs/none:cancel", json={"surprise": 1}), 'Unknown name "surprise"')


def refused(answer: Any, message: str) -> None:
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT" and message in error["message"]


def test_jobs_are_listed_newest_first(emulator: Any, spec: Any) -> None:
    for number in range(3):
        emulator.submit(spec, f"plain-{number}", parameterValues={"text": f"x{number}"})
    assert emulator.post(spec, "plain-0", parameterValues={"text": "y"}).status_code == 409
    jobs = [emulator.wait(f"plain-{number}") for number in range(3)]
    assert {job["state"] for job in jobs} == {"PIPELINE_STATE_SUCCEEDED"}
    query = {"filter": 'pipeline_name="plain" AND state=PIPELINE_STATE_SUCCEEDED', "pageSize": 2}
    first = emulator.http.get("/pipelineJobs", params=query).json()
    second = emulator.http.get("/pipelineJobs", params={**query, "pageToken": first["nextPageToken"]}).json()
    names = [job["name"].rpartition("/")[2] for job in first["pipelineJobs"] + second["pipelineJobs"]]
    assert names == ["plain-2", "plain-1", "plain-0"]
    assert "taskDetails" not in first["pipelineJobs"][0]["jobDetail"]
    query["readMask"] = "name,runtimeConfig.parameterValues,pipeline_spec.pipeline_info,scheduleName"
    part = emulator.http.get("/pipelineJobs", params=query).json()["pipelineJobs"][0]
    values = first["pipelineJobs"][0]["runtimeConfig"]["parameterValues"]
    name, spec = first["pipelineJobs"][0]["name"], {"pipelineInfo": {"name": "plain"}}
    assert part == {"name": name, "runtimeConfig": {"parameterValues": values}, "pipelineSpec": spec}
    for path in ("surprise", "state.", "displayName.x", "runtimeConfig.surprise", "jobDetail.taskDetails.state"):
        unknown = emulator.http.get("/pipelineJobs", params={"readMask": f"name,{path}"})
        assert unknown.status_code == 400 and f"Unknown read mask path '{path}'" in unknown.text
    deep = {**query, "readMask": "jobDetail.pipelineContext.name,pipelineSpec.pipelineInfo.name.x,labels.a"}
    (kept,) = emulator.http.get("/pipelineJobs", params=deep).json()["pipelineJobs"][:1]
    assert list(kept["jobDetail"]["pipelineContext"]) == ["name"]


@pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated")
def test_the_sdks_simple_view_is_a_read_mask(emulator: Any, sdk: Any, spec: Any) -> None:
    emulator.wait(emulator.submit(spec, "masked-1", parameterValues={"text": "a"}))
    (job,) = sdk.PipelineJob.list(filter='pipeline_job_user_id="masked-1"', enable_simple_view=True)
    assert job.gca_resource.pipeline_spec["pipelineInfo"]["name"] == "plain"
    assert "root" not in job.gca_resource.pipeline_spec and not job.gca_resource.runtime_config.parameter_values


def test_an_id_is_made_if_none_is_given(emulator: Any, spec: Any) -> None:
    job = emulator.post(spec, parameterValues={"text": "a"}).json()
    assert job["state"] == "PIPELINE_STATE_PENDING"
    assert emulator.wait(job["name"].rpartition("/")[2])["state"] == "PIPELINE_STATE_SUCCEEDED"
