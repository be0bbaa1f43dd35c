"""Putting rules in force, and asking while they are."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from google import genai
from google.genai import types

from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT

MODEL = "gemini-2.5-flash"
PROMPT = "Boil the water. Add the tea. What do you add?"

Faults = Callable[..., httpx.Response]
Ask = Callable[..., httpx.Response]


def path(verb: str = "generateContent") -> str:
    return f"/v1/projects/{PROJECT}/locations/{LOCATION}/publishers/google/models/{MODEL}:{verb}"


def body(text: str = PROMPT, **more: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}


@pytest.fixture
def faults(server: Server) -> Iterator[Faults]:
    """Puts rules in force, and an end to them afterwards."""

    def put(*rules: dict[str, Any]) -> httpx.Response:
        return server.http.put("/emulator/faults", json=list(rules))

    yield put
    put()


@pytest.fixture
def ask(server: Server) -> Ask:
    """Sends a generateContent request with a text."""

    def post(text: str = PROMPT, verb: str = "generateContent", **more: Any) -> httpx.Response:
        return server.http.post(path(verb), json=body(text), **more)

    return post


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[genai.Client]:
    """google-genai, which tries once."""
    once = types.HttpOptions(retry_options=types.HttpRetryOptions(attempts=1), timeout=20_000)
    connected = genai.Client(vertexai=True, project=PROJECT, location=LOCATION, http_options=once)
    yield connected
    connected.close()
