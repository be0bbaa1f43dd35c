"""The batch endpoint: many calls on metadata in one `multipart/mixed` request.

Format: https://cloud.google.com/storage/docs/batch
"""

import re
import uuid
from collections.abc import Awaitable, Callable
from email.message import Message
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message as AsgiMessage

from vertex_emulator.storage.errors import bad_request

Serve = Callable[[Request], Awaitable[Response]]

_MOST_CALLS = 1000
_LARGEST_BODY = 10 << 20
_BLANK_LINE = re.compile(r"\r?\n\r?\n")
_NEW_LINE = re.compile(r"\r?\n")


async def answer_batch(request: Request, serve: Serve) -> Response:
    """Serves the calls one after the other, and returns an answer for each in their order.

    Args:
        request: The batch.
        serve: Answers a single call, its refusal included.
    """
    outer = Message()
    outer["content-type"] = request.headers.get("content-type", "")
    boundary = outer.get_boundary()
    if not boundary:
        raise bad_request("A batch needs Content-Type multipart/mixed with a boundary.")
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _LARGEST_BODY:
            raise bad_request("A batch must not be larger than 10 MB.")
    parts = re.split(rf"(?:^|\r?\n)--{re.escape(boundary)}", raw.decode("utf-8", "replace"))[1:]
    if not parts or not parts.pop().startswith("--"):
        raise bad_request("Malformed batch: it ends before the closing boundary.")
    if not 1 <= len(parts) <= _MOST_CALLS:
        raise bad_request(f"A batch has 1 to {_MOST_CALLS} calls, not {len(parts)}.")
    answers = [_part(await serve(call), content_id) for call, content_id in (_call(request, part) for part in parts)]
    mark = f"batch_{uuid.uuid4().hex}"
    body = b"".join(b"--%b\r\n%b\r\n" % (mark.encode(), part) for part in answers)
    return Response(body + f"--{mark}--\r\n".encode(), headers={"Content-Type": f"multipart/mixed; boundary={mark}"})


def _call(batch: Request, part: str) -> tuple[Request, str]:
    """Returns the call that a part holds, and the part's Content-ID."""
    try:
        outer, head, *rest = _BLANK_LINE.split(part, maxsplit=2)
        first, *lines = _NEW_LINE.split(head)
        method, url, _ = first.split(" ", 2)
    except ValueError as error:
        raise bad_request("Malformed batch: a part is not an HTTP request.") from error
    address = urlsplit(url)
    if not address.path.startswith("/storage/v1/") or "alt=media" in address.query:
        raise bad_request(f"A batch holds calls on metadata only, not {method} {url}.")
    headers = [(key.strip().lower(), value.strip()) for key, _, value in (line.partition(":") for line in lines)]
    scope = {
        **batch.scope,
        "method": method,
        "path": address.path,
        "raw_path": address.path.encode(),
        "query_string": address.query.encode(),
        "headers": [(key.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for key, value in headers],
    }
    message: AsgiMessage = {"type": "http.request", "body": "".join(rest).encode(), "more_body": False}

    async def receive() -> AsgiMessage:
        return message

    content_id = next(
        (line.partition(":")[2].strip() for line in _NEW_LINE.split(outer) if line.lower().startswith("content-id:")),
        "",
    )
    return Request(scope, receive), content_id


def _part(response: Response, content_id: str) -> bytes:
    """Returns an answer as the part of a `multipart/mixed` body."""
    outer = ["Content-Type: application/http"]
    if content_id:
        outer.append(f"Content-ID: <response-{content_id.strip('<>')}>")
    status = response.status_code
    inner = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    inner += [f"{key.decode('latin-1')}: {value.decode('latin-1')}" for key, value in response.raw_headers]
    head = "\r\n".join([*outer, "", *inner, "", ""])
    return head.encode() + bytes(response.body)
