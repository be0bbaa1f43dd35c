import json
import sys
from pathlib import Path
from typing import Any

import pytest
from kfp.local import status

from vertex_emulator.pipelines.task_process import Processes, TaskProcess, UnsupportedTask

SCRIPT = """: ephemeral_component.py; exec python3 -c "$0" "$@" """
PIP = ["sh", "-c", 'pip install kfp && "$0" "$@"']


def run(tmp_path: Path, program: str, parameters: Any, *before: str, **variables: str) -> tuple[Any, Any, str]:
    """Returns the status, what was reported in the end, and the log."""
    executor_input = {
        "inputs": {"parameterValues": parameters},
        "outputs": {"outputFile": str(tmp_path / "task" / "executor_output.json")},
    }
    command = [*before, "sh", "-ec", SCRIPT, program, "--executor_input", json.dumps(executor_input)]
    reports: list[tuple[Path, str | None]] = []
    task = TaskProcess(
        command, variables, processes=Processes(), report=lambda *report: reports.append(report), image="an-image"
    )
    result = task.run()
    (log, nothing_yet), (same, cause) = reports
    assert (same, nothing_yet) == (log, None)
    return result, cause, log.read_text()


def test_parameters_reach_the_task_unharmed(tmp_path: Path) -> None:
    program = "import sys; print(sys.argv[2]); print(sys.executable)"
    parameters = {"text": "use python3", "rate": 1.0, "items": [1.0, 0.5], "table": {"a": {"b": 2.0}}}
    result, cause, log = run(tmp_path, program, parameters, *PIP)
    seen, executable = log.splitlines()
    assert (result, cause, executable) == (status.Status.SUCCESS, None, sys.executable)
    values = json.loads(seen)["inputs"]["parameterValues"]
    assert str(values) == "{'text': 'use python3', 'rate': 1.0, 'items': [1, 0.5], 'table': {'a': {'b': 2}}}"


def test_a_failure_is_reported_with_its_cause(tmp_path: Path) -> None:
    result, cause, log = run(tmp_path, "import os; raise ValueError(os.environ['WHY'])", {}, WHY="no quota")
    assert (result, cause) == (status.Status.FAILURE, "ValueError: no quota")
    assert log.startswith("Traceback")


def test_a_retry_is_not_blamed_for_the_attempt_before(tmp_path: Path) -> None:
    run(tmp_path, "raise ValueError('first')", {})
    _, cause, log = run(tmp_path, "import sys; sys.exit('second')", {})
    assert cause == "exit code 1: second"
    assert "ValueError: first" in log and "second" in log


def test_other_components_are_refused() -> None:
    with pytest.raises(UnsupportedTask, match="lightweight Python components only"):
        TaskProcess(["echo", "hello"], {}, processes=Processes(), report=lambda *_: None)
