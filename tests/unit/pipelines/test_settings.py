"""What the compiled pipelines say of each task: whether it is cached, tried again, and told of."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gemini_sft.experiment import Experiment
from launcher.compiling import compile_for

GOLDEN = Path(__file__).parents[2] / "golden"
PIPELINES = sorted(file.stem for file in GOLDEN.glob("*.yaml"))

CACHED = {"prepare_data"}
"""What follows from the inputs alone. All others look something up, are billed, or decide."""
RETRIED = {"evaluate_model", "tune_model", "select_checkpoint", "judge_answers", "log_evaluation", "promote_model"}
"""Each is run twice on the same in tests/end_to_end/test_retraining.py."""


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def tasks(spec: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every task of a compiled pipeline, with the component that it is made of; of what holds others, `dag`."""
    found = []
    for part in (spec["root"], *spec["components"].values()):
        for task in part.get("dag", {}).get("tasks", {}).values():
            component = spec["components"][task["componentRef"]["name"]]
            name = "dag"
            if "dag" not in component:
                executor = spec["deploymentSpec"]["executors"][component["executorLabel"]]
                command = executor.get("container", {}).get("args", [])
                name = command[-1] if "--function_to_execute" in command else "other"
            found.append((name, task))
    return found


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_data_are_cached_and_nothing_else_is(pipeline: str) -> None:
    found = tasks(read(GOLDEN / f"{pipeline}.yaml"))
    assert {"find_data", "prepare_data", "find_models", "quote_cost", "notify"} <= {name for name, _ in found}
    for name, task in found:
        enabled = task.get("cachingOptions", {}).get("enableCache", False)
        assert enabled == (name in CACHED), f"{name} is {'' if enabled else 'not '}cached"


@pytest.mark.parametrize("pipeline", ["finetune", "retrain", "recheck"])
def test_nor_is_it_with_a_mail_at_the_end(pipeline: Any, tmp_path: Path) -> None:
    head = {"name": "demo", "task": "chat", "base_model": "gemini-2.5-flash", "data": {"train": "t.csv"}}
    experiment = Experiment.model_validate(head | {"notification": {"email": ["me@example.test"]}})
    found = tasks(read(compile_for(experiment, tmp_path, pipeline)))
    assert {name for name, task in found if task.get("cachingOptions", {}).get("enableCache")} == CACHED


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_what_is_tried_again_is_what_goes_on_where_it_was(pipeline: str) -> None:
    for name, task in tasks(read(GOLDEN / f"{pipeline}.yaml")):
        assert task.get("retryPolicy", {}).get("maxRetryCount", 0) == (1 if name in RETRIED else 0), name


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_version_of_the_data_comes_from_where_it_was_looked_up(pipeline: str) -> None:
    (task,) = (task for name, task in tasks(read(GOLDEN / f"{pipeline}.yaml")) if name == "prepare_data")
    assert task["inputs"]["parameters"]["version"]["taskOutputParameter"]["producerTask"] == "find-data"
    assert set(task["inputs"]["parameters"]) == {"experiment_uri", "version"}, "nothing in it is of one run alone"


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_task_but_the_exit_task_is_told_of(pipeline: str) -> None:
    """What tests/contract/pipelines/test_exit_tasks.py shows of one pipeline holds for all: they are built alike."""
    root = read(GOLDEN / f"{pipeline}.yaml")["root"]["dag"]["tasks"]
    assert set(root) == {"exit-handler-1", "notify"}
    assert root["notify"]["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    status = root["notify"]["inputs"]["parameters"]["status"]
    assert status == {"taskFinalStatus": {"producerTask": "exit-handler-1"}}
