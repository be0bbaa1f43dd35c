"""JSON in and out of Google's protobuf types, and the few shapes that every Vertex resource shares."""

import re
from datetime import UTC, datetime
from typing import Any

import orjson
import proto
from google.protobuf import json_format
from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.errors import invalid

_UNKNOWN = re.compile(r'has no field named "(?P<name>[^"]*)" at "(?P<path>[^"]*)"')
_PARSE_STEP = re.compile(r"Failed to parse (\S+) field: ")


class Json(Response):
    """A JSON answer; always status 200 unless said otherwise, as google-genai accepts no other success."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Serialises `content` with orjson."""
        return orjson.dumps(content)


def now() -> str:
    """Returns the time as RFC 3339 in UTC with microseconds, as protobuf timestamps are written."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def timestamp(moment: datetime) -> str:
    """Returns a time in UTC as RFC 3339, with microseconds if it has any."""
    return moment.isoformat().replace("+00:00", "Z")


async def read_json(request: Request) -> Any:
    """Returns the request's body as JSON; an absent body is an empty object.

    Raises:
        ApiError: 400 for a body that is not a JSON object.
    """
    raw = await request.body()
    if not raw.strip():
        return {}
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received. The root element must be an object.")
    return body


def parse(body: dict[str, Any], message: type[proto.Message], root: str = "") -> dict[str, Any]:
    """Checks `body` against a protobuf type and returns it in canonical form.

    Both spellings of a name (`baseModel`, `base_model`), enums as words or numbers, 64-bit integers as numbers or
    strings, and nulls are taken, as Google's servers do. The result has camelCase names, enum words, integers of
    64 bits as strings, and no field that was not set.

    Args:
        body: The JSON object as received.
        message: The proto-plus class that the body must fit.
        root: The name under which errors speak of the body, e.g. `tuning_job`.

    Raises:
        ApiError: 400 naming the field that is unknown or has a wrong type.
    """
    pb = message.pb()()
    try:
        json_format.ParseDict(body, pb)
    except json_format.ParseError as error:
        raise _refusal(str(error), root) from error
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise invalid(f"Invalid JSON payload received. {error}", root or None) from error
    parsed: dict[str, Any] = json_format.MessageToDict(pb)
    return parsed


def _refusal(text: str, root: str) -> Exception:
    unknown = _UNKNOWN.search(text)
    if unknown:
        inner = unknown["path"].partition(".")[2]
        where = ".".join(part for part in (root, inner) if part)
        name = unknown["name"]
        at = f" at '{where}'" if where else ""
        message = f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'
        return invalid(message, where or name)
    steps = _PARSE_STEP.findall(text)
    where = ".".join(part for part in (root, *steps) if part)
    reason = _PARSE_STEP.sub("", text).strip().rstrip(".")
    return invalid(f"Invalid value at '{where}': {reason}.", where)


def done(name: str, response: dict[str, Any], type_name: str, version: str = "v1") -> dict[str, Any]:
    """Returns a long-running operation that is already done.

    Args:
        name: The operation's full resource name.
        response: The resource it made, in canonical JSON.
        type_name: The response's message name, e.g. `Tensorboard`; `Empty` for deletions.
        version: API version of the type URL.
    """
    package = f"google.cloud.aiplatform.{version}"
    full_name = "google.protobuf.Empty" if type_name == "Empty" else f"{package}.{type_name}"
    at = now()
    return {
        "name": name,
        "done": True,
        "metadata": {
            "@type": f"type.googleapis.com/{package}.GenericOperationMetadata",
            "createTime": at,
            "updateTime": at,
        },
        "response": {"@type": f"type.googleapis.com/{full_name}", **response},
    }


def page(request: Request, key: str, items: list[dict[str, Any]], default_size: int = 100) -> dict[str, Any]:
    """Cuts `items` by the request's `pageSize` and `pageToken` into a list answer.

    Raises:
        ApiError: 400 for a size or token that is not a number.
    """
    query = request.query_params
    try:
        size = int(query.get("pageSize") or query.get("page_size") or 0) or default_size
        start = int(query.get("pageToken") or query.get("page_token") or 0)
    except ValueError as error:
        raise invalid(f"Invalid page size or token: {error}", "page_token") from error
    if size < 0 or start < 0:
        raise invalid("page_size and page_token must not be negative.", "page_size")
    answer: dict[str, Any] = {key: items[start : start + size]} if items else {}
    if start + size < len(items):
        answer["nextPageToken"] = str(start + size)
    return answer
