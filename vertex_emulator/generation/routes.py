"""The four methods, for `publishers/google/models/M` and for `endpoints/E`."""

import base64
import secrets
from collections.abc import Iterator
from typing import Any

import orjson
import proto
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from vertex_emulator.generation.config import read_settings, take_thinking_level
from vertex_emulator.generation.prompt import Prompt, read_prompt
from vertex_emulator.names import location_of
from vertex_emulator.protobuf import types
from vertex_emulator.routing import LOCATION, Handler, emulator_of, vertex
from vertex_emulator.standin import Completion, StandIn, complete, tokens
from vertex_emulator.wire import Json, now, parse, read_json

_TOKENS_PER_EVENT = 16


def _model_of(request: Request) -> tuple[StandIn, str]:
    """Returns the model that a request's path names, and what the answer calls it: never Gemini."""
    location = location_of(request)
    serving = emulator_of(request).serving
    if "model" in request.path_params:
        model_id = request.path_params["model"]
        return serving.base(model_id, location), f"stand-in for {model_id}"
    model, name = serving.endpoint(f"{location}/endpoints/{request.path_params['endpoint']}")
    return model, f"stand-in tuned as {name}"


async def _complete(request: Request) -> tuple[Completion, dict[str, Any]]:
    raw = await read_json(request)
    take_thinking_level(raw)
    body = parse(raw, types.GenerateContentRequest)
    prompt, settings = read_prompt(body), read_settings(body)
    model, version = _model_of(request)
    completion = complete(
        model,
        prompt.system,
        prompt.turns,
        max_output_tokens=settings.max_output_tokens,
        stop_sequences=settings.stop_sequences,
    )
    envelope = {"modelVersion": version, "createTime": now(), "responseId": secrets.token_urlsafe(16)}
    return completion, envelope


def _usage(completion: Completion) -> dict[str, Any]:
    usage = {
        "promptTokenCount": completion.prompt_tokens,
        "totalTokenCount": completion.prompt_tokens + completion.output_tokens,
        "trafficType": "ON_DEMAND",
    }
    if completion.output_tokens:
        usage["candidatesTokenCount"] = completion.output_tokens
    return {"usageMetadata": usage}


def _candidate(text: str, finish_reason: str | None) -> dict[str, Any]:
    content: dict[str, Any] = {"role": "model"}
    if text:
        content["parts"] = [{"text": text}]
    candidate: dict[str, Any] = {"content": content}
    if finish_reason:
        candidate["finishReason"] = finish_reason
    return {"candidates": [candidate]}


async def _generate(request: Request) -> Response:
    completion, envelope = await _complete(request)
    return Json(_candidate(completion.text, completion.finish_reason) | _usage(completion) | envelope)


async def _stream(request: Request) -> Response:
    completion, envelope = await _complete(request)
    if request.query_params.get("alt") == "sse":
        return StreamingResponse(_events(completion, envelope), media_type="text/event-stream")
    return Json(list(_chunks(completion, envelope)))


def _events(completion: Completion, envelope: dict[str, Any]) -> Iterator[bytes]:
    for chunk in _chunks(completion, envelope):
        yield b"data: " + orjson.dumps(chunk) + b"\r\n\r\n"


def _chunks(completion: Completion, envelope: dict[str, Any]) -> Iterator[dict[str, Any]]:
    pieces = tokens.encode(completion.text)
    for start in range(0, len(pieces), _TOKENS_PER_EVENT):
        text = "".join(piece.text for piece in pieces[start : start + _TOKENS_PER_EVENT])
        yield _candidate(text, None) | envelope
    yield _candidate("", completion.finish_reason) | _usage(completion) | envelope


async def _prompt_of(request: Request, message: type[proto.Message]) -> Prompt:
    raw = await read_json(request)
    take_thinking_level(raw)
    body = parse(raw, message)
    _model_of(request)
    return read_prompt(body)


async def _count_tokens(request: Request) -> Response:
    prompt = await _prompt_of(request, types.CountTokensRequest)
    details = [{"modality": "TEXT", "tokenCount": prompt.tokens}]
    return Json(
        {
            "totalTokens": prompt.tokens,
            "totalBillableCharacters": prompt.characters,
            "promptTokensDetails": details,
        }
    )


async def _compute_tokens(request: Request) -> Response:
    prompt = await _prompt_of(request, types.ComputeTokensRequest)
    return Json({"tokensInfo": [_tokens_info(role, text) for role, text in prompt.turns]})


def _tokens_info(role: str, text: str) -> dict[str, Any]:
    pieces = tokens.encode(text)
    return {
        "role": role,
        "tokens": [base64.b64encode(piece.text.encode("utf-8", "surrogatepass")).decode() for piece in pieces],
        "tokenIds": [str(piece.id) for piece in pieces],
    }


def _methods() -> Iterator[Route]:
    methods: dict[str, Handler] = {
        "generateContent": _generate,
        "streamGenerateContent": _stream,
        "countTokens": _count_tokens,
        "computeTokens": _compute_tokens,
    }
    for target in ("publishers/google/models/{model}", "endpoints/{endpoint}"):
        for verb, handler in methods.items():
            yield from vertex("POST", f"{LOCATION}/{target}:{verb}", handler)


routes = list(_methods())
