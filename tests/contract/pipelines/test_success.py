"""A pipeline with everything in it, run to its end."""

# KFP's decorators have no types, and its pipelines no annotation for what they return.
# mypy: disable-error-code="untyped-decorator,no-untyped-def,type-arg,valid-type,no-any-return"

from functools import partial
from typing import Any, NamedTuple

import pytest
from google.cloud import aiplatform_v1, aiplatform_v1beta1
from google_cloud_pipeline_components.types import artifact_types
from kfp import dsl

from vertex_emulator.environment import PROJECT
from vertex_emulator.names import project_number

component = partial(dsl.component, install_kfp_package=False, base_image="an-image:1")

JOB_ID = "everything-1"


@component()
def make(
    text: str, count: int, rate: float, on: bool, items: list, table: dict, data: dsl.Output[dsl.Dataset]
) -> NamedTuple("Outputs", [("quoted", str), ("uri", str), ("seen", dict)]):
    from collections import namedtuple
    from pathlib import Path

    Path(data.path).write_text(text)
    data.metadata["rows"] = count
    kinds = [type(value).__name__ for value in (text, count, rate, on, items, table, items[0], table["epochs"])]
    Outputs = namedtuple("Outputs", ["quoted", "uri", "seen"])
    return Outputs('it\'s \n "so"', "https://localhost/v1/models/7", {"kinds": kinds, "text": text, "count": 3})


@component()
def read(data: dsl.Input[dsl.Dataset]) -> str:
    from pathlib import Path

    print("on its way")
    return Path(data.path).read_text() + str(data.metadata["rows"])


@component()
def twice(number: int) -> int:
    return 2 * number


@component()
def total(numbers: list) -> int:
    return sum(numbers)


@component()
def look(model: dsl.Input[artifact_types.VertexModel]) -> str:
    return f"{model.uri} {model.metadata['resourceName']} {model.schema_title}"


@component()
def notify(status: dsl.PipelineTaskFinalStatus) -> str:
    return f"{status.state} {status.pipeline_job_resource_name} {status.error_message}"


@dsl.pipeline(name="inner")
def inner(start: int) -> int:
    return twice(number=start).output


@dsl.pipeline(name="everything")
def everything(text: str, rate: float, count: int = 3, on: bool = True, items: list = [1, 2], table: dict = {}):  # noqa: B006
    with dsl.ExitHandler(notify()):
        made = make(text=text, count=count, rate=rate, on=on, items=items, table=table)
        with dsl.If(made.outputs["quoted"] != ""):
            read(data=made.outputs["data"])
        with dsl.If(made.outputs["quoted"] == "x"):
            twice(number=1)
        with dsl.ParallelFor([1, 2, 3]) as number:
            doubled = twice(number=number)
        total(numbers=dsl.Collected(doubled.output))
        inner(start=5)
        model = dsl.importer(
            artifact_uri=made.outputs["uri"],
            artifact_class=artifact_types.VertexModel,
            metadata={"resourceName": made.outputs["uri"]},
        )
        look(model=model.output)


@pytest.fixture(scope="module")
def job(emulator: Any, compiled: Any) -> Any:
    parameters = {"text": "python3 — 漢字 😀", "rate": 1, "count": 3.0, "table": {"epochs": 3.0, "x": [0.5]}}
    emulator.submit(compiled(everything), JOB_ID, parameterValues=parameters)
    return emulator.wait(JOB_ID)


def test_the_job_succeeds_and_tells_when(job: Any) -> None:
    assert job["state"] == "PIPELINE_STATE_SUCCEEDED", job
    assert "error" not in job
    assert job["createTime"] <= job["startTime"] <= job["endTime"] <= job["updateTime"]
    assert job["name"].startswith(f"projects/{project_number(PROJECT)}/locations/us-central1/pipelineJobs/")


def test_the_answer_is_a_pipeline_job(emulator: Any, job: Any) -> None:
    text = emulator.http.get(f"/pipelineJobs/{JOB_ID}").text
    parsed = aiplatform_v1beta1.PipelineJob.from_json(text)
    assert parsed.state.name == "PIPELINE_STATE_SUCCEEDED"
    assert len(parsed.job_detail.task_details) == len(job["jobDetail"]["taskDetails"])
    aiplatform_v1.PipelineJob.from_json(text, ignore_unknown_fields=True)


def test_spec_and_parameters_come_back_as_posted(job: Any, compiled: Any) -> None:
    assert job["pipelineSpec"] == compiled(everything)
    defaults = job["pipelineSpec"]["root"]["inputDefinitions"]["parameters"]["items"]["defaultValue"]
    assert str(defaults) == "[1.0, 2.0]"  # as kfp writes it; an int would come back as an int
    assert job["runtimeConfig"]["parameterValues"]["text"] == "python3 — 漢字 😀"


