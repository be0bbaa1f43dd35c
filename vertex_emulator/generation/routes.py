"""The four methods, for `publishers/google/models/M` and for `endpoints/E`."""

import base64
from collections.abc import Iterator
from typing import Any

import orjson
import proto
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from vertex_emulator.generation.answers import Answer, ask, base_version, read_question, tuned_version
from vertex_emulator.generation.newer_fields import take_newer_fields
from vertex_emulator.generation.prompt import Prompt, read_prompt
from vertex_emulator.names import location_of
from vertex_emulator.protobuf import types
from vertex_emulator.routing import LOCATION, Handler, emulator_of, vertex
from vertex_emulator.standin import StandIn, tokens
from vertex_emulator.wire import Json, parse, read_json


def _model_of(request: Request) -> tuple[StandIn, str]:
    """Returns the model that a request's path names, and what the answer calls it."""
    location = location_of(request)
    serving = emulator_of(request).serving
    if "model" in request.path_params:
        model_id = request.path_params["model"]
        return serving.base(model_id, location), base_version(model_id)
    model, name = serving.endpoint(f"{location}/endpoints/{request.path_params['endpoint']}")
    return model, tuned_version(name)


async def _complete(request: Request) -> Answer:
    raw = await read_json(request)
    question = read_question(raw)
    model, version = _model_of(request)
    return ask(model, version, question, request.state.wrong_answer)


async def _generate(request: Request) -> Response:
    return Json((await _complete(request)).document)


async def _stream(request: Request) -> Response:
    answer = await _complete(request)
    if request.query_params.get("alt") == "sse":
        return StreamingResponse(_events(answer), media_type="text/event-stream")
    return Json(list(answer.chunks()))


def _events(answer: Answer) -> Iterator[bytes]:
    for chunk in answer.chunks():
        yield b"data: " + orjson.dumps(chunk) + b"\r\n\r\n"


async def _prompt_of(request: Request, message: type[proto.Message]) -> Prompt:
    raw = await read_json(request)
    take_newer_fields(raw)
    body = parse(raw, message)
    _model_of(request)
    return read_prompt(body, answered=True)


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
