"""The command line as a user runs it, on small data, and one full run of the shipped experiment."""

import contextlib
import csv
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GEMINI_SFT = [sys.executable, "-m", "launcher.main"]


def environment(folder: Path | None = None) -> dict[str, str]:
    """The shell of a user who has no Google account, standing in a folder; all that it starts inherits `PWD`.

    Coverage is not measured in it: that makes a run, which is 16 processes, take half as much again.
    """
    foreign = ("GOOGLE_", "VERTEX_", "GCE_", "COVERAGE_", "MAKE", "MFLAGS")  # a make inside a make announces its folder
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    place = {"PWD": str(folder)} if folder else {}
    return {**kept, **place, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "PATH": path}


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


def gemini_sft(*arguments: str | Path, cwd: Path, timeout: float = 180) -> Ended:
    """Runs the command line to its end."""
    done = subprocess.run(
        [*GEMINI_SFT, *map(str, arguments)],
        cwd=cwd,
        env=environment(cwd),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def processes_of(folder: Path) -> list[int]:
    """The ids of processes that a command line run in a folder has left: emulator, runner, tasks, training."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                about = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if str(folder).encode() in about and state != "Z":
                found.append(int(entry.name))
    return found


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def assert_nothing_is_left(folder: Path) -> None:
    wait_until(lambda: not processes_of(folder), 15, f"processes {processes_of(folder)} still run")
    halves = [path for path in folder.rglob("*") if path.name.startswith(".") and "runs" in path.parts]
    assert not halves


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command line in the background; whatever still runs at the end is killed."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*GEMINI_SFT, *map(str, arguments)],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def write_experiment(folder: Path, *, train: int = 24, test: int = 6, **changes: Any) -> Path:
    """Writes a small experiment made from the samples; `changes` replace keys of the file."""
    samples = ROOT / "samples" / "summarization"
    lines = (samples / "train.jsonl").read_text("utf-8").splitlines(keepends=True)
    (folder / "train.jsonl").write_text("".join(lines[:train]), "utf-8")
    with (samples / "test.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))[: test + 1]
    with (folder / "test.csv").open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows(rows)
    document = {
        "name": "small",
        "task": "summarization",
        "base_model": "gemini-3.1-flash-lite",
        "data": {"train": "train.jsonl", "test": "test.csv"},
        "tuning": {"epochs": 1, "adapter_size": 1},
    }
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(document | changes), "utf-8")
    return path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The shipped experiment, run once with --json: its object and the folder that it was run in."""
    folder = tmp_path_factory.mktemp("finished")
    ended = gemini_sft("run", ROOT / "experiments" / "summarization.yaml", "--json", cwd=folder)
    assert ended.code == 0, ended.err
    return json.loads(ended.out), folder


@pytest.fixture(scope="session")
def ran_small(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """A small experiment, `small.yaml`, run once for all of pytest's workers: its object and the folder it was run in.

    Whoever needs it takes a copy; see `small`.
    """
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    folder, printed = shared / "small", shared / "small.json"
    with (shared / "small.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            write_experiment(folder, tuning={"epochs": 2, "adapter_size": 1})
            ended = gemini_sft("run", "small.yaml", "--json", cwd=folder)
            assert ended.code == 0, ended.err
            printed.write_text(ended.out, "utf-8")
    return json.loads(printed.read_text("utf-8")), folder


@pytest.fixture
def small(ran_small: tuple[dict[str, Any], Path], tmp_path: Path) -> tuple[dict[str, Any], Path]:
    """A copy of that run, which a test may change."""
    summary, folder = ran_small
    shutil.copytree(folder, tmp_path / "small")  # with the times at which files were written
    return summary, tmp_path / "small"


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, as a clone would be, with this environment's packages in place of its .venv."""
    copy = tmp_path_factory.mktemp("checkout") / "project"
    ignored = shutil.ignore_patterns(
        ".git", ".venv", ".local", "build", ".*_cache", "__pycache__", "*.egg-info", ".hypothesis"
    )
    shutil.copytree(ROOT, copy, ignore=ignored)
    (copy / ".venv").symlink_to(sys.prefix)
    for name in ("pyproject.toml", "requirements.txt", "requirements-dev.txt"):
        os.utime(copy / name, (0, 0))  # older than any installation, or make would install the copy over the original
    return copy


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's own folder."""
    return ROOT


@contextlib.contextmanager
def listening(patch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What a webhook is told whose address is in the variable HOOK, while the block runs."""
    found: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200 if self.path == "/services/T00/B00/SECRET" else 404)
            self.end_headers()
            found.append(json.loads(body))

        def log_message(self, format: str, *args: Any) -> None:
            """Keeps quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        patch.setenv("HOOK", f"http://127.0.0.1:{server.server_address[1]}/services/T00/B00/SECRET")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What a webhook was told whose address is in the variable HOOK."""
    with listening(monkeypatch) as found:
        yield found
