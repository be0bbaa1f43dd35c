"""Trouble on demand: latency, quota and errors, so that tests and benchmarks meet what the real service does.

`PUT /emulator/faults` with a list of rules replaces the rules in force; each request consults them in order:

    {"path": "generateContent",      regular expression searched in the path
     "latency": 0.5,                 seconds that the answer is held back
     "status": 429,                  answer with this error instead of serving
     "message": "...",               text of that error
     "retry_after": "2",             Retry-After header of that error
     "times": 3}                     how often the rule applies (default: always)
"""

import asyncio
import dataclasses
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from vertex_emulator.errors import ApiError, invalid
from vertex_emulator.wire import Json

_STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}


@dataclass
class _Rule:
    path: str = ""
    latency: float = 0.0
    status: int = 0
    message: str = "A fault that was asked for."
    retry_after: str = ""
    times: int = -1


class Faults:
    """ASGI middleware that applies the rules before a request reaches its route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._rules: list[_Rule] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection event, late or with an error where a rule says so."""
        if scope["type"] == "http":
            # The way to end all trouble stays open.
            rules = [] if scope["path"].startswith("/emulator/") else self._rules
            scope.setdefault("state", {})["faults"] = self
            for rule in rules:
                if rule.times == 0 or not re.search(rule.path, scope["path"]):
                    continue
                rule.times -= 1
                await asyncio.sleep(rule.latency)
                if rule.status:
                    await self._refusal(rule)(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    def replace(self, rules: list[dict[str, Any]]) -> None:
        """Puts new rules in force.

        Raises:
            TypeError: A rule has an unknown key or a value of a wrong type.
            ValueError: A path is no regular expression.
        """
        known = {field.name for field in dataclasses.fields(_Rule)}
        for given in rules:
            if unknown := set(given) - known:
                raise TypeError(f"unknown field {min(unknown)!r}: expected {', '.join(sorted(known))}")
        new = [_Rule(**rule) for rule in rules]
        for rule in new:
            try:
                re.compile(rule.path)
            except re.error as error:
                raise ValueError(f"{rule.path!r} is not a regular expression: {error}") from error
            if not all(isinstance(value, int | float) for value in (rule.latency, rule.status, rule.times)):
                raise TypeError("latency, status and times are numbers")
        self._rules = new

    @staticmethod
    def _refusal(rule: _Rule) -> Response:
        error = ApiError(_STATUS_NAMES.get(rule.status, "INTERNAL"), rule.message)
        headers = {"Retry-After": rule.retry_after} if rule.retry_after else None
        return JSONResponse(error.body(), status_code=rule.status, headers=headers)


async def _put(request: Request) -> Response:
    faults: Faults = request.state.faults
    try:
        faults.replace(await request.json())
    except (TypeError, ValueError) as error:
        raise invalid(str(error)) from error
    return Json({})


routes = [Route("/emulator/faults", _put, methods=["PUT"])]
