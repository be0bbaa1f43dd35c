"""`count_tokens` with the real SDK, against a small Vertex AI on 127.0.0.1."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from gemini_sft.cost.cache import TokenCache
from gemini_sft.cost.tokens import CountRequest, count_tokens
from gemini_sft.errors import ServiceError, UserError
from tests.unit.gemini_sft.cost.conftest import Counter, Record
from vertex_emulator.environment import variables

MODEL = "gemini-2.5-flash"
PATH = f"/v1beta1/projects/p/locations/us-central1/publishers/google/models/{MODEL}:countTokens"
SECRET = "the password of Ms Bowman is swordfish"


def ask(text: str, name: str = "e0", **settings: Any) -> CountRequest:
    return CountRequest(name, {"contents": [{"role": "user", "parts": [{"text": text}]}], **settings})


def count(requests: list[CountRequest], cache: TokenCache, model: str = MODEL) -> list[int]:
    return count_tokens("p", "us-central1", model, requests, cache)


def refused(code: int, status: str, message: str = "told you") -> Response:
    return JSONResponse({"error": {"code": code, "status": status, "message": message}}, code)


def test_each_request_gets_its_count(counter: Counter, cache: TokenCache) -> None:
    assert count([ask("one"), ask("one two three"), ask("one two")], cache) == [1, 3, 2]
    assert {path for path, _ in counter.calls} == {PATH}


def test_what_is_sent(counter: Counter, cache: TokenCache) -> None:
    tools = [{"functionDeclarations": [{"name": "weather"}]}]
    request = ask(
        "q",
        systemInstruction={"role": "system", "parts": [{"text": "Be kind."}]},
        tools=tools,
        generationConfig={"mediaResolution": "MEDIA_RESOLUTION_LOW"},
    )
    request.body["contents"][0]["parts"].append({"fileData": {"mimeType": "image/png", "fileUri": "gs://b/i.png"}})

    async def seven(body: Record, number: int) -> Response:
        return JSONResponse({"totalTokens": 7})

    counter.answer = seven
    assert count([request], cache) == [7]
    ((_, body),) = counter.calls
    *_, file = body["contents"][0]["parts"]
    assert file == {"fileData": {"mime_type": "image/png", "file_uri": "gs://b/i.png"}}, "protobuf takes both spellings"
    file["fileData"] = {"mimeType": "image/png", "fileUri": "gs://b/i.png"}
    assert body == request.body


def test_identical_content_is_counted_once(counter: Counter, cache: TokenCache) -> None:
    assert count([ask("a b", "e0"), ask("c", "e1"), ask("a b", "e2")], cache) == [2, 1, 2]
    assert counter.texts == ["a b", "c"]


def test_what_is_in_the_cache_is_not_asked_again(counter: Counter, tmp_path: Path) -> None:
    uri = str(tmp_path / "m.json")
    assert count([ask("a b"), ask("c")], TokenCache(uri)) == [2, 1]
    del counter.calls[:]
    assert count([ask("c"), ask("a b")], TokenCache(uri)) == [1, 2]
    assert counter.calls == []
    assert count([ask("c"), ask("d e f")], TokenCache(uri)) == [1, 3]
    assert counter.texts == ["d e f"]
    assert count([ask("c")], TokenCache(uri), model="gemini-2.5-pro") == [1] and len(counter.calls) == 2


def test_the_cache_holds_no_text(counter: Counter, tmp_path: Path) -> None:
    count([ask(SECRET)], TokenCache(str(tmp_path / "m.json")))
    ((key, tokens),) = json.loads((tmp_path / "m.json").read_text()).items()
    assert key.startswith(f"{MODEL}:") and tokens == 7 and "swordfish" not in key


def test_never_more_than_sixteen_at_once_nor_fewer_than_possible(counter: Counter, cache: TokenCache) -> None:
    async def together(body: Record, number: int) -> Response:
        if number < 20:
            await counter.until(at_once=16)
        return JSONResponse({"totalTokens": 1})

    counter.answer = together
    assert count([ask(f"q{number}") for number in range(40)], cache) == [1] * 40
    assert counter.most_at_once == 16


def test_faults_that_pass_are_met_by_asking_again(counter: Counter, cache: TokenCache) -> None:
    async def at_last(body: Record, number: int) -> Response:
        faults = [refused(429, "RESOURCE_EXHAUSTED"), refused(500, "INTERNAL"), refused(503, "UNAVAILABLE")]
        return faults[number] if number < len(faults) else JSONResponse({"totalTokens": 5})

    counter.answer = at_last
    assert count([ask("q")], cache) == [5] and len(counter.calls) == 4


@pytest.mark.parametrize(
    ("code", "status", "error", "asked"),
    [
        (429, "RESOURCE_EXHAUSTED", ServiceError, 5),
        (503, "UNAVAILABLE", ServiceError, 5),
        (400, "INVALID_ARGUMENT", UserError, 1),
        (403, "PERMISSION_DENIED", UserError, 1),
        (404, "NOT_FOUND", UserError, 1),
    ],
)
def test_what_is_refused_names_model_and_example(
    counter: Counter, cache: TokenCache, code: int, status: str, error: type[Exception], asked: int
) -> None:
    async def refuse(body: Record, number: int) -> Response:
        return refused(code, status)

    counter.answer = refuse
    with pytest.raises(error) as caught:
        count([ask(SECRET, "e7")], cache)
    said = str(caught.value)
    assert said.startswith(f"tokens of example e7 could not be counted by {MODEL}: Vertex AI ")
    assert said.endswith(f"{code} {status}: told you") and len(counter.calls) == asked


def test_an_error_never_holds_the_examples_text(counter: Counter, cache: TokenCache) -> None:
    async def echo(body: Record, number: int) -> Response:
        return refused(400, "INVALID_ARGUMENT", f'Invalid value at contents: "{SECRET}"')

    counter.answer = echo
    with pytest.raises(UserError, match=r"400 INVALID_ARGUMENT$") as caught:
        count([ask(SECRET, "e7")], cache)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


@pytest.mark.parametrize("part", [{"words": SECRET}, {"text": [SECRET]}])
def test_a_record_that_is_none_is_told_without_its_text(counter: Counter, cache: TokenCache, part: Record) -> None:
    broken = CountRequest("e7", {"contents": [{"role": "user", "parts": [part]}]})
    with pytest.raises(UserError, match=f"^tokens of example e7 .* {MODEL}: it is not in Gemini's format: ") as caught:
        count([broken], cache)
    assert "swordfish" not in str(caught.value) and caught.value.__suppress_context__ and not counter.calls


def test_a_record_without_a_prompt(counter: Counter, cache: TokenCache) -> None:
    with pytest.raises(UserError, match=r"^tokens of example e7 .*: google-genai does not take it: contents are req"):
        count([CountRequest("e7", {"contents": []})], cache)


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"totalTokens": "many"}', b'{"totalTokens": ', b"<html>"])
def test_an_answer_that_is_no_count(counter: Counter, cache: TokenCache, answer: bytes) -> None:
    async def strange(body: Record, number: int) -> Response:
        return Response(answer, media_type="application/json")

    counter.answer = strange
    with pytest.raises(ServiceError, match=r"^tokens of example e7 could not be counted by "):
        count([ask("q", "e7")], cache)


def test_what_was_counted_before_a_failure_is_kept(counter: Counter, tmp_path: Path) -> None:
    async def refuse_the_last(body: Record, number: int) -> Response:
        if body["contents"][0]["parts"][0]["text"] != "bad":
            return JSONResponse({"totalTokens": 1})
        await asyncio.sleep(0.2)
        return refused(400, "INVALID_ARGUMENT")

    counter.answer = refuse_the_last
    uri = str(tmp_path / "m.json")
    with pytest.raises(UserError):
        count([ask("good"), ask("bad")], TokenCache(uri))
    del counter.calls[:]
    assert count([ask("good")], TokenCache(uri)) == [1] and counter.calls == []


def test_nobody_is_there(counter: Counter, cache: TokenCache, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = variables(closed.getsockname()[1])["GOOGLE_VERTEX_BASE_URL"]
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", url)
    with pytest.raises(ServiceError, match=f"^tokens of example e7 could not be counted by {MODEL}: .*Connect"):
        count([ask("q", "e7")], cache)


def test_nothing_to_count_asks_nobody(counter: Counter, cache: TokenCache) -> None:
    assert count([], cache) == [] and counter.calls == []
