"""A stand-in for Google's servers, over real HTTP."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import certifi
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from vertex_emulator import metadata_server
from vertex_emulator.environment import variables


class Exchangeable:
    """One server for all tests; each brings its own routes."""

    def __init__(self) -> None:
        self.app = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def stage() -> Iterator[tuple[Exchangeable, int]]:
    """Serves an application on 127.0.0.1, at the port that is returned beside it."""
    listener = socket.create_server(("127.0.0.1", 0))
    # asyncio does not set it on sockets made like this, and without it every second answer takes 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    app = Exchangeable()
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield app, listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first of the usual certificates: nothing here speaks TLS, and reading them all costs each client 0.1 s."""
    first, end, _ = Path(certifi.where()).read_text("utf-8").partition("-----END CERTIFICATE-----\n")
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    file.write_text(first + end, "utf-8")
    return file


@pytest.fixture
def serve(
    stage: tuple[Exchangeable, int], one_certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Sequence[BaseRoute]], str]:
    """Returns a function that serves routes, points the SDKs there and returns the address."""
    exchangeable, port = stage

    def start(routes: Sequence[BaseRoute]) -> str:
        exchangeable.app = Starlette(routes=[*metadata_server.routes, *routes])
        environment = variables(port)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SSL_CERT_FILE", str(one_certificate))
        monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
        # google-auth reads this one when it is imported, which another test may have made happen.
        monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", environment["GCE_METADATA_HOST"])
        return environment["GOOGLE_VERTEX_BASE_URL"]

    return start