def test_every_task_is_listed_below_its_parent(emulator: Any, job: Any) -> None:
    tasks = emulator.tasks(job)
    states = {name: detail["state"] for name, detail in tasks.items()}
    body, loop = "exit-handler-1", "exit-handler-1.for-loop-5"
    ran = ["make", "condition-2", "condition-2.read", "inner", "inner.twice", "importer", "look", "total", "for-loop-5"]
    assert {name for name, state in states.items() if state == "SUCCEEDED"} == {
        body,
        "notify",
        *(f"{body}.{name}" for name in ran),
        *(f"{loop}.for-loop-5-iteration-{number}" for number in range(3)),
        *(f"{loop}.for-loop-5-iteration-{number}.twice-2" for number in range(3)),
    }
    assert states.pop(f"{body}.condition-3") == "NOT_TRIGGERED"
    assert set(states.values()) == {"SUCCEEDED"}
    for name, detail in tasks.items():
        parent, _, last = name.rpartition(".")
        assert detail["taskName"] == last
        assert detail.get("parentTaskId") == (tasks[parent]["taskId"] if parent else None)
        if detail["state"] == "SUCCEEDED":
            assert detail["createTime"] <= detail["startTime"] <= detail["endTime"]
            assert detail["execution"]["state"] == "COMPLETE"


def test_parameters_keep_their_types_on_their_way(emulator: Any, job: Any) -> None:
    metadata = emulator.tasks(job)["exit-handler-1.make"]["execution"]["metadata"]
    assert metadata["input:count"] == 3 and metadata["input:table"] == {"epochs": 3, "x": [0.5]}
    seen = metadata["output:seen"]
    assert seen["kinds"] == ["str", "int", "float", "bool", "list", "dict", "int", "int"]
    assert seen["text"] == "python3 — 漢字 😀"
    assert metadata["output:quoted"] == 'it\'s \n "so"'
    assert emulator.tasks(job)["exit-handler-1.total"]["execution"]["metadata"]["output:Output"] == 12


def test_artifacts_are_objects_of_the_bucket(emulator: Any, job: Any) -> None:
    tasks = emulator.tasks(job)
    (made,) = tasks["exit-handler-1.make"]["outputs"]["data"]["artifacts"]
    (taken,) = tasks["exit-handler-1.condition-2.read"]["inputs"]["data"]["artifacts"]
    folder = f"gs://pipeline-bucket/root/{project_number(PROJECT)}/{JOB_ID}/"
    assert made["uri"].startswith(folder) and made["uri"].endswith("/make/data")
    assert (made["schemaTitle"], made["metadata"]) == ("system.Dataset", {"rows": 3})
    assert taken["name"] == made["name"] and taken["uri"] == made["uri"]
    bucket, _, name = made["uri"].removeprefix("gs://").partition("/")
    content = emulator.http.get(
        f"{emulator.url}/storage/v1/b/{bucket}/o/{name.replace('/', '%2F')}", params={"alt": "media"}
    )
    assert content.text == "python3 — 漢字 😀"


def test_an_imported_vertex_model_keeps_its_type_and_metadata(emulator: Any, job: Any) -> None:
    tasks = emulator.tasks(job)
    uri = "https://localhost/v1/models/7"
    importer = tasks["exit-handler-1.importer"]
    (imported,) = importer["outputs"]["artifact"]["artifacts"]
    assert imported["uri"] == uri
    assert imported["schemaTitle"] == "google.VertexModel"
    assert imported["metadata"] == {"resourceName": uri}
    assert importer["execution"]["schemaTitle"] == "system.ImporterExecution"
    looked = tasks["exit-handler-1.look"]
    assert looked["inputs"]["model"]["artifacts"] == [{**imported, "displayName": "model"}]
    assert looked["execution"]["metadata"]["output:Output"] == f"{uri} {uri} google.VertexModel"


def test_the_exit_task_is_told_the_outcome(emulator: Any, job: Any) -> None:
    metadata = emulator.tasks(job)["notify"]["execution"]["metadata"]
    assert metadata["output:Output"] == f"SUCCEEDED {job['name']} None"


def test_a_task_keeps_its_log_and_leaves_nothing_else(emulator: Any, job: Any) -> None:
    assert "on its way\n" in emulator.file(f"root/*/{JOB_ID}/read/task.log").read_text()
    emulator.wait_until_clean()


@pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated:DeprecationWarning")  # aiplatform's own
def test_the_sdk_reads_it(sdk: Any, job: Any) -> None:
    read_back = sdk.PipelineJob.get(JOB_ID)
    assert read_back.has_failed is False and read_back.state.name == "PIPELINE_STATE_SUCCEEDED"
    outputs = {
        detail.task_name: detail.execution.metadata.get("output:Output")
        for detail in read_back.task_details
        if detail.state.name == "SUCCEEDED"
    }
    assert outputs["total"] == 12
    assert [each.name for each in sdk.PipelineJob.list(filter=f'pipeline_job_user_id="{JOB_ID}"')] == [JOB_ID]
    (brief,) = sdk.PipelineJob.list(filter='pipeline_name="everything"', enable_simple_view=True)
    assert brief.name == JOB_ID and not brief.gca_resource.job_detail.task_details
