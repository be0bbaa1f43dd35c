"""An emulator that is kept open: how others find it, and when they must not."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gemini_sft.errors import RunError
from launcher.emulator import StandingEmulator

Process = subprocess.Popen[str]


def start(data_dir: Path, *arguments: str) -> tuple[Process, dict[str, str]]:
    """An emulator that answers, and the environment that leads to it."""
    command = [sys.executable, "-m", "vertex_emulator", "--json", "--data-dir", str(data_dir), *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["environment"]


def end(process: Process, how: signal.Signals) -> None:
    process.send_signal(how)
    process.communicate(timeout=20)


def test_is_found_while_it_is_alive_and_not_after(tmp_path: Path) -> None:
    assert StandingEmulator.find(tmp_path / "nowhere") is None
    process, environment = start(tmp_path)
    try:
        found = StandingEmulator.find(tmp_path)
        assert found is not None and found.environment() == environment
        found.require_alive()
    finally:
        end(process, signal.SIGTERM)
    assert not (tmp_path / "emulator.json").exists()
    assert StandingEmulator.find(tmp_path) is None
    with pytest.raises(RunError, match=r"ended in the middle of the run.*start the run again"):
        found.require_alive()


def test_what_a_killed_one_left_misleads_nobody(tmp_path: Path) -> None:
    process, _ = start(tmp_path)
    found = StandingEmulator.find(tmp_path)
    end(process, signal.SIGKILL)
    left = tmp_path / "emulator.json"
    assert left.exists() and StandingEmulator.find(tmp_path) is None
    # One of a command's own serves the same data: it is that command's alone.
    process, _ = start(tmp_path, "--until-stdin-closes")
    assert not left.exists() and StandingEmulator.find(tmp_path) is None
    end(process, signal.SIGKILL)
    # Another one that is open is not the one that was found.
    process, _ = start(tmp_path)
    assert StandingEmulator.find(tmp_path) is not None and found is not None
    with pytest.raises(RunError, match="ended in the middle"):
        found.require_alive()
    end(process, signal.SIGINT)
    assert not left.exists()
