"""Experiments and their metadata store, through google-cloud-aiplatform and at their edges."""

from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import aiplatform
from google.cloud.aiplatform.metadata import context, metadata_store
from google.cloud.aiplatform.metadata import utils as metadata_utils

from vertex_emulator.environment import LOCATION, PROJECT
from vertex_emulator.experiments import create_context
from vertex_emulator.names import project_number
from vertex_emulator.tensorboard import create_run, create_tensorboard, write_scalars

PARENT = f"projects/{project_number(PROJECT)}/locations/{LOCATION}"
STORE = f"{PARENT}/metadataStores/default"
CONTEXTS = "/metadataStores/default/contexts"


@pytest.fixture(autouse=True)
def store(server: Any) -> None:
    metadata_store._MetadataStore.ensure_default_metadata_store_exists()


def tuning_experiment(server: Any, experiment_id: str) -> str:
    """What a tuning job leaves behind."""
    tensorboard = server.inside(create_tensorboard, PARENT, display_name=experiment_id)
    experiment: str = server.inside(
        create_context,
        PARENT,
        context_id=experiment_id,
        schema_title="system.Experiment",
        metadata={"backing_tensorboard_resource": tensorboard},
    )
    server.inside(
        create_context,
        PARENT,
        context_id=f"{experiment_id}-run",
        schema_title="system.ExperimentRun",
        display_name="run",
        parents=[experiment],
    )
    run = server.inside(create_run, tensorboard, experiment_id=experiment_id, run_id="run")
    server.inside(write_scalars, run, "/train_total_loss", [(1, 2.0), (2, 1.5)])
    server.inside(write_scalars, run, "/train_total_loss", [(3, 1.25)], ["2026-11-22T10:00:00Z"])
    return experiment


def test_a_run_is_logged_and_read_back(server: Any) -> None:
    tensorboard = aiplatform.Tensorboard.create(display_name="for logging")
    aiplatform.init(experiment="logged", experiment_tensorboard=tensorboard, experiment_description="first")
    experiment = aiplatform.Experiment.get("logged")
    assert experiment is not None
    assert experiment.get_backing_tensorboard_resource().resource_name == tensorboard.resource_name

    aiplatform.start_run("run-1")
    aiplatform.log_params({"rate": 0.1, "size": "four"})
    aiplatform.log_metrics({"accuracy": 0.5})
    aiplatform.log_time_series_metrics({"loss": 2.0})
    aiplatform.log_time_series_metrics({"loss": 0.25})
    aiplatform.end_run()

    (row,) = aiplatform.get_experiment_df().to_dict("records")
    assert row == {
        "experiment_name": "logged",
        "run_name": "run-1",
        "run_type": "system.ExperimentRun",
        "state": "COMPLETE",
        "param.rate": 0.1,
        "param.size": "four",
        "metric.accuracy": 0.5,
        "time_series_metric.loss": 0.25,
    }
    with pytest.raises(exceptions.Conflict):
        aiplatform.Experiment.create("logged")
    assert "logged" in [each.name for each in aiplatform.Experiment.list()]
    assert [each.name for each in aiplatform.Experiment.list(filter='display_name="other"')] == []

    experiment.delete(delete_backing_tensorboard_runs=True)
    assert aiplatform.Experiment.get("logged") is None
    assert aiplatform.TensorboardRun.list("logged", tensorboard_id=tensorboard.name) == []
    artifacts = aiplatform.Artifact.list(filter='schema_title="google.VertexTensorboardRun"')
    assert [each.name for each in artifacts if "logged" in each.name] == []


