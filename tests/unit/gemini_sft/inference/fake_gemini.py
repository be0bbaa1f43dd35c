"""A small Gemini on 127.0.0.1."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from gemini_sft.data import Example
from gemini_sft.data.example import turn
from gemini_sft.experiment import Evaluation
from gemini_sft.inference import Answers, Journal, Prediction, Service, predict, render

Answer = Callable[[str, int], Awaitable[Response]]
BASE = "/v1beta1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent"
ENDPOINT = "projects/7/locations/us/endpoints/42"


def answered(text: str, **usage: int) -> Response:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}
    return JSONResponse({"candidates": [candidate], "modelVersion": "fake-1", "usageMetadata": usage})


def refused(code: int, status: str) -> Response:
    return JSONResponse({"error": {"code": code, "status": status, "message": "told you"}}, code)


async def until(condition: Callable[[], bool]) -> None:
    """Waits for something that other requests bring about, but not for ever."""
    deadline = time.monotonic() + 2
    while not condition() and time.monotonic() < deadline:
        await asyncio.sleep(0.001)


class Gemini:
    """Answers by what it is asked; `answer` gets the question and how often it has been asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.finished: list[str] = []
        self.most_at_once = 0
        self.answer: Answer = self._echo
        self.labels: dict[str, str] = {}
        self._at_once = 0

    async def _echo(self, question: str, attempt: int) -> Response:
        return answered(f"re: {question}", promptTokenCount=7, candidatesTokenCount=3)

    async def endpoint(self, request: HttpRequest) -> Response:
        """The resource of a tuned model."""
        return JSONResponse({"name": ENDPOINT, "labels": self.labels})

    async def handle(self, request: HttpRequest) -> Response:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            body = await request.json()
            question = body["contents"][-1]["parts"][0]["text"]
            self.asked[question] += 1
            self.calls.append((request.url.path, body))
            response = await self.answer(question, self.asked[question])
            self.finished.append(question)
            return response
        finally:
            self._at_once -= 1


def examples(count: int) -> list[Example]:
    records = [{"contents": [turn("user", f"q{number}"), turn("model", "a")]} for number in range(count)]
    return [Example(f"e{number}", record, "f", number, ("a",)) for number, record in enumerate(records)]


def asked(
    given: Sequence[Example],
    model: str = "gemini-2.5-flash",
    base: str = "gemini-2.5-flash",
    *,
    journal: str | Path | None = None,
    run_id: str = "run",
    progress_uri: str | None = None,
    max_errors: int | None = None,
    **settings: Any,
) -> Answers:
    """Asks a model for given examples."""
    evaluation = Evaluation(**settings)
    calls = [render(example, base, evaluation) for example in given]
    kept = Journal(str(journal), run_id) if journal else None
    return predict(
        Service("p", "us-central1", model), calls, evaluation, kept, max_errors=max_errors, progress_uri=progress_uri
    )


def ask(
    count: int, model: str = "gemini-2.5-flash", base: str = "gemini-2.5-flash", **settings: Any
) -> list[Prediction]:
    """Asks for so many examples."""
    return asked(examples(count), model, base, **settings).predictions
