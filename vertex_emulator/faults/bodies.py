"""Answers whose body is wrong: a page of a proxy, or the real answer with its end missing."""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE = (
    "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Error (Server Error)!!1</title>"
    "<p><b>An error.</b> <ins>That is an error.</ins><p>There was an error. Please try again later."
)
"""What something between client and service answers with when the service does not."""


class _Cut(Exception):
    """Ends a request so that its connection is closed."""


async def send_spoiled(app: ASGIApp, scope: Scope, receive: Receive, send: Send, *, cut: bool) -> None:
    """Lets `app` answer and sends the first half of its body; the rest is lost.

    Args:
        app: What answers.
        scope: Of the request.
        receive: Of the request.
        send: Of the request.
        cut: Whether the connection is closed in the middle; else the half is sent as if it were whole.
    """
    messages: list[Message] = []

    async def collect(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, collect)
    start, *rest = messages
    body = b"".join(message.get("body", b"") for message in rest)
    half = body[: len(body) // 2]
    headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
    length = len(body) if cut else len(half)
    await send({**start, "headers": [*headers, (b"content-length", str(length).encode())]})
    await send({"type": "http.response.body", "body": half, "more_body": cut})
    if cut:
        raise _Cut  # uvicorn closes the connection of a request that fails after its answer began


def _is_no_cut(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], _Cut))


logging.getLogger("uvicorn.error").addFilter(_is_no_cut)
