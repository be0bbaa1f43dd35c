"""Tensorboards, through google-cloud-aiplatform and at their edges."""

import math
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import aiplatform

from vertex_emulator.environment import LOCATION, PROJECT
from vertex_emulator.names import project_number
from vertex_emulator.tensorboard import create_run, create_tensorboard, write_scalars

PARENT = f"projects/{project_number(PROJECT)}/locations/{LOCATION}"


def tensorboard_with_run(server: Any) -> tuple[str, str]:
    tensorboard = server.inside(create_tensorboard, PARENT, display_name="board", labels={"team": "red"})
    return tensorboard, server.inside(create_run, tensorboard, experiment_id="exp", run_id="run")


def below(name: str) -> str:
    return name.removeprefix(PARENT)


def test_a_tensorboards_life(server: Any) -> None:
    first = aiplatform.Tensorboard.create(display_name="first", labels={"suite": "life"}, is_default=True)
    second = aiplatform.Tensorboard.create(display_name="second", labels={"suite": "life"}, is_default=True)
    assert [each.name for each in aiplatform.Tensorboard.list(filter="is_default=true")] == [second.name]
    first.update(display_name="renamed", is_default=True)
    assert aiplatform.Tensorboard(first.resource_name).display_name == "renamed"
    assert [each.name for each in aiplatform.Tensorboard.list(filter="is_default=true")] == [first.name]
    ours = aiplatform.Tensorboard.list(filter='labels.suite="life"', order_by="display_name desc")
    assert [each.display_name for each in ours] == ["second", "renamed"]
    for each in ours:
        each.delete()
    with pytest.raises(exceptions.NotFound):
        aiplatform.Tensorboard(first.resource_name)


def test_a_run_is_made_written_and_read(server: Any, http: httpx.Client) -> None:
    board = aiplatform.Tensorboard.create(display_name="by sdk")
    experiment = aiplatform.TensorboardExperiment.create("exp-1", tensorboard_name=board.name, display_name="e")
    run = aiplatform.TensorboardRun.create("run-1", tensorboard_experiment_name=experiment.resource_name)
    run.create_tensorboard_time_series("loss")
    for step, value in ((2, 0.5), (0, 0.0), (1, 1.5)):
        run.write_tensorboard_scalar_data({"loss": value}, step=step)
    points = run.read_time_series_data()["loss"].values
    assert [(point.step, point.scalar.value) for point in points] == [(0, 0.0), (1, 1.5), (2, 0.5)]
    (series,) = aiplatform.TensorboardTimeSeries.list(run.resource_name, filter='display_name = "loss"')
    assert series.gca_resource.metadata.max_step == 2
    with pytest.raises(exceptions.Conflict):
        run.create_tensorboard_time_series("loss")
    with pytest.raises(exceptions.Conflict):
        aiplatform.TensorboardRun.create("run-1", tensorboard_experiment_name=experiment.resource_name)
    board.delete()
    assert http.get(below(series.resource_name)).status_code == 404
    assert server.inside(lambda database: database.list("points", series.resource_name)) == []


def test_more_than_a_batch_of_series_and_values_that_are_no_numbers(server: Any) -> None:
    _, run = tensorboard_with_run(server)
    for index in range(23):
        server.inside(write_scalars, run, f"/{index}", [(1, float(index))])
    server.inside(write_scalars, run, "/0", [(2, math.nan), (3, math.inf), (4, -math.inf)])
    data = aiplatform.TensorboardRun(run).read_time_series_data()
    assert {tag: series.values[0].scalar.value for tag, series in data.items()} == {f"/{i}": i for i in range(23)}
    assert str([point.scalar.value for point in data["/0"].values]) == "[0.0, nan, inf, -inf]"


def test_reads_are_thinned_evenly(server: Any, http: httpx.Client) -> None:
    tensorboard, run = tensorboard_with_run(server)
    server.inside(write_scalars, run, "/long", [(step, 1.0) for step in range(2500)])
    (series,) = http.get(f"{below(run)}/timeSeries").json()["tensorboardTimeSeries"]
    read = http.get(f"{below(tensorboard)}:batchRead", params={"timeSeries": [series["name"]]}).json()
    steps = [int(point["step"]) for point in read["timeSeriesData"][0]["values"]]
    assert (len(steps), steps[0], steps[-1], steps) == (1000, 0, 2499, sorted(steps))
    one = f"{below(series['name'])}:read"
    assert len(http.get(one).json()["timeSeriesData"]["values"]) == 1000
    assert len(http.get(f"{one}?maxDataPoints=-1").json()["timeSeriesData"]["values"]) == 2500
    few = http.get(f"{one}?maxDataPoints=3").json()["timeSeriesData"]["values"]
    assert [point["step"] for point in few] == ["0", "1250", "2499"]
    assert http.get(below(tensorboard)).json()["runCount"] == 1


def test_what_vertex_would_refuse_is_refused(server: Any, http: httpx.Client) -> None:
    tensorboard, run = tensorboard_with_run(server)
    other, _ = tensorboard_with_run(server)
    board, at = below(tensorboard), below(run)
    made = http.post(f"{at}/timeSeries", json={"displayName": "s", "valueType": 1}).json()
    series_id = made["name"].rpartition("/")[2]
    tensor = {"tensorboardTimeSeriesId": series_id, "valueType": "TENSOR", "values": []}
    empty = {"tensorboardTimeSeriesId": series_id, "valueType": "SCALAR", "values": [{"step": 1}]}
    answers = [
        (http.post("/tensorboards", json={}), 400, "display_name"),
        (http.post("/tensorboards", json={"displayName": "x", "colour": "red"}), 400, "colour"),
        (http.post(f"{board}/experiments", json={}), 400, "tensorboard_experiment_id"),
        (http.post(f"{board}/experiments?tensorboardExperimentId=A", json={}), 400, "tensorboard_experiment_id"),
        (http.post(f"{at}/timeSeries", json={"displayName": "t"}), 400, "value_type"),
        (http.post(f"{at}/timeSeries", json={"displayName": "t", "valueType": "CURVE"}), 400, "valueType"),
        (http.post(f"{at}:write", json={"timeSeriesData": [tensor]}), 400, "SCALAR"),
        (http.post(f"{at}:write", json={"timeSeriesData": [empty]}), 400, "scalar"),
        (http.post(f"{at}:write", json={"timeSeriesData": [{"tensorboardTimeSeriesId": "9"}]}), 404, "NOT_FOUND"),
        (http.get(f"{board}:batchRead"), 400, "time_series"),
        (http.get(f"{below(other)}:batchRead", params={"timeSeries": made["name"]}), 400, "time_series"),
        (http.get(f"{board}:batchRead", params={"timeSeries": made["name"] + "0"}), 404, "NOT_FOUND"),
        (http.get(f"{below(made['name'])}:read?maxDataPoints=-2"), 400, "max_data_points"),
        (http.get(f"{below(made['name'])}:read?filter=x"), 400, "filter"),
        (http.get("/tensorboards", params={"filter": "colour=red"}), 400, "filter"),
        (http.get(f"{board}/experiments/none/runs"), 404, "NOT_FOUND"),
    ]
    for answer, code, word in answers:
        assert answer.status_code == code, answer.request.url
        assert word in answer.text, answer.text
