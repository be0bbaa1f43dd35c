"""A Cloud Storage emulator on its own: in a thread of the tests or, run as a script, in a process of its own."""

import socket
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from google.cloud import storage
from starlette.applications import Starlette

from vertex_emulator.database import Database
from vertex_emulator.project import Project
from vertex_emulator.storage import routes
from vertex_emulator.storage.objects import ObjectStore

PROJECT = "test-project"


def serve(data_dir: Path, listener: socket.socket, state: dict[str, Any]) -> None:
    """Serves until `state["server"].should_exit`; the database belongs to the calling thread."""
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    database = Database(data_dir / "emulator.sqlite")
    objects = ObjectStore(data_dir / "buckets", database)
    app = Starlette(routes=routes)
    app.state.emulator = SimpleNamespace(
        objects=objects, database=database, url=url, data_dir=data_dir, project=Project()
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    state |= {"server": server, "objects": objects, "url": url}
    server.run(sockets=[listener])
    database.close()
    listener.close()


def listen() -> socket.socket:
    # Without the protocol asyncio would not set TCP_NODELAY, and every answer would take 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


class Server:
    """An emulator in a thread; may be stopped and started again on the same data."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.root = data_dir / "buckets"
        self._clients: list[Any] = []
        self.start()

    def start(self) -> None:
        self._state: dict[str, Any] = {}
        listener = listen()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._thread = threading.Thread(target=serve, args=(self.data_dir, listener, self._state))
        self._thread.start()

    @property
    def objects(self) -> ObjectStore:
        objects: ObjectStore = self._state["objects"]
        return objects

    def client(self) -> Any:
        """Returns the unmodified SDK's client, pointed here by the environment alone."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STORAGE_EMULATOR_HOST", self.url)
            client = storage.Client(project=PROJECT)
        self._clients.append(client)
        return client

    def bucket(self) -> Any:
        """Returns a new bucket."""
        return self.client().create_bucket(f"bucket-{uuid.uuid4().hex[:12]}")

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        self._clients.clear()
        self._state["server"].should_exit = True
        self._thread.join()

    def left_over(self) -> list[Path]:
        """Returns the temporary files of uploads."""
        return list((self.root / ".emulator" / "incoming").iterdir())


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("emulator"))
    yield running
    running.stop()


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def client(server: Server) -> Any:
    return server.client()


@pytest.fixture
def bucket(client: Any) -> Any:
    return client.create_bucket(f"bucket-{uuid.uuid4().hex[:12]}")


if __name__ == "__main__":
    opened = listen()
    print(f"http://127.0.0.1:{opened.getsockname()[1]}", flush=True)
    serve(Path(sys.argv[1]), opened, {})
