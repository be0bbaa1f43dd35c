"""An emulator that is kept open: two runs against it, and the commands about these runs."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import (
    GEMINI_SFT,
    environment,
    gemini_sft,
    processes_of,
    wait_until,
    write_experiment,
)

Emulator = subprocess.Popen[str]
OPEN = "Using the emulator that is open on .local."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the user stands, with a small experiment."""
    folder = tmp_path_factory.mktemp("standing")
    write_experiment(folder)
    return folder


@pytest.fixture(scope="module")
def emulator(folder: Path) -> Iterator[Emulator]:
    """`gemini-sft emulator`, kept open there."""
    command = [*GEMINI_SFT, "emulator", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None and "127.0.0.1" in process.stdout.readline()
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def test_a_run_leaves_it_open_and_can_be_looked_at_afterwards(folder: Path, emulator: Emulator) -> None:
    ran = gemini_sft("run", "small.yaml", "--json", cwd=folder)
    assert ran.code == 0, ran.err
    assert OPEN in ran.err and emulator.poll() is None
    run_id, verdict = (json.loads(ran.out)[key] for key in ("run_id", "verdict"))
    # Its results can be had again, for instance those of a run that nobody waited for.
    shutil.rmtree(folder / ".local" / "runs")
    shown = gemini_sft("status", "latest", "--json", cwd=folder)
    assert shown.code == 0, shown.err
    found = json.loads(shown.out)
    assert (found["run_id"], found["verdict"], found["experiment"]) == (run_id, verdict, "small")
    assert found["link"] is None and "Verdict: " in shown.err
    report = gemini_sft("report", run_id, "--no-open", cwd=folder)
    assert report.code == 0 and f"Verdict: {verdict}." in report.out
    logs = gemini_sft("logs", run_id, "--task", "prepare data", cwd=folder)
    assert logs.code == 0 and "prepare data | " in logs.out
    assert any("24 examples" in line for line in logs.out.splitlines())


def test_a_run_whose_emulator_is_killed_says_so_and_no_later_command_is_misled(
    folder: Path, emulator: Emulator, started: Callable[..., Emulator]
) -> None:
    tasks = folder / ".local" / "storage"
    before = len(list(tasks.rglob("prepare-data")))
    run = started("run", folder / "small.yaml", "--set", "tuning.attempt=2", "--data-dir", folder / ".local")
    wait_until(lambda: len(list(tasks.rglob("prepare-data"))) > before, 120, "a task of the run")
    os.kill(emulator.pid, signal.SIGKILL)
    out, err = run.communicate(timeout=100)
    assert run.returncode == 1
    assert f"the emulator that was open on {folder}/.local ended in the middle of the run" in err
    assert "Traceback" not in out + err
    wait_until(lambda: not processes_of(folder), 20, "nothing runs any more")
    listed = gemini_sft("status", cwd=folder)
    assert listed.code == 0 and "Starting the local emulator" in listed.err
    states = [line.split()[2] for line in listed.out.splitlines() if line.startswith("small-")]
    assert states == ["failed", *(["succeeded"] if before else [])]
