"""An emulator that is kept open: runs against it, and the commands about these runs."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.end_to_end.conftest import gemini_sft, processes_of, wait_until, write_experiment

Start = Callable[..., "subprocess.Popen[str]"]


def test_runs_against_an_emulator_that_stays_open(tmp_path: Path, started: Start) -> None:
    emulator = started("emulator", "--port", "0")
    assert emulator.stdout is not None and "127.0.0.1" in emulator.stdout.readline()
    first = gemini_sft("run", write_experiment(tmp_path), "--json", cwd=tmp_path)
    assert first.code == 0, first.err
    assert "Using the emulator that is open on .local." in first.err
    run_id, verdict = (json.loads(first.out)[key] for key in ("run_id", "verdict"))
    assert emulator.poll() is None

    # Its results can be had again, for instance those of a run that nobody waited for.
    shutil.rmtree(tmp_path / ".local" / "runs")
    shown = gemini_sft("status", "latest", "--json", cwd=tmp_path)
    assert shown.code == 0, shown.err
    found = json.loads(shown.out)
    assert (found["run_id"], found["verdict"], found["experiment"]) == (run_id, verdict, "small")
    assert found["link"] is None and "Verdict: " in shown.err
    report = gemini_sft("report", run_id, "--no-open", cwd=tmp_path)
    assert report.code == 0 and f"Verdict: {verdict}." in report.out
    logs = gemini_sft("logs", "small", "--task", "prepare data", cwd=tmp_path)
    assert logs.code == 0 and "prepare data | " in logs.out
    assert any("24 examples" in line for line in logs.out.splitlines())

    # Another one, in the middle of which the emulator is killed.
    second = started("run", "small.yaml", "--set", "tuning.attempt=2")
    folders = tmp_path / ".local" / "storage"
    wait_until(lambda: len(list(folders.rglob("prepare-data"))) > 1, 60, "a task of the second run")
    os.kill(emulator.pid, signal.SIGKILL)
    out, err = second.communicate(timeout=90)
    assert second.returncode == 1
    assert "the emulator that was open on .local ended in the middle of the run" in err
    assert "Traceback" not in out + err
    # What it has left misleads no other command, which starts an emulator of its own.
    wait_until(lambda: not processes_of(tmp_path), 20, "nothing runs any more")
    listed = gemini_sft("status", cwd=tmp_path)
    assert listed.code == 0 and "Starting the local emulator" in listed.out
    states = {line.split()[0]: line.split()[2] for line in listed.out.splitlines() if line.startswith("small-")}
    assert len(states) == 2 and states.pop(run_id) == "succeeded" and [*states.values()] == ["failed"]
