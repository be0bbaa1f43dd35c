"""The emulator as one HTTP server on the loopback interface."""

import asyncio
import contextlib
import fcntl
import gc
import json
import os
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vertex_emulator import (
    batches,
    endpoints,
    experiments,
    faults,
    generation,
    logs,
    metadata_server,
    pages,
    pipelines,
    project,
    registry,
    schedules,
    storage,
    tuning,
)
from vertex_emulator import tensorboard as tensorboards
from vertex_emulator.batches.jobs import BatchJobs
from vertex_emulator.database import Database
from vertex_emulator.emulator import Emulator
from vertex_emulator.environment import variables
from vertex_emulator.errors import ApiError, answer_error
from vertex_emulator.guard import Guard
from vertex_emulator.pipelines.jobs import PipelineJobs
from vertex_emulator.pipelines.submission import submit
from vertex_emulator.schedules.firing import Schedules
from vertex_emulator.serving import Serving
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.tuning.jobs import TuningJobs

ANNOUNCEMENT = "emulator.json"
"""The file in the data directory that leads to its emulator, if that is not one command's alone."""

_MODULES = (
    pages,  # before what answers the SDKs at the same address
    metadata_server,
    faults,
    project,
    storage,
    generation,
    tuning,
    batches,
    experiments,
    tensorboards,
    endpoints,
    registry,
    pipelines,
    schedules,
    logs,
)


class StartError(Exception):
    """The emulator cannot start: the text says why and what to do."""


def open_emulator(
    data_dir: Path, port: int, *, task_python: Path | None = None, fire_schedules: bool = True
) -> Emulator:
    """Opens the data under `data_dir`, which is made if it is missing; for the rest see `serve`."""
    database = Database(data_dir / "vertex.db")
    objects = ObjectStore(data_dir / "storage", database)
    serving = Serving(database, data_dir / "adapters")
    trouble = faults.Faults()
    pipeline_jobs = PipelineJobs(database, objects, data_dir, variables(port), task_python)
    return Emulator(
        data_dir=data_dir,
        url=f"http://127.0.0.1:{port}",
        database=database,
        objects=objects,
        serving=serving,
        tuning=TuningJobs(database, objects, serving),
        batches=BatchJobs(database, objects, serving, trouble),
        pipelines=pipeline_jobs,
        schedules=Schedules(database, pipeline_jobs, fires=fire_schedules),
        faults=trouble,
        project=project.Project(),
    )


def application(emulator: Emulator) -> Starlette:
    """Returns the ASGI application that serves an emulator."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        emulator.tuning.resume()
        emulator.batches.resume()
        emulator.pipelines.resume()
        emulator.schedules.start(partial(submit, emulator))
        try:
            yield
        finally:
            await emulator.schedules.stop()
            await emulator.pipelines.stop()
            await emulator.batches.stop()
            await emulator.tuning.stop()
            emulator.database.close()

    app = Starlette(
        routes=[route for module in _MODULES for route in module.routes],
        middleware=[
            Middleware(Guard, refuse=pages.refuse),
            Middleware(faults.FaultsMiddleware, faults=emulator.faults),
        ],
        exception_handlers={ApiError: answer_error, 404: _no_route, 405: _no_route, Exception: _crash},
        lifespan=lifespan,
    )
    app.state.emulator = emulator
    return app


async def _no_route(request: Request, error: Exception) -> Response:
    message = f"The emulator does not serve {request.method} {request.url.path}."
    return JSONResponse(ApiError("NOT_FOUND", message).body(), status_code=404)


async def _crash(request: Request, error: Exception) -> Response:
    message = f"The emulator failed on {request.method} {request.url.path}: {type(error).__name__}: {error}"
    return JSONResponse(ApiError("INTERNAL", message).body(), status_code=500)


def serve(
    data_dir: Path,
    port: int,
    *,
    task_python: Path | None = None,
    until_stdin_closes: bool,
    announce: Callable[[int], None],
) -> None:
    """Serves until SIGINT or SIGTERM.

    Args:
        data_dir: Where everything is kept.
        port: Port on 127.0.0.1; 0 for a free one.
        task_python: The Python that stands for the image which tasks run in; None for this one.
        until_stdin_closes: Also stop when standard input ends, that is when the process that started us is gone.
            Schedules start nothing then, for it would come in the middle of what that process does; and no
            announcement is left in the data directory, for nobody else should come.
        announce: Called with the port once requests are answered.

    Raises:
        StartError: The port or the data directory is taken, or cannot be written; or there is no such Python.
    """
    if task_python and not os.access(task_python, os.X_OK):
        raise StartError(f"--task-python {task_python} cannot be run: give the path of a Python's executable")
    left = None if until_stdin_closes else data_dir / ANNOUNCEMENT
    with _exclusive(data_dir), _listen(port) as listener:
        bound: int = listener.getsockname()[1]
        try:
            emulator = open_emulator(data_dir, bound, task_python=task_python, fire_schedules=not until_stdin_closes)
        except (OSError, sqlite3.Error) as error:
            remedy = "free some space, or choose another --data-dir"
            raise StartError(f"cannot keep data in {data_dir} ({error}): {remedy}") from error
        config = uvicorn.Config(
            application(emulator), log_level="warning", access_log=False, timeout_graceful_shutdown=2, loop="asyncio"
        )

        def ready() -> None:
            if left:
                _leave(left, announcement(bound))
            announce(bound)

        server = _Server(config, ready, lambda: _take_back(data_dir), until_stdin_closes)
        asyncio.run(server.serve(sockets=[listener]))


class _Server(uvicorn.Server):
    """uvicorn's server, which tells when it is ready and when it ends, and can end with its parent."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], ending: Callable[[], None], until_stdin_closes: bool
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._ending = ending
        self._until_stdin_closes = until_stdin_closes

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to answer, then says so."""
        gc.freeze()  # what was imported stays for good: looking through it again takes a tenth of the time of requests
        await super().startup(sockets)
        if self._until_stdin_closes:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._read_stdin)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Says that it ends, then does so; a signal that came ends the process before anything that would follow."""
        self._ending()
        await super().shutdown(sockets)

    def _read_stdin(self) -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self.should_exit = True


@contextlib.contextmanager
def _exclusive(data_dir: Path) -> Iterator[None]:
    """Holds the data directory against a second emulator."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "lock").open("a+")
    except OSError as error:
        raise StartError(f"cannot write to the data directory {data_dir}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StartError(
                f"another emulator uses {data_dir}: wait until it ends, or choose another --data-dir"
            ) from error
        _take_back(data_dir)  # of one that was killed
        yield


def _leave(path: Path, text: str) -> None:
    """Writes a file that appears whole or not at all."""
    half = path.with_name(f".{path.name}")
    try:
        half.write_text(text, "utf-8")
        half.replace(path)
    except OSError as error:
        raise StartError(f"cannot write {path}: {error.strerror}") from error


def _take_back(data_dir: Path) -> None:
    (data_dir / ANNOUNCEMENT).unlink(missing_ok=True)


def _listen(port: int) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's algorithm off; without, answers wait 40 ms for their last packet.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise StartError(
            f"port {port} on 127.0.0.1 cannot be used ({error.strerror}): choose another --port, or 0 for a free one"
        ) from error
    return listener


def announcement(port: int) -> str:
    """Returns the line that a program reads to learn where the emulator is."""
    return json.dumps({"port": port, "environment": variables(port)})
