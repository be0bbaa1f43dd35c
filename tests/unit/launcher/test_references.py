"""What an exit handler, a branch and a loop may refer to, with one fault planted in a right pipeline."""

# KFP's decorators have no types.
# mypy: disable-error-code="untyped-decorator,no-any-return"

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from kfp import compiler, dsl

from components.image import component
from launcher.portability import refusals
from tests.promoting import notify, plan, promote, promoting, tune

Spec = dict[str, Any]


def compiled(pipeline: Any) -> Spec:
    with TemporaryDirectory() as folder:
        path = Path(folder, "pipeline.yaml")
        compiler.Compiler().compile(pipeline, str(path))
        spec: Spec = yaml.safe_load(path.read_text("utf-8"))
    return spec


@cache
def good() -> Spec:
    return compiled(promoting)


def found(spec: Spec) -> list[str]:
    return refusals(json.dumps(spec))  # which is YAML


@component
def read(report: dsl.Input[dsl.Artifact]) -> str:
    return report.uri


@dsl.pipeline(name="inner")
def inner(report: dsl.Input[dsl.Artifact], verdict: str) -> str:
    first = read(report=report)
    with dsl.If(verdict == "promote"):
        read(report=report)
    return first.output


@dsl.pipeline(name="nested")
def nested(verdict: str = "promote") -> None:
    told = notify(whom="the team", fate="")
    outside = plan(count=2)
    with dsl.ExitHandler(told), dsl.ParallelFor(outside.output) as trial:
        tuned = tune(trial=trial, fate=verdict)
        with dsl.If(verdict == "promote", name="outer"):
            with dsl.If(trial != "trial-1", name="inner branch"):
                read(report=tuned.outputs["model"])
            with dsl.ParallelFor(["a", "b"]) as alias:
                promote(report=tuned.outputs["model"], alias=alias, fate=trial)
            got = inner(report=tuned.outputs["model"], verdict=verdict)
            promote(report=tuned.outputs["model"], alias=got.output, fate="")


@pytest.mark.parametrize("pipeline", [promoting, nested], ids=["promoting", "nested"])
def test_what_is_right_is_taken(pipeline: Any) -> None:
    assert found(compiled(pipeline)) == []


def body(spec: Spec) -> Spec:
    tasks: Spec = spec["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    return tasks


def exit_task(spec: Spec) -> Spec:
    task: Spec = spec["root"]["dag"]["tasks"]["notify"]
    return task


def condition(text: str) -> Callable[[Spec], None]:
    return lambda spec: body(spec)["condition-3"]["triggerPolicy"].update(condition=text)


@pytest.mark.parametrize(
    ("plant", "refusal"),
    [
        (
            lambda spec: exit_task(spec)["inputs"]["parameters"]["status"]["taskFinalStatus"].update(
                producerTask="plan"
            ),
            "root.notify.status: is told the end of plan, which is not in the same dag",
        ),
        (
            lambda spec: exit_task(spec).pop("dependentTasks"),
            "root.notify.status: is told the end of exit-handler-1 but does not wait for it",
        ),
        (
            lambda spec: exit_task(spec).pop("triggerPolicy"),
            "root.notify.status: is told the end of exit-handler-1 but does not run when that fails",
        ),
        (
            condition("inputs.parameter_values['pipelinechannel--plan-Output'] == 'promote'"),
            "comp-exit-handler-1.condition-3: its condition speaks of 'pipelinechannel--plan-Output', which it is not"
            " given",
        ),
        (
            lambda spec: body(spec)["condition-3"].update(dependentTasks=["plan"]),
            "comp-exit-handler-1.condition-3.pipelinechannel--compare-Output: takes an output of compare but does not"
            " wait for it",
        ),
        (
            lambda spec: body(spec)["compare"]["dependentTasks"].append("notify"),
            "comp-exit-handler-1.compare: waits for notify, which is not in the same dag",
        ),
        (
            lambda spec: body(spec)["for-loop-2"]["parameterIterator"]["items"].update(inputParameter="trials"),
            "comp-exit-handler-1.for-loop-2: loops over 'trials', which it is not given",
        ),
        (
            lambda spec: spec["components"]["comp-condition-3"]["inputDefinitions"].pop("artifacts"),
            "comp-condition-3.promote.report: dangling componentInputArtifact 'pipelinechannel--compare-report'",
        ),
        (
            lambda spec: spec["components"]["comp-for-loop-2"]["dag"]["outputs"]["artifacts"][
                "pipelinechannel--tune-model"
            ]["artifactSelectors"][0].update(outputArtifactKey="models"),
            "comp-for-loop-2.pipelinechannel--tune-model: tune has no output 'models'",
        ),
        (
            lambda spec: spec["components"]["comp-for-loop-2"]["dag"]["outputs"]["artifacts"][
                "pipelinechannel--tune-model"
            ]["artifactSelectors"][0].update(producerSubtask="plan"),
            "comp-for-loop-2.pipelinechannel--tune-model: takes an output of plan, which is not in the same dag",
        ),
    ],
)
def test_what_leads_nowhere_is_refused(plant: Callable[[Spec], object], refusal: str) -> None:
    spec = copy.deepcopy(good())
    plant(spec)
    assert refusal in found(spec)


def test_a_loop_whose_item_nobody_uses_inside_an_exit_handler() -> None:
    """The compiler lets it pass, with an input that is not there."""

    @dsl.pipeline(name="unused")
    def unused(trials: list[str]) -> None:
        with dsl.ExitHandler(notify(whom="", fate="")), dsl.ParallelFor(trials):
            plan(count=1)

    (refusal,) = found(compiled(unused))
    assert refusal.startswith(
        "comp-exit-handler-1.for-loop-2.pipelinechannel--trials: dangling componentInputParameter"
    )


def test_outputs_of_a_branch_may_not_be_taken_outside() -> None:
    spec = copy.deepcopy(good())
    taken = {"taskOutputArtifact": {"producerTask": "promote", "outputArtifactKey": "receipt"}}
    body(spec)["compare"]["inputs"]["artifacts"]["models"] = taken
    assert found(spec) == [
        "comp-exit-handler-1.compare.models: takes an output of promote, which is not in the same dag"
    ]
