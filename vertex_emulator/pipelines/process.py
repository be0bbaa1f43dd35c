"""Starts a job's runner, hands on its events, and ends it with all its tasks."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import orjson

_ROOT = Path(__file__).parents[2]
_LINE_BYTES = 2**28
"""An event carries a task's parameters, which may be long."""


class RunnerProcess:
    """A running `vertex_emulator.pipelines.runner`, the leader of its process group."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, folder: Path, environment: Mapping[str, str], log: Path) -> "RunnerProcess":
        """Starts the job that the order in `folder` describes.

        Args:
            folder: Where the order is.
            environment: Variables for the runner and its tasks, besides those of this process.
            log: Takes what kfp says of the run.
        """
        # As in a container, tasks start in a folder of their own and find this project's packages all the same.
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        inherited = {name: value for name, value in os.environ.items() if name != "GOOGLE_APPLICATION_CREDENTIALS"}
        with log.open("ab") as stderr:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "vertex_emulator.pipelines.runner",
                str(folder),
                stdin=asyncio.subprocess.PIPE,  # its end tells the runner that this process is gone
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                cwd=folder,
                env=inherited | dict(environment) | {"PYTHONPATH": path},
                start_new_session=True,
                limit=_LINE_BYTES,
            )
        return cls(process)

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Yields what the runner tells, until it is gone."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if line.endswith(b"\n"):  # or else the runner died over it
                yield orjson.loads(line)

    async def wait(self) -> int:
        """Returns the runner's exit code, after killing whatever its tasks left behind."""
        code = await self._process.wait()
        self._signal(signal.SIGKILL)
        assert self._process.stdin is not None
        self._process.stdin.close()
        return code

    async def end(self, grace: float) -> None:
        """Asks the tasks to end, and after `grace` seconds kills what is left."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), grace)
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
