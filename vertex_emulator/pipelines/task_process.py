"""Runs the Python components of a pipeline, each in a process of its own: `kfp.local`'s task handler, replaced.

The original throws away what a failed task said, rewrites `python3` in the user's parameters too, and hands integers
in lists and dictionaries over as floats.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kfp.local import status

from vertex_emulator.pipelines.causes import cause_of
from vertex_emulator.pipelines.task_lines import LineFile, lines_of
from vertex_emulator.pipelines.values import whole

_LOG_TAIL = 65_536


class UnsupportedTask(Exception):
    """A task that cannot run without a container."""


class Processes:
    """The task processes that run now."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether no task may begin any more."""
        return self._stopping

    @contextmanager
    def running(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Counts a process as running while the context lasts."""
        self._running.add(process)
        if self._stopping:
            process.terminate()
        try:
            yield
        finally:
            self._running.discard(process)
            self._end_if_stopped()

    def stop(self) -> None:
        """Lets the running tasks end, which were told to, starts no others, and then ends the runner."""
        self._stopping = True
        self._end_if_stopped()

    def _end_if_stopped(self) -> None:
        if self._stopping and not self._running:
            os._exit(0)  # kfp.local knows no way to be stopped


class TaskProcess:
    """One task, with the constructor and the method that `kfp.local` calls.

    Args:
        full_command: The container's command and arguments, all placeholders filled in.
        env_vars: Variables that the pipeline sets for the task.
        processes: Where the process is counted while it runs.
        python: The interpreter, with all that the task finds to import; None for this one, as it is.
        begin: Called when the process is about to start; returns the file for its lines.
        report: Called after the run with the path of the log and, if it failed, the cause.
        unused: What `kfp.local` says besides: the image, the pipeline root, the runner.
    """

    def __init__(
        self,
        full_command: Sequence[str],
        env_vars: Mapping[str, str],
        *,
        processes: Processes,
        begin: Callable[[], Path],
        report: Callable[[Path, str | None], None],
        python: str | None = None,
        **unused: Any,
    ) -> None:
        script = next((at for at, part in enumerate(full_command) if "ephemeral_component.py" in part), None)
        if script is None:
            raise UnsupportedTask(
                "the emulator runs lightweight Python components only (dsl.component without target_image): it has no"
                " containers"
            )
        # What stands before `sh -ec <script>` is kfp's pip install; tasks here use what the emulator has.
        command = list(full_command[script - 2 :])
        command[2] = command[2].replace("python3", shlex.quote(python or sys.executable))
        value = command.index("--executor_input") + 1
        executor_input = json.loads(command[value])
        command[value] = json.dumps(_with_integers(executor_input))
        self._command = command
        inherited = {name: value for name, value in os.environ.items() if not (python and name == "PYTHONPATH")}
        self._environment = inherited | dict(env_vars)
        self._folder = Path(executor_input["outputs"]["outputFile"]).parent
        self._processes = processes
        self._begin = begin
        self._report = report

    def run(self) -> Any:
        """Runs the task to its end; returns kfp's status."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "task.log"
        with path.open("ab", buffering=0) as log, LineFile(self._begin()) as lines:
            begin = log.tell()  # a retry appends
            code = self._run(log.write, lines)
        if code == 0:
            self._report(path, None)
            return status.Status.SUCCESS
        with path.open("rb") as log:
            log.seek(max(begin, path.stat().st_size - _LOG_TAIL))
            said = log.read().decode("utf-8", "replace")
        self._report(path, cause_of(said, code))
        return status.Status.FAILURE

    def _run(self, write: Callable[[bytes], Any], lines: LineFile) -> int:
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
        )
        # The output ends after the last process of the task; the shell around Python may be gone before.
        with process, self._processes.running(process):
            for severity, line in lines_of(process):
                write(line)
                lines.add(severity, line)
            return process.wait()


def _with_integers(executor_input: dict[str, Any]) -> dict[str, Any]:
    inputs = executor_input.get("inputs", {})
    parameters = {
        name: whole(value) if isinstance(value, list | dict) else value
        for name, value in inputs.get("parameterValues", {}).items()
    }
    return {**executor_input, "inputs": {**inputs, "parameterValues": parameters}} if parameters else executor_input
