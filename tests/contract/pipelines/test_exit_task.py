"""Whatever task of the real pipeline fails, its exit task runs and is told so.

The pipeline is the compiled one; in each task's container stands a program that does nothing but give outputs, or fail.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

GOLDEN = Path(__file__).parents[2] / "golden"
STAND_IN = """
import json, os, pathlib, sys
told = json.loads(sys.argv[sys.argv.index("--executor_input") + 1])
if "FAILS" in os.environ:
    raise ValueError("on purpose")
outputs = told["outputs"]
gives = {name: os.environ["GIVES"] for name in outputs.get("parameters", {})}
pathlib.Path(outputs["outputFile"]).parent.mkdir(parents=True, exist_ok=True)
pathlib.Path(outputs["outputFile"]).write_text(
    json.dumps({"artifacts": outputs.get("artifacts", {}), "parameterValues": gives})
)
if "status" in told["inputs"].get("parameterValues", {}):
    print("told", json.dumps(told["inputs"]["parameterValues"]["status"]))
"""
OF_TUNING = [
    "find-data", "prepare-data", "find-models", "quote-cost", "plan-retraining", "evaluate-model", "evaluate-model-2",
    "evaluate-model-3", "tune-model", "extract-metrics", "select-checkpoint", "evaluate-model-4", "judge-answers",
    "compare-models", "log-evaluation", "promote-model",
]  # fmt: skip
OF_RECHECK = ["evaluate-model-5", "recheck-champion"]
PARAMETERS = {"project": "p", "location": "us-central1", "experiment_uri": "gs://b/staging/x/1/experiment.yaml"}


def stand_in(path: str, failing: str) -> dict[str, Any]:
    """The compiled pipeline, in which the plan is this path, and one task fails."""
    spec: dict[str, Any] = yaml.safe_load((GOLDEN / "retrain.yaml").read_text("utf-8"))
    gives = {"plan-retraining": path, "compare-models": "promote"}
    for label, executor in spec["deploymentSpec"]["executors"].items():
        if "container" in executor:
            task = label.removeprefix("exec-")
            start = 'exec python3 -ISc "$0" "$@" # ephemeral_component.py'
            settings = {"GIVES": gives.get(task, "something")} | ({"FAILS": "1"} if task == failing else {})
            executor["container"] |= {
                "command": ["sh", "-ec", start, STAND_IN],
                "env": [{"name": name, "value": value} for name, value in settings.items()],
            }
    return spec


def told(emulator: Any, job_id: str) -> dict[str, Any]:
    """What the exit task of a job was told of its end."""
    (line,) = emulator.file(f"root/*/{job_id}/notify/task.log").read_text().splitlines()
    found: dict[str, Any] = json.loads(line.removeprefix("told "))
    return found


@pytest.fixture(scope="module")
def run(emulator: Any) -> Any:
    """Runs the pipeline with one task that fails; all of them at once, as that is quicker than one after the other."""
    for path, failing in ((path, one) for path, tasks in CASES.items() for one in tasks):
        emulator.submit(stand_in(path, failing), f"exit-{path}-{failing}", parameterValues=PARAMETERS)
    return lambda path, failing: emulator.wait(f"exit-{path}-{failing}")


CASES = {"tune": [*OF_TUNING, "nothing"], "recheck": [*OF_RECHECK, "nothing"], "skip": ["nothing"]}


def test_every_task_is_there() -> None:
    executors = yaml.safe_load((GOLDEN / "retrain.yaml").read_text("utf-8"))["deploymentSpec"]["executors"]
    ours = {label.removeprefix("exec-") for label, one in executors.items() if "container" in one}
    assert ours == {*OF_TUNING, *OF_RECHECK, "notify"}


@pytest.mark.parametrize(("path", "failing"), [(path, one) for path, tasks in CASES.items() for one in tasks])
def test_the_exit_task_is_told(run: Any, emulator: Any, path: str, failing: str) -> None:
    job = run(path, failing)
    tasks = emulator.tasks(job)
    states = {name.rpartition(".")[2]: detail["state"] for name, detail in tasks.items()}
    state = "SUCCEEDED" if failing == "nothing" else "FAILED"
    assert (job["state"], states["notify"]) == (f"PIPELINE_STATE_{state}", "SUCCEEDED")
    status = told(emulator, f"exit-{path}-{failing}")
    assert (status["state"], status["pipelineTaskName"]) == (state, "exit-handler-1")
    assert status["pipelineJobResourceName"] == job["name"]
    if failing == "nothing":
        taken = {"tune": "promote-model", "recheck": "recheck-champion", "skip": "plan-retraining"}[path]
        untaken = {"tune": "recheck-champion", "recheck": "compare-models", "skip": "recheck-champion"}[path]
        assert states[taken] == "SUCCEEDED" and untaken not in states
    else:
        assert states[failing] == "FAILED"
        assert f"The failed tasks are: [{failing}]" in status["error"]["message"]
        assert "on purpose" in status["error"]["message"]
