"""Loops over what a task gave: their tasks, their artifacts, and what is collected from them."""

# KFP's decorators have no types, and its pipelines no annotation for what they return.
# mypy: disable-error-code="untyped-decorator,no-untyped-def,type-arg,valid-type,no-any-return"

from collections import Counter
from functools import partial
from typing import Any, NamedTuple

import pytest
from kfp import dsl

component = partial(dsl.component, install_kfp_package=False, base_image="python:3.11")

BODY = ("fetch", "learn", "rate", "sum-up")


@component()
def plan(count: int, breaks: int = -1) -> list:
    return [{"name": f"trial-{number}", "size": number + 1, "breaks": number == breaks} for number in range(count)]


@component()
def fetch(trial: dict, data: dsl.Output[dsl.Dataset]) -> str:
    from pathlib import Path

    Path(data.path).write_text(trial["name"] * trial["size"])
    data.metadata["name"] = trial["name"]
    return trial["name"]


@component()
def learn(trial: dict, data: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]) -> None:
    from pathlib import Path

    if trial["breaks"]:
        raise ValueError(f"{trial['name']} cannot be learnt")
    Path(model.path).write_text(Path(data.path).read_text().upper())


@component()
def rate(model: dsl.Input[dsl.Model], report: dsl.Output[dsl.Artifact]) -> float:
    from pathlib import Path

    Path(report.path).write_text(f"report of {Path(model.path).read_text()}")
    return len(Path(model.path).read_text()) / 10


@component()
def sum_up(model: dsl.Input[dsl.Model], report: dsl.Input[dsl.Artifact], score: float) -> str:
    return f"{model.uri.rpartition('/')[2]} {score:g}"


@component()
def choose(
    models: dsl.Input[list[dsl.Model]], reports: dsl.Input[list[dsl.Artifact]], scores: list, texts: list
) -> NamedTuple("Outputs", [("best", int), ("said", list)]):
    from collections import namedtuple
    from pathlib import Path

    assert len(models) == len(reports) == len(scores) == len(texts)
    for model, report in zip(models, reports):  # noqa: B905
        assert Path(report.path).read_text() == f"report of {Path(model.path).read_text()}"
    said = [Path(model.path).read_text() for model in models]
    Outputs = namedtuple("Outputs", ["best", "said"])
    return Outputs(scores.index(max(scores)), said)


@component()
def announce(best: int, said: list) -> str:
    return f"{best} {said[best]}"


@component()
def doze(trial: dict, data: dsl.Output[dsl.Artifact]) -> None:
    import time
    from pathlib import Path

    Path(data.path + "-started").touch()
    time.sleep(120)


def search(parallelism: int) -> Any:
    @dsl.pipeline(name="search")
    def search(count: int = 3, breaks: int = -1):
        planned = plan(count=count, breaks=breaks)
        with dsl.ParallelFor(planned.output, name="trials", parallelism=parallelism) as trial:
            fetched = fetch(trial=trial)
            learnt = learn(trial=trial, data=fetched.outputs["data"])
            rated = rate(model=learnt.outputs["model"])
            sum_up(model=learnt.outputs["model"], report=rated.outputs["report"], score=rated.outputs["Output"])
        chosen = choose(
            models=dsl.Collected(learnt.outputs["model"]),
            reports=dsl.Collected(rated.outputs["report"]),
            scores=dsl.Collected(rated.outputs["Output"]),
            texts=dsl.Collected(fetched.outputs["Output"]),
        )
        announce(best=chosen.outputs["best"], said=chosen.outputs["said"])

    return search


@dsl.pipeline(name="dozing")
def dozing(count: int = 3):
    planned = plan(count=count)
    with dsl.ParallelFor(planned.output, parallelism=2) as trial:
        doze(trial=trial)


def outputs(detail: Any, port: str) -> Any:
    (artifact,) = detail.outputs[port].artifacts
    return artifact


