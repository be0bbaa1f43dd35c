"""The REST method that lists log entries."""

import asyncio
import re
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vertex_emulator.errors import ApiError, invalid
from vertex_emulator.filters import camel_case
from vertex_emulator.logs.entries import read_entries, streams_of
from vertex_emulator.logs.query import compile_query
from vertex_emulator.routing import emulator_of
from vertex_emulator.wire import Json, read_json

_PROJECT = re.compile(r"projects/([a-z0-9-]+)")
_TOKEN = re.compile(r"[0-9]{1,18}")
_DEFAULT_SIZE = 50
_LARGEST_SIZE = 1000
_MOST_NAMES = 100
_ORDERS = ("timestamp asc", "timestamp desc")


class ListLogEntriesRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The fields of Google's `google.logging.v2.ListLogEntriesRequest`, and those that REST had before them."""

    project_ids: list[str] = []
    resource_names: list[str] = []
    filter: str = ""
    order_by: str = ""
    page_size: int = 0
    page_token: str = ""


def read_request(body: dict[str, Any]) -> ListLogEntriesRequest:
    """Reads the body of a list request.

    Raises:
        ApiError: 400 for a field that is unknown or has a wrong type or value.
    """
    try:
        asked = msgspec.convert(
            {camel_case(name): value for name, value in body.items()}, ListLogEntriesRequest, strict=False
        )
    except msgspec.ValidationError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if not 0 <= asked.page_size <= _LARGEST_SIZE:
        raise invalid(f"page_size must not be negative or greater than {_LARGEST_SIZE}.", "page_size")
    if asked.order_by and asked.order_by not in _ORDERS:
        raise invalid(f"order_by must be '{_ORDERS[0]}' or '{_ORDERS[1]}', got '{asked.order_by}'.", "order_by")
    if asked.page_token and not _TOKEN.fullmatch(asked.page_token):
        raise invalid(f"page_token '{asked.page_token}' is not one that was given.", "page_token")
    return asked


def _projects(asked: ListLogEntriesRequest) -> list[str]:
    names = [*asked.resource_names, *(f"projects/{one}" for one in asked.project_ids)]
    if not 1 <= len(names) <= _MOST_NAMES:
        raise invalid(f"Between 1 and {_MOST_NAMES} resource_names are required.", "resource_names")
    found = [_PROJECT.fullmatch(name) for name in names]
    for name, match in zip(names, found, strict=True):
        if match is None:
            raise invalid(f"'{name}' is no projects/PROJECT, and the emulator has nothing else.", "resource_names")
    return list(dict.fromkeys(match[1] for match in found if match))


async def _list(request: Request) -> Response:
    asked = read_request(await read_json(request))
    projects, query = _projects(asked), compile_query(asked.filter)
    emulator = emulator_of(request)
    streams = [one for project in projects for one in streams_of(emulator.database, project) if query.may_be_in(one)]
    try:
        found = await asyncio.to_thread(read_entries, emulator.data_dir, streams, query)
    except OSError as error:
        raise ApiError("INTERNAL", f"The logs cannot be read: {error}") from error
    if asked.order_by == _ORDERS[1]:
        found.reverse()
    start, size = int(asked.page_token or 0), asked.page_size or _DEFAULT_SIZE
    answer: dict[str, Any] = {"entries": found[start : start + size]} if found[start:] else {}
    if start + size < len(found):
        answer["nextPageToken"] = str(start + size)
    return Json(answer)


routes = [Route("/v2/entries:list", _list, methods=["POST"])]
