"""`predict` with the real SDK, against a small Gemini on 127.0.0.1."""

import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from google.genai.types import ThinkingConfig
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from gemini_sft import storage
from gemini_sft.data import Example, write_split
from gemini_sft.data.example import turn
from gemini_sft.errors import EvaluationError
from gemini_sft.experiment import Evaluation
from gemini_sft.inference import Outcome, Prediction, Request, engine, predict
from gemini_sft.steps.evaluate_model import evaluate_model
from vertex_emulator.environment import variables

# google-genai's own, when it makes its first session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

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
        self._at_once = 0

    async def _echo(self, question: str, attempt: int) -> Response:
        return answered(f"re: {question}", promptTokenCount=7, candidatesTokenCount=3)

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


@pytest.fixture
def gemini(serve: Callable[[Sequence[BaseRoute]], str], monkeypatch: pytest.MonkeyPatch) -> Gemini:
    monkeypatch.setattr(engine, "_LONGEST_PAUSE_SECONDS", 0.01)
    fake = Gemini()
    serve([Route("/{path:path}", fake.handle, methods=["POST"])])
    return fake


def examples(count: int, system: str | None = None) -> list[Example]:
    return [
        Example(f"e{number}", system, (turn("user", f"q{number}"), turn("model", "a")), "f", number)
        for number in range(count)
    ]


def ask(count: int, model: str = "gemini-2.5-flash", base: str = "", **settings: Any) -> list[Prediction]:
    request = Request("p", "us-central1", model, base or "gemini-2.5-flash", Evaluation(**settings))
    return predict(request, examples(count))


def test_an_answer(gemini: Gemini) -> None:
    (prediction,) = ask(1)
    assert prediction.model_dump(exclude={"latency_seconds"}) == {
        "example_id": "e0",
        "outcome": Outcome.ANSWERED,
        "text": "re: q0",
        "finish_reason": "STOP",
        "model_version": "fake-1",
        "prompt_tokens": 7,
        "output_tokens": 3,
        "attempts": 1,
        "error": "",
    }
    assert 0 < prediction.latency_seconds < 10


def test_predictions_come_in_the_examples_order_whatever_the_answers_order(gemini: Gemini) -> None:
    async def after_the_next(question: str, attempt: int) -> Response:
        """Waits for the answer to the question behind it, so that the last comes first."""
        number = int(question[1:])
        await until(lambda: number == 9 or f"q{number + 1}" in gemini.finished)
        return answered(f"re: {question}")

    gemini.answer = after_the_next
    predictions = ask(10, max_concurrency=10)
    assert gemini.finished == [f"q{number}" for number in reversed(range(10))]
    assert [one.text for one in predictions] == [f"re: q{number}" for number in range(10)]
    assert [one.example_id for one in predictions] == [f"e{number}" for number in range(10)]


@pytest.mark.parametrize("limit", [1, 3])
def test_never_more_at_once_than_allowed_nor_fewer_than_possible(gemini: Gemini, limit: int) -> None:
    async def refuse_once(question: str, attempt: int) -> Response:
        """Keeps the first ones waiting until as many are there as may be; then a little longer, for one too many."""
        await until(lambda: gemini.most_at_once >= limit)
        await asyncio.sleep(0.005)
        return refused(503, "UNAVAILABLE") if attempt == 1 else answered("a")

    gemini.answer = refuse_once
    predictions = ask(6, max_concurrency=limit)
    assert gemini.most_at_once == limit
    assert {one.outcome for one in predictions} == {Outcome.ANSWERED} and {one.attempts for one in predictions} == {2}


async def cut_off() -> AsyncIterator[bytes]:
    yield b'{"candidates": [{"content": {"parts": [{"te'
    raise ConnectionAbortedError


def length_that_is_wrong() -> Response:
    return Response(b'{"candidates": [', headers={"content-length": "500"}, media_type="application/json")


