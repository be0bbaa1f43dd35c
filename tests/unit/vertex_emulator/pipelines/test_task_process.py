import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kfp.local import status

from vertex_emulator.pipelines.task_process import Processes, TaskProcess, UnsupportedTask

SCRIPT = """: ephemeral_component.py; exec python3 -c "$0" "$@" """
PIP = ["sh", "-c", 'pip install kfp && "$0" "$@"']


def run(
    tmp_path: Path, program: str, parameters: Any, *before: str, python: str | None = None, **variables: str
) -> tuple[Any, Any, str]:
    """Returns the status, what was reported, and the log."""
    executor_input = {
        "inputs": {"parameterValues": parameters},
        "outputs": {"outputFile": str(tmp_path / "task" / "executor_output.json")},
    }
    command = [*before, "sh", "-ec", SCRIPT, program, "--executor_input", json.dumps(executor_input)]
    reports: list[tuple[Path, str | None]] = []
    task = TaskProcess(
        command,
        variables,
        processes=Processes(),
        python=python,
        begin=lambda: tmp_path / "logs" / "lines.jsonl",
        report=lambda *report: reports.append(report),
        image="an-image",
    )
    result = task.run()
    ((log, cause),) = reports
    return result, cause, log.read_text("utf-8", "replace")


def test_parameters_reach_the_task_unharmed(tmp_path: Path) -> None:
    program = "import sys; print(sys.argv[2]); print(sys.executable)"
    parameters = {"text": "use python3", "rate": 1.0, "items": [1.0, 0.5], "table": {"a": {"b": 2.0}}}
    result, cause, log = run(tmp_path, program, parameters, *PIP)
    seen, executable = log.splitlines()
    assert (result, cause, executable) == (status.Status.SUCCESS, None, sys.executable)
    values = json.loads(seen)["inputs"]["parameterValues"]
    assert str(values) == "{'text': 'use python3', 'rate': 1.0, 'items': [1, 0.5], 'table': {'a': {'b': 2}}}"


def test_another_python_finds_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "of the image"
    python.write_text(f'#!/bin/sh\necho image $PYTHONPATH\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", "/ours")
    program = "import os; print('/ours' in os.environ.get('PYTHONPATH', ''))"
    assert run(tmp_path, program, {})[2] == "True\n"
    assert run(tmp_path / "image", program, {}, python=str(python))[2] == "image\nFalse\n"


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
        TaskProcess(["echo", "hello"], {}, processes=Processes(), begin=Path, report=lambda *_: None)


def test_lines_are_kept_with_time_and_severity_and_in_order(tmp_path: Path) -> None:
    program = r"""
import sys, time
for number in range(50):
    print("out", number)
    print("err", number, file=sys.stderr)
print("  indented", end="", flush=True)
time.sleep(0.05)
print(" to the end \u2028 \N{SNOWMAN}\r")
sys.stdout.buffer.write(b"no text \xff, and no end")
"""
    run(tmp_path, program, {}, PYTHONUNBUFFERED="1")
    lines = [json.loads(line) for line in (tmp_path / "logs" / "lines.jsonl").read_text().splitlines()]
    said = [(line["severity"], line["message"]) for line in lines]
    last = [("INFO", "  indented to the end \u2028 \N{SNOWMAN}"), ("INFO", "no text \ufffd, and no end")]
    assert said[-2:] == last
    assert [one for one in said if one[0] == "ERROR"] == [("ERROR", f"err {number}") for number in range(50)]
    assert [one for one in said if one[0] == "INFO"][:-2] == [("INFO", f"out {number}") for number in range(50)]
    times = [datetime.fromisoformat(line["timestamp"]) for line in lines]
    assert times == sorted(times) and timedelta(0) < datetime.now(UTC) - times[0] < timedelta(minutes=1)
    assert times[-1] - times[0] >= timedelta(seconds=0.04), "each line has the time at which it was written"


def test_what_was_printed_before_a_failure_stays_before_it(tmp_path: Path) -> None:
    program = "import sys; print('last words'); raise ValueError('no quota')"
    for _ in range(5):
        _, cause, log = run(tmp_path, program, {}, PYTHONUNBUFFERED="1")
        assert cause == "ValueError: no quota"
    assert log.index("last words") < log.index("Traceback")
