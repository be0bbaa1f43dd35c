"""How runs end that do not succeed: one clear message, and nothing left behind."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import (
    assert_nothing_is_left,
    environment,
    gemini_sft,
    processes_of,
    wait_until,
    write_experiment,
)

Start = Callable[..., "subprocess.Popen[str]"]


def job_state(folder: Path) -> str:
    """The state of the one tuning job that the emulator below a folder remembers."""
    path = folder / ".local" / "vertex.db"
    if not path.exists():
        return ""
    with (
        contextlib.closing(sqlite3.connect(path, timeout=5)) as database,
        contextlib.suppress(sqlite3.OperationalError),
    ):
        row = database.execute("SELECT body FROM documents WHERE kind = 'tuningJobs'").fetchone()
        return str(json.loads(row[0])["state"]) if row else ""
    return ""


@pytest.mark.parametrize("moment", ["start", "emulator", "tasks", "tuning"])
def test_interrupt_at_any_moment_leaves_nothing(tmp_path: Path, started: Start, moment: str) -> None:
    process = started("run", write_experiment(tmp_path, train=100, tuning={"epochs": 100}))
    if moment == "emulator":
        wait_until(lambda: bool(processes_of(tmp_path / ".local")), 20, "the emulator runs")
    elif moment == "tasks":
        wait_until(lambda: bool(list((tmp_path / ".local").rglob("prepare-data"))), 60, "a task runs")
    elif moment == "tuning":
        wait_until(lambda: job_state(tmp_path) == "JOB_STATE_RUNNING", 90, "the tuning job runs")
        time.sleep(0.5)  # until the task knows the name of its job
    else:
        time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode in (130, -signal.SIGINT)
    assert "Traceback" not in out + err
    if moment == "tuning":
        assert job_state(tmp_path) in ("JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED")
    assert_nothing_is_left(tmp_path)


def test_killed_emulator_is_named_as_the_cause(tmp_path: Path, started: Start) -> None:
    process = started("run", write_experiment(tmp_path, train=100))
    wait_until(lambda: bool(list((tmp_path / ".local").rglob("prepare-data"))), 60, "a task runs")
    command = b"vertex_emulator\0--json"
    for number in processes_of(tmp_path / ".local"):
        if command in Path(f"/proc/{number}/cmdline").read_bytes():
            os.kill(number, signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the emulator ended in the middle of the run" in err
    assert "Traceback" not in out + err
    assert_nothing_is_left(tmp_path)


def test_killed_launcher_takes_everything_with_it(tmp_path: Path, started: Start) -> None:
    process = started("run", write_experiment(tmp_path, train=100))
    wait_until(lambda: bool(list((tmp_path / ".local").rglob("prepare-data"))), 60, "a task runs")
    os.kill(process.pid, signal.SIGKILL)
    assert_nothing_is_left(tmp_path)


def test_the_emulator_of_another_command_is_nobody_elses(tmp_path: Path, started: Start) -> None:
    command = [sys.executable, "-m", "vertex_emulator", "--json", "--until-stdin-closes", "--data-dir", ".local"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(tmp_path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as emulator:
        assert emulator.stdout is not None and "port" in emulator.stdout.readline()
        for arguments in (["run", write_experiment(tmp_path)], ["status"]):
            ended = gemini_sft(*arguments, cwd=tmp_path)
            assert ended.code == 2
            assert "another emulator uses" in ended.err
            assert "--data-dir" in ended.err
    assert_nothing_is_left(tmp_path)


def test_port_in_use_is_refused(tmp_path: Path, started: Start) -> None:
    emulator = started("emulator", "--port", "0")
    assert emulator.stdout is not None
    port = emulator.stdout.readline().split("127.0.0.1:")[1].split(",")[0]
    ended = gemini_sft("emulator", "--port", port, "--data-dir", tmp_path / "other", cwd=tmp_path)
    assert ended.code == 2
    assert f"port {port} on 127.0.0.1 cannot be used" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_full_disk_ends_the_run_with_the_place_and_the_remedy(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("this machine does not let a small disk be mounted")
    try:
        ended = gemini_sft("run", write_experiment(tmp_path), "--data-dir", disk / "data", cwd=tmp_path)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
    assert ended.code in (1, 2), ended.out
    assert "Traceback" not in ended.out + ended.err
    assert str(disk) in ended.err
    assert "space" in ended.err.lower()
    assert not list((disk / "data").rglob("report.html"))


def test_a_batch_job_answers_for_base_and_tuned_model(small: tuple[dict[str, Any], Path]) -> None:
    one, folder = small
    batch = gemini_sft("run", "small.yaml", "--set", "evaluation.backend=batch", "--json", cwd=folder)
    assert batch.code == 0, batch.err
    other = json.loads(batch.out)
    assert (one["base"], one["candidate"]) == (other["base"], other["candidate"])
    first, second = ((folder / run["artifacts"] / "base-predictions.jsonl").read_bytes() for run in (one, other))
    assert first == second


def test_a_task_that_is_killed_goes_on_where_it_was(tmp_path: Path, started: Start) -> None:
    path = write_experiment(tmp_path, test=24, evaluation={"max_requests_per_minute": 240})
    process = started("run", path, "--json")
    kept = tmp_path / ".local" / "storage"
    wait_until(lambda: len(list(kept.glob("*/staging/small/answers/*/*/*.jsonl"))) >= 5, 90, "some have answered")
    (task, *_) = sorted(one for one in processes_of(tmp_path) if "evaluate_model" in command_of(one))[::-1]
    os.kill(task, signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    summary = json.loads(out)
    traffic = json.loads((tmp_path / summary["artifacts"] / "base-traffic.json").read_text("utf-8"))
    assert traffic["examples"] == 24 and traffic["kept"] >= 5 and traffic["requests"] == 24
    assert summary["base"]["outcomes"] == {"answered": 24}


def command_of(process: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text("utf-8", "replace")
    return ""
