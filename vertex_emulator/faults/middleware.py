"""Stands before every route and lets the rules have their way."""

import asyncio
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vertex_emulator.errors import invalid
from vertex_emulator.faults.bodies import PAGE, send_spoiled
from vertex_emulator.faults.force import Faults
from vertex_emulator.faults.rules import Rule, error_of, headers_of
from vertex_emulator.routing import emulator_of
from vertex_emulator.wire import Json

if TYPE_CHECKING:
    from vertex_emulator.faults.force import Trouble


class FaultsMiddleware:
    """ASGI middleware that applies the rules before a request reaches its route, and spoils its answer.

    Routes find a rule about the model's answer in `request.state.wrong_answer`.
    """

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection event, late or wrongly where a rule says so."""
        # The way to end all trouble stays open.
        if scope["type"] != "http" or scope["path"].startswith("/emulator/"):
            await self._app(scope, receive, send)
            return
        body = b""
        if self._faults.ask_for_body(scope["method"], scope["path"]):
            body, receive = await _read(receive)
        trouble = self._faults.meet(scope["method"], scope["path"], body)
        if trouble.latency:
            await asyncio.sleep(trouble.latency)
        scope.setdefault("state", {})["wrong_answer"] = trouble.answer
        await self._serve(trouble, scope, receive, send)

    async def _serve(self, trouble: "Trouble", scope: Scope, receive: Receive, send: Send) -> None:
        rule = trouble.ending
        if rule is None:
            await self._app(scope, receive, send)
            return
        if rule.served:
            await self._app(scope, receive, _lose)
        if rule.hang:
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            refused = rule.status or rule.quota or rule.body == "html"
            app = _refusal(rule) if refused else self._app
            if rule.body in ("cut", "truncated"):
                await send_spoiled(app, scope, receive, send, cut=rule.body == "cut")
            else:
                await app(scope, receive, send)


async def _lose(message: Message) -> None:
    """Takes an answer that nobody hears of."""


def _refusal(rule: Rule) -> Response:
    if rule.body == "html":
        return Response(PAGE, rule.status or 200, headers_of(rule), "text/html")
    return Json(error_of(rule), rule.status or 429, headers_of(rule))


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """Reads a request's body and returns it, and what gives it to the next reader again."""
    messages: list[Message] = []
    while not messages or messages[-1].get("more_body"):
        messages.append(await receive())
    body = b"".join(message.get("body", b"") for message in messages)
    replayed = iter(messages)

    async def again() -> Message:
        message = next(replayed, None)
        return await receive() if message is None else message

    return body, again


async def _put(request: Request) -> Response:
    try:
        emulator_of(request).faults.replace(await request.json())
    except (ValueError, msgspec.ValidationError) as error:
        raise invalid(str(error)) from error
    return Json({})


routes = [Route("/emulator/faults", _put, methods=["PUT"])]
