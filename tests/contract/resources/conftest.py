"""Clients of the resources, and the place where they are."""

from collections.abc import Iterator

import httpx
import pytest
from google import genai

from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT
from vertex_emulator.names import project_number

PARENT = f"projects/{project_number(PROJECT)}/locations/{LOCATION}"


@pytest.fixture(autouse=True)
def sdk(aiplatform_sdk: None) -> None:
    """Every test here may use google-cloud-aiplatform."""


@pytest.fixture(scope="session")
def http(server: Server) -> Iterator[httpx.Client]:
    """A plain client for requests below the project's location."""
    with httpx.Client(base_url=f"{server.url}/v1/{PARENT}", trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[genai.Client]:
    connected = genai.Client(vertexai=True, project=PROJECT, location=LOCATION)
    yield connected
    connected.close()
