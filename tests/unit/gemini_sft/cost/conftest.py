"""A Vertex AI on 127.0.0.1 whose tokens are words, and splits to count."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gemini_sft.cost.cache import TokenCache
from gemini_sft.data.example import turn

Record = dict[str, Any]


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        # google-genai's own, when it makes its first session.
        item.add_marker(pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"))


def words(body: Record) -> int:
    """How many words a request has."""
    contents = [*body["contents"], body.get("systemInstruction") or {"parts": []}]
    tools = json.dumps(body["tools"]) if body.get("tools") else ""
    return len(tools.split()) + sum(len(part["text"].split()) for one in contents for part in one["parts"])


class Counter:
    """Counts words; `answer` gets a request's body and how many requests came before it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Record]] = []
        self.most_at_once = 0
        self.answer: Callable[[Record, int], Awaitable[Response]] = self._count
        self._at_once = 0

    async def _count(self, body: Record, number: int) -> Response:
        return JSONResponse({"totalTokens": words(body)})

    async def handle(self, request: Request) -> Response:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            body = await request.json()
            self.calls.append((request.url.path, body))
            return await self.answer(body, len(self.calls) - 1)
        finally:
            self._at_once -= 1

    @property
    def texts(self) -> list[str]:
        """What was counted, without system instructions."""
        return sorted(
            " | ".join(part["text"] for one in body["contents"] for part in one["parts"]) for _, body in self.calls
        )

    async def until(self, at_once: int) -> None:
        """Waits for other requests to come in, but not for ever; then a little longer, for one too many."""
        deadline = time.monotonic() + 5
        while self.most_at_once < at_once and time.monotonic() < deadline:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)


@pytest.fixture
def counter(serve: Callable[[Sequence[BaseRoute]], str], monkeypatch: pytest.MonkeyPatch) -> Counter:
    monkeypatch.setattr("google.genai._api_client._RETRY_INITIAL_DELAY", 0.001)
    monkeypatch.setattr("google.genai._api_client._RETRY_JITTER", 0.001)
    fake = Counter()
    serve([Route("/{path:path}", fake.handle, methods=["POST"])])
    return fake


@pytest.fixture
def cache(tmp_path: Path) -> TokenCache:
    return TokenCache(str(tmp_path / "token-counts" / "m.json"))


def record(prompt: str, target: str, system: str = "") -> Record:
    made: Record = {"contents": [turn("user", prompt), turn("model", target)]}
    return made | ({"systemInstruction": {"parts": [{"text": system}]}} if system else {})


def write_split(folder: Path, records: Sequence[Record]) -> str:
    """Writes a split as `prepare_data` does, with ids e0, e1, ..., and returns its URI."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = ({"id": f"e{number}", "source": "f.jsonl", "line": number + 1} for number in range(len(records)))
    (folder / "sources.jsonl").write_text("".join(json.dumps(one) + "\n" for one in sources))
    (folder / "examples.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    return str(folder)
