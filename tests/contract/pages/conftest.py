"""An emulator with runs to look at."""

from collections.abc import Iterator

import pytest

from tests.contract.conftest import Server
from tests.contract.pages.sample import fill


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("shown"))
    fill(server, tmp_path_factory.mktemp("spec"))
    yield server
    server.close()
