import asyncio
import errno
import json
import ssl
from collections.abc import Callable
from typing import Any

import aiohttp
import pydantic
import pytest
from google.genai.errors import APIError, ClientError, ServerError, UnknownApiResponseError

from gemini_sft.inference.retry import Retry, decide


def refusal(code: int, status: str) -> APIError:
    body: dict[str, Any] = {"error": {"code": code, "status": status, "message": "m"}}
    return ClientError(code, body) if code < 500 else ServerError(code, body)


@pytest.mark.parametrize(
    ("code", "status", "decision"),
    [
        (429, "RESOURCE_EXHAUSTED", Retry.RATE_LIMIT),
        (429, "", Retry.RATE_LIMIT),
        (503, "RESOURCE_EXHAUSTED", Retry.RATE_LIMIT),
        (503, "UNAVAILABLE", Retry.TRANSIENT),
        (503, "", Retry.TRANSIENT),
        (408, "DEADLINE_EXCEEDED", Retry.TRANSIENT),
        (500, "INTERNAL", Retry.TRANSIENT),
        (500, "RESOURCE_EXHAUSTED", Retry.TRANSIENT),
        (502, "", Retry.TRANSIENT),
        (504, "DEADLINE_EXCEEDED", Retry.TRANSIENT),
        (400, "INVALID_ARGUMENT", Retry.NO),
        (400, "RESOURCE_EXHAUSTED", Retry.NO),
        (401, "UNAUTHENTICATED", Retry.TOKEN),
        (403, "PERMISSION_DENIED", Retry.NO),
        (404, "NOT_FOUND", Retry.NO),
        (409, "ABORTED", Retry.NO),
        (499, "CANCELLED", Retry.NO),
        (501, "UNIMPLEMENTED", Retry.NO),
    ],
)
def test_what_the_service_refused(code: int, status: str, decision: Retry) -> None:
    assert decide(refusal(code, status)).retry is decision


def half_a_character() -> Exception:
    with pytest.raises(UnicodeDecodeError) as caught:
        b"\xe2\x98".decode()
    return caught.value


def wrong_type() -> Exception:
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(int).validate_python("x")
    return caught.value


@pytest.mark.parametrize(
    ("make", "decision"),
    [
        (TimeoutError, Retry.TRANSIENT),
        (asyncio.TimeoutError, Retry.TRANSIENT),
        (lambda: ConnectionResetError(errno.ECONNRESET, "reset"), Retry.TRANSIENT),
        (lambda: BrokenPipeError(errno.EPIPE, "pipe"), Retry.TRANSIENT),
        (lambda: aiohttp.ClientPayloadError("cut off"), Retry.TRANSIENT),
        (aiohttp.ServerDisconnectedError, Retry.TRANSIENT),
        (aiohttp.ServerTimeoutError, Retry.TRANSIENT),
        (lambda: aiohttp.ClientOSError(errno.ECONNREFUSED, "refused"), Retry.TRANSIENT),
        (lambda: UnknownApiResponseError("<html>"), Retry.TRANSIENT),
        (lambda: json.JSONDecodeError("Expecting value", "{", 1), Retry.TRANSIENT),
        (half_a_character, Retry.TRANSIENT),
        (wrong_type, Retry.NO),
        (lambda: ValueError("model is required."), Retry.NO),
        (lambda: KeyError("gemini"), Retry.NO),
        (lambda: ssl.SSLError("bad record"), Retry.NO),
        (KeyboardInterrupt, Retry.NO),
        (asyncio.CancelledError, Retry.NO),
    ],
)
def test_what_happened_on_the_way(make: Callable[[], BaseException], decision: Retry) -> None:
    assert decide(make()).retry is decision