def test_the_curves_of_a_tuning_job_are_found_as_in_googles_notebook(server: Any) -> None:
    tuning_experiment(server, "tuning-a")
    experiment = aiplatform.Experiment(experiment_name="tuning-a")
    chosen = metadata_utils._make_filter_string(
        schema_title="system.ExperimentRun", parent_contexts=[experiment.resource_name]
    )
    (run,) = context.Context.list(chosen)
    tensorboard = experiment.get_backing_tensorboard_resource().resource_name
    name = f"{tensorboard}/experiments/{experiment.name}/runs/{run.name.replace(experiment.name, '')[1:]}"
    data = aiplatform.TensorboardRun(name).read_time_series_data()
    points = [(point.step, point.scalar.value) for point in data["/train_total_loss"].values]
    assert points == [(1, 2.0), (2, 1.5), (3, 1.25)]


def test_deleting_an_experiment_can_leave_its_tensorboard_runs(server: Any) -> None:
    tuning_experiment(server, "tuning-b")
    experiment = aiplatform.Experiment("tuning-b")
    run = f"{experiment.get_backing_tensorboard_resource().resource_name}/experiments/tuning-b/runs/run"
    experiment.delete()
    assert aiplatform.Experiment.get("tuning-b") is None
    assert list(aiplatform.TensorboardRun(run).read_time_series_data()) == ["/train_total_loss"]


def test_lineage_of_an_execution(server: Any) -> None:
    aiplatform.init(experiment="lineage")
    with (
        aiplatform.start_run("run-1") as run,
        aiplatform.start_execution(schema_title="system.ContainerExecution", display_name="tune") as execution,
    ):
        data = aiplatform.Artifact.create(schema_title="system.Dataset", uri="gs://b/train.jsonl")
        model = aiplatform.Artifact.create(schema_title="system.Model", uri="gs://b/model")
        execution.assign_input_artifacts([data])
        execution.assign_output_artifacts([model])
    assert [each.resource_name for each in execution.get_input_artifacts()] == [data.resource_name]
    assert [each.resource_name for each in execution.get_output_artifacts()] == [model.resource_name]
    assert {each.uri for each in run.get_artifacts()} >= {"gs://b/train.jsonl", "gs://b/model"}
    assert [each.state.name for each in run.get_executions()] == ["COMPLETE"]
    subgraph = context.Context("lineage-run-1").query_lineage_subgraph()
    assert len(subgraph.events) == 2
    (found,) = aiplatform.Artifact.list(filter='uri = "gs://b/model"')
    found.delete()
    assert execution.get_output_artifacts() == []


def test_an_outdated_context_is_not_overwritten(server: Any) -> None:
    made = context.Context.create(schema_title="system.Experiment", resource_id="etags")
    stale = made.gca_resource.etag
    made.update(metadata={"a": 1})
    with pytest.raises(exceptions.Conflict, match=f"Specified Context `etag`: `{stale}`"):
        made.api_client.update_context(context={"name": made.resource_name, "etag": stale, "description": "x"})
    # Relations are no part of the state that an etag speaks of: the SDK keeps its copy while it adds them.
    made.add_context_children([context.Context.create(schema_title="system.ExperimentRun", resource_id="etags-run")])
    made.update(metadata={"b": 2})
    assert context.Context("etags").metadata == {"a": 1, "b": 2}


def test_children(http: httpx.Client) -> None:
    for name in ("parent", "child"):
        http.post(f"{CONTEXTS}?contextId=tree-{name}", json={"schema_title": "system.Pipeline"}).raise_for_status()
    parent, child = f"{CONTEXTS}/tree-parent", f"{CONTEXTS}/tree-child"
    # A project's id and its number mean the same, in paths and in bodies.
    by_id = f"projects/{PROJECT}/locations/{LOCATION}{child}"
    http.post(f"{parent}:addContextChildren", json={"childContexts": [by_id]}).raise_for_status()
    assert http.get(child).json()["parentContexts"] == [PARENT + parent]
    cycle = http.post(f"{child}:addContextChildren", json={"childContexts": [PARENT + parent]})
    assert (cycle.status_code, "cycle" in cycle.text) == (400, True)
    assert http.post(f"{parent}:addContextChildren", json={"childContexts": [PARENT + "/x"]}).status_code == 400
    missing = {"childContexts": [f"{STORE}/contexts/nobody"]}
    assert http.post(f"{parent}:addContextChildren", json=missing).status_code == 404
    http.delete(parent).raise_for_status()
    assert not http.get(child).json().get("parentContexts")


