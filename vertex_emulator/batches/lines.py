r"""The lines of a batch: requests in, predictions out.

    in   {"request": {GenerateContentRequest}}
    out  {"status": "", "processed_time": TIME, "request": {...}, "response": {GenerateContentResponse}}
         {"status": "Bad Request: {\"error\": {...}}", "processed_time": TIME, "request": {...}, "response": {}}

Predictions come in another order than requests. The service imports its input into a table: so a line that has no
request fails the whole job, other keys of a line are lost, and the request comes back with its keys in another order
and with nulls for what only a neighbouring part has.
"""

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson

from vertex_emulator.errors import ApiError
from vertex_emulator.faults import Faults, error_of
from vertex_emulator.generation import ask, read_question
from vertex_emulator.standin import StandIn


class BatchError(Exception):
    """Why a job fails as a whole; the text becomes the job's error."""


def read_requests(sources: Iterable[tuple[str, Path]]) -> list[dict[str, Any]]:
    """Reads the requests of JSONL files; blank lines are passed over.

    Args:
        sources: The URI and the file of each.

    Raises:
        BatchError: A file cannot be read or a line is no request; or there are none.
    """
    requests = []
    for uri, path in sources:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BatchError(f"Failed to import data. {uri} cannot be read: {error.strerror}.") from error
        for number, line in enumerate(content.split(b"\n"), start=1):
            if line.strip():
                requests.append(_request_of(line, f"{uri}, line {number}"))
    if not requests:
        raise BatchError("Failed to import data. The input has no instances.")
    return requests


def _request_of(line: bytes, where: str) -> dict[str, Any]:
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BatchError(f"Failed to import data. {where}: invalid JSON: {error}.") from error
    request = document.get("request") if isinstance(document, dict) else None
    if not isinstance(request, dict):
        raise BatchError(f'Failed to import data. {where}: expected an object with a "request" object.')
    return request


def disorder(count: int) -> Sequence[int]:
    """Returns the numbers below `count` in the same disorder every time; two or more are never in order."""
    numbers = list(range(count))
    random.Random(count).shuffle(numbers)
    return numbers if numbers != sorted(numbers) else numbers[::-1]


def predict(request: dict[str, Any], model: StandIn, version: str, faults: Faults, path: str) -> tuple[bytes, bool]:
    """Returns the line that answers a request, with its end, and whether it is an answer and no refusal.

    Args:
        request: As it stands in the input.
        model: What answers.
        version: What answers call it.
        faults: What may go wrong.
        path: The path that rules see.
    """
    echo = orjson.Fragment(orjson.dumps(_imported(request), option=orjson.OPT_SORT_KEYS))
    status, response = "", {}
    try:
        trouble = faults.meet_line(path, orjson.dumps(request))
        if trouble.ending is not None:
            error = error_of(trouble.ending)
            status = _status(error["error"]["code"], error)
        else:
            response = ask(model, version, read_question(request), trouble.answer).document
    except ApiError as refusal:
        status = _status(refusal.code, refusal.body())
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"status": status, "processed_time": at, "request": echo, "response": response}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE), not status


def _status(code: int, error: dict[str, Any]) -> str:
    phrase = HTTPStatus(code).phrase if code in list(HTTPStatus) else "Error"
    return f"{phrase}: {orjson.dumps(error).decode()}"


def _imported(request: dict[str, Any]) -> dict[str, Any]:
    """Returns a request as it comes back from a table, whose parts all have the same columns."""
    contents = request.get("contents")
    if not isinstance(contents, list) or not all(_has_parts(content) for content in contents):
        return request
    columns = dict.fromkeys(key for content in contents for part in content["parts"] for key in part)
    filled = [{**content, "parts": [{**columns, **part} for part in content["parts"]]} for content in contents]
    return {**request, "contents": filled}


def _has_parts(content: Any) -> bool:
    parts = content.get("parts") if isinstance(content, dict) else None
    return isinstance(parts, list) and all(isinstance(part, dict) for part in parts)