TRANSIENT: dict[str, Callable[[], Response]] = {
    "429": lambda: refused(429, "RESOURCE_EXHAUSTED"),
    "429 without a body": lambda: Response(status_code=429),
    "503 for want of room": lambda: refused(503, "RESOURCE_EXHAUSTED"),
    "500": lambda: refused(500, "INTERNAL"),
    "502 of a proxy": lambda: HTMLResponse("<html>Bad gateway</html>", 502),
    "a page instead of JSON": lambda: HTMLResponse("<html>Sign in</html>"),
    "JSON that does not end": lambda: Response(b'{"candidates": [', media_type="application/json"),
    "half a character": lambda: Response('{"a": "☃'.encode()[:-1], media_type="application/json"),
    "a connection cut in the body": lambda: StreamingResponse(cut_off(), media_type="application/json"),
    "a body that is too short": length_that_is_wrong,
}


def test_faults_that_pass_are_met_by_asking_again(gemini: Gemini) -> None:
    faults = list(TRANSIENT)

    async def twice(question: str, attempt: int) -> Response:
        return TRANSIENT[faults[int(question[1:])]]() if attempt <= 2 else answered("at last")

    gemini.answer = twice
    met = {
        fault: (one.outcome.value, one.text, one.attempts, one.error)
        for fault, one in zip(faults, ask(len(faults)), strict=True)
    }
    assert met == dict.fromkeys(faults, ("answered", "at last", 3, ""))


def test_faults_that_do_not_pass_end_as_errors_and_harm_no_others(gemini: Gemini) -> None:
    errors = {
        "429": "ClientError: 429 RESOURCE_EXHAUSTED",
        "500": "ServerError: 500 INTERNAL",
        "a page instead of JSON": "JSONDecodeError: ",
        "a connection cut in the body": "ClientPayloadError: ",
    }
    faults = ["", *errors, ""]

    async def cursed(question: str, attempt: int) -> Response:
        fault = faults[int(question[1:])]
        return TRANSIENT[fault]() if fault else answered("a")

    gemini.answer = cursed
    first, *failed, last = ask(len(faults))
    assert first.outcome is last.outcome is Outcome.ANSWERED
    for fault, one in zip(errors, failed, strict=True):
        assert (fault, one.outcome, one.text, one.attempts) == (fault, Outcome.ERROR, "", 6)
        assert one.error.startswith(errors[fault])
    assert gemini.asked == {"q0": 1, "q1": 6, "q2": 6, "q3": 6, "q4": 6, "q5": 1}


def test_what_is_refused_is_asked_once(gemini: Gemini) -> None:
    refusals = [(400, "INVALID_ARGUMENT"), (403, "PERMISSION_DENIED"), (404, "NOT_FOUND")]

    async def refuse(question: str, attempt: int) -> Response:
        return refused(*refusals[int(question[1:])])

    gemini.answer = refuse
    for (code, status), one in zip(refusals, ask(3), strict=True):
        assert (one.outcome, one.attempts) == (Outcome.ERROR, 1)
        assert one.error.startswith(f"ClientError: {code} {status}") and "told you" in one.error
    assert gemini.asked == {"q0": 1, "q1": 1, "q2": 1}


