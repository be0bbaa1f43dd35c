"""The whole emulator in a thread, and the real SDKs pointed at it."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import uvicorn
from google.auth.compute_engine import _metadata
from google.cloud import aiplatform

from vertex_emulator.environment import LOCATION, PROJECT, variables
from vertex_emulator.server import application, open_emulator

Result = TypeVar("Result")


class Server:
    """An emulator served from a thread of its own.

    Attributes:
        url: Where it is.
        http: A plain client, for requests that no SDK would send.
    """

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(exist_ok=True)
        self.data_dir = data_dir
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.bind(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=30)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        while not hasattr(self, "_server") or not self._server.started:
            assert self._thread.is_alive()
            time.sleep(0.01)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._emulator = open_emulator(self.data_dir, self.port)
        self._server = uvicorn.Server(uvicorn.Config(application(self._emulator), log_level="warning"))
        await self._server.serve(sockets=[self._listener])

    def inside(self, function: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
        """Calls `function(database, ...)` where the database lives."""

        async def call() -> Result:
            return function(self._emulator.database, *arguments, **named)

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)

    def close(self) -> None:
        """Ends it; its data stay."""
        self.http.close()
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One emulator for all these tests, with the environment that leads to it."""
    running = Server(tmp_path_factory.mktemp("emulator"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
        for name, value in variables(running.port).items():
            patch.setenv(name, value)
        # google-auth reads this variable when it is imported, which may have been long ago.
        patch.setattr(_metadata, "_GCE_METADATA_HOST", f"127.0.0.1:{running.port}")
        yield running
    running.close()


@pytest.fixture
def aiplatform_sdk(server: Server) -> None:
    """Points google-cloud-aiplatform, which reads no environment, at the emulator."""
    aiplatform.init(project=PROJECT, location=LOCATION, api_endpoint=server.url, api_transport="rest")