def refusals(http: httpx.Client) -> list[tuple[httpx.Response, int, str]]:
    http.post(f"{CONTEXTS}?contextId=strict", json={"schemaTitle": "system.Pipeline"}).raise_for_status()
    strict = f"{CONTEXTS}/strict"
    return [
        (http.get(f"{CONTEXTS}/nobody"), 404, "NOT_FOUND"),
        (http.delete(f"{CONTEXTS}/nobody"), 404, "NOT_FOUND"),
        (http.get("/metadataStores/other/contexts"), 404, "NOT_FOUND"),
        (http.post("/metadataStores/other/contexts?contextId=orphan", json={}), 404, "NOT_FOUND"),
        (http.post(f"{CONTEXTS}?contextId=strict", json={}), 409, "ALREADY_EXISTS"),
        (http.post("/metadataStores?metadataStoreId=default", json={}), 409, "ALREADY_EXISTS"),
        (http.post(f"{CONTEXTS}?contextId=Bad_Id", json={}), 400, "context_id"),
        (http.post(f"{CONTEXTS}?contextId=new1", json={"displayname": "x"}), 400, "displayname"),
        (http.post(f"{CONTEXTS}?contextId=new2", json={"labels": {"a": 1}}), 400, "context.labels"),
        (http.post(f"{CONTEXTS}?contextId=new3", json={"labels": {"Team": "x"}}), 400, "labels"),
        (http.post(f"{CONTEXTS}?contextId=new4", json={"displayName": "x" * 129}), 400, "display_name"),
        (http.post(f"{CONTEXTS}?contxtId=new5", json={}), 400, "contxtId"),
        (http.patch(f"{strict}?updateMask=nothing", json={}), 400, "update_mask"),
        (http.patch(f"{strict}?updateMask=create_time", json={}), 400, "update_mask"),
        (http.get(CONTEXTS, params={"filter": "schema_title"}), 400, "filter"),
        (http.get(CONTEXTS, params={"orderBy": "mood"}), 400, "order_by"),
        (http.get(CONTEXTS, params={"pageSize": "many"}), 400, "page_token"),
        (http.patch("/metadataStores/default", json={}), 404, ""),
    ]


def test_what_vertex_would_refuse_is_refused(http: httpx.Client) -> None:
    for answer, code, word in refusals(http):
        assert answer.status_code == code, answer.request.url
        assert word in answer.text, answer.text


def test_update_masks(http: httpx.Client) -> None:
    made = {"displayName": "one", "description": "d", "metadata": {"a": 1, "b": 2}}
    http.post(f"{CONTEXTS}?contextId=masks", json=made).raise_for_status()
    path = f"{CONTEXTS}/masks"
    masked = http.patch(
        f"{path}?updateMask=display_name,description", json={"displayName": "two", "metadata": {}}
    ).json()
    assert (masked["displayName"], masked["metadata"]) == ("two", {"a": 1, "b": 2})
    assert "description" not in masked
    whole = http.patch(path, json={"metadata": {"c": 3}}).json()
    assert (whole["displayName"], whole["metadata"]) == ("two", {"c": 3})
    assert whole["updateTime"] > whole["createTime"]


def test_pages_and_order(http: httpx.Client) -> None:
    for name in ("b", "c", "a"):
        http.post(f"{CONTEXTS}?contextId=page-{name}", json={"displayName": name, "description": "p"})
    found: list[str] = []
    query = {"filter": 'display_name="a" OR display_name="b" OR display_name="c"', "pageSize": "2"}
    query["orderBy"] = "display_name desc"
    while True:
        answer = http.get(CONTEXTS, params=query).json()
        found += [each["displayName"] for each in answer["contexts"]]
        if "nextPageToken" not in answer:
            break
        query["pageToken"] = answer["nextPageToken"]
    assert found == ["c", "b", "a"]