@pytest.mark.parametrize("parallelism", [1, 2])
def test_what_the_sdk_sees_of_a_loop(emulator: Any, sdk: Any, compiled: Any, parallelism: int) -> None:
    job_id = emulator.submit(compiled(search(parallelism)), f"search-{parallelism}")
    document = emulator.wait(job_id)
    assert document["state"] == "PIPELINE_STATE_SUCCEEDED", document.get("error")
    details = list(sdk.PipelineJob.get(job_id).task_details)
    by_id = {detail.task_id: detail for detail in details}
    assert len(by_id) == len(details)
    assert Counter(detail.task_name for detail in details) == Counter(
        ["plan", "trials", "choose", "announce"]
        + [f"for-loop-1-iteration-{number}" for number in range(3)]
        + 3 * list(BODY)
    )
    (loop,) = (detail for detail in details if detail.task_name == "trials")
    iterations = [detail for detail in details if detail.parent_task_id == loop.task_id]
    iterations.sort(key=lambda detail: detail.task_name)
    assert [detail.task_name[-1] for detail in iterations] == ["0", "1", "2"]
    for detail in details:
        assert detail.state.name == "SUCCEEDED"
        assert detail.create_time <= detail.start_time <= detail.end_time
        if detail.parent_task_id:
            parent = by_id[detail.parent_task_id]
            assert parent.start_time <= detail.start_time and detail.end_time <= parent.end_time

    bodies = []
    for number, iteration in enumerate(iterations):
        body = {detail.task_name: detail for detail in details if detail.parent_task_id == iteration.task_id}
        assert set(body) == set(BODY)
        assert [body[name].start_time for name in BODY] == sorted(body[name].start_time for name in BODY)
        assert body["fetch"].execution.metadata["output:Output"] == f"trial-{number}"
        assert body["fetch"].execution.metadata["input:trial"]["size"] == number + 1
        assert body["sum-up"].execution.metadata["output:Output"] == f"model {0.7 * (number + 1):g}"
        assert body["learn"].inputs["data"].artifacts[0].name == outputs(body["fetch"], "data").name
        assert outputs(body["fetch"], "data").metadata["name"] == f"trial-{number}"
        bodies.append(body)
    made = [outputs(body[name], port) for body in bodies for name, port in (("learn", "model"), ("rate", "report"))]
    assert len({artifact.uri for artifact in made}) == len({artifact.name for artifact in made}) == 6
    assert all(artifact.uri.startswith("gs://pipeline-bucket/root/") for artifact in made)

    choose = next(detail for detail in details if detail.task_name == "choose")
    for port, name, out in (("models", "learn", "model"), ("reports", "rate", "report")):
        collected = [artifact.name for artifact in choose.inputs[port].artifacts]
        assert collected == [outputs(body[name], out).name for body in bodies]
    assert list(choose.execution.metadata["input:texts"]) == ["trial-0", "trial-1", "trial-2"]
    announce = next(detail for detail in details if detail.task_name == "announce")
    assert announce.execution.metadata["output:Output"] == "2 TRIAL-2TRIAL-2TRIAL-2"
    assert announce.start_time >= loop.end_time

    overlaps = any(
        one.start_time < other.end_time and other.start_time < one.end_time
        for one in iterations
        for other in iterations
        if one is not other
    )
    assert overlaps == (parallelism > 1)


def test_a_failing_iteration_fails_the_job_and_is_named(emulator: Any, compiled: Any) -> None:
    spec = compiled(search(1))
    job = emulator.wait(emulator.submit(spec, "search-broken", parameterValues={"breaks": 1}))
    assert job["state"] == "PIPELINE_STATE_FAILED"
    failed = "for-loop-1-iteration-1.learn"
    assert (
        f"The failed tasks are: [{failed}].; {failed}: ValueError: trial-1 cannot be learnt" in job["error"]["message"]
    )
    tasks = emulator.tasks(job)
    states = {name.removeprefix("for-loop-1."): detail["state"] for name, detail in tasks.items()}
    broken = [states[f"for-loop-1-iteration-1.{name}"] for name in BODY]
    assert broken == ["SUCCEEDED", "FAILED", "NOT_TRIGGERED", "NOT_TRIGGERED"]
    assert [states[f"for-loop-1-iteration-{number}"] for number in range(3)] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert (states["for-loop-1"], states["choose"], states["announce"]) == ("FAILED", "NOT_TRIGGERED", "NOT_TRIGGERED")


def test_a_cancelled_job_kills_what_runs_in_its_loops(emulator: Any, sdk: Any, compiled: Any) -> None:
    job_id = emulator.submit(compiled(dozing), "dozing")
    emulator.wait(
        job_id,
        until=lambda _: len(list(emulator.data_dir.glob(f"storage/*/root/*/{job_id}/**/*-started"))) == 2,
    )
    sdk.PipelineJob.get(job_id).cancel()
    job = emulator.wait(job_id)
    assert job["state"] == "PIPELINE_STATE_CANCELLED"
    tasks = emulator.tasks(job)
    assert tasks.pop("plan")["state"] == "SUCCEEDED"
    assert sum(name.endswith(".doze") for name in tasks) == 2  # the third never began
    assert {detail["state"] for detail in tasks.values()} == {"CANCELLED"}
    assert all("endTime" in detail for detail in tasks.values())
    emulator.wait_for_no_process()
