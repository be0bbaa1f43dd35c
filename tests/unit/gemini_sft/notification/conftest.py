"""A webhook on loopback that keeps what it is sent, and answers as it is told to."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

PATH = "/services/T00/B00/SECRET"


@dataclass
class Webhook:
    """What a webhook has met.

    Attributes:
        url: Its address, which is a secret.
        answers: Status and headers of the next answers; 200 after them.
        told: The documents of all requests that were answered, whatever with.
        heads: Their headers.
    """

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        self.told.append(await request.json())
        self.heads.append(dict(request.headers))
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        return Response("ok", status, headers)


@pytest.fixture
def webhook(serve: Callable[[Sequence[BaseRoute]], str]) -> Webhook:
    made = Webhook()
    made.url = serve([Route(PATH, made.answer, methods=["POST"])]) + PATH
    return made


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been slept between two tries."""
    slept: list[float] = []
    monkeypatch.setattr("gemini_sft.notification.webhook.sleep", slept.append)
    return slept


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Everything is logged, and nowhere may a secret be in it."""
    with caplog.at_level(logging.DEBUG):
        yield
    for record in caplog.get_records("call"):
        assert "SECRET" not in record.getMessage() + (record.exc_text or ""), record
