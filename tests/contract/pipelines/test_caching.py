"""Execution caching: what was run before is not run again, where a task lets that be."""

# KFP's decorators have no types, and its pipelines no annotation for what they return.
# mypy: disable-error-code="untyped-decorator,no-untyped-def,no-any-return,valid-type,type-arg,call-arg"

import copy
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.cloud import aiplatform_v1
from google.protobuf import json_format
from kfp import compiler, dsl

from tests.contract.pipelines.conftest import BUCKET, Emulator

component = partial(dsl.component, install_kfp_package=False, base_image="an-image:1")


@component()
def prepare(text: str, log: str, data: dsl.Output[dsl.Dataset], unwritten: dsl.Output[dsl.Artifact]) -> NamedTuple(
    "Outputs", [("words", list), ("share", float)]
):
    from collections import namedtuple
    from pathlib import Path

    with Path(log).open("a") as file:
        file.write("prepare\n")
    if text == "bad":
        raise ValueError("bad text")
    Path(data.path).write_text(text)
    data.metadata["rows"] = 3
    return namedtuple("Outputs", ["words", "share"])(["a", 2, {"b": 1.5}], 2.0)


@component()
def use(data: dsl.Input[dsl.Dataset], words: list, share: float, log: str, run: str = "") -> str:
    from pathlib import Path

    with Path(log).open("a") as file:
        file.write("use\n")
    return f"{Path(data.path).read_text()} {data.metadata['rows']} {words} {share} {type(share).__name__}"


@dsl.pipeline(name="cached")
def cached(log: str, text: str = "hello"):
    made = prepare(text=text, log=log)
    given = {"data": made.outputs["data"], "words": made.outputs["words"], "share": made.outputs["share"], "log": log}
    use(**given)
    use(**given).set_caching_options(enable_caching=False).set_display_name("always")
    use(**given, run=dsl.PIPELINE_JOB_NAME_PLACEHOLDER).set_display_name("of this run")


@pytest.fixture
def run(
    emulator: Any, compiled: Callable[..., dict[str, Any]], tmp_path: Path
) -> Callable[..., tuple[list[str], dict[str, Any]]]:
    """Runs the pipeline, or a changed one; returns the states of prepare and of all uses, and the task details."""
    log, spec = tmp_path / "log", compiled(cached, caching=True)
    numbers = iter(range(100))

    def run(
        change: Callable[[dict[str, Any]], object] = lambda spec: None, **parameters: str
    ) -> tuple[list[str], dict[str, Any]]:
        changed = copy.deepcopy(spec)
        change(changed)
        job_id = f"{tmp_path.name.replace('_', '-')}-{next(numbers)}".lower()
        emulator.submit(changed, job_id, parameterValues={"log": str(log), **parameters})
        tasks = emulator.tasks(emulator.wait(job_id))
        return [tasks[name]["state"] for name in ("prepare", "use", "use-2", "use-3")], tasks

    return run


EVERYTHING = ["SUCCEEDED"] * 4
KNOWN = ["SKIPPED", "SKIPPED", "SUCCEEDED", "SUCCEEDED"]


def test_the_same_task_is_run_once(run: Any, tmp_path: Path) -> None:
    first, before = run()
    second, after = run()
    assert (first, second) == (EVERYTHING, KNOWN)
    lines = (tmp_path / "log").read_text().split()
    assert (lines.count("prepare"), lines.count("use")) == (1, 3 + 2)
    detail = after["prepare"]
    assert detail["execution"]["state"] == "CACHED" and "error" not in detail
    json_format.ParseDict(detail, aiplatform_v1.PipelineTaskDetail()._pb)
    # The artifacts are those of the first run, and who uses them gets all that it got there.
    assert detail["outputs"] == before["prepare"]["outputs"]
    for name in ("use", "use-2", "use-3"):
        values = [one[name]["execution"]["metadata"]["output:Output"] for one in (before, after)]
        assert values == ["hello 3.0 ['a', 2, {'b': 1.5}] 2.0 float"] * 2


def test_another_value_image_variable_output_or_pipeline_is_not_the_same(run: Any) -> None:
    def container(spec: dict[str, Any]) -> dict[str, Any]:
        return spec["deploymentSpec"]["executors"]["exec-prepare"]["container"]

    def outputs(spec: dict[str, Any]) -> dict[str, Any]:
        return spec["components"]["comp-prepare"]["outputDefinitions"]["artifacts"]

    run()
    assert run(text="other")[0][0] == "SUCCEEDED"
    assert run(lambda spec: container(spec).update(image="an-image:2"))[0][0] == "SUCCEEDED"
    assert run(lambda spec: container(spec).update(env=[{"name": "A", "value": "b"}]))[0][0] == "SUCCEEDED"
    assert run(lambda spec: outputs(spec)["data"]["artifactType"].update(schemaVersion="0.0.2"))[0][0] == "SUCCEEDED"
    assert run(lambda spec: spec["pipelineInfo"].update(name="cached-too"))[0][0] == "SUCCEEDED"
    assert run()[0] == KNOWN
    # What used another execution's artifact has another input, whatever is in it.
    assert run(lambda spec: container(spec).update(image="an-image:3"))[0] == EVERYTHING


def test_a_failure_is_not_kept(run: Any, tmp_path: Path) -> None:
    for _ in range(2):
        assert run(text="bad")[0] == ["FAILED"] + ["NOT_TRIGGERED"] * 3
    assert (tmp_path / "log").read_text().split() == ["prepare"] * 2


@pytest.mark.parametrize("enable", [None, False, True])
def test_the_sdk_turns_it_off_and_on_for_a_whole_run(sdk: Any, emulator: Any, tmp_path: Path, enable: Any) -> None:
    compiler.Compiler().compile(cached, str(tmp_path / "cached.yaml"))
    states = []
    for number in range(2):
        job = sdk.PipelineJob(
            display_name="cached",
            job_id=f"sdk-{enable}-{number}".lower(),
            template_path=str(tmp_path / "cached.yaml"),
            pipeline_root=f"gs://{BUCKET}/root",
            parameter_values={"log": str(tmp_path / "log")},
            enable_caching=enable,
        )
        job.submit()
        tasks = emulator.tasks(emulator.wait(job.job_id))
        states.append([tasks[name]["state"] for name in ("prepare", "use", "use-2", "use-3")])
    expected = {None: KNOWN, False: EVERYTHING, True: ["SKIPPED"] * 3 + ["SUCCEEDED"]}
    assert states == [EVERYTHING if enable is not True else [*EVERYTHING[:2], "SKIPPED", "SUCCEEDED"], expected[enable]]


def test_other_code_on_this_machine_is_another_image(
    compiled: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "path" / "ours"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'path'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    emulator = Emulator(tmp_path / "data")
    try:
        spec = compiled(cached, caching=True)
        parameters = {"log": str(tmp_path / "log")}
        states = []
        for number in range(3):
            (package / "steps.py").write_text(str(number // 2))
            os.utime(package / "steps.py", (number // 2, number // 2))
            job_id = emulator.submit(spec, f"code-{number}", parameterValues=parameters)
            states.append(emulator.tasks(emulator.wait(job_id))["prepare"]["state"])
    finally:
        emulator.end()
    assert states == ["SUCCEEDED", "SKIPPED", "SUCCEEDED"]
