"""`predict` with the real SDK, against a small Gemini on 127.0.0.1."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable

import pytest
from starlette.responses import HTMLResponse, Response, StreamingResponse

from gemini_sft.inference import Outcome, online
from tests.unit.gemini_sft.inference.fake_gemini import Gemini, answered, ask, asked, examples, refused, until
from vertex_emulator.environment import variables

# google-genai's own, when it makes its first session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


def test_an_answer(gemini: Gemini) -> None:
    (reply,) = asked(examples(1)).replies
    assert reply.prediction.model_dump() == {
        "example_id": "e0",
        "outcome": Outcome.ANSWERED,
        "text": "re: q0",
        "finish_reason": "STOP",
        "model_version": "fake-1",
        "prompt_tokens": 7,
        "output_tokens": 3,
        "thought_tokens": 0,
        "error": "",
    }
    assert reply.requests == 1 and reply.seconds is not None and 0 < reply.seconds < 10


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
    replies = asked(examples(6), max_concurrency=limit).replies
    assert gemini.most_at_once == limit
    assert {(one.prediction.outcome, one.requests) for one in replies} == {(Outcome.ANSWERED, 2)}


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
        fault: (one.prediction.outcome.value, one.prediction.text, one.requests, one.prediction.error)
        for fault, one in zip(faults, asked(examples(len(faults))).replies, strict=True)
    }
    assert met == dict.fromkeys(faults, ("answered", "at last", 3, ""))


def test_faults_that_do_not_pass_end_as_errors_and_harm_no_others(gemini: Gemini) -> None:
    errors = {
        "502 of a proxy": "ServerError: 502 Bad Gateway",
        "500": "ServerError: 500 INTERNAL",
        "a page instead of JSON": "JSONDecodeError: ",
        "a connection cut in the body": "ClientPayloadError: ",
    }
    faults = ["", *errors, ""]

    async def cursed(question: str, attempt: int) -> Response:
        fault = faults[int(question[1:])]
        return TRANSIENT[fault]() if fault else answered("a")

    gemini.answer = cursed
    first, *failed, last = asked(examples(len(faults))).replies
    assert first.prediction.outcome is last.prediction.outcome is Outcome.ANSWERED
    for fault, one in zip(errors, failed, strict=True):
        assert (fault, one.prediction.outcome, one.prediction.text, one.requests) == (fault, Outcome.ERROR, "", 6)
        assert one.prediction.error.startswith(errors[fault])
    assert gemini.asked == {"q0": 1, "q1": 6, "q2": 6, "q3": 6, "q4": 6, "q5": 1}


def test_what_is_refused_is_asked_once(gemini: Gemini) -> None:
    refusals = [(400, "INVALID_ARGUMENT"), (403, "PERMISSION_DENIED"), (404, "NOT_FOUND")]

    async def refuse(question: str, attempt: int) -> Response:
        return refused(*refusals[int(question[1:])])

    gemini.answer = refuse
    for (code, status), reply in zip(refusals, asked(examples(3)).replies, strict=True):
        one = reply.prediction
        assert (one.outcome, reply.requests) == (Outcome.ERROR, 1)
        assert one.error.startswith(f"ClientError: {code} {status}") and "told you" in one.error
    assert gemini.asked == {"q0": 1, "q1": 1, "q2": 1}


def test_an_answer_that_takes_too_long(gemini: Gemini, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "_ATTEMPTS", 2)

    async def slow(question: str, attempt: int) -> Response:
        await asyncio.sleep(0 if question == "q0" and attempt == 2 else 2)
        return answered("a")

    gemini.answer = slow
    started = time.monotonic()
    second_time, never = asked(examples(2), request_timeout_seconds=0.3).replies
    seconds = time.monotonic() - started
    assert (second_time.prediction.outcome, second_time.requests) == (Outcome.ANSWERED, 2)
    assert (never.prediction.outcome, never.requests) == (Outcome.ERROR, 2)
    assert never.prediction.error.startswith("TimeoutError")
    assert never.seconds is not None and 0.25 < never.seconds < seconds - 0.25, "of the last attempt"


def test_nobody_is_there(gemini: Gemini, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "_ATTEMPTS", 2)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = variables(closed.getsockname()[1])["GOOGLE_VERTEX_BASE_URL"]
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", url)
    (reply,) = asked(examples(1)).replies
    assert (reply.prediction.outcome, reply.requests) == (Outcome.ERROR, 2)
    assert reply.prediction.error.startswith("ClientConnectorError: ")
