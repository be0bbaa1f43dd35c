"""Runs the training process and hands on what it tells."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import IO, Any

import orjson

from vertex_emulator.tuning.order import Order

_ROOT = Path(__file__).parents[2]
_LINE_BYTES = 2**26
"""A message carries example prompts of the dataset, which may be long."""


class WorkerCrash(Exception):
    """The training process ended before its work was done."""


async def follow(order: Order) -> AsyncGenerator[dict[str, Any], None]:
    """Starts a training process and yields its messages until it ends.

    The process is killed when the generator is closed. It has its own session, so that a Ctrl-C for the server does
    not end it as if it had crashed, and one thread, so that the server stays responsive.

    Raises:
        WorkerCrash: The process failed; says how.
    """
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "vertex_emulator.tuning.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            cwd=_ROOT,
            start_new_session=True,
            limit=_LINE_BYTES,
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(order.to_json())
            message: dict[str, Any] = {}
            async for line in process.stdout:
                message = orjson.loads(line)
                yield message
            code = await process.wait()
            if code or message.get("event") not in ("done", "refused"):
                raise WorkerCrash(f"the training process ended with code {code}{_last_words(log)}")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            process.stdin.close()


def _last_words(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").split("\n")
    said = [line for line in lines if line.strip()]
    return f": {said[-1].strip()}" if said else ""