def test_an_answer_that_takes_too_long(gemini: Gemini, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_ATTEMPTS", 2)

    async def slow(question: str, attempt: int) -> Response:
        await asyncio.sleep(0 if question == "q0" and attempt == 2 else 2)
        return answered("a")

    gemini.answer = slow
    started = time.monotonic()
    second_time, never = ask(2, request_timeout_seconds=0.3)
    seconds = time.monotonic() - started
    assert (second_time.outcome, second_time.attempts) == (Outcome.ANSWERED, 2)
    assert (never.outcome, never.attempts) == (Outcome.ERROR, 2) and never.error.startswith("TimeoutError")
    assert 0.25 < never.latency_seconds < seconds - 0.25, "of the last attempt"


def test_nobody_is_there(gemini: Gemini, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_ATTEMPTS", 2)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = variables(closed.getsockname()[1])["GOOGLE_VERTEX_BASE_URL"]
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", url)
    (prediction,) = ask(1)
    assert (prediction.outcome, prediction.attempts) == (Outcome.ERROR, 2)
    assert prediction.error.startswith("ClientConnectorError: ")


def generation(body: dict[str, Any]) -> dict[str, Any]:
    """Returns the generation config, with its thinking in one of the two spellings that the service takes."""
    config = dict(body["generationConfig"])
    thinking = ThinkingConfig.model_validate(config.pop("thinkingConfig"))
    return config | {"thinking": thinking.model_dump(mode="json", exclude_none=True)}


def test_what_is_sent(gemini: Gemini) -> None:
    conversation = (turn("user", "q0"), turn("model", "a0"), turn("user", "q1"), turn("model", "never sent"))
    request = Request("p", "us-central1", "gemini-2.5-flash", "gemini-2.5-flash", Evaluation(max_output_tokens=64))
    predict(request, [Example("e", "Be kind.", conversation, "f", 1)])
    ((path, body),) = gemini.calls
    assert path == BASE
    assert body["contents"] == [turn("user", "q0"), turn("model", "a0"), turn("user", "q1")]
    assert body["systemInstruction"]["parts"] == [{"text": "Be kind."}]
    assert generation(body) == {"temperature": 0.0, "maxOutputTokens": 64, "thinking": {"thinking_budget": 0}}


def test_a_model_that_takes_no_temperature_gets_none(gemini: Gemini) -> None:
    ask(1, model="gemini-3.5-flash-lite", base="gemini-3.5-flash-lite")
    ((_, body),) = gemini.calls
    assert generation(body) == {"thinking": {"thinking_level": "MINIMAL"}}


def test_a_tuned_model_is_asked_at_its_endpoint(gemini: Gemini) -> None:
    (prediction,) = ask(1, model=ENDPOINT)
    ((path, _),) = gemini.calls
    assert path == f"/v1beta1/{ENDPOINT}:generateContent" and prediction.outcome is Outcome.ANSWERED


class TestStep:
    @pytest.fixture
    def files(self, tmp_path: Path) -> dict[str, str]:
        experiment = {
            "name": "demo",
            "task": "summarization",
            "base_model": "gemini-2.5-flash",
            "data": {"train": "t.jsonl", "test": "t.jsonl"},
            "evaluation": {"max_failure_rate": 0.25},
        }
        (tmp_path / "x.yaml").write_text(json.dumps(experiment))
        write_split(str(tmp_path / "test"), examples(4))
        names = {"experiment": "x.yaml", "test": "test", "predictions": "p.jsonl", "evaluation": "e.json"}
        return {f"{port}_uri": str(tmp_path / name) for port, name in names.items()}

    def test_writes_predictions_and_scores(self, gemini: Gemini, files: dict[str, str]) -> None:
        async def one_fails(question: str, attempt: int) -> Response:
            return refused(400, "INVALID_ARGUMENT") if question == "q2" else answered("a")

        gemini.answer = one_fails
        metrics = evaluate_model(project="p", location="us-central1", model="", **files)
        assert (metrics["examples"], metrics["failures"], metrics["rougeL_f"]) == (4, 1, 0.75)
        outcomes = [one["outcome"] for one in storage.read_jsonl(files["predictions_uri"])]
        assert outcomes == ["answered", "answered", "error", "answered"]
        evaluation = storage.read_json(files["evaluation_uri"])
        assert (evaluation["model"], evaluation["n"], evaluation["served_by"]) == ("gemini-2.5-flash", 4, "fake-1")
        assert {path for path, _ in gemini.calls} == {BASE}

    def test_too_many_failures_leave_the_predictions_but_no_evaluation(
        self, gemini: Gemini, files: dict[str, str]
    ) -> None:
        async def fail(question: str, attempt: int) -> Response:
            return refused(403, "PERMISSION_DENIED")

        gemini.answer = fail
        with pytest.raises(EvaluationError, match=r"^4 of 4 examples have no answer .*PERMISSION_DENIED"):
            evaluate_model(project="p", location="us-central1", model=ENDPOINT, **files)
        assert len(list(storage.read_jsonl(files["predictions_uri"]))) == 4
        assert not Path(files["evaluation_uri"]).exists()
